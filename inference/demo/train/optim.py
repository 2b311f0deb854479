"""Muon for the matrices inside the blocks, AdamW for everything else."""

import torch


@torch.no_grad()
def orthogonalised(g: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrices of a batch `[n, rows, cols]`."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised; a parameter of `[.., rows, cols]` counts as a batch of matrices."""

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list] = {}
            for p in group["params"]:
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(m, group["momentum"])
                # A tall stack of square matrices (gate over up) is orthogonalised one square at a time.
                rows, cols = p.shape[-2:]
                rows = cols if p.dim() == 3 else rows
                by_shape.setdefault((rows, cols), []).append((p, update.reshape(-1, rows, cols)))
            for (rows, cols), entries in by_shape.items():
                updates = orthogonalised(torch.cat([u for _, u in entries])).split([len(u) for _, u in entries])
                for (p, _), update in zip(entries, updates):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update.reshape(p.shape), alpha=-group["lr"] * max(1, rows / cols) ** 0.5)


def optimizers(model) -> list[torch.optim.Optimizer]:
    """Both optimizers with their peak learning rates.

    The unembedding has a large epsilon: the gradients of tokens that are hardly ever a target are tiny and always
    point away, and Adam would make full steps of them, until such a token cannot be copied any more.
    """
    matrices, others = [], []
    for name, p in model.named_parameters():
        inner = name.startswith("blocks.") and p.dim() >= 2 and not name.endswith("_bias") and "router" not in name
        if name != "unembed":
            (matrices if inner else others).append(p)
    unembed = {"params": [model.unembed], "lr": 1.5e-3, "eps": 1e-5}
    return [
        Muon(matrices, lr=0.02),
        torch.optim.AdamW([{"params": others}, unembed], lr=2e-3, betas=(0.9, 0.97), weight_decay=0.0, fused=True),
    ]
