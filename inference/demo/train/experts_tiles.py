"""A mixture of experts by kernels for this processor."""

import ctypes

import torch
from kernels import addresses, library

WIDTH = 192
"""The only width of the model and of an expert that the code is written for."""


def ready(h, intermediate: int) -> bool:
    return h.dtype == torch.bfloat16 and h.shape[-1] == intermediate == WIDTH and library() is not None


class Mix(torch.autograd.Function):
    """The weighted sum `[tokens, hidden]` of the experts' outputs.

    h [tokens, hidden]; tokens, weight [slots], sorted by expert; counts [experts], the slots of each; gate_up [experts, 2 width,
    hidden], gates first; down [experts, hidden, width]; biases in float32.
    """

    @staticmethod
    def forward(ctx, h, tokens, weight, counts, gate_up, gate_up_bias, down, down_bias):
        saved = [t.detach().contiguous() for t in (counts, tokens, weight, h, gate_up, gate_up_bias, down, down_bias)]
        out = torch.zeros(h.shape)
        library().experts_forward(ctypes.c_int(len(counts)), *addresses(*saved, out))
        ctx.save_for_backward(*saved)
        return out

    @staticmethod
    def backward(ctx, grad):
        saved, grad = ctx.saved_tensors, grad.contiguous()
        of_weight, *others = (torch.zeros(t.shape) for t in saved[2:])
        library().experts_backward(ctypes.c_int(len(saved[0])), *addresses(*saved, grad, of_weight, *others))
        of_h, *of_experts = others
        return of_h.bfloat16(), None, of_weight, None, *of_experts
