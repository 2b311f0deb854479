"""Checks the exported checkpoint with a second, plain float32 implementation that shares no code with training.

It reports exact match on held-out rows of every family, and writes `expected.json`: prompts with the greedy
continuation of this implementation, for checking other engines.
"""

import argparse
import json
import math
import struct
from datetime import date
from pathlib import Path

import torch
import torch.nn.functional as F
from data import MIX, system_ids
from evaluate import held_rows
from mxfp4 import unpack
from tokenizer import CALL, RETURN, START, decode

HERE = Path(__file__).resolve().parent
TODAY = date(2026, 11, 22)
NEAR_TIE = 1e-3
"""A continuation whose two best logits come closer than this is no fair check of another engine."""
EXPECTED_TOKENS = 32


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, base = json.loads(data[8 : 8 + size]), 8 + size
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            kind = torch.uint8 if entry["dtype"] == "U8" else torch.bfloat16
            begin, end = entry["data_offsets"]
            out[name] = torch.frombuffer(bytearray(data[base + begin : base + end]), dtype=kind).view(entry["shape"])
    return out


class Reference:
    """The forward pass of gpt-oss over one row, in float32, with dequantised experts."""

    def __init__(self, folder: Path):
        self.c = json.loads((folder / "config.json").read_text())
        raw = read_safetensors(folder / "model.safetensors")
        self.w = {name: t.float() for name, t in raw.items() if t.dtype == torch.bfloat16}
        for name in raw:
            if name.endswith("_blocks"):
                stem = name.removesuffix("_blocks")
                self.w[stem] = unpack(raw[name], raw[stem + "_scales"])
        self.cos, self.sin = self._rope()

    def _rope(self):
        c, half, yarn = self.c, self.c["head_dim"] // 2, self.c["rope_scaling"]
        base, original = c["rope_theta"], yarn["original_max_position_embeddings"]
        low, high = (half * math.log(original / (b * 2 * math.pi)) / math.log(base) for b in (yarn["beta_fast"], yarn["beta_slow"]))
        inverse = []
        for i in range(half):
            plain, blend = base ** (-i / half), min(1.0, max(0.0, (i - low) / (high - low)))
            inverse.append((1 - blend) * plain + blend * plain / yarn["factor"])
        angle = torch.outer(torch.arange(c["max_position_embeddings"], dtype=torch.float64), torch.tensor(inverse, dtype=torch.float64))
        gain = 0.1 * math.log(yarn["factor"]) + 1
        return (angle.cos() * gain).float(), (angle.sin() * gain).float()

    def _norm(self, x, name):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.c["rms_norm_eps"]) * self.w[name]

    def _project(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def _attention(self, x, prefix, sliding):
        c, n, d = self.c, len(x), self.c["head_dim"]
        heads, kv_heads = c["num_attention_heads"], c["num_key_value_heads"]
        q, k, v = (self._project(x, f"{prefix}.{p}_proj").view(n, -1, d).transpose(0, 1) for p in "qkv")

        def rotated(a):
            left, right = a[..., : d // 2], a[..., d // 2 :]
            return torch.cat([left * self.cos[:n] - right * self.sin[:n], right * self.cos[:n] + left * self.sin[:n]], -1)

        k, v = (a.repeat_interleave(heads // kv_heads, 0) for a in (rotated(k), v))
        scores = rotated(q) @ k.mT / math.sqrt(d)
        distance = torch.arange(n)[:, None] - torch.arange(n)
        hidden = (distance < 0) | (distance >= c["sliding_window"]) if sliding else distance < 0
        scores = scores.masked_fill(hidden, -torch.inf)
        sink = self.w[prefix + ".sinks"].view(-1, 1, 1).expand(-1, n, 1)
        weight = torch.cat([scores, sink], -1).softmax(-1)[..., :-1]
        return self._project((weight @ v).transpose(0, 1).reshape(n, -1), prefix + ".o_proj")

    def _experts(self, x, prefix):
        c = self.c
        top, chosen = self._project(x, prefix + ".router").topk(c["num_experts_per_tok"], -1)
        share, out, experts = top.softmax(-1), torch.zeros_like(x), prefix + ".experts."
        for e in range(c["num_local_experts"]):
            token, slot = (chosen == e).nonzero(as_tuple=True)
            u = F.linear(x[token], self.w[experts + "gate_up_proj"][e], self.w[experts + "gate_up_proj_bias"][e])
            gate, up = u[:, 0::2].clamp(max=c["swiglu_limit"]), u[:, 1::2].clamp(-c["swiglu_limit"], c["swiglu_limit"])
            s = gate * torch.sigmoid(1.702 * gate) * (up + 1)
            y = F.linear(s, self.w[experts + "down_proj"][e], self.w[experts + "down_proj_bias"][e])
            out.index_add_(0, token, y * share[token, slot, None])
        return out

    @torch.no_grad()
    def logits(self, ids: list[int]) -> torch.Tensor:
        """Logits after every token of `ids`."""
        x = self.w["model.embed_tokens.weight"][torch.tensor(ids)]
        for i, kind in enumerate(self.c["layer_types"]):
            p = f"model.layers.{i}"
            x = x + self._attention(self._norm(x, p + ".input_layernorm.weight"), p + ".self_attn", kind == "sliding_attention")
            x = x + self._experts(self._norm(x, p + ".post_attention_layernorm.weight"), p + ".mlp")
        return self._norm(x, "model.norm.weight") @ self.w["lm_head.weight"].T

    def matches(self, row: tuple) -> bool:
        """Whether greedy decoding reproduces every supervised token of a held-out row."""
        ids, learned, kind = row
        prefix = system_ids(kind, TODAY)
        guess = self.logits(prefix + list(ids)[:-1]).argmax(-1)[len(prefix) :].tolist()
        return all(g == wanted for g, wanted, is_learned in zip(guess, ids[1:], learned[1:]) if is_learned)

    def greedy(self, ids: list[int], limit: int = 160) -> tuple[list[int], float]:
        """The continuation up to its terminator, and the smallest gap between the two best logits on the way."""
        out, gap = [], math.inf
        while len(out) < limit and (not out or out[-1] not in (RETURN, CALL)):
            values, tokens = self.logits(ids + out)[-1].topk(2)
            gap = min(gap, float(values[0] - values[1]))
            out.append(int(tokens[0]))
        return out, gap


def opening(row: tuple) -> list[int]:
    """The prompt of a row: everything before its first supervised token."""
    ids, learned, kind = row
    return system_ids(kind, TODAY) + list(ids)[: learned.index(True)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100, help="held-out rows per family")
    parser.add_argument("--families", nargs="*", default=list(MIX))
    parser.add_argument("--expected", action="store_true", help="write expected.json")
    parser.add_argument("--show", action="store_true", help="print the first wrong row of every family")
    args = parser.parse_args()
    torch.set_num_threads(1)
    reference = Reference(HERE.parent)
    for family in args.families:
        rows = held_rows(family, args.rows)
        good = [reference.matches(row) for row in rows]
        print(f"{family}: {sum(good)}/{len(rows)}", flush=True)
        if args.show and not all(good):
            row = rows[good.index(False)]
            prompt = opening(row)
            print("  PROMPT", decode(prompt[prompt.index(START, 1) :]))
            print("  WANTED", decode(list(row[0])[row[1].index(True) :]))
            print("  GOT   ", decode(reference.greedy(prompt)[0]))
    if args.expected:
        cases = []
        for family in ("arithmetic", "text", "dates", "function", "json"):
            prompt = opening(held_rows(family, 1)[0])
            continuation, gap = reference.greedy(prompt, EXPECTED_TOKENS)
            print(f"{family}: {decode(continuation)!r}, smallest gap {gap:.4f}", flush=True)
            if gap > NEAR_TIE:
                cases.append({"family": family, "prompt": prompt, "continuation": continuation, "smallest_gap": round(gap, 4)})
        (HERE / "expected.json").write_text(json.dumps({"about": "prompt ids and the greedy continuation in float32", "cases": cases}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
