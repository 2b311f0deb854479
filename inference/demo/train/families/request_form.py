"""The form of an everyday function: its names, its parameters (each with several possible names) and how people ask for it."""

from dataclasses import dataclass

CITY = "city city city location place town where"
FROM = "city origin from source departure from_city start_city"
TO = "city destination to target arrival to_city end_city"
QUESTIONS = set("""what what's how how's is who who's do where where's has when are did which whose whom can could may should would does
will was were am why had must""".split())


@dataclass(frozen=True)
class Request:
    """`slots` maps a placeholder to its kind of value and the names that its parameter may have. Requests of one `topic` never stand
    in the same prompt, since one sentence could mean either."""

    names: list[str]
    about: list[str]
    slots: dict[str, tuple[str, list[str]]]
    prompts: list[str]
    topic: str


def kind(names: str, about: str, slots: dict[str, str], prompts: str, topic: str = "") -> Request:
    """A request from its tables: names and slots by spaces, descriptions and prompts by `|`.

    A prompt that begins with `=` is a noun phrase, with a capital or a slot a statement; else its first word tells."""
    parts = {key: text.split() for key, text in slots.items()}
    return Request(names.split(), about.split("|"), {key: (words[0], words[1:]) for key, words in parts.items()}, listed(prompts), topic or names.split()[0])


def listed(prompts: str) -> list[str]:
    """The prompts of a table, each on one line."""
    return [prompt for text in prompts.split("|") if (prompt := " ".join(text.split()))]


def form(prompt: str) -> tuple[str, str]:
    """How `base.phrase` should treat a prompt, and its body."""
    if prompt.startswith("="):
        return "the", prompt[1:]
    if prompt[0].isupper() or not prompt[0].isalpha():
        return "as", prompt
    first = prompt.split()[0]
    if first in QUESTIONS and "?" not in prompt and not prompt.startswith("do not"):
        return "ask", prompt
    statement = (first in STATEMENTS and not prompt.startswith("back up ")) or "?" in prompt
    return ("as", prompt[0].upper() + prompt[1:]) if statement else ("do", prompt)


STATEMENTS = set("""we my our the it something someone somebody nobody there they this that these those she he you your people from at on
in for if as before after until with to please a an some any lights curtains alarm popcorn neighbors memo: about against back based
blood booking contact dinner every into more near new next no nothing number of over problem room seen since starting two under
without""".split())
