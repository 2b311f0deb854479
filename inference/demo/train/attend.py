"""Attention of rows over shared past keys and their own keys, with its own backward pass.

The sink of a head takes part in the softmax and has no value. The shared past needs no copy per row.
"""

import attend_tiles
import torch
import torch.nn.functional as F


def attend(q, k, v, past_k, past_v, sinks, at, reach: int):
    """Of `n` queries in each of `b` rows the output `[b, n, heads, d]`, and the logarithms of the sums over keys and sink `[b, heads, n]`.

    q [b, n, heads, d]; k, v [b, t, kv heads, d]; past_k, past_v [s, kv heads, d]; sinks [heads]; at [n] or [b, n], the place
    of each query in its row; reach: keys this far back or farther are not seen.
    """
    if attend_tiles.ready(q, k):
        return attend_tiles.Attend.apply(q, k, v, past_k, past_v, sinks, at, reach)
    (b, n, heads, d), kv = q.shape, k.shape[2]
    fold = heads // kv
    q = q.view(b, n, kv, fold, -1).permute(2, 0, 3, 1, 4).reshape(kv, b, fold * n, -1)
    k, v = k.permute(2, 0, 1, 3).contiguous(), v.permute(2, 0, 1, 3).contiguous()
    past_k, past_v = (F.pad(a, (0, 0, 0, 0, 1, 0)).transpose(0, 1).contiguous() for a in (past_k, past_v))
    sink = sinks.view(kv, fold, 1).expand(-1, -1, n).reshape(kv, 1, fold * n, 1)
    at = at.repeat([1] * (at.dim() - 1) + [fold])
    y, sums = Attend.apply(q, k, v, past_k, past_v, sink, at, reach)
    y = y.view(kv, b, fold, n, d).permute(1, 3, 0, 2, 4).reshape(b, n, heads, d)
    return y, sums.view(kv, b, fold, n).transpose(0, 1).reshape(b, heads, n)


@torch.compile(dynamic=True)
def _masks(at, slots: int, columns: int, reach: int):
    """What is added to the logits of past and own keys: 0, or minus infinity for what is not seen."""
    row, slot = at[..., None], torch.arange(slots)
    far = row - torch.arange(columns)
    past = (slot > 0) & (row + slots - slot < reach)
    return torch.where(past, 0.0, -torch.inf), torch.where((far >= 0) & (far < reach), 0.0, -torch.inf)


@torch.compile(dynamic=True)
def _softmax(past, own, sink, past_mask, mask, scale: float):
    past, own = past.float() * scale + past_mask, own.float() * scale + mask
    top = torch.maximum(torch.maximum(past.amax(-1, keepdim=True), own.amax(-1, keepdim=True)), sink)
    past, own, sink = torch.exp(past - top), torch.exp(own - top), torch.exp(sink - top)
    total = past.sum(-1, keepdim=True) + own.sum(-1, keepdim=True) + sink
    share = 1 / total
    return (past * share).bfloat16(), (own * share).bfloat16(), sink * share, (top + total.log())[..., 0]


@torch.compile(dynamic=True)
def _softmax_grad(past, past_grad, own, own_grad, sink, out, grad, grad_sums, scale: float):
    common = (out.float() * grad.float()).sum(-1, keepdim=True) - grad_sums[..., None]
    past_grad = past.float() * (past_grad.float() - common) * scale
    own_grad = own.float() * (own_grad.float() - common) * scale
    return past_grad.bfloat16(), own_grad.bfloat16(), -(sink * common).sum(1, keepdim=True)


class Attend(torch.autograd.Function):
    """In matrix products over all rows of a group, which write their scores to memory.

    Slot 0 of the past is never seen: so the past is never empty. Shapes: q [kv, b, n, d] with n = heads per kv head x queries;
    k, v [kv, b, t, d]; past_k, past_v [kv, 1 + s, d]; sink [kv, 1, n, 1].
    """

    @staticmethod
    def forward(ctx, q, k, v, past_k, past_v, sink, at, reach: int):
        kv, b, n, d = q.shape
        scale = d**-0.5
        past = torch.bmm(q.view(kv, b * n, d), past_k.mT).view(kv, b, n, -1)
        own = torch.matmul(q, k.mT)
        masks = _masks(at, past.shape[-1], own.shape[-1], reach)
        past, own, sink, sums = _softmax(past, own, sink, *masks, scale)
        out = torch.bmm(past.view(kv, b * n, -1), past_v).view(kv, b, n, d) + torch.matmul(own, v)
        ctx.save_for_backward(q, k, v, past_k, past_v, past, own, sink, out)
        return out, sums

    @staticmethod
    def backward(ctx, grad, grad_sums):
        q, k, v, past_k, past_v, past, own, sink, out = ctx.saved_tensors
        kv, b, n, d = q.shape
        scale = d**-0.5
        grad = grad.contiguous()
        rows, all_q = grad.view(kv, b * n, d), q.view(kv, b * n, d)
        past_flat = past.view(kv, b * n, -1)
        grad_past_v = torch.bmm(past_flat.mT, rows)
        grad_v = torch.matmul(own.mT, grad)
        past_grad = torch.bmm(rows, past_v.mT).view(kv, b, n, -1)
        own_grad = torch.matmul(grad, v.mT)
        past_grad, own_grad, grad_sink = _softmax_grad(past, past_grad, own, own_grad, sink, out, grad, grad_sums, scale)
        flat = past_grad.view(kv, b * n, -1)
        grad_q = torch.bmm(flat, past_k).view(kv, b, n, d) + torch.matmul(own_grad, k)
        grad_k = torch.matmul(own_grad.mT, q)
        grad_past_k = torch.bmm(flat.mT, all_q)
        return grad_q, grad_k, grad_v, grad_past_k, grad_past_v, grad_sink, None, None
