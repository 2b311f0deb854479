"""The system message: as the runtime writes it, and now and then in other words, so that no wording is needed."""

from datetime import date
from typing import NamedTuple

from families.base import Source

VARIED_SHARE = 0.2


class Kind(NamedTuple):
    """What decides the system message of a row."""

    effort: str
    functions: bool = False
    browser: bool = False


PYTHON_TOOL = """Use this tool to execute Python code in your chain of thought. The code will not be shown to the user. This tool \
should be used for internal reasoning, but not for code that is intended to be visible to the user (e.g. when creating plots, \
tables, or files).

When you send a message containing Python code to python, it will be executed in a stateful Jupyter notebook environment. python \
will respond with the output of the execution or time out after 120.0 seconds. The drive at '/mnt/data' can be used to save and \
persist user files. Internet access for this session is disabled."""

BROWSER_TOOL = """// Tool for browsing.
// The `cursor` appears in brackets before each browsing display: `[{cursor}]`.
// Cite information from the tool using the following format:
// `【{cursor}†L{line_start}(-L{line_end})?】`, for example: `【6†L9-L11】` or `【8†L3】`.
// Do not quote more than 10 words directly from the tool output.
// sources=web (default: web)
namespace browser {

// Searches for information related to `query` and displays `topn` results.
type search = (_: {
query: string,
topn?: number, // default: 10
source?: string,
}) => any;

// Opens the link `id` from the page indicated by `cursor` starting at line number `loc`, showing `num_lines` lines.
// Valid link ids are displayed with the formatting: `【{id}†.*】`.
// If `cursor` is not provided, the most recent page is implied.
// If `id` is a string, it is treated as a fully qualified URL associated with `source`.
// If `loc` is not provided, the viewport will be positioned at the beginning of the document or centered on the most relevant passage, if available.
// Use this function without `id` to scroll to a new location of an opened page.
type open = (_: {
id?: number | string, // default: -1
cursor?: number, // default: -1
loc?: number, // default: -1
num_lines?: number, // default: -1
view_source?: boolean, // default: false
source?: string,
}) => any;

// Finds exact matches of `pattern` in the current page, or the page given by `cursor`.
type find = (_: {
pattern: string,
cursor?: number, // default: -1
}) => any;

} // namespace browser"""


def system_text(kind: Kind, today: date) -> str:
    functions_line = "\nCalls to these tools must go to the commentary channel: 'functions'." if kind.functions else ""
    browser = f"## browser\n\n{BROWSER_TOOL}\n\n" if kind.browser else ""
    return (
        "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n"
        f"Current date: {today.isoformat()}\n\nReasoning: {kind.effort}\n\n# Tools\n\n{browser}## python\n\n{PYTHON_TOOL}\n\n"
        "# Valid channels: analysis, commentary, final. Channel must be included for every message." + functions_line
    )


ADDENDA = [
    "Only the Python standard library can be imported.",
    "Beside the standard library these packages can be imported, and no others: matplotlib 3.10.1, numpy 2.2.5, pandas 2.3.0.",
    "Beside the standard library these packages can be imported, and no others: numpy 2.2.5.",
    "Files that Python code writes to /outputs are given to the user.",
    "Files of the user lie in /mnt/data.",
]


def varied(g: Source, text: str) -> str:
    """The text, or in some of the cases one with lines left out, sentences dropped and remarks added."""
    if not g.chance(VARIED_SHARE):
        return text
    if g.chance(0.3):
        lines = text.split("\n")
        kept = [line for line in lines if not line.startswith("// ") or not g.chance(0.3)]
        text = "\n".join(kept)
    if g.chance(0.3):
        dropped = g.pick(["Knowledge cutoff: 2024-06\n", " The code will not be shown to the user.", " Internet access for this session is disabled.", " This tool should be used for internal reasoning, but not for code that is intended to be visible to the user (e.g. when creating plots, tables, or files)."])
        text = text.replace(dropped, "")
    if g.chance(0.35):
        end = "\n\n# Valid channels"
        text = text.replace(end, "\n\n" + g.pick(ADDENDA) + end)
    if g.chance(0.2):
        text = text.replace("You are ChatGPT, a large language model trained by OpenAI.", g.pick(["You are a helpful assistant.", "You are Chorale.", "You are ChatGPT.", "You are an assistant that runs on the user's machine."]))
    if g.chance(0.15):
        text = text.replace("a stateful Jupyter notebook environment", g.pick(["a stateful sandbox", "a stateful Python interpreter", "a notebook"]))
    return text
