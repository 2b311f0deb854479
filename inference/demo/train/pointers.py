"""Where each supervised token is copied from: targets for the attention of the pointer heads.

A model finds a copied span in two ways. To begin one it must know which value is wanted: a jump. To go on it needs only
the place after the last source: a step. Both are found by matching token ids, without help from the generators.
"""

from collections import Counter

import numpy as np
from tokenizer import TEXT_TOKENS

SOURCES = 4
JUMP, STEP = 1, 2
COMMON = 0.08
"""Tokens in more than this share of all supervised texts belong to templates and begin no copy, digits apart."""
LONGEST_MATCH = 16


def common_tokens(rows: list[tuple[list[int], list[bool]]]) -> set[int]:
    """The tokens that supervised text is made of whatever its values are."""
    seen = Counter(i for ids, learned in rows for i in {t for t, wanted in zip(ids, learned) if wanted})
    return {i for i, count in seen.items() if count > COMMON * len(rows)}


class Alphabet:
    """Which tokens begin a copy, and which end one. `common` are the tokens of templates."""

    def __init__(self, texts: list[bytes], common: set[int]):
        plain = [text.decode("utf-8", "replace") for text in texts]
        self.common = common
        self.digits = {i for i, text in enumerate(plain) if text.isdigit()}
        self.begin = {i for i, text in enumerate(plain) if any(c.isalnum() for c in text)}
        self.end = {i for i, text in enumerate(plain) if any(c in '{}[]":,<>=;\n' for c in text)}

    def ends(self, token: int) -> bool:
        return token in self.end or token >= TEXT_TOKENS


def find(ids: list[int], learned: list[bool], a: Alphabet) -> tuple[np.ndarray, np.ndarray]:
    """For every token its kind (0, `JUMP`, `STEP`) and up to `SOURCES` earlier positions of the row, -1 for none."""
    kinds, sources = np.zeros(len(ids), np.int8), np.full((len(ids), SOURCES), -1, np.int16)
    places: dict[int, list[int]] = {}
    active: list[int] = []
    for t, token in enumerate(ids):
        if not learned[t] or a.ends(token):
            active = []
        else:
            active = [s + 1 for s in active if s + 1 < t and ids[s + 1] == token]
            if active:
                kinds[t] = STEP
            elif token in a.begin:
                active = _jump(ids, t, places.get(token, []), a)
                kinds[t] = JUMP if active else 0
            active = active[-SOURCES:]
            sources[t, : len(active)] = active
        places.setdefault(token, []).append(t)
    return kinds, sources


def _jump(ids: list[int], t: int, places: list[int], a: Alphabet) -> list[int]:
    """The places whose text goes on like the text at `t` for longest, if that text is a value."""
    lengths = [_match(ids, s, t, a) for s in places]
    longest = max(lengths, default=0)
    found = [s for s, n in zip(places, lengths) if n == longest]
    if any(i not in a.common or i in a.digits for i in ids[t : t + longest] if i in a.begin):
        return found
    return [s for s in found if ids[s - 1] == ids[t - 1] and a.ends(ids[t - 1]) and ids[t - 1] < TEXT_TOKENS]


def _match(ids: list[int], s: int, t: int, a: Alphabet) -> int:
    n = 1
    while n < LONGEST_MATCH and s + n < t and t + n < len(ids) and ids[s + n] == ids[t + n] and not a.ends(ids[t + n]):
        n += 1
    return n
