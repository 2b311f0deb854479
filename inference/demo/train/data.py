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
    "function": functions.generate,
    "no_tool": functions.no_tool,
    "json": structured.json_family,
    "xml": structured.xml_family,
    "outside": outside.generate,
    "recovery": sequences.recovery,
    "two_step": sequences.two_step,
}
MIX = {
    "arithmetic": 16, "text": 15, "dates": 12, "function": 18, "no_tool": 6,
    "json": 13, "xml": 12, "outside": 5, "recovery": 0, "two_step": 0,
}  # fmt: skip
EFFORT_SHARES = (0.3, 0.52, 0.18)
SIMPLE_SHARE = 0.85
LONGEST_ROW = 520

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

    def add(self, *ids: int, learned: bool = False):
        self.ids.extend(ids)
        self.learned.extend([learned] * len(ids))


def render(c: Conversation) -> Row:
    row = Row()
    developer = developer_text(c)
    if developer:
        row.add(START, *encode("developer"), MESSAGE, *encode(developer), END)
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


def conversation(g: Source, family: str) -> Conversation:
    g.effort = g.rng.choices(EFFORTS, EFFORT_SHARES)[0]
    c = FAMILIES[family](g)
    if g.chance(0.04):
        c.instructions = g.instructions()
    return c


def conversations(seed: int, count: int, held: bool, mix: dict[str, float]):
    """`count` rendered conversations as tuples (row, effort, has_tools, family)."""
    g = Source(seed, held)
    names, weights = list(mix), list(mix.values())
    while count:
        g.simple = g.chance(SIMPLE_SHARE)
        family = g.rng.choices(names, weights)[0]
        c = conversation(g, family)
        row = render(c)
        if len(row.ids) <= LONGEST_ROW:
            yield row, g.effort, bool(c.tools), family
            count -= 1


def rows(seed: int, count: int, held: bool, mix: dict[str, float]):
    """Rows as tuples (ids, learned, pointer kinds, pointer sources, effort, has_tools, family)."""
    made = list(conversations(seed, count, held, mix))
    alphabet = pointers.Alphabet(TOKEN_BYTES, pointers.common_tokens([(row.ids, row.learned) for row, *_ in made]))
    for row, *rest in made:
        kinds, sources = pointers.find(row.ids, row.learned, alphabet)
        yield np.array(row.ids, np.int16), np.array(row.learned), kinds, sources, *rest


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
