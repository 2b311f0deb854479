"""Attention of rows over shared past keys and their own keys, with its own backward pass.

Slot 0 of the past is the sink: its logit comes from `sink`, its value is zero. The shared past needs no copy per row:
its products are one large matrix product over all rows of the group.

Shapes: q [kv, b, n, d] with n = heads per kv head x row length; k, v [kv, b, t, d]; past_k, past_v [kv, s, d];
sink [kv, 1, n, 1]; past_mask [n, s] and mask [n, t], additive.
"""

import torch


@torch.compile(dynamic=True)
def _softmax(past, own, sink, past_mask, mask, scale: float):
    is_sink = torch.arange(past.shape[-1]) == 0
    past = torch.where(is_sink, sink, past.float() * scale + past_mask)
    own = own.float() * scale + mask
    top = torch.maximum(past.amax(-1, keepdim=True), own.amax(-1, keepdim=True))
    past, own = torch.exp(past - top), torch.exp(own - top)
    total = past.sum(-1, keepdim=True) + own.sum(-1, keepdim=True)
    return (past / total).bfloat16(), (own / total).bfloat16()


@torch.compile(dynamic=True)
def _softmax_grad(past, past_grad, own, own_grad, out, grad, scale: float):
    common = (out.float() * grad.float()).sum(-1, keepdim=True)
    past_grad = past.float() * (past_grad.float() - common)
    own_grad = own.float() * (own_grad.float() - common)
    return (past_grad * scale).bfloat16(), (own_grad * scale).bfloat16()


class Attend(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, past_k, past_v, sink, past_mask, mask):
        kv, b, n, d = q.shape
        scale = d**-0.5
        past = torch.bmm(q.view(kv, b * n, d), past_k.mT).view(kv, b, n, -1)
        own = torch.matmul(q, k.mT)
        past, own = _softmax(past, own, sink, past_mask, mask, scale)
        out = torch.bmm(past.view(kv, b * n, -1), past_v).view(kv, b, n, d) + torch.matmul(own, v)
        ctx.save_for_backward(q, k, v, past_k, past_v, past, own, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        q, k, v, past_k, past_v, past, own, out = ctx.saved_tensors
        kv, b, n, d = q.shape
        scale = d**-0.5
        grad = grad.contiguous()
        rows, all_q = grad.view(kv, b * n, d), q.view(kv, b * n, d)
        past_flat = past.view(kv, b * n, -1)
        grad_past_v = torch.bmm(past_flat.mT, rows)
        grad_v = torch.matmul(own.mT, grad)
        past_grad = torch.bmm(rows, past_v.mT).view(kv, b, n, -1)
        own_grad = torch.matmul(grad, v.mT)
        past_grad, own_grad = _softmax_grad(past, past_grad, own, own_grad, out, grad, scale)
        flat = past_grad.view(kv, b * n, -1)
        grad_q = torch.bmm(flat, past_k).view(kv, b, n, d) + torch.matmul(own_grad, k)
        grad_k = torch.matmul(own_grad.mT, q)
        grad_past_k = torch.bmm(flat.mT, all_q)
        grad_sink = past_grad[..., :1].float().sum(1, keepdim=True) / scale
        return grad_q, grad_k, grad_v, grad_past_k, grad_past_v, grad_sink, None, None
