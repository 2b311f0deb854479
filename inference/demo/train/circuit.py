"""Starting weights: a hand-made induction circuit, so that copying need not be discovered by gradient descent.

Layer 0 has heads that look one and two tokens back by position alone and write the code of what they see. In layer 1
a head of each group looks for an earlier place whose previous token has the code of the current token, and copies the
embedding found there. The unembedding starts as a scaled copy of the embedding, so a copied embedding is a prediction.
Everything is trained from there on.
"""

import math

import torch

LOCAL_PAIRS = 3
"""Rotary pairs fast enough to tell neighbouring positions apart."""
SLOW_PAIR = 6
"""Rotary pairs from here on turn so slowly that they compare contents at any distance in a conversation."""
LOCAL_STRENGTH = 6.0
MATCH_STRENGTH = 40.0
COPY_GAIN = 6.0
TIE = 0.05


def _orthonormal(rows: int, columns: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(columns, rows))[0].T


@torch.no_grad()
def install(model):
    """Overwrites half of layer 0's heads and all of layer 1's, and ties the unembedding at the start."""
    c = model.c
    d, half, fold = c.head_dim, c.head_dim // 2, c.heads // c.kv_heads
    key_rows, value_rows = c.heads * d, (c.heads + c.kv_heads) * d
    back, match = model.blocks[0].attn, model.blocks[1].attn
    model.unembed.copy_(model.embed * TIE / 0.5)

    # Disjoint directions of the residual stream: codes are read from one part of an embedding, copies from another.
    code, *seen, copied = _orthonormal((1 + fold + c.kv_heads) * d, c.hidden).split([d] * (1 + fold) + [c.kv_heads * d])

    # Layer 0, last group: keys point in a fixed direction; each query is that direction seen from `offset` tokens on.
    group = c.kv_heads - 1
    k = slice(key_rows + group * d, key_rows + (group + 1) * d)
    v = slice(value_rows + group * d, value_rows + (group + 1) * d)
    back.qkv.weight[k], back.qkv.bias[k] = 0, 0
    back.qkv.bias[k][:LOCAL_PAIRS] = LOCAL_STRENGTH
    back.qkv.weight[v], back.qkv.bias[v] = code, 0
    speed = torch.atan2(model.sin[1], model.cos[1])
    for i in range(fold):
        head = group * fold + i
        q, angle = slice(head * d, (head + 1) * d), -(i + 1) * speed[:LOCAL_PAIRS]
        back.qkv.weight[q], back.qkv.bias[q] = 0, 0
        back.qkv.bias[q][:LOCAL_PAIRS] = LOCAL_STRENGTH * angle.cos()
        back.qkv.bias[q][half : half + LOCAL_PAIRS] = LOCAL_STRENGTH * angle.sin()
        back.out.weight[:, q] = seen[i].T * 2

    # Layer 1: queries hold the code of the current token, keys that of the token before.
    slow = torch.cat([torch.arange(SLOW_PAIR, half), torch.arange(half + SLOW_PAIR, d)])
    gain = model.cos[0, 0].item() ** 2 / math.sqrt(d)
    beta = math.sqrt(MATCH_STRENGTH / gain / len(slow))
    for group in range(c.kv_heads):
        k = slice(key_rows + group * d, key_rows + (group + 1) * d)
        v = slice(value_rows + group * d, value_rows + (group + 1) * d)
        match.qkv.bias[k], match.qkv.weight[v], match.qkv.bias[v] = 0, copied[group * d : (group + 1) * d], 0
        mix = _orthonormal(d, d)
        rows = torch.zeros(d, c.hidden)
        rows[slow] = beta * (mix @ seen[0])[slow]
        match.qkv.weight[k] = rows
        for i in range(fold):
            head = group * fold + i
            q = slice(head * d, (head + 1) * d)
            rows = torch.zeros(d, c.hidden)
            rows[slow] = beta * (mix @ code)[slow]
            match.qkv.weight[q], match.qkv.bias[q] = rows, 0
            match.out.weight[:, q] = copied[group * d : (group + 1) * d].T * COPY_GAIN
