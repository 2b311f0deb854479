"""Holds attention and experts, as this processor computes them, against plain float32: `python check_kernels.py`.

It prints the relative error of every output and gradient, and fails where one is over a hundredth: bfloat16 has 8 bits.
"""

import sys

import kernels
import torch
from attend import attend
from experts_tiles import WIDTH, Mix

MOST = 0.01
ALPHA, LIMIT = 1.702, 7.0


def plain_attention(q, k, v, past_k, past_v, sinks, at, reach: int):
    b, n, heads, d = q.shape
    fold, past = heads // k.shape[2], len(past_k)
    keys, values = (torch.cat([p.expand(b, *p.shape), own], 1).repeat_interleave(fold, 2) for p, own in ((past_k, k), (past_v, v)))
    logits = torch.einsum("bnhd,bkhd->bhnk", q, keys) * d**-0.5
    place = past + at.expand(b, n)[:, None, :, None]
    slot = torch.arange(keys.shape[1])
    logits = logits.masked_fill((slot > place) | (slot <= place - reach), -torch.inf)
    logits = torch.cat([logits, sinks.view(1, heads, 1, 1).expand(b, heads, n, 1)], -1)
    return torch.einsum("bhnk,bkhd->bnhd", logits.softmax(-1)[..., :-1], values), logits.logsumexp(-1)


def plain_mix(h, tokens, weight, counts, gate_up, gate_up_bias, down, down_bias):
    out, begin = torch.zeros(h.shape), 0
    for e, count in enumerate(counts.tolist()):
        slots = slice(begin, begin + count)
        gate, up = (h[tokens[slots]] @ gate_up[e].T + gate_up_bias[e]).chunk(2, -1)
        gate = gate.clamp(max=LIMIT)
        y = (gate * torch.sigmoid(ALPHA * gate) * (up.clamp(-LIMIT, LIMIT) + 1)) @ down[e].T + down_bias[e]
        out = out.index_add(0, tokens[slots], y * weight[slots, None])
        begin += count
    return (out,)


def error(a, b) -> float:
    return ((a.float() - b).norm() / b.norm()).item() if b.numel() else 0.0


def compare(name: str, found, wanted, leaves: list):
    """`found` and `wanted` compute lists of tensors from the same leaves: the first as they are, the second in float32."""
    own = [leaf.detach().requires_grad_() for leaf in leaves]
    exact = [leaf.detach().float().requires_grad_() for leaf in leaves]
    outputs, expected = found(*own), wanted(*exact)
    grads = [torch.randn(t.shape).to(t.dtype) for t in outputs]
    torch.autograd.backward(outputs, grads)
    torch.autograd.backward(expected, [g.float() for g in grads])
    errors = [error(a.detach(), b.detach()) for a, b in zip(outputs, expected)] + [error(a.grad, b.grad) for a, b in zip(own, exact)]
    print(f"{name}: {' '.join(f'{e:.4f}' for e in errors)}")
    return max(errors) < MOST


def random_half(*shape: int):
    return torch.randn(shape).bfloat16()


def attention_case(rows: int, queries: int, keys: int, past: int, reach: int):
    """With fewer queries than keys, the places are some of a row's, padded with place 0."""
    at = torch.arange(keys)
    if queries < keys:
        some = torch.stack([torch.randperm(keys)[: queries - 1].sort()[0] for _ in range(rows)])
        at = torch.cat([some, torch.zeros(rows, 1, dtype=torch.long)], 1)
    leaves = [random_half(rows, queries, 4, 64), random_half(rows, keys, 2, 64), random_half(rows, keys, 2, 64)]
    leaves += [random_half(past, 2, 64), random_half(past, 2, 64), torch.randn(4)]
    name = f"attention of {rows} x {queries} queries over {past} + {keys} keys, {reach} back"
    return compare(name, lambda *t: attend(*t, at, reach), lambda *t: plain_attention(*t, at, reach), leaves)


def experts_case(count: int, experts: int = 4):
    chosen = torch.rand(count, experts).topk(2).indices.flatten()
    tokens, counts = chosen.argsort(stable=True) // 2, torch.bincount(chosen, minlength=experts)
    leaves = [random_half(count, WIDTH), torch.rand(2 * count), random_half(experts, 2 * WIDTH, WIDTH) * 0.2, torch.randn(experts, 2 * WIDTH)]
    leaves += [random_half(experts, WIDTH, WIDTH) * 0.1, torch.randn(experts, WIDTH)]
    found = lambda h, weight, *weights: (Mix.apply(h, tokens, weight, counts, *weights),)  # noqa: E731
    wanted = lambda h, weight, *weights: plain_mix(h, tokens, weight, counts, *weights)  # noqa: E731
    return compare(f"experts of {count} tokens", found, wanted, leaves)


def main():
    torch.manual_seed(1)
    cases = [(1, 441, 441, 0, 4096), (7, 192, 192, 441, 4096), (7, 208, 208, 127, 128), (3, 40, 208, 441, 4096), (2, 100, 336, 127, 128), (1, 1, 1, 5, 4096), (1, 1301, 1301, 0, 128), (2, 33, 33, 31, 7)]
    good = [attention_case(*case) for case in cases]
    good += [experts_case(count) for count in (1, 300, 5000)] if kernels.library() else []
    sys.exit(0 if all(good) else f"an error is over {MOST}")


if __name__ == "__main__":
    main()
