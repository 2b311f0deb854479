"""Attention by kernels for this processor."""

import ctypes

import torch
from kernels import addresses, library

HEAD = 64
"""The only size of a head that the code is written for."""


class Shape(ctypes.Structure):
    """As in the C++ file."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("rows", "queries", "keys", "past", "heads", "kv_heads", "reach", "at_stride", "q_stride", "k_stride", "past_stride", "out_stride")
    ]


MOST_HEADS = 4
"""As many query heads may share a head of keys."""


def ready(q, k) -> bool:
    return q.dtype == torch.bfloat16 and q.shape[-1] == HEAD and q.shape[2] <= MOST_HEADS * k.shape[2] and library() is not None


def _even(a, b):
    """Both with the same distance from token to token and heads side by side, copied if they are not so."""
    dense = all(t.stride()[-2:] == (HEAD, 1) and (t.dim() == 3 or t.stride(0) == t.stride(1) * t.shape[1]) for t in (a, b))
    return (a, b) if dense and a.stride() == b.stride() else (a.contiguous(), b.contiguous())


class Attend(torch.autograd.Function):
    """See `attend.attend` for the shapes."""

    @staticmethod
    def forward(ctx, q, k, v, past_k, past_v, sinks, at, reach: int):
        (q, _), (k, v), (past_k, past_v), at = _even(q, q), _even(k, v), _even(past_k, past_v), at.contiguous()
        b, n, heads, d = q.shape
        own, past, kv = k.shape[1], past_k.shape[0], k.shape[2]
        row = at.stride(0) if at.dim() == 2 else 0
        ctx.shape = Shape(b, n, own, past, heads, kv, reach, row, q.stride(1), k.stride(1), past_k.stride(0), heads * d)
        out, sums = torch.empty(q.shape, dtype=q.dtype), torch.empty(b, heads, n)
        library().attend_forward(ctypes.byref(ctx.shape), *addresses(q, k, v, past_k, past_v, sinks.detach(), at, out, sums))
        ctx.save_for_backward(q, k, v, past_k, past_v, sinks, at, out, sums)
        ctx.set_materialize_grads(False)
        return out, sums

    @staticmethod
    def backward(ctx, grad, grad_sums):
        saved = ctx.saved_tensors
        grad = torch.zeros(saved[-2].shape, dtype=saved[-2].dtype) if grad is None else grad.contiguous()
        grad_sums = None if grad_sums is None else grad_sums.contiguous()
        grads = [torch.empty(t.shape, dtype=t.dtype) for t in saved[:6]]
        library().attend_backward(ctypes.byref(ctx.shape), *addresses(*saved, grad, grad_sums, *grads))
        return *grads, None, None
