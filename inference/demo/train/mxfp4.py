"""MXFP4 for expert weights: fake quantisation while training, packing for export, unpacking for checks.

A block is 32 consecutive elements along the last (input) dimension. It has one E8M0 scale byte and
32 E2M1 codes; byte j of the 16 code bytes holds element 2j in its low nibble and 2j+1 in its high one.
"""

import torch

BLOCK = 32
LEVELS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


def _scaled(w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Blocks divided by their power-of-two scale, and the exponent of that scale."""
    blocks = w.reshape(*w.shape[:-1], -1, BLOCK)
    largest = blocks.abs().amax(-1, keepdim=True).clamp_min(2.0**-100)
    exponent = torch.floor(torch.log2(largest)) - 2
    return blocks * torch.exp2(-exponent), exponent


def _round(a: torch.Tensor) -> torch.Tensor:
    """Nearest E2M1 magnitude of `a` >= 0; a tie takes the smaller one."""
    step = torch.where(a < 2, 0.5, torch.where(a < 4, 1.0, 2.0))
    return (step * torch.ceil(a / step - 0.5)).clamp_max(6.0)


def quantised(w: torch.Tensor) -> torch.Tensor:
    """`w` with every value replaced by its MXFP4 value."""
    scaled, exponent = _scaled(w)
    return (torch.sign(scaled) * _round(scaled.abs()) * torch.exp2(exponent)).reshape(w.shape)


class StraightThrough(torch.autograd.Function):
    """Forward: MXFP4 values as bfloat16 (exact). Backward: the gradient passes unchanged."""

    @staticmethod
    def forward(ctx, w):
        return _fast_quantised(w)

    @staticmethod
    def backward(ctx, grad):
        return grad.float()


@torch.compile
def _fast_quantised(w):
    return quantised(w).bfloat16()


def pack(w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Blocks `[..., n, 16]` and scales `[..., n]` (both uint8) of `w` `[..., 32 n]`."""
    scaled, exponent = _scaled(w.float())
    magnitude = _round(scaled.abs())
    code = torch.bucketize(magnitude, torch.tensor(LEVELS)) + 8 * (scaled < 0)
    code = torch.where(magnitude == 0, 0, code).to(torch.uint8)
    return code[..., 0::2] | (code[..., 1::2] << 4), (exponent[..., 0] + 127).to(torch.uint8)


def unpack(blocks: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """The float32 weights of packed blocks and scales."""
    table = torch.tensor(LEVELS + tuple(-v for v in LEVELS))
    code = torch.stack([blocks & 15, blocks >> 4], -1).flatten(-2)
    values = table[code.long()] * torch.exp2(scales.float() - 127)[..., None]
    return values.flatten(-2)
