"""Renders generated conversations as Harmony token rows and writes them in shards.

`python data.py --seed 1 --rows 4096 --out shard.pkl` writes a training shard; `--held` draws from the held-out
lists and templates instead. The mix of families is read from a JSON file of weights.
"""

import argparse
import json
import pickle
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pointers
from families import arithmetic, dates, documents, files, follow_up, functions, outside, recovery, small_talk, structured, text, two_step
from families.base import EFFORTS, Conversation, Source, Turn
from system import Kind, system_text, varied
from tokenizer import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, TOKEN_BYTES, encode

FAMILIES = {
    "arithmetic": arithmetic.generate,
    "text": text.generate,
    "dates": dates.generate,
    "outside": outside.generate,
    "small_talk": small_talk.generate,
    "documents": documents.generate,
}
WITH_TOOLS = ("function", "no_tool")
BUNCHED = {
    "json": structured.json_family,
    "xml": structured.xml_family,
    "files": files.conversations,
    "follow_up": follow_up.conversations,
    "recovery": recovery.conversations,
    "two_step": two_step.conversations,
}
"""Generators of several conversations with one developer message."""
BUNCH = 7
"""Conversations that are drawn together: where there is a developer message, they share it and the effort."""
MIX = {
    "arithmetic": 12, "text": 10, "dates": 8, "function": 13, "no_tool": 5, "json": 8, "xml": 7, "outside": 5,
    "follow_up": 12, "documents": 10, "files": 8, "two_step": 5, "recovery": 6, "small_talk": 2,
}  # fmt: skip
EFFORT_SHARES = (0.3, 0.52, 0.18)
SIMPLE_SHARE = 0.85
LONGEST_ROW = 1500
BROWSER_SHARE = 0.04
"""Of the conversations that need no documents, although the browser is declared."""


def system_ids(kind: Kind, today: date, g: Source | None = None) -> list[int]:
    """The system message, which is the prefix of every row. With `g`, sometimes in other words than the runtime's."""
    text_ = system_text(kind, today)
    return [START, *encode("system"), MESSAGE, *encode(varied(g, text_) if g else text_), END]


def random_today(g: Source) -> date:
    return date(2024, 6, 1) + timedelta(days=g.int(0, 2200))


def declaration(tool: dict) -> str:
    """A function in the TypeScript-like form of the developer message."""
    lines = [f"// {tool['description']}"] if tool["description"] else []
    if not tool["params"]:
        return "\n".join([*lines, f"type {tool['name']} = () => any;"])
    lines.append(f"type {tool['name']} = (_: {{")
    for p in tool["params"]:
        if "description" in p:
            lines.append(f"// {p['description']}")
        shape = " | ".join(f'"{o}"' for o in p["enum"]) if "enum" in p else p["type"].replace("integer", "number")
        remarks = [f"default: {p['default']}"] if "default" in p else []
        remarks += ["integer"] if p["type"] == "integer" and "enum" not in p else []
        remark = f" // {', '.join(remarks)}" if remarks else ""
        lines.append(f"{p['name']}{'' if p['required'] else '?'}: {shape},{remark}")
    return "\n".join([*lines, "}) => any;"])


def developer_text(c: Conversation) -> str:
    sections = []
    if c.instructions:
        sections.append(f"# Instructions\n\n{c.instructions}")
    if c.tools:
        body = "\n\n".join(declaration(t) for t in c.tools)
        sections.append(f"# Tools\n\n## functions\n\nnamespace functions {{\n\n{body}\n\n}} // namespace functions")
    if c.response_format:
        sections.append(f"# Response Formats\n\n## response\n\n{c.response_format}")
    return "\n\n".join(sections)


class Row:
    """Token ids of a conversation after its system message, with the supervised ones marked."""

    def __init__(self):
        self.ids: list[int] = []
        self.learned: list[bool] = []
        self.developer = 0
        """Length of the developer message at the beginning."""
        self.replies: list[tuple[int, int]] = []
        """Where each turn of the assistant begins, after its `<|start|>assistant`, and ends."""

    def add(self, *ids: int, learned: bool = False):
        self.ids.extend(ids)
        self.learned.extend([learned] * len(ids))


def add_call(row: Row, turn: Turn, learned: bool) -> int:
    """A call without `<|start|>assistant`, and its result; returns where the call ends."""
    own = turn.recipient == "python" or turn.recipient.startswith("browser.")
    channel = "analysis" if own else "commentary"
    row.add(CHANNEL, *encode(channel), *encode(f" to={turn.recipient}"), *encode(" code" if own else " "), learned=learned)
    row.add(*([] if own else [CONSTRAIN, *encode("json")]), MESSAGE, *encode(turn.call), CALL, learned=learned)
    end = len(row.ids)
    row.add(START, *encode(turn.recipient), *encode(" to=assistant"), CHANNEL, *encode(channel), MESSAGE)
    row.add(*encode(turn.result), END)
    return end


def add_earlier(row: Row, c: Conversation):
    """An earlier exchange as the runtime keeps it: what was on the analysis channel is gone."""
    row.add(START, *encode("user"), MESSAGE, *encode(c.user), END)
    for turn in c.turns:
        if turn.final is not None:
            row.add(START, *encode("assistant"), CHANNEL, *encode("final"), MESSAGE, *encode(turn.final), END)
        elif turn.recipient.startswith("functions."):
            row.add(START, *encode("assistant"))
            add_call(row, turn, False)


def render(c: Conversation) -> Row:
    row = Row()
    developer = developer_text(c)
    if developer:
        row.add(START, *encode("developer"), MESSAGE, *encode(developer), END)
        row.developer = len(row.ids)
    for earlier in c.history:
        add_earlier(row, earlier)
    row.add(START, *encode("user"), MESSAGE, *encode(c.user), END)
    for turn in c.turns:
        learned = not turn.given
        row.add(START, *encode("assistant"))
        begin = len(row.ids)
        # An answer that was not accepted stays without its thought, as the answers of earlier turns do.
        if turn.thought and not turn.feedback:
            row.add(CHANNEL, *encode("analysis"), MESSAGE, *encode(turn.thought), END, learned=learned)
            row.add(START, *encode("assistant"), learned=learned)
        if turn.final is None:
            row.replies.append((begin, add_call(row, turn, learned)))
            continue
        row.add(CHANNEL, *encode("final"), MESSAGE, *encode(turn.final), END if turn.feedback else RETURN, learned=learned)
        row.replies.append((begin, len(row.ids)))
        if turn.feedback:
            row.add(START, *encode("user"), MESSAGE, *encode(turn.feedback), END)
    return row


def drawn(g: Source, families: list[str]) -> list[Conversation]:
    """Conversations of the same effort with one developer message: of one family, or of those with tools."""
    g.effort = g.rng.choices(EFFORTS, EFFORT_SHARES)[0]
    first = families[0]
    if first in WITH_TOOLS:
        found = functions.conversations(g, families)
    elif first in BUNCHED:
        found = BUNCHED[first](g, len(families))
    else:
        found = [FAMILIES[first](g)]
    if g.chance(0.04) and not found[0].instructions:
        instructions = g.instructions()
        for c in found:
            c.instructions = instructions
    if g.chance(BROWSER_SHARE):
        for c in found:
            c.browser = True
    return found


def bunches(seed: int, count: int, held: bool, mix: dict[str, float]):
    """`count` rendered conversations or a few more, as lists of tuples (row, kind, family) with one developer message."""
    g = Source(seed, held)
    names, weights = list(mix), list(mix.values())
    tool_weights = [mix.get(name, 0) for name in WITH_TOOLS]
    while count > 0:
        g.simple = g.chance(SIMPLE_SHARE)
        family = g.rng.choices(names, weights)[0]
        families = g.rng.choices(WITH_TOOLS, tool_weights, k=BUNCH) if family in WITH_TOOLS else [family] * BUNCH
        parts = [families] if family in WITH_TOOLS or family in BUNCHED else [[family]] * BUNCH
        for part in parts:
            made = [(render(c), kind_of(g, c), name) for c, name in zip(drawn(g, part), part)]
            made = [entry for entry in made if len(entry[0].ids) <= LONGEST_ROW]
            count -= len(made)
            yield made


def kind_of(g: Source, c: Conversation) -> Kind:
    return Kind(g.effort, bool(c.tools), c.browser)


def rows(seed: int, count: int, held: bool, mix: dict[str, float]):
    """Lists of rows with one developer message, as tuples (ids, learned, pointer kinds, pointer sources, length of the
    developer message, kind, family)."""
    made = list(bunches(seed, count, held, mix))
    every = [(row.ids, row.learned) for bunch in made for row, *_ in bunch]
    alphabet = pointers.Alphabet(TOKEN_BYTES, pointers.common_tokens(every))
    for bunch in made:
        yield [
            (np.array(row.ids, np.int16), np.array(row.learned), *pointers.find(row.ids, row.learned, alphabet), row.developer, *rest)
            for row, *rest in bunch
        ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--held", action="store_true")
    parser.add_argument("--mix", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    mix = MIX | (json.loads(args.mix.read_text()) if args.mix and args.mix.exists() else {})
    if args.held:
        mix = dict.fromkeys((name for name, weight in mix.items() if weight > 0), 1.0)
    part = args.out.with_suffix(".part")
    part.write_bytes(pickle.dumps(list(rows(args.seed, args.rows, args.held, mix))))
    part.rename(args.out)


if __name__ == "__main__":
    main()
