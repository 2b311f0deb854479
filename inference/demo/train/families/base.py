"""What every family needs: a random source with a held-out split, polite wrappers, thoughts, transcripts."""

import json
import random
import re
from dataclasses import dataclass, field

from families import words
from families.lookalikes import Lookalikes
from tokenizer import TOKEN_BYTES

EFFORTS = ("low", "medium", "high")
PIECES = [text for text in (token.decode("latin-1") for token in TOKEN_BYTES) if text.isascii() and text.isalpha()]
LOWER_PIECES = [text for text in PIECES if text.islower()]
FRAME_PIECES = "will call need want use run quote count line number word letter text date day data write find user the to in is py sum sort result tool argument field".split()
"""What thoughts and answers are made of: a value that begins like them must be copied all the same."""
LIKE = {
    "name": Lookalikes(words.NAMES),
    "surname": Lookalikes(words.SURNAMES),
    "city": Lookalikes(words.CITIES),
    "noun": Lookalikes(words.NOUNS + words.PRODUCTS),
    "adjective": Lookalikes(words.ADJECTIVES),
    "job": Lookalikes(words.JOBS),
}
SHORT_NOUNS = [noun for noun in words.NOUNS if noun.isalpha() and len(noun) < 7]


@dataclass
class Turn:
    """One assistant message: a thought, then a call with its result, or the final answer."""

    thought: str
    recipient: str | None = None
    call: str = ""
    result: str = ""
    final: str | None = None
    given: bool = False
    """A mistake that is there to be mended: it is read, and not learned."""
    feedback: str | None = None
    """What the user's side says to a final answer that was not accepted; another one follows."""


@dataclass
class Conversation:
    """One training example. `developer` holds the sections of the developer message."""

    user: str
    turns: list[Turn]
    tools: list[dict] = field(default_factory=list)
    response_format: str | None = None
    instructions: str | None = None
    history: list["Conversation"] = field(default_factory=list)
    """Earlier exchanges of the same thread, oldest first."""
    browser: bool = False
    docs: dict[str, str] = field(default_factory=dict)
    """What the browser reads, by file name."""
    files: dict[str, str] = field(default_factory=dict)
    """What lies in /mnt/data."""


def capital(text: str) -> str:
    """The text with its first letter in upper case; `str.capitalize` would lower the others."""
    return text[:1].upper() + text[1:]


class Source:
    """Random choices. Held-out lists and templates appear only when `held` is true, fewer parts when `simple` is."""

    def __init__(self, seed: int, held: bool):
        self.rng = random.Random(seed)
        self.held = held
        self.effort = "medium"
        self.simple = False

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, options):
        return options[int(self.rng.random() * len(options))]

    def int(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)

    def sample(self, options, k: int) -> list:
        return self.rng.sample(options, min(k, len(options)))

    def shuffled(self, options) -> list:
        return self.rng.sample(list(options), len(options))

    def part(self, options):
        """A value of this split: every eighth one is held out."""
        while True:
            i = int(self.rng.random() * len(options))
            if (i % 8 == 5) == self.held or len(options) < 8:
                return options[i]

    def template(self, options):
        """A template: every tenth is held out; evaluation takes held-out ones half of the time."""
        wanted = self.held and len(options) > 7 and self.chance(0.5)
        while True:
            i = int(self.rng.random() * len(options))
            if len(options) <= 7 or (i % 10 == 7) == wanted:
                return options[i]

    # Values -----------------------------------------------------------------

    def pieced(self) -> str:
        """Some pieces of the vocabulary in a row, so that every token is copied now and then."""
        text = self.pick(FRAME_PIECES if self.chance(0.08) else PIECES if self.chance(0.4) else LOWER_PIECES)
        while len(text) < 3 or self.chance(0.4):
            text += self.pick(LOWER_PIECES)
        return text

    def pseudo(self, low: int = 2, high: int = 4) -> str:
        """A word that no dictionary has: of vocabulary pieces, or pronounceable."""
        if self.chance(0.5):
            return self.pieced()
        onset = "b c d f g h j k l m n p q r s t v w x y z br ch cl dr fl gr kr pl sh st th tr qu".split()
        vowel = "a e i o u a e i o ai ea ou ie oo y".split()
        coda = ["", "", "", "n", "r", "s", "l", "t", "m", "x", "ck", "nd", "ng", "sh", "p", "d"]
        return "".join(self.pick(onset) + self.pick(vowel) + self.pick(coda) for _ in range(self.int(low - 1, high - 1)))

    def like(self, kind: str) -> str:
        """A word that could be one of this kind, and is none; nouns may be of two that are some."""
        if kind == "noun" and self.chance(0.3):
            return self.part(SHORT_NOUNS) + self.part(SHORT_NOUNS)
        return LIKE[kind].make(self.rng)

    def listed_or_like(self, listed: list[str], kind: str) -> str:
        """Half of the words are none that the model could know."""
        drawn = self.rng.random()
        return self.part(listed) if drawn < 0.48 else self.like(kind) if drawn < 0.86 else self.pseudo()

    def letters(self, low: int, high: int) -> str:
        alphabet = self.pick(["abcdefghijklmnopqrstuvwxyz"] * 3 + ["abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"])
        return "".join(self.pick(alphabet) for _ in range(self.int(low, high)))

    def word(self) -> str:
        kind = self.rng.random()
        if kind < 0.32:
            return self.part(words.NOUNS)
        if kind < 0.44:
            return self.part(words.ADJECTIVES + words.VERBS_OBJ)
        if kind < 0.66:
            return self.like("noun")
        return self.pseudo() if kind < 0.9 else self.letters(3, 9)

    def first_name(self) -> str:
        return capital(self.listed_or_like(words.NAMES, "name"))

    def full_name(self) -> str:
        return f"{self.first_name()} {self.surname()}"

    def surname(self) -> str:
        return capital(self.listed_or_like(words.SURNAMES, "surname"))

    def city(self) -> str:
        return capital(self.listed_or_like(words.CITIES, "city"))

    def code(self) -> str:
        """An identifier such as `A7-113` or `TX4410`."""
        upper = "".join(self.pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(self.int(1, 3)))
        return upper + self.pick(["-", "", "", "_", "-"]) + str(self.int(1, 10 ** self.int(2, 5)))

    def whole(self, digits: int = 5) -> int:
        return self.int(1 if self.chance(0.3) else 2, 10 ** self.int(1, digits))

    def decimal(self, digits: int = 4) -> str:
        places = self.pick([1, 1, 2, 2, 2, 3])
        fraction = str(self.int(10 ** (places - 1) if self.chance(0.7) else 1, 10**places - 1)).rjust(places, "0")
        if fraction.endswith("0"):
            fraction = fraction[:-1] + str(self.int(1, 9))
        return f"{self.int(0, 10 ** self.int(1, digits))}.{fraction}"

    def sentence(self, low: int = 3, high: int = 6) -> str:
        return " ".join(self.word() for _ in range(self.int(low, high)))

    def instructions(self) -> str:
        return self.pick(
            ["Be brief.", "Answer politely.", "Be concise.", "You are a helpful assistant.", "Keep answers short.",
             "Answer in English.", "Always be friendly and precise.", "Do not make things up.",
             f"You work for {self.part(words.COMPANIES)}.", f"The user is called {self.first_name()}."]
        )  # fmt: skip


IMPERATIVE = """{B}.|{B}|{b}|{b}.|please {b}|Please {b}.|Please {b}|{B}, please.|{b} please|Can you {b}?|Could you {b}?|
Could you please {b}?|can you {b}|Would you {b}?|Would you please {b}?|I need you to {b}.|I want you to {b}.|I'd like you to {b}.|
Help me {b}.|Go ahead and {b}.|Your task: {b}.|Task: {b}|Use Python to {b}.|Kindly {b}.|Hi, can you {b}?|Hello! Please {b}.|
Hey, {b}.|I would like you to {b}.|Quick one: {b}.|Now {b}.|For me, {b}.|Can you please {b}? Thanks.|{B}. Thanks!|{B}. Thank you.|
We need to {b}.|I have to {b}.|{B} for me.|Let's {b}.|My teacher asked me to {b}.|Try to {b}.|Is it possible to {b}?""".replace("\n", "").split("|")

QUESTION = """{B}?|{B}?|{B}?|{B}?|{b}?|{b}|{B}|Tell me, {b}?|Quick question: {b}?|Question: {b}?|Hi, {b}?|Hey, {b}?|Hello, {b}?|
I wonder, {b}?|Please tell me: {b}?|Please, {b}?|So {b}?|{B}? Thanks!|{B}? Thank you.|{B}, please?|Can you tell me, {b}?|OK, {b}?|
I'd like to know: {b}?|For my homework: {b}?|{B}? Please be exact.|And {b}?|Do you know: {b}?|I need to know, {b}?|Excuse me, {b}?""".replace("\n", "").split("|")

FRAGMENT = """{B}|{b}|{B}?|{b}?|{B}.|{B} please|{B}, please|{b} =?|{B}: ?|Quick: {b}|Question: {b}|I need {b}.|I want {b}.|Give me {b}.|
Give me {b}|Tell me {b}.|Tell me {b}|Find {b}.|find {b}|Please give me {b}.|Please tell me {b}.|Could you tell me {b}?|Calculate {b}.|
I would like {b}.|Can you give me {b}?|Show me {b}.|Show {b}|What is {b}?|what is {b}|What's {b}?|what's {b}?|Get {b}.|Return {b}.|
Compute {b}.|Work out {b}.|Determine {b}.|I am looking for {b}.|Let me know {b}.|Print {b}|{B}. Thanks!""".replace("\n", "").split("|")

IMPERATIVE += """I'd appreciate it if you could {b}.|{B}, thx|pls {b}|plz {b}|hey can u {b}|{B} asap.|Your job is to {b}.|
{B} and tell me the result.|{B} and give me only the answer.|Would it be possible to {b}?|I was wondering if you could {b}.|
Do me a favor and {b}.|How about you {b}?|Next, {b}.|First of all, {b}.|Could you quickly {b}?|Are you able to {b}?|Will you {b}?|
I'm trying to {b}.|My boss wants me to {b}.|Someone should {b}.|Simply {b}.|
It would be great if you could {b}.|I'd love for you to {b}.|You must {b}.|The exercise: {b}.|Could u {b}?""".replace("\n", "").split("|")

QUESTION += """Just curious: {b}?|Out of curiosity, {b}?|um, {b}?|{B}? Answer briefly.|Please answer: {b}?|Help: {b}?|
Someone asked me: {b}?|{B}??|My question is: {b}?|{B}? I need this for work.|Good morning, {b}?|hey {b}|hi {b}|well, {b}?|Now, {b}?|
Let me ask: {b}?|Simple question: {b}?|{B}? Just the answer, please.|Could you answer this: {b}?|I'm wondering: {b}?|{b} pls|{b}? thx|
One more: {b}?|Next question: {b}?|Any idea {b}?|By the way, {b}?|{B}? I forgot.|Hello there! {B}?""".replace("\n", "").split("|")

FRAGMENT += """I want to know {b}.|Can you find {b}?|Would you give me {b}?|Output {b}.|Report {b}.|Provide {b}.|Please compute {b}.|
Let me have {b}.|I need to know {b}.|Could I have {b}?|State {b}.|I'm after {b}.|Say {b}.|Please find {b}.|Can you compute {b}?|
Do you know {b}?|Can I get {b}?|Now {b}, please.|May I have {b}?|I have to find {b}.|I'd like to know {b}.|What would be {b}?|
Just {b}.|Only {b}, please.|pls give me {b}|hey, {b}?|Can you work out {b}?|Could you find {b} for me?|whats {b}|so {b}?|Next: {b}.|
Tell me what {b} is.|Please show {b}.|Can you tell me {b}?|We need {b}.|My task is to find {b}.""".replace("\n", "").split("|")

IMPERATIVE += ["{B}."] * 9 + ["{B}"] * 4 + ["{b}"] * 3
QUESTION += ["{B}?"] * 14 + ["{b}?"] * 3 + ["{b}"] * 3
FRAGMENT += ["What is {b}?"] * 9 + ["what is {b}?"] * 2 + ["{B}", "{B}", "{B}?"]
"""The plain forms stay frequent."""

FRAMES = {"do": IMPERATIVE, "ask": QUESTION, "the": FRAGMENT}


def phrase(g: Source, kind: str, body: str) -> str:
    """Wraps a lower-case body: `do` an imperative, `ask` a question, `the` a noun phrase, `as` nothing."""
    if kind == "as":
        return body
    return g.template(FRAMES[kind]).replace("{B}", capital(body)).replace("{b}", body)


_CHOICE = re.compile(r"<([^<>|]*\|[^<>]*)>")


def vary(g: Source, text: str) -> str:
    """Resolves every `<one|other|>` at random, inner ones first."""
    if not _CHOICE.search(text):
        return text
    while choice := _CHOICE.search(text):
        text = text[: choice.start()] + g.pick(choice.group(1).split("|")) + text[choice.end() :]
    return re.sub(" +", " ", text).strip()


def say(g: Source, templates: list[str], **values: str) -> str:
    """Picks a template written as `kind|body`, resolves its `<one|other>` and fills `{placeholders}`."""
    kind, body = g.template(templates).split("|", 1)
    body = vary(g, body)
    for key, value in values.items():
        body = body.replace("{" + key + "}", value)
    return phrase(g, kind, body)


def worded(g: Source, common: list[str], wide: list[str], **values: str) -> str:
    """Says it as people mostly do, or in one of the many other ways."""
    return say(g, common if g.chance(0.5) else wide, **values)


def wording(g: Source, common: list[str], grammars: list[str], share: float = 0.5) -> str:
    """One of the common wordings, or, for this share of them, one put together by a grammar of `<one|other|>`; placeholders stay."""
    return vary(g, g.pick(grammars)) if g.chance(share) else g.template(common)


def compact(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def think(g: Source, short: str, medium: str, long: str) -> str:
    """The thought for the effort in force; each longer one starts from the same facts."""
    return {"low": short, "medium": medium, "high": long}[g.effort]


def python_turns(g: Source, what: str, facts: str, code: str, result: str, final: str) -> list[Turn]:
    """The usual two turns of a question that Python answers. `what` names the task, `facts` copies its data."""
    thought = think(
        g,
        f"I will {what} with Python.",
        f"I need to {what}: {facts}. I will use Python.",
        f"The user wants me to {what}. The data: {facts}. I will run one line of Python. I will quote its output.",
    )
    return [Turn(thought, "python", code, result), Turn("", final=final)]
