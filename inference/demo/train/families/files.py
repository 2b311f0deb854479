"""Files of the user in /mnt/data, and files for the user in /outputs: a look at the file, then a few lines of Python.

What Python prints is computed by running the same lines over the same texts.
"""

import builtins
import io
import re

from families import words
from families.base import Conversation, Source, Turn, capital, think, wording
from families.files_wording import WIDE

DATA, OUT = "/mnt/data/", "/outputs/"
LOOK = "print(open('{f}').read()[:300])"
NO_OUTPUT = "[WARN] No output available. Use print() to output anything to stdout to receive the output"


def run(code: str, files: dict[str, str]) -> str:
    """What the tool answers to a cell that only reads `/mnt/data` and writes `/outputs`."""
    printed, written = [], {}

    class Sink(io.StringIO):
        def __init__(self, name):
            super().__init__()
            self.name_ = name

        def close(self):
            written[self.name_] = self.getvalue()
            super().close()

    def opened(path, mode="r", newline=None, **_):
        if "w" in mode:
            return Sink(path.removeprefix(OUT))
        return io.StringIO(files[path.removeprefix(DATA)], newline=newline)

    def show(*values):
        printed.append(" ".join(map(str, values)))

    exec(code, {"__builtins__": vars(builtins) | {"open": opened, "print": show}})
    notes = [f"{name} ({len(text.encode())} bytes)" for name, text in written.items()]
    text = "\n".join(printed).rstrip("\n")
    lines = [text] if text else []
    if notes:
        lines.append(f"[INFO] Saved for the user: {', '.join(notes)}")
    return "\n".join(lines) or NO_OUTPUT


# Tables: what the rows are, the column that names one, columns of numbers (name, words for most and least, a range), columns of few values.
TABLES = [
    ("people|staff|employees|members|team", "name", [("age", "oldest|youngest", 18, 90), ("salary", "earns the most|earns the least", 900, 9000), ("years", "has been here longest|has been here shortest", 1, 40), ("height", "tallest|smallest", 150, 205)], [("city", "city"), ("job", "job"), ("department", "sales|support|kitchen|office|garage")]),
    ("sales|orders|shop|purchases|invoices", "product", [("amount", "", 1, 900), ("price", "costs the most|cheapest", 2, 3000), ("quantity", "sold most|sold least", 1, 200), ("total", "", 10, 9000)], [("region", "north|south|east|west"), ("month", "January|February|March|April"), ("status", "open|paid|late")]),
    ("products|articles|inventory|stock|items", "item", [("price", "most expensive|cheapest", 2, 3000), ("stock", "", 0, 500), ("weight", "heaviest|lightest", 1, 900)], [("category", "tools|toys|food|books"), ("color", "color"), ("shelf", "A|B|C|D")]),
    ("students|grades|class|exam|results", "student", [("score", "best|worst", 1, 100), ("points", "has the most points|has the fewest points", 1, 100), ("absences", "", 0, 20), ("grade", "", 1, 6)], [("class", "1a|1b|2a|2b"), ("subject", "art|biology|music|history")]),
    ("cities|towns|places|countries", "city", [("population", "largest|smallest", 900, 900000), ("area", "", 3, 4000), ("altitude", "highest|lowest", 1, 3000), ("visitors", "most visited|least visited", 100, 90000)], [("region", "north|south|coast|hills"), ("language", "language")]),
    ("weather|temperatures|measurements|log", "day", [("temperature", "warmest|coldest", -15, 39), ("rain", "wettest|driest", 0, 60), ("wind", "windiest|calmest", 0, 110)], [("sky", "clear|cloudy|rain|fog")]),
    ("expenses|budget|costs|payments", "what", [("amount", "", 1, 2000), ("tax", "", 1, 300)], [("category", "food|rent|travel|office"), ("paid", "yes|no")]),
    ("trips|runs|rides|training", "route", [("distance", "longest|shortest", 1, 400), ("minutes", "slowest|fastest", 5, 600), ("points", "", 1, 90)], [("weather", "sunny|rainy|windy"), ("bike", "blue|red|old")]),
    ("books|films|songs|library", "title", [("pages", "longest|shortest", 40, 1200), ("year", "newest|oldest", 1900, 2025), ("rating", "best rated|worst rated", 1, 10)], [("genre", "crime|poetry|history|travel"), ("language", "language")]),
    ("animals|pets|zoo|plants", "name", [("age", "oldest|youngest", 1, 60), ("weight", "heaviest|lightest", 1, 900), ("legs", "", 2, 8)], [("kind", "cat|dog|bird|fish"), ("home", "cage|garden|house")]),
]  # fmt: skip


def _names(g: Source, column: str, count: int) -> list[str]:
    make = {
        "name": lambda: g.first_name() if g.chance(0.6) else g.full_name(), "student": g.first_name, "city": g.city, "day": lambda: f"2026-{g.int(1, 12):02}-{g.int(1, 28):02}", "title": lambda: f"The {capital(g.word())}",
    }.get(column, g.pick([lambda: g.listed_or_like(words.NOUNS, "noun")] * 2 + [g.city, g.first_name, lambda: g.pseudo().lower()]))  # fmt: skip
    found: dict[str, None] = {}
    while len(found) < count:
        name = make()
        if not set(name) & set(",;'\"\\"):
            found.setdefault(name)
    return list(found)


def _few(g: Source, values: str, count: int) -> list[str]:
    special = {"city": g.city, "job": lambda: g.part(words.JOBS), "color": lambda: g.part(words.COLORS), "language": lambda: g.part(words.LANGUAGES)}
    options = [special[values]() for _ in range(3)] if values in special else g.sample(values.split("|"), 3)
    return [g.pick(options) for _ in range(count)]


def _unlisted(g: Source) -> tuple:
    """What a table is made of, in words that stand in no list: who knows all columns looks for them and not for the place where one is named."""
    found: dict[str, None] = {}
    while len(found) < 5:
        word = g.listed_or_like(words.NOUNS, "noun").lower()
        if word.isascii() and word.isalpha():
            found.setdefault(word)
    about, key, *columns, few = found
    plural = lambda word: word if word.endswith("s") or g.chance(0.4) else word + "s"  # noqa: E731
    ranges = [g.pick([(1, 60), (10, 900), (100, 5000), (1, 90000)]) for _ in columns]
    values = "|".join(g.pseudo().lower() if g.chance(0.5) else g.part(words.ADJECTIVES) for _ in range(4))
    return plural(about), key, [(plural(name), "", *bounds) for name, bounds in zip(columns, ranges)], [(few, values)]


class Table:
    """A CSV file with its columns."""

    def __init__(self, g: Source):
        kinds, self.key, numbers, fews = g.pick(TABLES) if g.chance(0.4) else _unlisted(g)
        self.about = g.pick(kinds.split("|"))
        rows = g.pick([3, 4, 5, 5, 6, 7, 8])
        self.numbers = g.sample(numbers, g.pick([1, 1, 2]))
        self.fews = g.sample(fews, g.pick([0, 1, 1]))
        self.decimals = {name: g.chance(0.25) for name, *_ in self.numbers}
        columns = {self.key: _names(g, self.key, rows)}
        for name, _, low, high in self.numbers:
            values = g.sample(range(low, high + 1), rows) if high - low > 12 else [g.int(low, high) for _ in range(rows)]
            columns[name] = [f"{v}.{g.int(1, 99)}" if self.decimals[name] else str(v) for v in values]
        for name, values in self.fews:
            columns[name] = _few(g, values, rows)
        order = [self.key, *g.shuffled([c for c in columns if c != self.key])]
        if g.chance(0.15):
            g.rng.shuffle(order)
        if g.chance(0.1):
            order = ["id", *order]
            columns["id"] = [str(i + 1) for i in range(rows)]
        renamed = {c: c.capitalize() for c in order} if g.chance(0.15) else {}
        self.columns = {renamed.get(c, c): columns[c] for c in order}
        self.name_of = lambda c: renamed.get(c, c)
        self.mark = g.pick([",", ",", ",", ",", ",", ";"])
        self.file = g.pick([f"{self.about}.csv"] * 4 + ["data.csv", "table.csv", f"{self.about}_{g.int(1, 30)}.csv", f"{g.pseudo().lower()}.csv", f"my-{self.about}.csv", "export.csv", "list.csv"])
        lines = [self.mark.join(self.columns), *(self.mark.join(row) for row in zip(*self.columns.values()))]
        self.text = "\n".join(lines) + g.pick(["\n", "\n", ""])

    def head(self) -> str:
        more = "" if self.mark == "," else f", delimiter='{self.mark}'"
        return f"import csv\nrows = list(csv.DictReader(open('{DATA}{self.file}'){more}))\n"


NAMED = ["in {f}", "in {f}", "in {f}", "of {f}", "in the file {f}", "in the file", "in the table", "in my file", "in the attached file", "in the CSV", "according to {f}", "from {f}", "in my data", ""]

SUMS = ["what is the sum of the {c}s {in}", "what is the total {c} {in}", "add up the {c} column {in}", "sum the {c} {in}", "what do the {c}s {in} add up to", "total of {c} {in}", "calculate the sum of {c} {in}", "how much is the {c} in total {in}", "sum of all {c} values {in}", "what is the total of the column {c} {in}", "give me the sum of the {c} column {in}", "how much {c} is there altogether {in}", "add all the {c}s {in} together", "what is the overall {c} {in}"]  # fmt: skip
AVERAGES = ["what is the average {c} {in}", "what is the mean {c} {in}", "average of the {c}s {in}", "compute the average of {c} {in}", "how large is the {c} on average {in}", "the mean of the {c} column {in}", "find the average {c} {in}", "what {c} do they have on average {in}", "calculate the mean {c} {in}"]  # fmt: skip
MOST = ["which {k} has the highest {c} {in}", "who has the largest {c} {in}", "what {k} has the biggest {c} {in}", "find the {k} with the highest {c} {in}", "the {k} with the most {c} {in}", "where is the {c} highest {in}", "which row has the greatest {c} {in}", "whose {c} is highest {in}", "{k} with the maximum {c} {in}", "which {k} has the most {c} {in}"]  # fmt: skip
LEAST = ["which {k} has the lowest {c} {in}", "who has the smallest {c} {in}", "what {k} has the least {c} {in}", "find the {k} with the lowest {c} {in}", "the {k} with the smallest {c} {in}", "where is the {c} lowest {in}", "whose {c} is lowest {in}", "{k} with the minimum {c} {in}"]  # fmt: skip
HIGHEST = ["what is the highest {c} {in}", "what is the largest {c} {in}", "the maximum {c} {in}", "find the greatest {c} {in}", "how high is the highest {c} {in}", "the top {c} {in}", "biggest {c} {in}"]
LOWEST = ["what is the lowest {c} {in}", "what is the smallest {c} {in}", "the minimum {c} {in}", "find the least {c} {in}", "how low is the lowest {c} {in}", "smallest {c} {in}"]
ROWS = ["how many rows are there {in}", "how many rows does {f} have", "count the rows {in}", "how many {a} are there {in}", "how many entries are {in}", "how many records does the file have", "number of rows {in}", "how many lines of data are {in}", "count the {a} {in}", "how many {k}s are listed {in}"]  # fmt: skip
COUNTS = ["how many have the {w} {v} {in}", "how many rows have {w} {v} {in}", "count the rows with {w} {v} {in}", "how many times is the {w} {v} {in}", "how often does {v} occur in the {w} column {in}", "how many {a} are {v} {in}", "how many {k}s have {w} {v} {in}", "number of rows where {w} is {v} {in}"]  # fmt: skip
GROUPS = ["what is the total {c} for {w} {v} {in}", "sum the {c} where {w} is {v} {in}", "how much {c} is there for {v} {in}", "add up the {c} of the rows with {w} {v} {in}", "total {c} of {v} {in}", "what do the {c}s with {w} {v} add up to {in}", "the sum of {c} for {v} {in}"]  # fmt: skip
VALUES = ["what is the {c} of {n} {in}", "which {c} does {n} have {in}", "what {c} is given for {n} {in}", "the {c} of {n} {in}", "find the {c} for {n} {in}", "look up the {c} of {n} {in}", "how much is the {c} of {n} {in}", "{c} of {n} {in}", "tell me {n}'s {c} {in}"]  # fmt: skip
LISTS = ["list all {k}s {in}", "which {k}s are {in}", "show the {k} column {in}", "what {k}s are there {in}", "give me every {k} {in}", "list the {k}s {in}"]
COLUMNS = ["what columns are there {in}", "which columns does {f} have", "list the columns {in}", "what are the column names {in}", "show the header {in}", "what fields are {in}"]

SORTED = ["sort {f} by {c} and save it as {o}", "write the rows sorted by {c} to /outputs/{o}", "order the table by {c} and write it to {o}", "make a file {o} with the rows of {f} sorted by {c}", "save {f} sorted by {c} as /outputs/{o}", "create {o} with everything sorted by {c}", "I need {f} ordered by {c} in {o}"]  # fmt: skip
FILTERED = ["save the rows where {w} is {v} as {o}", "write only the rows with {w} {v} to /outputs/{o}", "make a file {o} with the {v} rows", "filter {f} for {w} {v} and save it as {o}", "export all rows with {w} {v} to {o}", "create {o} with the rows of {f} where {w} is {v}"]  # fmt: skip
AS_JSON = ["convert {f} to JSON and save it as {o}", "write {f} as JSON to /outputs/{o}", "turn the table into the JSON file {o}", "make {o} from {f}", "save the data as JSON in {o}", "export {f} as {o}"]
CHARTS = ["draw a bar chart of the {c}s and save it as {o}", "plot the {c} column of {f} to {o}", "make a bar chart of {c} in /outputs/{o}", "plot {c} by {k} and save it as {o}", "create a chart {o} of the {c}s in {f}", "make a plot of the {c} {in}", "draw the {c}s as a bar chart", "plot the {c} {in}", "show the {c}s of {f} in a chart", "can you plot {c} {in}", "visualize the {c} column {in}", "graph the {c}s {in}", "a bar chart of {c} {in}, please"]  # fmt: skip

CHART = """values = [float(r['{c}']) for r in rows]
top = max(values)
bars = ''.join(f'<rect x="{{30 * i}}" y="{{200 - 200 * v / top:.0f}}" width="20" height="{{200 * v / top:.0f}}"/>' for i, v in enumerate(values))
with open('/outputs/{o}', 'w') as f:
    f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{{30 * len(values)}}" height="200">{bars}</svg>')"""


def template(g: Source, kind: str, common: list[str]) -> str:
    """A request with places for its values, half of the time put together from parts."""
    return wording(g, common, WIDE[kind]) if kind in WIDE else g.template(common)


def asked(g: Source, body: str, values: dict[str, str]) -> str:
    """A request from its template, with the file named in one of the ways or not at all."""
    values["in"] = g.pick(NAMED).replace("{f}", values["f"])
    if values.get("c", "").endswith("s"):
        body = body.replace("{c}s", "{c}")
    for key, value in values.items():
        body = body.replace("{" + key + "}", value)
    body = re.sub(" +", " ", body).strip().removeprefix(", ")
    first = body.split()[0].lower()
    if first in ("what", "which", "how", "who", "whose", "where", "can", "tell"):
        end = g.pick(["?", "?", "?", ""])
    else:
        end = g.pick([".", ".", "", "?" if first in ("the", "total", "average", "number") else "."])
    start = g.pick([""] * 12 + ["Please ", "Can you tell me: ", "I have a file. ", "Question: ", "Use Python: ", "Look at the file: ", "Hi, ", "From the data, "])
    return (start + (body if start and not start.endswith(". ") else capital(body) if g.chance(0.8) else body)) + ("" if body[-1] in "?." else end)


def _whole(table: Table, column: str) -> bool:
    return not any("." in v for v in table.columns[column])


def table_question(g: Source, table: Table) -> tuple[str, str, str, str]:
    """What is asked of a table: the request, what it is called, the code, the answer with `{r}`."""
    (c, extremes, *_), key = g.pick(table.numbers), table.name_of(table.key)
    column = table.name_of(c)
    shown_c, shown_k = column.lower() if g.chance(0.9) else column, key.lower()
    kinds = ["sum"] * 6 + ["average"] * 4 + ["most"] * 4 + ["least"] * 2 + ["highest"] * 2 + ["lowest"] + ["rows"] * 3 + ["value"] * 4 + ["list"] + ["columns"] + ["sorted"] * 2 + ["json"] + ["chart"] * 3
    kinds += (["count"] * 3 + ["group"] * 3 + ["filtered"] * 2) if table.fews else []
    kind = g.pick(kinds)
    i = g.int(0, len(table.columns[key]) - 1)
    values = {"f": table.file, "c": shown_c, "k": shown_k, "a": table.about, "n": table.columns[key][i]}
    w = v = ""
    if table.fews:
        w = table.name_of(table.fews[0][0])
        v = g.pick(table.columns[w])
        values |= {"w": w.lower(), "v": v}
    number = "int" if _whole(table, column) else "float"
    cells = f"{number}(r['{column}'])"
    total = (lambda text: text) if number == "int" else (lambda text: f"round({text}, 2)")
    where = f" if r['{w}'] == '{v}'"
    best = f"max(rows, key=lambda r: float(r['{column}']))" if kind == "most" else f"min(rows, key=lambda r: float(r['{column}']))"
    stem = g.pick([kind, f"{kind}_{table.about}", table.about, g.pseudo().lower(), f"{column.lower()}"])
    out = {"sorted": f"{g.pick(['sorted', 'ordered', stem])}.csv", "filtered": f"{g.pick([re.sub('[^a-z0-9]', '', v.lower()) or 'some', 'filtered', stem])}.csv", "json": f"{g.pick([table.file[:-4], stem])}.json", "chart": f"{g.pick(['chart', 'plot', 'bars', stem])}.svg"}.get(kind, "")
    values["o"] = out
    head = table.head()
    if kind == "chart":
        ask = template(g, kind, CHARTS)
        out = out if "{o}" in ask else "chart.svg"
        return asked(g, ask, values), "draw a chart", head + CHART.replace("{c}", column).replace("{o}", out).replace("{{", "{").replace("}}", "}"), f"I saved the chart as {out}."
    templates, what, code, final = {
        "sum": (SUMS, f"sum the column {column}", f"print({total(f'sum({cells} for r in rows)')})", f"The sum of {column} is {{r}}."),
        "average": (AVERAGES, f"average the column {column}", f"print(round(sum({cells} for r in rows) / len(rows), 2))", f"The average {column} is {{r}}."),
        "most": (MOST, f"find the highest {column}", f"best = {best}\nprint(best['{key}'], best['{column}'])", f"The highest {column}: {{r}}."),
        "least": (LEAST, f"find the lowest {column}", f"best = {best}\nprint(best['{key}'], best['{column}'])", f"The lowest {column}: {{r}}."),
        "highest": (HIGHEST, f"find the highest {column}", f"print(max({cells} for r in rows))", f"The highest {column} is {{r}}."),
        "lowest": (LOWEST, f"find the lowest {column}", f"print(min({cells} for r in rows))", f"The lowest {column} is {{r}}."),
        "rows": (ROWS, "count the rows", "print(len(rows))", "There are {r} rows."),
        "count": (COUNTS, f"count the rows with {w} {v}", f"print(sum(r['{w}'] == '{v}' for r in rows))", "The count is {r}."),
        "group": (GROUPS, f"sum the column {column} for {w} {v}", f"print({total(f'sum({cells} for r in rows{where})')})", f"The sum of {column} for {v} is {{r}}."),
        "value": (VALUES, f"look up the {column} of {values['n']}", f"print([r['{column}'] for r in rows if r['{key}'] == '{values['n']}'])", f"The {column} of {values['n']} is {{v}}."),
        "list": (LISTS, f"list the column {key}", f"print([r['{key}'] for r in rows])", "They are {l}."),
        "columns": (COLUMNS, "list the columns", "print(list(rows[0]))", "The columns are {l}."),
        "sorted": (SORTED, f"sort by {column}", f"rows.sort(key=lambda r: float(r['{column}']))\nwith open('/outputs/{out}', 'w') as f:\n    w = csv.DictWriter(f, rows[0])\n    w.writeheader()\n    w.writerows(rows)", f"I saved the sorted rows as {out}."),
        "filtered": (FILTERED, f"keep the rows with {w} {v}", f"kept = [r for r in rows if r['{w}'] == '{v}']\nwith open('/outputs/{out}', 'w') as f:\n    w = csv.DictWriter(f, rows[0])\n    w.writeheader()\n    w.writerows(kept)", f"I saved the rows as {out}."),
        "json": (AS_JSON, "convert to JSON", f"import json\nwith open('/outputs/{out}', 'w') as f:\n    json.dump(rows, f)", f"I saved the data as {out}."),
    }[kind]  # fmt: skip
    if extremes and kind in ("most", "least") and g.chance(0.4):
        word = extremes.split("|")[kind == "least"]
        noun = g.pick(["who", f"which {shown_k}"]) if shown_k in ("name", "student") else f"which {shown_k}"
        return asked(g, f"{noun} {word if ' ' in word and word.split()[0] in ('earns', 'has', 'costs', 'sold') else 'is the ' + word} {{in}}", values), what, head + code, final
    return asked(g, template(g, kind, templates), values), what, head + code, final


TEXT_KINDS = [
    ("count the lines", "print(len(open('{f}').read().splitlines()))", "There are {r} lines.", ["how many lines does {n} have", "how many lines are {in}", "count the lines {in}", "number of lines {in}", "line count of {n}"]),
    ("count the words", "print(len(open('{f}').read().split()))", "There are {r} words.", ["how many words does {n} have", "how many words are {in}", "count the words {in}", "word count of {n}", "number of words {in}", "how many words long is {n}"]),
    ("count the characters", "print(len(open('{f}').read()))", "There are {r} characters.", ["how many characters does {n} have", "count the characters {in}", "how long is {n} in characters", "number of characters {in}"]),
    ("count the word", "print(open('{f}').read().lower().split().count('{w}'))", "The word occurs {r} times.", ["how many times does the word {w} occur {in}", "how often is {w} {in}", "count the word {w} {in}", "how often does {w} appear {in}", "occurrences of {w} {in}"]),
    ("show the first line", "print(open('{f}').read().splitlines()[0])", "The first line is: {r}", ["what is the first line {in}", "show the first line {in}", "how does {n} begin", "read me the first line of {n}"]),
    ("show the last line", "print(open('{f}').read().splitlines()[-1])", "The last line is: {r}", ["what is the last line {in}", "show the last line {in}", "how does {n} end", "read me the last line of {n}"]),
    ("find the longest line", "print(max(open('{f}').read().splitlines(), key=len))", "The longest line is: {r}", ["which line is the longest {in}", "what is the longest line {in}", "find the longest line {in}"]),
    ("find the line", "print([l for l in open('{f}').read().splitlines() if '{w}' in l])", "I found: {l}", ["which line has {w} {in}", "find the line with {w} {in}", "show the lines that contain {w} {in}", "search {n} for {w}", "where is {w} {in}", "what does {n} say about {w}"]),
    ("write it in uppercase", "with open('/outputs/{o}', 'w') as f:\n    f.write(open('{f}').read().upper())", "I saved the text as {o}.", ["write {n} in uppercase to {o}", "save {n} in capital letters as {o}", "make an uppercase copy of {n} called {o}", "convert {n} to upper case and save it as /outputs/{o}"]),
    ("sort the lines", "with open('/outputs/{o}', 'w') as f:\n    f.write('\\n'.join(sorted(open('{f}').read().splitlines())))", "I saved the sorted lines as {o}.", ["sort the lines of {n} and save them as {o}", "write the sorted lines of {n} to {o}", "make {o} with the lines of {n} in order", "sort {n} and save it as /outputs/{o}"]),
]  # fmt: skip

MADE = [
    ("write the numbers", "with open('/outputs/{o}', 'w') as f:\n    f.write('\\n'.join(str(n) for n in range({a}, {b} + 1)))", ["write the numbers {a} to {b} to {o}", "save the numbers from {a} to {b} in {o}", "create a file {o} with the numbers {a} to {b}", "make {o} with all numbers from {a} to {b}", "write a file {o} that has the numbers {a} to {b}", "put the numbers {a} to {b} into /outputs/{o}", "I want a file {o} with the numbers from {a} to {b}"]),
    ("write the text", "with open('/outputs/{o}', 'w') as f:\n    f.write('{t}')", ['write "{t}" to {o}', 'save the text "{t}" as {o}', 'create a file {o} that says "{t}"', 'make {o} with the content "{t}"', 'put "{t}" into the file {o}', "write {t} to /outputs/{o}", 'save "{t}" in /outputs/{o}', 'a file called {o} with "{t}" in it']),
    ("write the squares", "with open('/outputs/{o}', 'w') as f:\n    f.write('\\n'.join(str(n ** 2) for n in range(1, {b} + 1)))", ["write the squares of 1 to {b} to {o}", "save the first {b} square numbers in {o}", "create {o} with the squares from 1 to {b}", "put the first {b} squares into /outputs/{o}"]),
    ("write the table", "with open('/outputs/{o}', 'w') as f:\n    f.write('\\n'.join(f'{n},{n * {a}}' for n in range(1, {b} + 1)))", ["write the {a} times table up to {b} to {o}", "save {b} rows of the {a} times table as {o}", "make a CSV {o} with the multiples of {a} up to {b} times", "create {o} with the {a} times table to {b}"]),
]  # fmt: skip


def _listed(result: str) -> str:
    items = eval(result)
    return ", ".join(items)


def turns_of(g: Source, what: str, code: str, final: str, files: dict[str, str], look: str | None) -> list[Turn]:
    found = []
    if look:
        peek = LOOK.replace("{f}", DATA + look)
        found.append(Turn(think(g, "I will look at the file.", f"I will look at {look} first.", f"The user asks about the file {look}. I will look at it first."), "python", peek, run(peek, files)))
    result = run(code, files)
    final = final.replace("{r}", result)
    if "{l}" in final or "{v}" in final:
        final = final.replace("{l}", _listed(result)).replace("{v}", _listed(result))
    thought = think(g, f"I will {what}.", f"Now I {what}." if look else f"I will {what}.", f"Now I {what} with Python. I will quote its output." if look else f"The user wants me to {what}. I will use Python.")
    return [*found, Turn(thought, "python", code, result), Turn("", final=final)]


def _lines(g: Source) -> str:
    return "\n".join(g.sentence(2, 8) for _ in range(g.int(2, 8))) + g.pick(["", "\n"])


def text_question(g: Source, name: str, text: str) -> tuple[str, str, str, str]:
    what, code, final, ways = g.pick(TEXT_KINDS)
    word = g.pick([w for w in text.lower().split() if w.isalpha()] or ["and"]) if g.chance(0.85) else "and"
    values = {"f": name, "n": g.pick([name, name, name, "the file", "the text"]), "w": word, "o": f"{g.pick([name.rsplit('.', 1)[0] + '_new', 'copy', 'result', 'sorted', g.pseudo().lower()])}.txt"}
    if what == "find the line" and word not in text:
        word = values["w"] = next((w for w in text.split() if w.isalpha()), "")
    for key, value in {"f": DATA + name, "w": word, "o": values["o"]}.items():
        code, final = code.replace("{" + key + "}", value), final.replace("{" + key + "}", value)
    return asked(g, template(g, what, ways), values), what, code, final


def made_question(g: Source) -> tuple[str, str, str, str]:
    what, code, ways = g.pick(MADE)
    a, b = g.int(1, 20), g.int(5, 60)
    b = a + b if what == "write the numbers" else b
    text = g.sentence(1, 5) if g.chance(0.8) else capital(g.sentence(2, 5)) + "."
    values = {"a": str(a), "b": str(b), "t": text.replace("'", ""), "o": f"{g.pick(['numbers', 'notes', 'result', 'list', 'output', 'hello', g.pseudo().lower(), g.part(words.NOUNS)])}{g.pick(['.txt', '.txt', '.txt', '.csv', '.md'])}", "f": ""}
    for key, value in values.items():
        code = code.replace("{" + key + "}", value)
    return asked(g, template(g, what, ways), values), what, code, f"I saved {values['o']}."


def briefing(files: dict[str, str], outputs: bool) -> str | None:
    """What the command line tells the model about files."""
    told = []
    if files:
        listed = ", ".join(f"{DATA}{name} ({len(text.encode())} bytes)" for name, text in files.items())
        told.append(f"Files of the user, readable in Python: {listed}.")
    if files or outputs:
        told.append("Files that Python code writes to /outputs are given to the user.")
    return " ".join(told) or None


def conversations(g: Source, count: int) -> list[Conversation]:
    """Requests about the same files."""
    kind, found = g.rng.random(), []
    table, text, name = None, "", ""
    files: dict[str, str] = {}
    if kind < 0.66:
        table = Table(g)
        files[table.file] = table.text
    elif kind < 0.86:
        name = g.pick(["notes", "text", "story", "letter", "log", "diary", "readme", g.pseudo().lower(), g.part(words.NOUNS)]) + g.pick([".txt", ".txt", ".md", ".log"])
        text = files[name] = _lines(g)
    if files and g.chance(0.15):
        files |= {f"{g.pseudo().lower()}{g.pick(['.pdf', '.txt', '.csv'])}": _lines(g)}
        files = dict(g.shuffled(files.items()))
    for _ in range(count):
        look = None
        if table and g.chance(0.93):
            user, what, code, final = table_question(g, table)
            look = table.file
            if len(files) > 1 and table.file not in user:
                user = g.pick([f"{table.file}: {user}", f"{user} The file is {table.file}.", f"In {table.file}: {user}"])
        elif text and g.chance(0.93):
            user, what, code, final = text_question(g, name, text)
            if len(files) > 1 and name not in user:
                user = g.pick([f"{name}: {user}", f"{user} The file is {name}.", f"In {name}: {user}"])
        else:
            user, what, code, final = made_question(g)
        found.append(Conversation(user, turns_of(g, what, code, final, files, look), files=files))
    instructions = briefing(files, kind >= 0.86 and g.chance(0.6))
    if instructions and g.chance(0.08):
        instructions = f"{g.instructions()}\n\n{instructions}"
    for c in found:
        c.instructions = instructions
    return found
