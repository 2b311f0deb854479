"""Writes conversations with everything a runtime needs to repeat them, one JSON object a line, for `test/eval/check-rows.ts`.

`python conversations.py --seed 1 --rows 200 > rows.jsonl`
"""

import argparse
import json
import re

from data import BUNCH, MIX, WITH_TOOLS, drawn, kind_of, random_today, render, system_ids
from families.base import Conversation, Source
from tokenizer import END, RETURN


def parameters(tool: dict) -> dict:
    """The JSON Schema of a declared function."""
    members = {}
    for p in tool["params"]:
        members[p["name"]] = {key: p[key] for key in ("type", "description", "enum", "default") if key in p}
        if members[p["name"]]["type"].endswith("[]"):
            members[p["name"]] |= {"type": "array", "items": {"type": "string"}}
    return {"type": "object", "properties": members, "required": [p["name"] for p in tool["params"] if p["required"]]}


def earlier(c: Conversation) -> list[dict]:
    """The messages of an earlier exchange that the runtime keeps."""
    found = [{"role": "user", "text": c.user}]
    for turn in c.turns:
        if turn.final is not None:
            found.append({"role": "assistant", "channel": "final", "text": turn.final})
        elif turn.recipient.startswith("functions."):
            found.append({"role": "assistant", "channel": "commentary", "recipient": turn.recipient, "text": turn.call})
            found.append({"role": "tool", "channel": "commentary", "name": turn.recipient, "text": turn.result})
    return found


def reply(ids: list[int]) -> list[int]:
    """A turn as it is sampled: what is a message of a history by now ended the turn then."""
    return [*ids[:-1], RETURN if ids[-1] == END else ids[-1]]


def cursor(c: Conversation) -> int:
    """How many pages were shown before this conversation."""
    shown = next((t.result for t in c.turns if t.recipient and t.recipient.startswith("browser.") and t.result.startswith("[")), "[0]")
    return int(shown[1 : shown.index("]")])


def cell(c: Conversation) -> int:
    """The number of the first Python cell, where a traceback names it."""
    cells = [t for t in c.turns if t.recipient == "python"]
    named = [int(match.group(1)) - i for i, t in enumerate(cells) if (match := re.search(r"<cell (\d+)>", t.result))]
    return named[0] if named else 1


def described(g: Source, c: Conversation, family: str) -> dict:
    today = random_today(g)
    row = render(c)
    _, _, text = (c.response_format or "").partition("\n")
    results = {}
    for turn in c.turns:
        # The runtime itself says that a call was not made.
        if turn.recipient and turn.recipient.startswith("functions.") and not (turn.given and " was not called: " in turn.result):
            results.setdefault(turn.recipient, []).append(turn.result)
    return {
        "family": family, "effort": g.effort, "date": today.isoformat(), "instructions": c.instructions, "prompt": c.user, "browser": c.docs if c.browser else None, "files": c.files,
        "tools": [{"name": t["name"], "description": t["description"], "parameters": parameters(t), "results": results.get(f"functions.{t['name']}", [])} for t in c.tools],
        "schema": text if text.startswith("{") else None, "xsd": text if text.startswith("<") else None, "history": [m for e in c.history for m in earlier(e)],
        "cursor": cursor(c), "cell": cell(c), "replies": [reply(row.ids[begin:end]) for begin, end in row.replies],
        "ids": system_ids(kind_of(g, c), today) + row.ids,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=100, help="of each family")
    parser.add_argument("--families", nargs="*", default=list(MIX))
    args = parser.parse_args()
    g = Source(args.seed, False)
    for family in args.families:
        count = 0
        while count < args.rows:
            g.simple = g.chance(0.85)
            for c in drawn(g, [family] * (BUNCH if family in WITH_TOOLS else 3)):
                print(json.dumps(described(g, c, family), ensure_ascii=False))
                count += 1


if __name__ == "__main__":
    main()
