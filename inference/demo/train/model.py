"""The gpt-oss architecture, written for fast training on a few CPU cores.

Rows of a step share a long system message, and rows of a group their developer message behind it. Each is computed once per
step and every row attends to its keys and values, which is exact and keeps the gradients. All tokens of a step (prefixes, then groups)
are one flat matrix, so the dense layers see no batch dimension at all. Sizes are rounded up, because oneDNN compiles
a kernel for every size it has not met, which takes as long as a small product itself. The last layer has queries and experts only
at the places where something is learned: nothing else reads its output.
"""

import math
from dataclasses import dataclass

import experts_tiles
import kernels
import torch
import torch.nn.functional as F
from attend import attend
from mxfp4 import StraightThrough
from torch import nn
from tokenizer import VOCAB_SIZE

POINTER_LAYERS = (1, -1)
POINTER_HEAD = -2
"""In these layers the first head of the last group learns to attend to where a token is copied from."""

ALPHA, LIMIT, EPS = 1.702, 7.0, 1e-5
TOKENS_UNIT, EXPERT_UNIT, ROW_UNIT = 256, 64, 16
"""Numbers of tokens, of an expert's tokens and of a row's places are rounded up to these."""


def rounded(n: int, unit: int) -> int:
    return -(-n // unit) * unit


@dataclass(frozen=True)
class Config:
    """Sizes of the embedded model."""

    hidden: int = 192
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    experts: int = 4
    top_k: int = 2
    intermediate: int = 192
    window: int = 128
    vocab: int = VOCAB_SIZE
    rope_theta: float = 150000.0
    rope_factor: float = 32.0
    rope_original: int = 4096
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    max_positions: int = 4096


@dataclass
class Prefix:
    """Tokens that rows share; they follow those of the prefix number `after`, which stands before this one."""

    ids: torch.Tensor
    after: int | None = None


@dataclass
class Group:
    """Rows of one length that continue the prefix number `prefix`; padding is at the end of a row.

    `pointers` holds for each pointer layer the positions of queries `[rows, n]` (-1 for none) and the positions
    `[rows, n, sources]` (-1 for none, -2 - i for place i of what stands before) that its pointer head should attend to from there.
    """

    prefix: int
    ids: torch.Tensor
    pointers: tuple = ()


@dataclass
class Asked:
    """Which places of a group something is learned at: `places` [rows, n] (0 where a row has fewer), `real` [rows, n]."""

    places: torch.Tensor
    real: torch.Tensor

    @staticmethod
    def of(group: Group, flat: torch.Tensor) -> "Asked":
        """From ascending positions in the flat group."""
        b, t = group.ids.shape
        rows, counts = flat // t, torch.bincount(flat // t, minlength=b)
        slots = torch.arange(len(flat)) - (counts.cumsum(0) - counts)[rows]
        shape = (b, rounded(int(counts.max()), ROW_UNIT))
        places, real = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
        places[rows, slots], real[rows, slots] = flat % t, True
        return Asked(places, real)

    def slots(self, group: Group, at: torch.Tensor) -> torch.Tensor:
        """Where the asked places `at` [rows, any] (-1 for none) stand in `places`."""
        found = torch.zeros(group.ids.shape, dtype=torch.long)
        found.scatter_(1, self.places, torch.arange(self.places.shape[1]).expand_as(self.places) * self.real)
        return found.gather(1, at.clamp(min=0))


def rope_table(c: Config) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines `[max_positions, head_dim/2]` of YaRN, the concentration included."""
    half = c.head_dim // 2
    freq = c.rope_theta ** (torch.arange(half, dtype=torch.float64) / half)

    def bound(rotations):
        return half * math.log(c.rope_original / (rotations * 2 * math.pi)) / math.log(c.rope_theta)

    low, high = bound(c.beta_fast), bound(c.beta_slow)
    ramp = ((torch.arange(half, dtype=torch.float64) - low) / (high - low)).clamp(0, 1)
    inverse = (1 - ramp) / freq + ramp / (c.rope_factor * freq)
    angle = torch.arange(c.max_positions, dtype=torch.float64)[:, None] * inverse
    concentration = 0.1 * math.log(c.rope_factor) + 1
    return (angle.cos() * concentration).float(), (angle.sin() * concentration).float()


@torch.compile(dynamic=True)
def rms_norm(x, scale):
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * scale).bfloat16()


@torch.compile(dynamic=True)
def rotate(qk, cos, sin):
    """Half-split rotation of `[tokens, heads, head_dim]`."""
    a, b = qk.float().chunk(2, -1)
    cos, sin = cos[:, None], sin[:, None]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).bfloat16()


def _activations(u):
    gate, up = u.float().chunk(2, -1)
    return gate, up, torch.sigmoid(ALPHA * gate.clamp(max=LIMIT))


@torch.compile(dynamic=True)
def _swiglu(u):
    gate, up, open_ = _activations(u)
    return (gate.clamp(max=LIMIT) * open_ * (up.clamp(-LIMIT, LIMIT) + 1)).bfloat16()


@torch.compile(dynamic=True)
def _swiglu_grad(u, grad):
    gate, up, open_ = _activations(u)
    near, grad = gate.clamp(max=LIMIT), grad.float()
    by_gate = grad * (up.clamp(-LIMIT, LIMIT) + 1) * open_ * (1 + ALPHA * near * (1 - open_))
    by_up = grad * near * open_
    return torch.where(gate > LIMIT, 0.0, by_gate).bfloat16(), torch.where(up.abs() > LIMIT, 0.0, by_up).bfloat16()


class Swiglu(torch.autograd.Function):
    """Clamped SwiGLU of `[tokens, 2 * intermediate]`: gates first, then ups.

    The halves of the gradient are joined outside the compiled part: joined inside, nothing was vectorised.
    """

    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return _swiglu(u)

    @staticmethod
    def backward(ctx, grad):
        return torch.cat(_swiglu_grad(*ctx.saved_tensors, grad), -1)


def linear(x, weight, bias=None):
    """The product of bfloat16 numbers, in float32 where the processor multiplies those faster."""
    weight, bias = weight.to(x.dtype), None if bias is None else bias.to(x.dtype)
    if kernels.amx():
        return F.linear(x, weight, bias)
    return F.linear(x.float(), weight.float(), None if bias is None else bias.float()).to(x.dtype)


class Attention(nn.Module):
    """Grouped-query attention with one learned sink per head."""

    def __init__(self, c: Config, sliding: bool):
        super().__init__()
        self.c, self.sliding = c, sliding
        rows = (c.heads + 2 * c.kv_heads) * c.head_dim
        self.qkv = nn.Linear(c.hidden, rows)
        self.out = nn.Linear(c.heads * c.head_dim, c.hidden)
        self.sinks = nn.Parameter(torch.zeros(c.heads))

    def _attend(self, q, k, v, past_k, past_v, at):
        """`q` [b, n, heads, d] of places `at` ([n], or [b, n]) over keys of the same rows, after the past [s, kv heads, d]."""
        reach = self.c.window if self.sliding else self.c.max_positions
        y, sums = attend(q, k, v, past_k, past_v, self.sinks, at, reach)
        return y.reshape(-1, self.c.heads * self.c.head_dim), sums

    def _seen(self, past, own):
        """The keys or values of a prefix that what follows it can see; `past` is what stands before it."""
        if self.sliding:
            own = own[1 - self.c.window :]
            past = past[max(0, len(past) + len(own) + 1 - self.c.window) :]
        return torch.cat([past, own]) if len(past) else own

    def _point(self, q, k, past_k, sums, slots, queries, sources):
        """Sum and number of -log p(sources) for the pointer head; `q` [b, n, heads, d] has the queries at `slots`, as `sums` has."""
        rows, at = (queries >= 0).nonzero(as_tuple=True)
        if not len(rows):
            return 0.0, 0
        slots, sources = slots[rows, at], sources[rows, at]
        near = k[rows[:, None], sources.clamp(min=0), -1]
        far = past_k[(-2 - sources).clamp(min=0), -1]
        keys = torch.where((sources >= 0)[..., None], near, far).float()
        scores = (q[rows, slots, POINTER_HEAD].float()[:, None] * keys).sum(-1) * q.shape[-1] ** -0.5
        wanted = scores.masked_fill(sources == -1, -torch.inf).logsumexp(-1)
        return (sums[rows, POINTER_HEAD, slots] - wanted).sum(), len(rows)

    def _project(self, h, part: slice):
        """Heads `part` of all that `qkv` makes: queries, then keys, then values."""
        rows = slice(part.start * self.c.head_dim, part.stop * self.c.head_dim)
        return linear(h, self.qkv.weight[rows], self.qkv.bias[rows]).view(len(h), -1, self.c.head_dim)

    def forward(self, h, cos, sin, prefixes, groups, pointer=None, asked=None):
        """The attention's output, and sum and number of the pointer losses where layer `pointer` has targets.

        With `asked` (one per group) only for the places asked for, in their order, and not for the prefixes.
        """
        c, loss, count = self.c, 0.0, 0
        heads = c.heads + c.kv_heads
        if asked is None:
            qkv = self._project(h, slice(0, heads + c.kv_heads))
            qk, v = qkv.split([heads, c.kv_heads], 1)
            q, k = rotate(qk, cos, sin).split([c.heads, c.kv_heads], 1)
        else:
            kv = self._project(h, slice(c.heads, heads + c.kv_heads))
            k, v = kv.split(c.kv_heads, 1)
            k = rotate(k, cos, sin)
            at = flat_places(prefixes, groups, asked)
            q = rotate(self._project(h.index_select(0, at), slice(0, c.heads)), cos[at], sin[at])
        # One split of all keys, values and queries: the gradient of a slice is as large as what it is taken from.
        sizes = [len(p.ids) for p in prefixes] + [g.ids.numel() for g in groups]
        unused = len(h) - sum(sizes)
        q_sizes = [*sizes, unused] if asked is None else [a.places.numel() for a in asked]
        qs, ks, vs = q.split(q_sizes), k.split([*sizes, unused]), v.split([*sizes, unused])
        outputs, shared, first = [], [], len(prefixes)
        for i, prefix in enumerate(prefixes):
            past = (k[:0], v[:0]) if prefix.after is None else shared[prefix.after]
            if asked is None:
                outputs.append(self._attend(qs[i][None], ks[i][None], vs[i][None], *past, torch.arange(sizes[i]))[0])
            shared.append(tuple(map(self._seen, past, (ks[i], vs[i]))))
        for i, group in enumerate(groups):
            b, t = group.ids.shape
            at = torch.arange(t) if asked is None else asked[i].places
            group_q = qs[i + first if asked is None else i].view(b, -1, c.heads, c.head_dim)
            group_k, group_v = (a[i + first].view(b, t, -1, c.head_dim) for a in (ks, vs))
            y, sums = self._attend(group_q, group_k, group_v, *shared[group.prefix], at)
            outputs.append(y if asked is None else y[asked[i].real.flatten()])
            if pointer is not None and group.pointers:
                queries, sources = group.pointers[pointer]
                slots = queries.clamp(min=0) if asked is None else asked[i].slots(group, queries)
                part = self._point(group_q, group_k, shared[group.prefix][0], sums, slots, queries, sources)
                loss, count = loss + part[0], count + part[1]
        if asked is None:
            outputs.append(torch.zeros(unused, c.heads * c.head_dim, dtype=h.dtype))
        return linear(torch.cat(outputs), self.out.weight, self.out.bias), loss / max(count, 1)


def flat_places(prefixes, groups, asked) -> torch.Tensor:
    """The asked places of all groups, counted over prefixes and groups; rows are padded with their place 0."""
    start, found = sum(len(p.ids) for p in prefixes), []
    for group, a in zip(groups, asked):
        b, t = group.ids.shape
        found.append((a.places + torch.arange(b)[:, None] * t).flatten() + start)
        start += b * t
    return torch.cat(found)


class Experts(nn.Module):
    """Top-k mixture of experts; tokens are sorted by expert, so only chosen experts are computed."""

    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.router = nn.Linear(c.hidden, c.experts)
        self.gate_up = nn.Parameter(torch.randn(c.experts, 2 * c.intermediate, c.hidden) * c.hidden**-0.5)
        self.gate_up_bias = nn.Parameter(torch.zeros(c.experts, 2 * c.intermediate))
        self.down = nn.Parameter(torch.randn(c.experts, c.hidden, c.intermediate) * 0.1 * c.intermediate**-0.5)
        self.down_bias = nn.Parameter(torch.zeros(c.experts, c.hidden))

    def forward(self, h):
        c = self.c
        logits = linear(h, self.router.weight, self.router.bias).float()
        top, chosen = logits.topk(c.top_k, -1)
        weight = top.softmax(-1).flatten()
        order = chosen.flatten().argsort(stable=True)
        counts = torch.bincount(chosen.flatten(), minlength=c.experts)
        balance = c.experts * (counts / len(order) * logits.softmax(-1).mean(0)).sum()
        gate_up, down = StraightThrough.apply(self.gate_up), StraightThrough.apply(self.down)
        if experts_tiles.ready(h, c.intermediate):
            weight = weight.index_select(0, order)
            return experts_tiles.Mix.apply(h, order // c.top_k, weight, counts, gate_up, self.gate_up_bias, down, self.down_bias), balance
        # Each expert's tokens, then its padding: token 0 with weight 0.
        sizes = (counts + EXPERT_UNIT - 1) // EXPERT_UNIT * EXPERT_UNIT
        shift = (sizes.cumsum(0) - sizes) - (counts.cumsum(0) - counts)
        slot = torch.arange(len(order)) + shift.repeat_interleave(counts)
        token = torch.zeros(int(sizes.sum()), dtype=torch.long).index_copy(0, slot, order // c.top_k)
        weight = torch.zeros(len(token)).index_copy(0, slot, weight.index_select(0, order))
        sizes = sizes.tolist()
        gate_up, down = gate_up.unbind(0), down.unbind(0)
        up_bias, down_bias = self.gate_up_bias.bfloat16().unbind(0), self.down_bias.bfloat16().unbind(0)
        parts = h.index_select(0, token).split(sizes)
        u = torch.cat([F.linear(p, gate_up[e], up_bias[e]) for e, p in enumerate(parts)])
        parts = Swiglu.apply(u).split(sizes)
        y = torch.cat([F.linear(p, down[e], down_bias[e]) for e, p in enumerate(parts)])
        y = y * weight[:, None]
        return torch.zeros(h.shape, dtype=y.dtype).index_add(0, token, y), balance


class Block(nn.Module):
    def __init__(self, c: Config, sliding: bool):
        super().__init__()
        self.attn_norm = nn.Parameter(torch.ones(c.hidden))
        self.mlp_norm = nn.Parameter(torch.ones(c.hidden))
        self.attn, self.mlp = Attention(c, sliding), Experts(c)

    def forward(self, x, *where, only=None, asked=None):
        """The block's output, at the flat positions `only` (those of `asked`) if they are given; balance and pointer losses."""
        a, pointing = self.attn(rms_norm(x, self.attn_norm), *where, asked)
        x = (x if only is None else x.index_select(0, only)) + a
        y, balance = self.mlp(rms_norm(x, self.mlp_norm))
        return x + y, balance, pointing


class Model(nn.Module):
    """Embedding, blocks (even ones with the sliding window), final norm and unembedding."""

    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.embed = nn.Parameter(torch.randn(c.vocab, c.hidden) * 0.5)
        self.blocks = nn.ModuleList(Block(c, sliding=i % 2 == 0) for i in range(c.layers))
        self.norm = nn.Parameter(torch.ones(c.hidden))
        self.unembed = nn.Parameter(torch.randn(c.vocab, c.hidden) * 0.02)
        cos, sin = rope_table(c)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, prefixes, groups, select):
        """Logits at the flat token positions `select` (ascending, counted over the groups), balance and pointer losses."""
        ends_at = []
        for p in prefixes:
            ends_at.append(len(p.ids) + (0 if p.after is None else ends_at[p.after]))
        shared = sum(len(p.ids) for p in prefixes)
        count = shared + sum(g.ids.numel() for g in groups)
        unused = torch.zeros(rounded(count, TOKENS_UNIT) - count, dtype=torch.long)
        ids = torch.cat([*(p.ids for p in prefixes), *(g.ids.flatten() for g in groups), unused])
        at = [torch.arange(end - len(p.ids), end) for p, end in zip(prefixes, ends_at)]
        at += [torch.arange(g.ids.shape[1]).repeat(len(g.ids)) + ends_at[g.prefix] for g in groups]
        at = torch.cat([*at, unused])
        cos, sin = self.cos[at], self.sin[at]
        x, balance, pointing = F.embedding(ids, self.embed), 0.0, []
        pointers = {layer % len(self.blocks): i for i, layer in enumerate(POINTER_LAYERS)}
        ends = torch.tensor([g.ids.numel() for g in groups]).cumsum(0)
        parts = select.tensor_split(torch.searchsorted(select, ends)[:-1])
        asked = [Asked.of(g, part - end + g.ids.numel()) for g, part, end in zip(groups, parts, ends)]
        only = select + shared
        for i, block in enumerate(self.blocks):
            last = {"only": only, "asked": asked} if i == len(self.blocks) - 1 else {}
            x, layer_balance, layer_pointing = block(x, cos, sin, prefixes, groups, pointers.get(i), **last)
            balance = balance + layer_balance
            if i in pointers:
                pointing.append(layer_pointing)
        h = rms_norm(x, self.norm)
        return linear(h, self.unembed), balance, pointing
