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
from families import arithmetic, dates, functions, outside, sequences, structured, text
from families.base import EFFORTS, Conversation, Source
from tokenizer import CALL, CHANNEL, CONSTRAIN, END, MESSAGE, RETURN, START, TOKEN_BYTES, encode

FAMILIES = {
    "arithmetic": arithmetic.generate,
    "text": text.generate,
    "dates": dates.generate,
    "outside": outside.generate,
    "recovery": sequences.recovery,
    "two_step": sequences.two_step,
}
WITH_TOOLS = ("function", "no_tool")
WITH_SCHEMA = {"json": structured.json_family, "xml": structured.xml_family}
BUNCH = 7
"""Conversations that are drawn together: where there is a developer message, they share it and the effort."""
MIX = {
    "arithmetic": 16, "text": 15, "dates": 12, "function": 18, "no_tool": 6,
    "json": 13, "xml": 12, "outside": 5, "recovery": 0, "two_step": 0,
}  # fmt: skip
EFFORT_SHARES = (0.3, 0.52, 0.18)
SIMPLE_SHARE = 0.85
LONGEST_ROW = 600

PYTHON_TOOL = """Use this tool to execute Python code in your chain of thought. The code will not be shown to the user. This tool \
should be used for internal reasoning, but not for code that is intended to be visible to the user (e.g. when creating plots, \
tables, or files).

When you send a message containing Python code to python, it will be executed in a stateful Jupyter notebook environment. python \
will respond with the output of the execution or time out after 120.0 seconds. The drive at '/mnt/data' can be used to save and \
persist user files. Internet access for this session is disabled."""


def system_ids(effort: str, has_tools: bool, today: date) -> list[int]:
    """The system message, which is the prefix of every row."""
    functions_line = "\nCalls to these tools must go to the commentary channel: 'functions'." if has_tools else ""
    content = (
        "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n"
        f"Current date: {today.isoformat()}\n\nReasoning: {effort}\n\n# Tools\n\n## python\n\n{PYTHON_TOOL}\n\n"
        "# Valid channels: analysis, commentary, final. Channel must be included for every message." + functions_line
    )
    return [START, *encode("system"), MESSAGE, *encode(content), END]


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
        default = f" // default: {p['default']}" if "default" in p else ""
        lines.append(f"{p['name']}{'' if p['required'] else '?'}: {shape},{default}")
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

    def add(self, *ids: int, learned: bool = False):
        self.ids.extend(ids)
        self.learned.extend([learned] * len(ids))


def render(c: Conversation) -> Row:
    row = Row()
    developer = developer_text(c)
    if developer:
        row.add(START, *encode("developer"), MESSAGE, *encode(developer), END)
        row.developer = len(row.ids)
    row.add(START, *encode("user"), MESSAGE, *encode(c.user), END, START, *encode("assistant"))
    for turn in c.turns:
        if turn.thought:
            row.add(CHANNEL, *encode("analysis"), MESSAGE, *encode(turn.thought), END, learned=True)
            row.add(START, *encode("assistant"), learned=True)
        if turn.final is not None:
            row.add(CHANNEL, *encode("final"), MESSAGE, *encode(turn.final), RETURN, learned=True)
            break
        if turn.recipient == "python":
            channel = "analysis"
            row.add(CHANNEL, *encode(channel), *encode(" to=python"), *encode(" code"), MESSAGE, learned=True)
        else:
            channel = "commentary"
            row.add(CHANNEL, *encode(channel), *encode(f" to={turn.recipient}"), *encode(" "), CONSTRAIN, learned=True)
            row.add(*encode("json"), MESSAGE, learned=True)
        row.add(*encode(turn.call), CALL, learned=True)
        row.add(START, *encode(turn.recipient), *encode(" to=assistant"), CHANNEL, *encode(channel), MESSAGE)
        row.add(*encode(turn.result), END, START, *encode("assistant"))
    return row


def drawn(g: Source, families: list[str]) -> list[Conversation]:
    """Conversations of the same effort with one developer message: of one family, or of those with tools."""
    g.effort = g.rng.choices(EFFORTS, EFFORT_SHARES)[0]
    first = families[0]
    if first in WITH_TOOLS:
        found = functions.conversations(g, families)
    elif first in WITH_SCHEMA:
        found = WITH_SCHEMA[first](g, len(families))
    else:
        found = [FAMILIES[first](g)]
    if g.chance(0.04):
        instructions = g.instructions()
        for c in found:
            c.instructions = instructions
    return found


def bunches(seed: int, count: int, held: bool, mix: dict[str, float]):
    """`count` rendered conversations or a few more, as lists of tuples (row, effort, has_tools, family) with one developer message."""
    g = Source(seed, held)
    names, weights = list(mix), list(mix.values())
    tool_weights = [mix.get(name, 0) for name in WITH_TOOLS]
    while count > 0:
        g.simple = g.chance(SIMPLE_SHARE)
        family = g.rng.choices(names, weights)[0]
        families = g.rng.choices(WITH_TOOLS, tool_weights, k=BUNCH) if family in WITH_TOOLS else [family] * BUNCH
        parts = [families] if family in WITH_TOOLS or family in WITH_SCHEMA else [[family]] * BUNCH
        for part in parts:
            made = [(render(c), g.effort, bool(c.tools), name) for c, name in zip(drawn(g, part), part)]
            made = [entry for entry in made if len(entry[0].ids) <= LONGEST_ROW]
            count -= len(made)
            yield made


def rows(seed: int, count: int, held: bool, mix: dict[str, float]):
    """Lists of rows with one developer message, as tuples (ids, learned, pointer kinds, pointer sources, length of the
    developer message, effort, has_tools, family)."""
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
