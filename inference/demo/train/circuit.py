"""Starting weights: a hand-made induction circuit, so that copying need not be discovered by gradient descent.

Layer 0 has heads that look one and two tokens back by position alone and write the codes of what they see. In layer 1
two heads look for an earlier place whose last two tokens (one head) or last token (the other) are the current ones, and
copy the embedding found there. In the last layer a head is ready to copy whatever its training will point it at. The
unembedding starts as the copied part of the embedding, so a copied embedding is a prediction. Everything is trained
from there on.
"""

import math

import torch

LOCAL_PAIRS = 6
"""Rotary pairs fast enough to tell neighbouring positions apart."""
SLOW_PAIR = 16
"""Rotary pairs from here on turn so slowly that they compare contents at any distance in a conversation."""
LOCAL_STRENGTH = 6.0
MATCH_STRENGTH = 44.0
MATCH_SINK = 24.0
CODE = 16
"""Directions of the residual stream that tell tokens apart for matching."""
COPY_GAIN = 4.0
TIE = 0.06


def _orthonormal(rows: int, columns: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(columns, rows))[0].T


@torch.no_grad()
def install(model):
    """Overwrites the last group of heads in layers 0, 1 and the last, and ties the unembedding at the start."""
    c = model.c
    d, half = c.head_dim, c.head_dim // 2
    group, fold = c.kv_heads - 1, c.heads // c.kv_heads
    key_rows, value_rows = c.heads * d, (c.heads + c.kv_heads) * d
    k = slice(key_rows + group * d, key_rows + (group + 1) * d)
    v = slice(value_rows + group * d, value_rows + (group + 1) * d)
    queries = [slice(h * d, (h + 1) * d) for h in range(group * fold, (group + 1) * fold)]
    back, match, point = model.blocks[0].attn, model.blocks[1].attn, model.blocks[-1].attn

    # Disjoint directions of the residual stream; codes have one length, so that every token matches equally well.
    code, *seen, copied, said = _orthonormal(3 * CODE + 2 * d, c.hidden).split([CODE] * 3 + [d] * 2)
    length = 0.5 * math.sqrt(CODE)
    codes = model.embed @ code.T
    model.embed.add_((codes * (length / codes.norm(dim=-1, keepdim=True)) - codes) @ code)
    for other in (*seen, said):
        model.embed.sub_(model.embed @ other.T @ other)
    model.unembed.copy_(model.embed @ copied.T @ said * (TIE / 0.5))
    scale = 1 / model.embed.square().mean(-1).sqrt().mean().item()

    # Layer 0: keys point in a fixed direction; each query is that direction seen from `offset` tokens on.
    back.qkv.weight[k], back.qkv.bias[k] = 0, 0
    back.qkv.bias[k][:LOCAL_PAIRS] = LOCAL_STRENGTH
    back.qkv.weight[v], back.qkv.bias[v] = 0, 0
    back.qkv.weight[v][:CODE] = code
    speed = torch.atan2(model.sin[1], model.cos[1])
    for i, q in enumerate(queries):
        angle = -(i + 1) * speed[:LOCAL_PAIRS]
        back.qkv.weight[q], back.qkv.bias[q] = 0, 0
        back.qkv.bias[q][:LOCAL_PAIRS] = LOCAL_STRENGTH * angle.cos()
        back.qkv.bias[q][half : half + LOCAL_PAIRS] = LOCAL_STRENGTH * angle.sin()
        back.out.weight[:, q] = 0
        back.out.weight[:, q][:, :CODE] = seen[i].T / scale

    # Layer 1: keys hold the codes of the two tokens before, queries those of the current token and the one before it.
    slow = torch.cat([torch.arange(SLOW_PAIR, half), torch.arange(half + SLOW_PAIR, d)]).view(2, -1)
    first, second = slow[:, ::2].flatten(), slow[:, 1::2].flatten()
    gain = model.cos[0, 0].item() ** 2 / math.sqrt(d)
    norm = math.sqrt(1.5 * CODE)  # a third of the directions, `said`, is still empty
    beta = math.sqrt(MATCH_STRENGTH / gain) / norm
    mixes = [_orthonormal(CODE, CODE) for _ in range(2)]
    match.qkv.weight[k], match.qkv.bias[k] = 0, 0
    match.qkv.weight[k][first] = beta * mixes[0] @ seen[0]
    match.qkv.weight[k][second] = beta * mixes[1] @ seen[1]
    for q, parts in zip(queries, [((first, mixes[0], code, 0.5), (second, mixes[1], seen[0], 0.5)), ((first, mixes[0], code, 1.0),)]):
        match.qkv.weight[q], match.qkv.bias[q] = 0, 0
        for rows, mix, source, share in parts:
            match.qkv.weight[q][rows] = share * beta * mix @ source
    for layer in (match, point):
        layer.qkv.weight[v], layer.qkv.bias[v] = copied, 0
        for i, q in enumerate(queries):
            layer.out.weight[:, q] = said.T * COPY_GAIN * (1.0 if i == 0 else 0.5)
    match.sinks[group * fold :] = MATCH_SINK
