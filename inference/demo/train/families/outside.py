"""Requests outside the model's tasks: it says in one sentence what it can do."""

import re

from families import words
from families.base import Conversation, Source, Turn, phrase, think
from families.outside_daily import DAILY, DAILY_PARTS
from families.outside_requests import GENRES, PARTS

ABILITIES = "I can help with arithmetic, text, dates, declared tools, and extracting JSON or XML, but not with that."

REQUESTS = [(genre, body) for genre, (_, bodies) in GENRES.items() for body in [*bodies, *DAILY.get(genre, [])]]
# Genres whose requests name things only as a topic.
MAKING = {"verse", "tale", "piece", "quip", "opinion", "idea", "play", "absent"}
# Parts of speech that are sometimes a word of no list.
UNLISTED = set("thing device animal dish stuff hobby ill pill body".split())
SLOT = re.compile(r"\{(\w+?)(2?)\}")
ARTICLE = re.compile(r"\b([aA])(?= [aeiouAEIOU])")


def _topic(g: Source) -> str:
    return g.part(words.TOPICS) if g.chance(0.75) else f"{g.part(words.ADJECTIVES)} {g.part(words.NOUNS)}s"


def _noun(g: Source) -> str:
    """A word that was never seen must not be what tells a request from a task with text."""
    return g.listed_or_like(words.NOUNS, "noun")


def _thing(g: Source) -> str:
    word = f"{g.listed_or_like(words.ADJECTIVES, 'adjective')} {_noun(g)}" if g.chance(0.6) else _noun(g)
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _quoted(g: Source, text: str) -> str:
    return g.pick(['"{}"', '"{}"', "'{}'", "{}"]).replace("{}", text)


VALUES = {
    "t": _topic,
    "T": lambda g: _topic(g).capitalize(),
    "n": _noun,
    "o": _noun,
    "a": _thing,
    "q": lambda g: _quoted(g, g.word() if g.chance(0.7) else f"{g.word()} {g.word()}"),
    "s": lambda g: _quoted(g, g.pick([f"I miss my {_noun(g)}.", f"The {_noun(g)} is {g.part(words.ADJECTIVES)}.", f"Where is the {_noun(g)}?", f"Give me {_thing(g)}.", "Good morning!", f"My name is {g.first_name()}.", f"We need {_thing(g)} in {g.city()}."])),
    "p": lambda g: g.first_name(),
    "P": lambda g: g.full_name() if g.chance(0.5) else g.first_name(),
    "c": lambda g: g.part(words.COUNTRIES),
    "C": lambda g: g.city(),
    "l": lambda g: g.part(words.LANGUAGES),
    "j": lambda g: g.listed_or_like(words.JOBS, "job"),
    "k": lambda g: g.part(words.PRODUCTS),
    "K": lambda g: g.part(words.PRODUCTS).capitalize(),
    "f": lambda g: g.part(words.COMPANIES) if g.chance(0.7) else g.pseudo().capitalize(),
    "adj": lambda g: g.listed_or_like(words.ADJECTIVES, "adjective"),
    "color": lambda g: g.part(words.COLORS),
    "num": lambda g: str(g.int(2, 100) if g.chance(0.8) else g.int(100, 5000)),
    "year": lambda g: str(g.int(900, 2024)),
}
CHOICES = {name: options.split("|") for name, options in (PARTS | DAILY_PARTS).items()}


def filled(g: Source, body: str) -> str:
    """The body with every slot replaced; a part of speech may have slots of its own."""

    def fill(match: re.Match) -> str:
        name = match.group(1)
        if name in VALUES:
            return VALUES[name](g)
        part = g.like("noun") if name in UNLISTED and g.chance(0.3) else filled(g, g.pick(CHOICES[name.lower()]))
        return part.capitalize() if name[0].isupper() else part

    return SLOT.sub(fill, body)


def asked(g: Source) -> tuple[str, str]:
    """A genre and a request of it."""
    genre, body = g.template(REQUESTS)
    kind, text = filled(g, body).split("|", 1)
    while "Python" in (user := phrase(g, kind, ARTICLE.sub(r"\1n", text))) and "Python" not in text:
        pass
    return genre, user


def might_serve(tool: dict, genre: str) -> bool:
    """Whether a declared tool could be meant by requests of the genre."""
    seen = f"{tool['name']} {tool['description']}".lower()
    return any(word in seen for word in GENRES[genre][0].split())


def declined(g: Source, user: str, tools: list[dict]) -> Conversation:
    thought = think(
        g,
        "This is not one of my tasks.",
        "This is not one of my tasks, so I will say what I can do.",
        "The user asks for something else. No tool fits. I will say what I can do.",
    )
    return Conversation(user, [Turn(thought, final=ABILITIES)], tools=tools)


def generate(g: Source) -> Conversation:
    return declined(g, asked(g)[1], [])
