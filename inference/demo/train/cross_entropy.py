"""Cross-entropy of bfloat16 logits over the vocabulary, with a backward pass that reads them once and writes once."""

import torch


@torch.compile(dynamic=True)
def _losses(logits, targets):
    logits = logits.float()
    total = logits.logsumexp(-1)
    return total - logits.gather(1, targets[:, None])[:, 0], total


@torch.compile(dynamic=True)
def _gradient(logits, targets, total, weight):
    wanted = torch.arange(logits.shape[1]) == targets[:, None]
    return ((torch.exp(logits.float() - total[:, None]) - wanted.float()) * weight[:, None]).bfloat16()


class CrossEntropy(torch.autograd.Function):
    """Losses `[n]` of logits `[n, vocabulary]` and target ids `[n]`."""

    @staticmethod
    def forward(ctx, logits, targets):
        losses, total = _losses(logits, targets)
        ctx.save_for_backward(logits, targets, total)
        return losses

    @staticmethod
    def backward(ctx, weight):
        logits, targets, total = ctx.saved_tensors
        return _gradient(logits, targets, total, weight), None
