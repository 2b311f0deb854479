"""Questions that documents answer: search, open, perhaps find or scroll, then the sentence with its place; or that nothing says it."""

import re
from dataclasses import dataclass

from families import words
from families.base import Conversation, Source, Turn, capital, compact, phrase, think
from families.dates import MONTHS, some_day
from families.documents_topics import BESIDES, DEEDS, FILLER, HEADINGS, MEASURES, PARTS, PLACES, PLAIN, TOPICS, USES
from families.pages import Browser, Shown, count, telling

WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SYSTEM_TOKENS = 1340
"""Of the system message with the browser, a short developer message among them."""
ABSENT = "I did not find that in the documents."
KINDS = list(TOPICS)


def _phone(g: Source) -> str:
    return g.pick([f"{g.int(200, 999)}-{g.int(1000, 9999)}", f"{g.int(2, 9)}{g.int(10, 99)} {g.int(100, 999)} {g.int(10, 99)}", f"0{g.int(100, 999)} {g.int(10000, 999999)}"])


def _day(g: Source) -> str:
    d = some_day(g)
    return g.pick([d.isoformat(), f"{d.day} {MONTHS[d.month - 1]} {d.year}", f"{MONTHS[d.month - 1]} {d.day}, {d.year}", f"{d.day} {MONTHS[d.month - 1]}"])


VALUES = {
    "metres": lambda g: str(g.int(4, 9000)),
    "year": lambda g: str(g.int(1100, 2030) if g.chance(0.3) else g.int(1850, 2026)),
    "years": lambda g: str(g.int(2, 12)),
    "person": lambda g: g.full_name() if g.chance(0.8) else g.first_name(),
    "count": lambda g: g.pick([str(g.int(3, 99)), str(g.int(100, 99999)), f"{g.int(1, 99)},{g.int(100, 999)}"]),
    "money": lambda g: g.pick([str(g.int(2, 900)), g.decimal(2)]),
    "price": lambda g: g.pick([str(g.int(2, 900)), g.decimal(2), f"{g.int(1, 99)}.{g.int(10, 99)}"]),
    "clock": lambda g: g.pick([f"{g.int(6, 23)}:{g.pick(['00', '15', '30', '45'])}", f"{g.int(1, 12)} o'clock", f"{g.int(1, 12)} pm", f"{g.int(10, 23)}:{g.int(10, 59)}"]),
    "weekday": lambda g: g.pick(WEEKDAYS),
    "phone": _phone,
    "street": lambda g: f"{g.int(1, 200)} {capital(g.pseudo())} {g.pick(['Street', 'Road', 'Lane', 'Square', 'Avenue'])}",
    "city": lambda g: g.city(),
    "email": lambda g: f"{g.pseudo().lower()}@{g.part(words.DOMAINS)}",
    "thing": lambda g: g.listed_or_like(words.NOUNS, "noun"),
    "days": lambda g: str(g.int(2, 90)),
    "months": lambda g: str(g.int(2, 36)),
    "minutes": lambda g: str(g.int(4, 180)),
    "room": lambda g: g.pick([str(g.int(1, 499)), f"{g.pick('ABCDEFG')}{g.int(1, 40)}", f"{g.int(1, 9)}.{g.int(10, 40)}"]),
    "day": _day,
    "place": lambda g: g.pick(PLACES),
    "watts": lambda g: str(g.int(5, 3000)),
    "kilos": lambda g: g.pick([str(g.int(1, 400)), g.decimal(2)]),
    "code": lambda g: g.code(),
    "degrees": lambda g: str(g.int(20, 900)),
    "grams": lambda g: str(g.int(50, 1500)),
    "small": lambda g: str(g.int(2, 20)),
    "part": lambda g: g.pick(PARTS),
    "job": lambda g: g.part(words.JOBS),
    "color": lambda g: g.part(words.COLORS),
}


WANTED = {"count": "number", "small": "number", "color": "colour", "clock": "time", "day": "date", "job": "profession"}
"""What a thought calls a value, where that is not the kind's own name."""


@dataclass
class Fact:
    sentence: str
    questions: list[str]
    wanted: str
    """What kind of value the questions ask for."""


@dataclass
class Subject:
    """What one document is about."""

    name: str
    kind: str
    facts: list[Fact]
    unsaid: list[Fact]
    """Facts of the same kind of subject that its document does not tell."""


def _entity(g: Source, names: list[str], kind: str) -> str:
    name = g.pick(names)
    values = {
        "kind": kind, "Kind": kind.title(), "city": g.city(), "Name": capital(g.listed_or_like(words.NOUNS, "noun")) if g.chance(0.6) else g.surname(), "code": g.code(), "person": g.full_name(),
        "company": g.part(words.COMPANIES) if g.chance(0.5) else f"{g.surname()} {capital(g.listed_or_like(words.NOUNS, 'noun'))}s",
        "thing": f"{g.part(words.ADJECTIVES)} {g.listed_or_like(words.NOUNS, 'noun')}" if g.chance(0.3) else g.listed_or_like(words.NOUNS, "noun"),
    }  # fmt: skip
    for key, value in values.items():
        name = name.replace("{" + key + "}", value)
    return name


def _fact(g: Source, name: str, kind: str, design: tuple) -> Fact:
    of, sentences, questions = design
    value = VALUES[of](g)
    sentence = g.template(sentences) if len(sentences) > 7 else g.pick(sentences)
    if g.chance(0.12):
        sentence = g.pick(["In {e}: ", "For {e}: ", "About {e}: "]) + sentence[0].lower() + sentence[1:] if "{e}" not in sentence else sentence
    fill = lambda text: text.replace("{e}", name).replace("{v}", value).replace("{kind}", kind)  # noqa: E731
    end = g.pick(["", "", "", "", " in total", " now", " as of this year", " according to the owners", ", as agreed", " at the moment"])
    return Fact(capital(fill(sentence)) + end + ".", [fill(q) for q in questions], WANTED.get(of, of))


def _plain(g: Source, name: str, label: str) -> Fact:
    """A fact that its question finds by a word of it: a property that has a name of its own, a measure, a person with a job or a deed, and the like."""
    make = g.pick([_number] * 4 + [_job] * 4 + [_deed] * 2 + [_measure] * 3 + [_duration] * 2 + [_source] * 3 + [_cost] * 2 + [_property] * 9)
    sentence, questions, wanted = make(g, name, label)
    return Fact(capital(sentence) + ("" if ":" in sentence and g.chance(0.5) else "."), questions, wanted)


Plain = tuple[str, list[str], str]


def _number(g: Source, name: str, label: str) -> Plain:
    value = VALUES["count"](g)
    many = label if label.endswith("s") else label + "s"
    sentence = g.pick([f"There are {value} {many}", f"{capital(many)}: {value}", f"It has {value} {many}", f"{value} {many} belong to it", f"In all there are {value} {many}", f"We count {value} {many}", f"The {many} are {value}", f"It is known for its {value} {many}"])
    return sentence, [f"how many {many} does {name} have", f"how many {many} are there at {name}", f"how many {many} belong to {name}", f"what is the count of {many} of {name}"], f"number of {many}"


def _job(g: Source, name: str, label: str) -> Plain:
    job, who = g.part(words.JOBS), g.full_name()
    while job == "manager":  # the evaluation asks for one
        job = g.part(words.JOBS)
    sentence = g.pick([f"The {job} is {who}", f"{who} is the {job}", f"{capital(job)}: {who}", f"{who} works as the {job}", f"As {job} we have {who}", f"The {job}, {who}, is there every day", f"Ask {who}, the {job}", f"The work of the {job} is done by {who}"])
    return sentence, [f"who is the {job} of {name}", f"who works as {job} at {name}", f"what is the {job} of {name} called", f"which person is {job} of {name}", f"what is the name of the {job} of {name}"], job


def _deed(g: Source, name: str, label: str) -> Plain:
    deed, who = g.pick(DEEDS), g.full_name() if g.chance(0.7) else g.part(words.COMPANIES)
    sentence = g.pick([f"{who} {deed} it", f"It is {who} who {deed} it", f"Every year {who} {deed} it", f"{who} {deed} it, as everybody knows"])
    return sentence, [f"who {deed} {name}", f"which person {deed} {name}", f"what is the name of the one who {deed} {name}"], f"who {deed}"


def _measure(g: Source, name: str, label: str) -> Plain:
    adjective, noun, units = g.pick(MEASURES)
    unit, value = g.pick(units), VALUES["metres"](g)
    about, of = g.pick([("It", name), ("It", name), (name, name), (f"The {label}", f"the {label} of {name}")])
    sentence = g.pick([f"{about} is {value} {unit} {adjective}", f"{about} is {value} {unit} {adjective} and {g.pick(BESIDES)}", f"{value} {unit} {adjective}, {about.lower() if about == 'It' else about} {g.pick(BESIDES)}"])
    return sentence, [f"how {adjective} is {of}", f"how {adjective} is {of}", f"how many {unit} {adjective} is {of}", f"what is the {noun} of {of}"], noun


def _duration(g: Source, name: str, label: str) -> Plain:
    does, done = g.pick(USES)
    unit, value = g.pick(["hours", "days", "weeks", "months", "minutes"]), VALUES["small"](g)
    sentence = g.pick([f"It may be {done} for {value} {unit}", f"It can be {done} for {value} {unit}", f"People may {does} it for {value} {unit}", f"You can {does} it for up to {value} {unit}", f"Nobody may {does} it for more than {value} {unit}"])
    return sentence, [f"how long may {name} be {done}", f"how long can I {does} {name}", f"for how many {unit} can {name} be {done}", f"for how many {unit} may one {does} {name}"], unit


def _source(g: Source, name: str, label: str) -> Plain:
    does, done = g.pick([("delivers", "delivered"), ("makes", "made"), ("sells", "sold"), ("brings", "brought"), ("provides", "provided")])
    who = g.part(words.COMPANIES)
    sentence = g.pick([f"The {label} is {done} by {who}", f"{who} {does} the {label}", f"The {label} comes from {who}", f"The {label} is bought from {who}", f"We get the {label} from {who}"])
    return sentence, [f"who {does} the {label} of {name}", f"which company {does} the {label} for {name}", f"from which company does the {label} of {name} come", f"where is the {label} of {name} bought", f"by whom is the {label} of {name} {done}"], f"source of the {label}"


def _cost(g: Source, name: str, label: str) -> Plain:
    value, unit = VALUES["price"](g), g.pick(["euros", "euros", "dollars", "pounds", "cents", "francs"])
    sentence = g.pick([f"A {label} costs {value} {unit}", f"One {label} is {value} {unit}", f"We ask {value} {unit} for a {label}", f"The price of a {label} is {value} {unit}", f"Each {label} costs {value} {unit}"])
    return sentence, [f"what does a {label} of {name} cost", f"how much is a {label} at {name}", f"what is the price of a {label} of {name}", f"how many {unit} does a {label} of {name} cost", f"how much does a {label} for {name} cost"], f"price of a {label}"


def _property(g: Source, name: str, label: str) -> Plain:
    value = VALUES[g.pick(["code", "count", "person", "city", "day", "thing", "price", "color"])](g)
    sentence = g.pick([f"The {label} is {value}", f"The {label} of {name} is {value}", f"{capital(label)}: {value}", f"The {label}: {value}", f"Its {label} is {value}", f"{value} is the {label}", f"As {label} we have {value}", f"The {label} comes to {value}", f"For the {label} we wrote down {value}", f"The {label} was changed to {value}", f"You know it by its {label}, {value}"])
    return sentence, [f"what is the {label} of {name}", f"which {label} does {name} have", f"what {label} has {name}", f"the {label} of {name}", f"what do you find about the {label} of {name}", f"what is said of the {label} of {name}"], label


def _merge(g: Source, name: str, *facts: Fact):
    """Tells two facts in one sentence."""
    if len(facts) == 2:
        first, second = (f.sentence.rstrip(".") for f in facts)
        low = second if second.startswith(name) or not second[1:2].islower() else second[0].lower() + second[1:]
        for f in facts:
            f.sentence = f"{first}{g.pick([' and ', ', and ', '; ', ', while '])}{low}."


def _subject(g: Source) -> Subject:
    kinds = g.pick(KINDS)
    names, designs = TOPICS[kinds]
    kind = g.pick(kinds.split("|"))
    name = _entity(g, names, kind)
    designs = g.shuffled(designs)
    told = g.int(0, max(1, len(designs) - 2))
    facts = [_fact(g, name, kind, d) for d in designs[:told]]
    unsaid = [_fact(g, name, kind, d) for d in designs[told:]]
    labels = list(dict.fromkeys(g.pick(PLAIN) if g.chance(0.3) else g.pseudo().lower() if g.chance(0.2) else g.listed_or_like(words.NOUNS, "noun") for _ in range(8)))
    for label in labels[: g.pick([0 if facts else 1, 1, 2, 3, 3])]:
        facts.append(_plain(g, name, label))
    if len(facts) > 1 and g.chance(0.3):
        _merge(g, name, *g.sample([f for f in facts if f.sentence.endswith(".")], 2))
    unsaid.append(_plain(g, name, labels[-1]))
    return Subject(name, kind, g.shuffled(facts), unsaid)


def _document(g: Source, subject: Subject, taken: set[str], long: bool) -> tuple[str, str]:
    """A file name and the document in one of the forms."""
    form = g.rng.choices(["md", "txt", "html"], [55, 30, 15])[0]
    title = g.pick([capital(subject.name)] * 4 + [f"{g.pick(HEADINGS)}: {subject.name}", f"About {subject.name}", f"{capital(subject.name)} - {g.pick(HEADINGS).lower()}"])
    sentences = [f.sentence for f in subject.facts]
    extra = g.int(20, 40) if long else g.pick([0, 0, 1, 2, 3, 5])
    for _ in range(extra):
        sentences.insert(g.int(0, len(sentences)), g.template(FILLER))
    blocks: list[list[str]] = [[]]
    for sentence in sentences:
        if blocks[-1] and g.chance(0.35):
            blocks.append([])
        blocks[-1].append(sentence)
    named = any(subject.name.lower() in s.lower() for s in sentences)
    intro = f"{g.pick(['This page is about', 'Here you read about', 'What we know about', 'Notes on', 'All about'])} {subject.name}."
    word = re.sub(r"[^a-z0-9]+", "-", g.pick([subject.kind, subject.kind, subject.name, f"{subject.kind}-{g.int(1, 30)}", g.pseudo()]).lower()).strip("-") or "page"
    name = f"{g.pick(['', '', '', '', 'notes/', 'docs/', 'info/', 'archive/'])}{word}.{form}"
    while name in taken:
        name = name.replace(f".{form}", f"{g.int(2, 99)}.{form}")
    if form == "txt":
        head = [] if g.chance(0.3) and named else [g.pick([title, title.upper() if title.isascii() else title, intro])]
        return name, "\n\n".join([*head, *(" ".join(b) for b in blocks)]) + g.pick(["", "\n"])
    listed = g.chance(0.2)
    if form == "html":
        escaped = lambda text: text.replace("&", "&amp;")  # noqa: E731
        body = [f"<h1>{escaped(title)}</h1>"] + ([f"<p>{escaped(intro)}</p>"] if g.chance(0.3) else [])
        for b in blocks:
            if listed and len(b) > 1:
                body.append("<ul>" + "".join(f"<li>{escaped(s)}</li>" for s in b) + "</ul>")
            else:
                body.append(f"<p>{escaped(' '.join(b))}</p>")
        gap = g.pick(["", "\n"])
        return name, f"<html><head><title>{escaped(title)}</title></head><body>{gap.join(body)}</body></html>"
    parts = [f"# {title}"] + ([intro] if g.chance(0.2) else [])
    for b in blocks:
        if len(blocks) > 2 and g.chance(0.15):
            parts.append(f"## {g.pick(HEADINGS)}")
        parts.append("\n".join(f"- {s}" for s in b) if listed else " ".join(b))
    return name, "\n\n".join(parts) + g.pick(["", "\n"])


ASK = ["{q}"] * 12 + ["According to the documents, {q}", "In the documents: {q}", "Look it up: {q}", "Please look in my files: {q}", "From the notes, {q}", "I need to know {q}", "Search the documents: {q}", "Do the documents say {q}", "Check the folder: {q}", "Based on the documents, {q}"]


def _asked(g: Source, question: str) -> tuple[str, str]:
    """What the user says, and the query made of it."""
    if question.startswith("the "):
        user = phrase(g, "the", question)
        return user, question
    frame = g.template(ASK)
    shown = capital(question) if frame == "{q}" else question
    user = frame.replace("{q}", shown) + g.pick(["?", "?", "?", "?", ""])
    if frame == "{q}" and g.chance(0.15):
        user = user[0].lower() + user[1:]
    return user, user[user.lower().index(question.lower()) :].rstrip("?")


def _place(shown: Shown, sentence: str) -> tuple[int, int] | None:
    """First and last line of a sentence in what was shown, if it is all there."""
    flat = re.sub(r"\s", " ", shown.page.text)
    at = flat.find(sentence)
    if at < 0:
        return None
    starts = [start for _, start in shown.page.lines]
    first = max(i for i, start in enumerate(starts) if start <= at)
    last = max(i for i, start in enumerate(starts) if start <= at + len(sentence) - 1)
    return (first, last) if shown.first <= first and last <= shown.last else None


def _cited(sentence: str, cursor: int, place: tuple[int, int]) -> str:
    first, last = place
    return f"{sentence} 【{cursor}†L{first}】" if first == last else f"{sentence} 【{cursor}†L{first}-L{last}】"


class Reading:
    """One question to a browsing session, turn by turn."""

    def __init__(self, g: Source, browser: Browser, user: str):
        self.g, self.browser, self.turns = g, browser, []
        self.used = SYSTEM_TOKENS + count(user) + 12

    def call(self, thought: str, tool: str, arguments: dict, shown: Shown):
        call = compact(arguments)
        self.turns.append(Turn(thought, f"browser.{tool}", call, shown.text))
        self.used += count(thought) + count(call) + count(shown.text) + 24
        return shown

    def search(self, query: str) -> Shown:
        thought = think(self.g, "I will search.", "I will search the documents.", f"The user asks about the documents. I will search them for: {query}.")
        self.used += count(thought) + count(compact({"query": query})) + 24
        return self.call(thought, "search", {"query": query}, self.browser.search(query, self.used))

    def open(self, target, thought: str = "", **more) -> Shown:
        arguments = ({} if target is None else {"id": target}) | more
        self.used += count(thought) + count(compact(arguments)) + 24
        return self.call(thought, "open", arguments, self.browser.open(target, self.used, more.get("loc", -1)))

    def find(self, pattern: str) -> Shown:
        thought = think(self.g, "", "I will look for the word.", f"I do not see it here. I will look for the word {pattern}.")
        return self.call(thought, "find", {"pattern": pattern}, self.browser.find(pattern, self.used + 40))

    def answer(self, fact: Fact, shown: Shown, place: tuple[int, int]) -> list[Turn]:
        found = f"Wanted: {fact.wanted}. The page says: {fact.sentence}"
        thought = think(self.g, f"Wanted: {fact.wanted}.", found, f"{found} I will quote it with its place.")
        return [*self.turns, Turn(thought, final=_cited(fact.sentence, shown.cursor, place))]

    def absent(self, fact: Fact) -> list[Turn]:
        found = f"Wanted: {fact.wanted}. The documents do not say that."
        thought = think(self.g, f"Wanted: {fact.wanted}.", found, f"{found} I will say so.")
        return [*self.turns, Turn(thought, final=ABSENT)]


def keyword(question: str, name: str) -> str:
    """The word of a question that a page would have, if it told the answer."""
    about = set(telling(name))
    rest = [w for w in telling(question) if w not in about and len(w) > 3 and not w.isdigit()]
    return max(rest, key=len) if rest else telling(question)[-1]


def _folder(g: Source) -> tuple[dict[str, str], list[tuple[str, Subject]]]:
    docs, subjects = {}, []
    long = g.chance(0.06)
    for i in range(g.pick([1, 2, 2, 2, 3, 4])):
        subject = _subject(g)
        if subject.name.lower() in [s.name.lower() for _, s in subjects]:
            continue
        name, text = _document(g, subject, set(docs), long and i == 0)
        docs[name] = text
        subjects.append((name, subject))
    return docs, subjects


def _read(g: Source, browser: Browser, subjects: list[tuple[str, Subject]], long: bool) -> tuple[str, list[Turn]] | None:
    """A question and what leads to its answer; none where the way is not plain."""
    url, subject = subjects[0] if long else g.pick(subjects)
    kind = g.rng.random()
    missing = kind < 0.17
    if missing and g.chance(0.35):
        subject = _subject(g)
    fact = g.pick((subject.unsaid if kind < 0.12 else _subject(g).unsaid) if missing else subject.facts)
    user, query = _asked(g, g.pick(fact.questions))
    by_name = not missing and g.chance(0.1)
    if by_name:
        user = g.pick([f"Open {url}. {capital(query)}?", f"Read {url} and tell me {query}.", f"In {url}: {query}?", f"What does {url} say: {query}?", f"{capital(query)}? It is in {url}."])
    r = Reading(g, browser, user)
    if by_name:
        shown = r.open(url, think(g, "I will open it.", f"I will open {url}.", f"The user names the document {url}. I will open it."))
    else:
        results = r.search(query)
        targets = [target for target, *_ in results.page.links]
        if missing:
            if not targets:
                return user, r.absent(fact)
            shown = r.open(0)
        elif url not in targets:
            return None
        else:
            shown = r.open(targets.index(url))
    whole = re.sub(r"\s", " ", browser.pages[url].text)
    if missing:
        word = keyword(query, subject.name)
        if shown.last < len(shown.page.lines) - 1 or g.effort == "high":
            found = r.find(word)
            if found.page.links:
                return None
        return user, r.absent(fact)
    if whole.count(fact.sentence) != 1:
        return None
    place = _place(shown, fact.sentence)
    if place is None:
        words_ = [w for w in telling(query) if w in fact.sentence.lower() and w not in telling(subject.name) and len(w) > 3]
        if words_:
            shown = r.find(max(words_, key=len))
        elif shown.last < len(shown.page.lines) - 1:
            shown = r.open(None, think(g, "", "I will read on.", "It is not in these lines. I will read on."), loc=shown.last + 1)
        place = _place(shown, fact.sentence)
        if place is None:
            return None
    return user, r.answer(fact, shown, place)


def conversations_of(g: Source, count_: int) -> list[Conversation]:
    """Some questions about one folder, the browsing session going on through them."""
    while True:
        docs, subjects = _folder(g)
        if not subjects:
            continue
        browser, found = Browser(docs), []
        long = any(len(text) > 1500 for text in docs.values())
        for _ in range(count_ * 4):
            before = len(browser.shown)
            made = _read(g, browser, subjects, long)
            if made is None:
                del browser.shown[before:]
                continue
            found.append(Conversation(*made, browser=True, docs=docs))
            if len(found) == count_:
                return found


def generate(g: Source) -> Conversation:
    return conversations_of(g, 1)[0]
