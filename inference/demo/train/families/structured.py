"""Extraction: a sentence and a flat schema in, compact JSON or one-line XML out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from families import words
from families.base import Conversation, Source, Turn, compact, phrase, think
from families.fields import KINDS, Value, choice, label, of_text
from families.portraits import portrait
from families.scenes import happening

SHARES = {"happening": 0.55, "portrait": 0.25, "fields": 0.2}
JSON_LINE = "// The final message must be JSON that is valid against this JSON Schema, and nothing else."
XML_LINE = "// The final message must be an XML document that is valid against this XML Schema (XSD), and nothing else."

PERSON = ["age", "city", "email", "phone", "company", "job", "country", "color", "date", "member", "active", "married", "tags", "language", "code", "address", "people", "number", "product", "quantity"]
OBJECT = ["price", "color", "quantity", "date", "time", "city", "company", "code", "number", "measure", "available", "paid", "tags", "word", "title", "country", "people"]

ROOTS = {"person": ["person", "user", "contact", "customer", "employee", "student", "patient", "guest", "member", "profile"], "object": ["order", "product", "item", "record", "event", "ticket", "booking", "car", "book", "house", "invoice", "shipment", "entry", "data"]}


@dataclass
class Field:
    """A property; what the sentence of the moment gives it as its value, and says about it in one of the `clauses`."""

    name: str
    type: str
    make: Callable[[Source], Value] | None = None
    clauses: list[str] = field(default_factory=list)
    options: list[str] | None = None
    value: Value | None = None
    clause: str = ""

    def renew(self, g: Source):
        self.value, self.clause = self.make(g), g.pick(self.clauses)


def make_field(g: Source, kind: str, name: str | None = None) -> Field:
    if kind == "enum":
        chosen, options = choice(g)
        clauses = ["has {n} {v}", "is of {n} {v}", "is {v}", "wants {v} {n}"]
        return Field(chosen, "string", of_text(lambda g: g.pick(options)), clauses, options)
    spec = KINDS[kind]
    clauses = spec.is_
    if name is None and g.chance(0.05 if g.simple else 0.13) and spec.type not in ("boolean", "string[]"):
        name, clauses = g.pseudo(), ["has the {n} {v}", "has {n} {v}"]
    return Field(name or g.part(spec.names), spec.type, spec.make, clauses)


def make_fields(g: Source) -> tuple[str, list[Field]]:
    """A subject and its fields; the first one names the subject."""
    about = g.pick(["person", "person", "object"])
    if about == "person":
        first = make_field(g, "person", g.pick(["name", "name", "name", "full_name", "person", "customer", "employee", "student", "client", "first_name", "user"]))
        pool = PERSON
    else:
        first = make_field(g, "product", g.pick(["product", "item", "name", "article", "title"]))
        pool = OBJECT
    fields = [first]
    for kind in g.sample(pool, g.pick([1, 2, 2, 3] if g.simple else [1, 2, 2, 2, 3, 3, 4])):
        field = make_field(g, kind)
        if field.name not in [f.name for f in fields]:
            fields.append(field)
    if g.chance(0.05 if g.simple else 0.13):
        field = make_field(g, "enum")
        if field.name not in [f.name for f in fields]:
            fields.append(field)
    return about, fields


def clause(f: Field) -> str:
    return f.clause.replace("{v}", f.value.shown).replace("{n}", label(f.name))


def named(g: Source, f: Field) -> str:
    """A value introduced by the name of its property."""
    n, v = label(f.name), f.value.shown
    if f.type == "boolean":
        v = g.pick([("no", "yes"), ("false", "true")])[bool(f.value.value)]
    return g.pick([f"the {n} is {v}", f"{n} is {v}", f"with {n} {v}", f"{n} {v}", f"its {n} is {v}", f"has the {n} {v}"])


def prose(g: Source, about: str, fields: list[Field]) -> str:
    """The sentence that holds every field."""
    first, rest = fields[0], g.shuffled(fields[1:])
    style = g.rng.random()
    if style < 0.16 or not rest:
        pairs = []
        for f in g.shuffled(fields):
            v = g.pick(["no", "false"]) if f.value.value is False else g.pick(["yes", "true"]) if f.value.value is True else f.value.shown
            pairs.append((label(f.name), v))
        mark, gap = g.pick([": ", ": ", " = ", " - ", "="]), g.pick([", ", "; ", "\n", " | ", ". "])
        up = g.chance(0.5)
        return gap.join((n.capitalize() if up else n) + mark + v for n, v in pairs)
    if style < 0.26:
        shuffled = g.shuffled(fields) if g.chance(0.3) else [first, *rest]
        return g.pick([", ", ", ", "; ", " / "]).join(named(g, f) if f.type == "boolean" or "{n}" in f.clause else f.value.shown for f in shuffled)
    subject = first.value.shown
    if about == "object":
        subject = g.pick(["The ", "The ", "A ", "Our ", "This "]) + subject
    verbs = [clause(f) if g.chance(0.75) or f.type == "boolean" else named(g, f) for f in rest]
    if about == "object":
        verbs = [v if f.type == "boolean" or g.chance(0.35) else named(g, f) for f, v in zip(rest, verbs)]
    split = [v.split(" ", 1)[0] in ("the", "its", "with") or not v.startswith(tuple("abcdefghijklmnopqrstuvwxyz")) for v in verbs]
    pronoun = g.pick(["He", "She", "They"]) if about == "person" else "It"
    if style < 0.45 or any(split):
        parts, sentences = [subject + " " + verbs[0]] if not split[0] else [subject, verbs[0]], []
        for v, loose in zip(verbs[1:], split[1:]):
            if g.chance(0.35) and not loose:
                sentences.append(", ".join(parts))
                parts = [f"{pronoun} {v}"]
            else:
                parts.append(v)
        sentences.append(", ".join(parts[:-1]) + g.pick([" and ", ", and "]) + parts[-1] if len(parts) > 2 and g.chance(0.6) else ", ".join(parts))
        return ". ".join(s[:1].upper() + s[1:] for s in sentences) + g.pick([".", ".", ""])
    if style < 0.6 and about == "person":
        ages = [f for f in rest if f.type == "integer" and "old" in f.clause]
        if ages:
            rest = [f for f in rest if f is not ages[0]]
            subject += g.pick([f", {ages[0].value.shown},", f" ({ages[0].value.shown})", f", aged {ages[0].value.shown},", f", {ages[0].value.shown} years old,"])
            verbs = [clause(f) for f in rest]
            if not verbs:
                return subject.rstrip(",") + g.pick([" is here.", ".", " called."])
    if len(verbs) > 1:
        text = ", ".join(verbs[:-1]) + g.pick([" and ", ", and ", " and also "]) + verbs[-1]
    else:
        text = verbs[0]
    return f"{subject} {text}" + g.pick([".", ".", "", "!"])


ASK = [
    "Extract the data: {s}", "Extract: {s}", "Extract the {r} from this text: {s}", "Extract the information from this sentence: {s}", "Extract the fields: {s}", "Extract the details. {s}", "Parse this: {s}", "Parse the following text: {s}",
    "Convert to {f}: {s}", "Convert this into {f}: {s}", "Turn this into {f}: {s}", "Give me {f} for this: {s}", "{s} Return it as {f}.", "{s}", "{s}", "Return the data as {f}: {s}", "As {f}: {s}", "{f}: {s}", "Please extract the {r}: {s}",
    "Please extract the {r} data from: {s}", "Please fill the schema from this: {s}", "Fill in the fields from this text: {s}", "Read this and return {f}: {s}", "What are the {r} details? {s}", "Get the {r} out of this: {s}", "From the text below, extract the {r}.\n\n{s}",
    'Extract from "{s}"', 'Text: "{s}"', "Text: {s}", "Extract the {r}.\n{s}", "Can you extract the {r} from this? {s}", "Could you turn this into {f}? {s}", "Here is a sentence: {s} Extract the {r}.", "I need this as {f}: {s}", "Make a {f} record of this: {s}",
    "Describe this {r} as {f}: {s}", "Represent as {f}: {s}", "Structure this: {s}", "Identify the fields in: {s}", "Write the {r} as {f}. {s}", "extract {s}", "extract the {r}: {s}", "Summarize as {f}: {s}", "Pull the {r} details from: {s}", "Sentence: {s}",
    "A colleague wrote: {s}", 'Voice message: "{s}"', "From my notes: {s}", "Mail from this morning: {s}", "Heard on the radio: {s}", "{s} Put that into {f}.", "{s} I need this for our database.", "Please record this {r}: {s}", "New {r}: {s}", "Add this {r} to the list: {s}", "This just came in. {s}",
    "Read carefully. {s} Now fill in the {r}.", "{s}\n\nExtract the {r}.", "{s} What does the {r} look like as {f}?", "Our form needs this {r}: {s}", "Take the {r} from this line: {s}", "We got the following text: {s}", "Process: {s}", "Input: {s}", "Store this: {s}", "{f} please: {s}", "I have this text: {s} Give me the {r}.", "Enter the {r}. {s}",
    "Which {r} is meant here? {s}", "Could you fill out the {r} for me? {s}", "Note: {s}", "They told me: {s}", "Turn the text into a {r}: {s}", 'Here is what I know: "{s}"', "What do we know about this {r}? {s}", "Data entry: {s}", "Map this text to the schema: {s}", "File this: {s}", "Produce {f} from: {s}", "Here you go: {s}", "Log entry: {s}", "My secretary wrote this down: {s}",
    "Chat message: {s}", "Make {f} out of this. {s}", "Analyze this text and return the {r}: {s}", "Encode this {r} in {f}: {s}", "Transcript: {s}", "Scan of a paper: {s}", "Read the {r} and return it: {s}", "Quote: {s}", "Write down the {r} from this: {s}", "extract data from: {s}", "{s} -> {f}",
]  # fmt: skip


def prompt(g: Source, sentence: str, root: str, form: str) -> str:
    return g.template(ASK).replace("{s}", sentence).replace("{r}", label(root)).replace("{f}", form)


def distractor(g: Source, about: str) -> str:
    return g.pick(["The weather was nice.", f"{g.first_name()} was there too.", "Please keep this private.", f"Last year it was {g.word()}.", "More details will follow.", f"We talked about {g.part(words.TOPICS)}.", "Thanks for reading.", f"The {g.word()} is not important.", "This was said yesterday.",
                   "Have a nice day.", "Nobody else knows about it.", "I hope this helps.", "It was a long day.", "Everybody was happy.", f"The room smelled of {g.word()}.", "That is all for now.", "We had some trouble with the computer.", "Sorry for the delay.", "As you may remember, we talked about it.",
                   f"By the way, I like {g.part(words.NOUNS)}s.", "It took a while to find out.", "Let me know if anything is missing.", "The rest is not worth telling.", "Nothing else happened.", f"Some people prefer {g.part(words.TOPICS)}.", "Please reply soon.", "This is urgent."])


def json_schema(g: Source, root: str, fields: list[Field], nested: tuple[str, list[Field]] | None) -> dict:
    def described(f: Field) -> dict:
        shape = {"type": "array", "items": {"type": "string"}} if f.type == "string[]" else {"type": f.type}
        if f.options:
            shape["enum"] = f.options
            if g.chance(0.15):
                del shape["type"]
        if style < 0.25 and g.chance(0.7):
            note = g.pick([f"The {label(f.name)}", f"The {label(f.name)} of the {label(root)}", label(f.name).capitalize(), f"{label(f.name).capitalize()} in the text"])
            shape = {"description": note} | shape if g.chance(0.3) else shape | {"description": note}
        return shape

    def describe_object(members: dict, names: list[str]) -> dict:
        parts = {"type": "object", "properties": members}
        if g.chance(0.75):
            parts["required"] = names if g.chance(0.85) else names[: max(1, len(names) - 1)]
        if g.chance(0.5):
            parts["additionalProperties"] = False
        return parts

    style = g.rng.random()
    members = {f.name: described(f) for f in fields}
    if nested:
        members[nested[0]] = describe_object({f.name: described(f) for f in nested[1]}, [f.name for f in nested[1]])
    schema = describe_object(members, list(members))
    if g.chance(0.15):
        schema["title"] = root.capitalize()
    if g.chance(0.08):
        schema["$schema"] = g.pick(["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"])
    if g.chance(0.1):
        schema["description"] = g.pick([f"A {label(root)}", f"Details of the {label(root)}"])
    keys = list(schema)
    if g.chance(0.35):
        keys = g.shuffled(keys)
    elif g.chance(0.6):
        keys.sort(key=lambda k: k not in ("$schema", "title", "description"))
    return {k: schema[k] for k in keys}


def scene(g: Source) -> tuple[str, list[Field], Callable[[], str]]:
    """A subject, its schema fields in schema order, and what gives them values in a text with them and perhaps more."""
    way = g.rng.choices(list(SHARES), list(SHARES.values()))[0]
    if way != "fields":
        about = "object"
        root, properties, telling = happening(g) if way == "happening" else portrait(g)
        asked = fields = [Field(name, kind) for name, kind in properties]
    else:
        about, fields = make_fields(g)
        root, asked = g.pick(ROOTS[about]), fields
    if len(fields) > 2 and g.chance(0.35 if way == "fields" else 0.4):
        asked = g.sample(fields, g.int(1 if g.chance(0.35) else 2, len(fields) - 1))
    if len(asked) > 1 and g.chance(0.6):
        asked = g.shuffled(asked)

    def tell() -> str:
        if way == "fields":
            for f in fields:
                f.renew(g)
            text = prose(g, about, fields)
        else:
            text, values = telling()
            for f, value in zip(fields, values):
                f.value = value
        if g.chance(0.12) and text.endswith("."):
            text = f"{text} {distractor(g, about)}" if g.chance(0.6) else f"{distractor(g, about)} {text}"
        return text

    return root, asked, tell


def extract_thought(g: Source, form: str, fields: list[Field]) -> str:
    facts = "; ".join(f"{f.name} {f.value.value if isinstance(f.value.value, str) else compact(f.value.value) if not isinstance(f.value.value, list) else ', '.join(f.value.value)}" for f in fields)
    return think(
        g,
        f"I will write the {form}.",
        f"The fields are: {facts}.",
        f"The user wants {form}. The fields are: {facts}. I will write nothing else.",
    )


def json_family(g: Source, count: int) -> list[Conversation]:
    """Conversations with one schema."""
    root, fields, tell = scene(g)
    nested = None
    if len(fields) > 2 and g.chance(0.12):
        cut = g.int(1, len(fields) - 2)
        name = g.pick([n for n in ["details", "contact", "info", "address_info", "data", "meta", "profile", "extra"] if n not in [f.name for f in fields]])
        fields, inner = fields[:-cut], fields[-cut:]
        nested = (name, inner)
    schema = json_schema(g, root, fields, nested)
    everything = fields + (nested[1] if nested else [])

    def conversation() -> Conversation:
        user = prompt(g, tell(), root, "JSON")
        data = {f.name: f.value.value for f in fields}
        if nested:
            data[nested[0]] = {f.name: f.value.value for f in nested[1]}
        turn = Turn(extract_thought(g, "JSON", everything), final=compact(data))
        return Conversation(user, [turn], response_format=f"{JSON_LINE}\n{compact(schema)}")

    return [conversation() for _ in range(count)]


XSD_TYPES = {"string": ["string", "string", "string", "token"], "integer": ["integer", "int", "positiveInteger", "nonNegativeInteger"], "number": ["decimal", "decimal", "double"], "boolean": ["boolean"], "date": ["date"]}


def xml_text(value) -> str:
    return compact(value) if not isinstance(value, str) else value.replace("&", "&amp;").replace("<", "&lt;")


def xsd(g: Source, root: str, fields: list[Field], attribute: Field | None) -> str:
    x = g.pick(["xs", "xs", "xs", "xsd"])
    indent = g.pick(["", "", "", "  ", "  ", "    "]) if g.chance(0.9) else "\t"
    lines: list[tuple[int, str]] = []
    if g.chance(0.3):
        lines.append((0, '<?xml version="1.0" encoding="UTF-8"?>' if g.chance(0.7) else '<?xml version="1.0"?>'))
    lines.append((0, f'<{x}:schema xmlns:{x}="http://www.w3.org/2001/XMLSchema"' + (' elementFormDefault="qualified"' if g.chance(0.3) else "") + ">"))
    named_type = root.capitalize() + "Type" if g.chance(0.18) else None
    depth = 1
    if named_type is None:
        lines += [(1, f'<{x}:element name="{root}">'), (2, f"<{x}:complexType>")]
        depth = 2
    else:
        if g.chance(0.5):
            lines.append((1, f'<{x}:element name="{root}" type="{named_type}"/>'))
        lines.append((1, f'<{x}:complexType name="{named_type}">'))
    group = g.pick(["sequence"] * 5 + ["all"])
    lines.append((depth + 1, f"<{x}:{group}>"))
    for f in fields:
        kind = "date" if isinstance(f.value.value, str) and len(f.value.value) == 10 and f.value.value[4] == "-" and g.chance(0.6) else f.type
        if f.options:
            values = [(depth + 5, f'<{x}:enumeration value="{o}"/>') for o in f.options]
            lines += [(depth + 2, f'<{x}:element name="{f.name}">'), (depth + 3, f"<{x}:simpleType>"), (depth + 4, f'<{x}:restriction base="{x}:string">'), *values, (depth + 4, f"</{x}:restriction>"), (depth + 3, f"</{x}:simpleType>"), (depth + 2, f"</{x}:element>")]
            continue
        many = ' maxOccurs="unbounded"' if kind == "string[]" else ' minOccurs="0"' if g.chance(0.06) else ""
        base = g.pick(XSD_TYPES["string" if kind == "string[]" else kind])
        lines.append((depth + 2, f'<{x}:element name="{f.name}" type="{x}:{base}"{many}/>'))
    lines.append((depth + 1, f"</{x}:{group}>"))
    if attribute:
        base = g.pick(XSD_TYPES[attribute.type])
        lines.append((depth + 1, f'<{x}:attribute name="{attribute.name}" type="{x}:{base}"' + g.pick([' use="required"', ' use="required"', ""]) + "/>"))
    lines.append((depth, f"</{x}:complexType>"))
    if named_type is None:
        lines.append((1, f"</{x}:element>"))
    elif f'type="{named_type}"' not in "".join(t for _, t in lines):
        lines.append((1, f'<{x}:element name="{root}" type="{named_type}"/>'))
    lines.append((0, f"</{x}:schema>"))
    if indent == "":
        return "".join(t for _, t in lines)
    return "\n".join(indent * d + t for d, t in lines)


def xml_family(g: Source, count: int) -> list[Conversation]:
    """Conversations with one schema, which follows the first values where a string looks like a date."""
    root, fields, tell = scene(g)
    tell()
    fields = fields[:4]
    attribute = None
    if len(fields) > 1 and g.chance(0.2):
        candidates = [f for f in fields if f.type in ("string", "integer") and not f.options]
        attribute = g.pick(candidates) if candidates else None
        fields = [f for f in fields if f is not attribute]
    if g.chance(0.12):
        root = g.pseudo()
    if root in [f.name for f in fields]:
        root = "record"
    schema = xsd(g, root, fields, attribute)

    def conversation() -> Conversation:
        user = prompt(g, tell(), root, "XML")
        body = "".join(f"<{f.name}>{xml_text(v)}</{f.name}>" for f in fields for v in (f.value.value if isinstance(f.value.value, list) else [f.value.value]))
        head = f' {attribute.name}="{xml_text(attribute.value.value)}"' if attribute else ""
        thought = extract_thought(g, "XML", ([attribute] if attribute else []) + fields)
        turn = Turn(thought, final=f"<{root}{head}>{body}</{root}>")
        return Conversation(user, [turn], response_format=f"{XML_LINE}\n{schema}")

    return [conversation() for _ in range(count)]
