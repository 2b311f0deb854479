"""Exact match on held-out rows: every supervised token is the argmax, given the tokens before it.

For greedy decoding this equals reproducing the whole row.
"""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path

import torch
from data import MIX, drawn, kind_of, render, system_ids
from families.base import Source
from model import Group, Prefix
from tokenizer import PAD

HELD_SEED = 77


def held_rows(family: str, count: int) -> list:
    """Rows of one family from held-out lists and templates, as (ids, learned, kind)."""
    g, found = Source(HELD_SEED, True), []
    while len(found) < count:
        c = drawn(g, [family])[0]
        row = render(c)
        found.append((row.ids, row.learned, kind_of(g, c)))
    return found


@torch.no_grad()
def correct(model, rows: list) -> list[bool]:
    """For each row, whether every supervised token is predicted."""
    by_prefix, good = defaultdict(list), [False] * len(rows)
    for i, (_, _, kind) in enumerate(rows):
        by_prefix[kind].append(i)
    for kind, members in by_prefix.items():
        prefix = Prefix(torch.tensor(system_ids(kind, date(2026, 11, 22))))
        members.sort(key=lambda i: len(rows[i][0]))
        for start in range(0, len(members), 16):
            part = members[start : start + 16]
            width = len(rows[part[-1]][0])
            ids = torch.full((len(part), width), PAD)
            learned = torch.zeros(len(part), width, dtype=torch.bool)
            for r, i in enumerate(part):
                ids[r, : len(rows[i][0])] = torch.tensor(rows[i][0])
                learned[r, : len(rows[i][1])] = torch.tensor(rows[i][1])
            wanted = learned[:, 1:].flatten().nonzero()[:, 0]
            logits, *_ = model([prefix], [Group(0, ids[:, :-1])], wanted)
            hit = logits.argmax(-1) == ids[:, 1:].flatten()[wanted]
            row_of = wanted // (width - 1)
            missed = set(row_of[~hit].tolist())
            for r, i in enumerate(part):
                good[i] = r not in missed
    return good


def exact_match(model, mix_file: Path | None, count: int) -> dict[str, float]:
    """The share of correct rows for every family that is being trained."""
    mix = MIX | (json.loads(mix_file.read_text()) if mix_file and mix_file.exists() else {})
    families = [name for name, weight in mix.items() if weight > 0]
    return {name: round(sum(correct(model, held_rows(name, count))) / count, 3) for name in families}
