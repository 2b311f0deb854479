"""Kinds of values that tools and schemas ask for: how they are named, written in prose and put into JSON."""

from collections.abc import Callable
from dataclasses import dataclass

from families import words
from families.base import Source
from families.dates import FORMATS, some_day


@dataclass
class Value:
    """A value as prose shows it and as JSON holds it."""

    shown: str
    value: object


Telling = Callable[[], tuple[str, list[Value]]]
"""Makes a text and the values in it, in the order of their properties."""


@dataclass(frozen=True)
class Kind:
    """`names` are property names; `by` are phrases after a verb or noun; `is_` are clauses about a subject."""

    type: str
    names: list[str]
    make: object
    by: list[str]
    is_: list[str]


def of_text(maker):
    def make(g: Source) -> Value:
        text = maker(g)
        return Value(text, text)

    return make


def of_number(maker):
    def make(g: Source) -> Value:
        number = maker(g)
        return Value(str(number), number)

    return make


def price(g: Source) -> Value:
    number = g.int(1, 10 ** g.int(1, 4)) if g.chance(0.4) else float(g.decimal(3))
    return Value(g.pick(["${}", "{} dollars", "{} euros", "{}", "€{}", "{} USD", "${}"]).replace("{}", str(number)), number)


def day(g: Source) -> Value:
    shown = FORMATS[0][1](some_day(g)) if g.chance(0.6) else g.pick(FORMATS[1:])[1](some_day(g))
    return Value(shown, shown)


def clock(g: Source) -> str:
    return f"{g.int(0, 23):02}:{g.pick(['00', '15', '30', '45', str(g.int(10, 59))])}"


def email(g: Source) -> str:
    name = g.first_name().lower() if g.chance(0.5) else g.pseudo()
    return g.pick([name, f"{name}.{g.pseudo()}", f"{name}{g.int(1, 99)}", f"{name}_{g.pseudo(2, 3)}"]) + "@" + (g.part(words.DOMAINS) if g.chance(0.7) else g.pseudo() + ".com")


def phone(g: Source) -> str:
    return g.pick([f"555-{g.int(1000, 9999)}", f"+{g.int(1, 99)} {g.int(100, 999)} {g.int(1000000, 9999999)}", f"{g.int(200, 999)}-{g.int(200, 999)}-{g.int(1000, 9999)}", f"0{g.int(10, 99)} {g.int(100000, 999999)}"])


def thing(g: Source) -> str:
    kind = g.rng.random()
    if kind < 0.5:
        return g.part(words.PRODUCTS)
    return f"{g.part(words.ADJECTIVES)} {g.word()}" if kind < 0.75 else g.word()


def title(g: Source) -> str:
    text = " ".join(g.word() for _ in range(g.int(1, 4)))
    return g.pick([text.title(), text.capitalize(), text])


def address(g: Source) -> str:
    return f"{g.int(1, 300)} {g.pseudo().capitalize()} {g.pick(['Street', 'Road', 'Avenue', 'Lane'])}"


def several(maker):
    """An array of strings, written as a list in prose."""

    def make(g: Source) -> Value:
        items = list(dict.fromkeys(maker(g) for _ in range(g.int(2, 4))))
        shown = ", ".join(items) if g.chance(0.3) or len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
        return Value(shown, items)

    return make


def flag(yes: list[str], no: list[str]):
    def make(g: Source) -> Value:
        value = g.chance(0.5)
        return Value(g.pick(yes if value else no), value)

    return make


NAMED = ["with {n} {v}", "{n} {v}", "using {n} {v}", "where {n} is {v}", "and {n} {v}", "with the {n} {v}", "({n}: {v})"]

KINDS = {
    "person": Kind("string", ["name", "name", "full_name", "person", "customer", "contact", "employee", "student", "patient", "guest", "owner", "author", "user", "recipient", "client"],
                   of_text(lambda g: g.first_name() if g.chance(0.5) else g.full_name()), ["for {v}", "of {v}", "named {v}", "to {v}", "from {v}"], ["is called {v}", "is named {v}"]),
    "city": Kind("string", ["city", "city", "location", "town", "place", "destination", "hometown", "origin"], of_text(lambda g: g.city()), ["in {v}", "for {v}", "in {v}", "at {v}", "near {v}"],
                 ["lives in {v}", "is from {v}", "comes from {v}", "is based in {v}", "moved to {v}", "works in {v}"]),
    "country": Kind("string", ["country", "nation", "region"], of_text(lambda g: g.part(words.COUNTRIES)), ["in {v}", "for {v}", "of {v}", "from {v}"], ["is from {v}", "lives in {v}", "comes from {v}"]),
    "age": Kind("integer", ["age", "age", "years", "age_years"], of_number(lambda g: g.int(1, 99)), ["aged {v}", "of age {v}", "who is {v}"], ["is {v} years old", "is {v}", "is aged {v}", "turned {v}", "is {v} years of age"]),
    "email": Kind("string", ["email", "email", "email_address", "mail", "contact_email"], of_text(email), ["at {v}", "to {v}", "with email {v}", "for {v}"], ["can be reached at {v}", "has the email {v}", "uses the address {v}", "writes from {v}"]),
    "phone": Kind("string", ["phone", "phone_number", "telephone", "mobile", "tel"], of_text(phone), ["at {v}", "on {v}", "with phone {v}"], ["has the phone number {v}", "can be called at {v}", "answers at {v}"]),
    "product": Kind("string", ["product", "item", "article", "product_name", "goods", "object"], of_text(thing), ["for a {v}", "of {v}", "of the {v}", "for the {v}"], ["bought a {v}", "ordered a {v}", "wants a {v}", "chose the {v}"]),
    "quantity": Kind("integer", ["quantity", "count", "amount", "number", "qty", "units", "pieces"], of_number(lambda g: g.int(1, 10 ** g.int(1, 3))), ["{v} times", "with quantity {v}", "for {v} pieces", "{v} units"], ["ordered {v} pieces", "needs {v} units", "has {v} of them"]),
    "price": Kind("number", ["price", "cost", "amount", "total", "unit_price", "fee"], price, ["for {v}", "at {v}", "under {v}", "costing {v}"], ["costs {v}", "paid {v}", "is priced at {v}", "spent {v}", "sells for {v}"]),
    "date": Kind("string", ["date", "date", "day", "start_date", "due_date", "birthday", "delivery_date", "departure"], day, ["on {v}", "for {v}", "on {v}", "from {v}"], ["arrived on {v}", "was born on {v}", "starts on {v}", "is due on {v}", "joined on {v}"]),
    "time": Kind("string", ["time", "start_time", "hour", "at"], of_text(clock), ["at {v}", "for {v}", "starting at {v}"], ["starts at {v}", "begins at {v}", "leaves at {v}"]),
    "color": Kind("string", ["color", "colour", "paint", "shade"], of_text(lambda g: g.part(words.COLORS)), ["in {v}", "with color {v}", "painted {v}"], ["is {v}", "prefers {v}", "comes in {v}", "is painted {v}"]),
    "company": Kind("string", ["company", "employer", "organization", "vendor", "supplier", "brand"], of_text(lambda g: g.part(words.COMPANIES) if g.chance(0.6) else g.pseudo().capitalize()), ["at {v}", "by {v}", "from {v}", "for {v}"], ["works at {v}", "works for {v}", "was hired by {v}", "is employed at {v}"]),
    "job": Kind("string", ["job", "occupation", "profession", "role", "position", "title"], of_text(lambda g: g.part(words.JOBS)), ["as a {v}", "for the role {v}", "as {v}"], ["works as a {v}", "is a {v}", "became a {v}"]),
    "code": Kind("string", ["id", "code", "order_id", "reference", "ticket", "sku", "serial", "invoice_id", "account"], of_text(lambda g: g.code()), ["{v}", "with id {v}", "for {v}", "number {v}", "under {v}"], ["has the id {v}", "carries the code {v}", "got the reference {v}"]),
    "number": Kind("integer", ["number", "id", "room", "level", "floor", "seats", "points", "score", "limit", "year", "size", "port"], of_number(lambda g: g.int(1, 10 ** g.int(1, 5))), ["{v}", "number {v}", "with {v}"], ["has number {v}", "scored {v}", "reached {v}"]),
    "measure": Kind("number", ["weight", "height", "length", "temperature", "distance", "rating", "speed", "width", "volume", "value"], of_number(lambda g: float(g.decimal(2)) if g.chance(0.7) else g.int(1, 500)), ["of {v}", "with {v}", "at {v}"], ["measures {v}", "weighs {v} kg", "has a value of {v}", "reached {v}"]),
    "title": Kind("string", ["title", "subject", "topic", "headline", "song", "book", "movie", "name", "event"], of_text(title), ['"{v}"', 'called "{v}"', 'titled "{v}"', 'about "{v}"', "'{v}'"], ['wrote "{v}"', 'likes "{v}"', 'presents "{v}"']),
    "text": Kind("string", ["text", "message", "note", "body", "content", "comment", "query", "description"], of_text(lambda g: g.sentence(2, 6)), ['"{v}"', 'saying "{v}"', ': "{v}"', 'with the text "{v}"', "'{v}'"], ['says "{v}"', 'wrote "{v}"', 'left the note "{v}"']),
    "language": Kind("string", ["language", "target_language", "lang", "locale"], of_text(lambda g: g.part(words.LANGUAGES)), ["in {v}", "into {v}", "to {v}"], ["speaks {v}", "studies {v}"]),
    "currency": Kind("string", ["currency", "from_currency", "to_currency", "unit"], of_text(lambda g: g.part(words.CURRENCIES)), ["in {v}", "to {v}", "from {v}"], ["pays in {v}"]),
    "word": Kind("string", ["key", "tag", "label", "keyword", "category", "type", "group", "team", "species", "material", "model", "symbol", "username", "status", "department", "genre", "mode"],
                 of_text(lambda g: g.word() if g.chance(0.8) else g.word().upper()), ["{v}", "for {v}", "of {v}", "in {v}", "with {v}"], ["belongs to {v}", "is in {v}", "has the label {v}"]),
    "address": Kind("string", ["address", "street", "shipping_address"], of_text(address), ["at {v}", "to {v}"], ["lives at {v}", "can be found at {v}"]),
    "active": Kind("boolean", ["active", "is_active", "enabled"], flag(["active", "enabled"], ["inactive", "not active", "disabled"]), [], ["is {v}", "is currently {v}"]),
    "member": Kind("boolean", ["member", "is_member", "subscribed"], flag(["a member", "a paying member"], ["not a member", "no member"]), [], ["is {v}"]),
    "available": Kind("boolean", ["available", "in_stock"], flag(["available", "in stock"], ["not available", "out of stock", "sold out"]), [], ["is {v}", "is {v} now"]),
    "paid": Kind("boolean", ["paid", "is_paid"], flag(["paid", "already paid"], ["unpaid", "not paid", "not yet paid"]), [], ["is {v}"]),
    "married": Kind("boolean", ["married", "is_married"], flag(["married"], ["not married", "unmarried", "single"]), [], ["is {v}"]),
    "tags": Kind("string[]", ["tags", "items", "keywords", "labels", "ingredients", "skills", "hobbies", "colors", "words", "products"], several(lambda g: g.word()), ["{v}", "with {v}"], ["likes {v}", "needs {v}", "has {v}", "mentions {v}"]),
    "people": Kind("string[]", ["names", "guests", "attendees", "members", "participants", "authors", "recipients", "cities"], several(lambda g: g.first_name() if g.chance(0.6) else g.city()), ["with {v}", "for {v}"], ["invited {v}", "knows {v}", "met {v}"]),
}  # fmt: skip


def choice(g: Source) -> tuple[str, list[str]]:
    """An enum: its property name and its options."""
    name, options = g.template([
        ("unit", ["celsius", "fahrenheit"]), ("size", ["small", "medium", "large"]), ("priority", ["low", "medium", "high"]), ("status", ["open", "closed", "pending"]), ("units", ["metric", "imperial"]),
        ("format", ["pdf", "html", "text"]), ("mode", ["fast", "slow", "auto"]), ("color", ["red", "green", "blue"]), ("level", ["beginner", "intermediate", "expert"]), ("order", ["asc", "desc"]),
        ("gender", ["male", "female"]), ("shipping", ["standard", "express", "overnight"]), ("cabin", ["economy", "business", "first"]), ("plan", ["free", "basic", "premium"]), ("sentiment", ["positive", "neutral", "negative"]),
        ("direction", ["north", "south", "east", "west"]), ("unit", ["c", "f"]), ("category", ["food", "travel", "office", "other"]), ("meal", ["breakfast", "lunch", "dinner"]), ("payment", ["cash", "card", "transfer"]),
    ])  # fmt: skip
    if g.chance(0.3):
        name, options = g.pick(["kind", "type", "option", "variant", "style", "grade", "class", "state"]), [g.word() for _ in range(g.int(2, 4))]
    return name, list(dict.fromkeys(options))


BEFORE = ["my", "the", "target", "user", "local", "given", "main", "new", "full", "first", "wanted", "item", "chosen", "exact", "current", "known"]
AFTER = ["name", "value", "code", "text", "id", "number", "info", "field", "data", "key", "input", "param", "of_person", "wanted", "now"]


def decorated(g: Source, name: str) -> str:
    """The name itself, or one around it that can only be read, not remembered."""
    kind = g.rng.random()
    if kind < 0.75:
        return name
    if kind < 0.85:
        return f"{g.pick(BEFORE) if g.chance(0.6) else g.pseudo().lower()}_{name}"
    return f"{name}_{g.pick(AFTER) if g.chance(0.6) else g.pseudo().lower()}"


def label(name: str) -> str:
    """A property name as prose writes it."""
    return name.replace("_", " ")
