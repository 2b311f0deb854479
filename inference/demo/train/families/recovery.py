"""What went wrong and how it goes on: an error told as it is, a call mended after the tool's own message, a document that broke its schema."""

import json
import re

from families import functions, structured
from families.base import Conversation, Source, Turn, capital, compact, think
from families.files import AVERAGES, DATA, LOOK, SUMS, Table, asked, briefing
from families.files import run as run_cell

FAILURES = """not found|forbidden|service stopped|timeout|limit reached|database locked|no such record|access denied|unknown account|too many requests|the server is down|
connection refused|not authorized|the service is closed today|internal error|bad gateway|no data for that day|invalid token|the key has expired|out of range|temporarily blocked|
try again later|no connection|the account is locked|the disk is full|unsupported region|maintenance|the request was rejected|no results|overloaded|not available""".replace("\n", "").split("|")


def cell(g: Source) -> str:
    """Python counts the cells of a session."""
    return f"<cell {1 if g.chance(0.5) else g.int(2, 60)}>"


def traceback(g: Source, line: str, number: int, marks: str, error: str) -> str:
    indent = len(line) - len(line.lstrip())
    return f'Traceback (most recent call last):\n  File "{cell(g)}", line {number}, in <module>\n    {line.lstrip()}\n    {marks[indent:]}\n{error}'


DIVIDE = {
    "/": ["what is {a} divided by 0", "{a} / 0", "{a} divided by zero", "divide {a} by 0", "compute {a} / 0", "what does {a} / 0 give", "{a} over 0", "how much is {a} / 0", "try to divide {a} by zero", "calculate {a} / 0", "split {a} into 0 parts", "{a}/0", "can you divide {a} by zero"],
    "//": ["{a} // 0", "what is {a} // 0", "compute {a} // 0", "integer division of {a} by 0", "evaluate {a} // 0"],
    "%": ["{a} % 0", "what is {a} % 0", "{a} mod 0", "the remainder of {a} divided by 0", "what is {a} modulo 0", "calculate {a} % 0", "work out {a} mod 0"],
}  # fmt: skip


def by_zero(g: Source) -> Conversation:
    op = g.pick(["/", "/", "/", "%", "//"])
    a = str(g.whole(4)) if g.chance(0.9) else g.decimal(2)
    body = g.template(DIVIDE[op]).replace("{a}", a)
    user = g.pick([body, capital(body), capital(body) + ("?" if body.split()[0] in ("what", "how", "can") else g.pick(["", ".", "?"])), "Please " + body + "." if body.split()[0] in ("compute", "divide", "calculate", "evaluate", "use", "try") else capital(body)])
    expression = f"{a} {op} 0"
    code = f"print(round({expression}, 10))" if op == "/" or "." in a else f"print({expression})"
    marks = "~" * (len(a) + 1) + "^" * len(op) + "~~"
    result = traceback(g, code, 1, " " * code.index(expression) + marks, "ZeroDivisionError: division by zero")
    verb = {"/": "divide", "//": "divide without a rest", "%": "find the remainder"}[op]
    thought = think(g, f"I will {verb} with Python.", f"I need to {verb}: {expression}. I will use Python.", f"The user wants me to {verb}. The data: {expression}. I will run one line of Python. I will quote its output.")
    return Conversation(user, [Turn(thought, "python", code, result), Turn("", final="The call failed: ZeroDivisionError: division by zero.")])


def failed(g: Source, tools: list[dict]) -> Conversation:
    """A function answers with an error, and the answer says which."""
    tool = g.pick(tools)
    user, args = functions.use(g, tool)
    value = str(next(iter(args.values()), "request"))
    message = g.template(FAILURES) if g.chance(0.6) else g.pick([f"unknown {g.word()}", f"{value} not found", f"no {g.word()} for {value}", f"invalid {g.word()}", f"rate limit of {g.int(1, 500)} reached", f"{g.word()} {g.code()} is locked", f"the {g.word()} is {g.word()}", g.sentence(2, 4)])
    kind = g.rng.random()
    name = f"functions.{tool['name']}"
    result = compact({"error": message}) if kind < 0.6 else f"Error: {message}" if kind < 0.72 else f"{name} failed: {message}" if kind < 0.85 else compact({g.pick(["error_message", "message", "reason"]): message} if g.chance(0.3) else {"status": "error", "message": message})
    if kind >= 0.85 and '"status"' not in result:
        result = compact({"ok": False, "error": message})
    call = Turn(functions.call_thought(g, tool, args), name, compact(args), result)
    return Conversation(user, [call, Turn("", final=f"The call failed: {message}.")])


def _mistaken(g: Source, tool: dict, args: dict) -> tuple[dict, list[str]] | None:
    """Arguments with one mistake, and what the runtime says about it."""
    known = {p["name"]: p for p in tool["params"]}
    key = g.pick(list(args))
    value, param, kind = args[key], known[key], g.rng.random()
    if "enum" in param:
        other = g.word()
        return args | {key: other}, [f"/{key}: must be one of {', '.join(compact(o) for o in param['enum'])}, got {compact(other)}"]
    if kind < 0.4 and param["required"]:
        rest = {k: v for k, v in args.items() if k != key}
        return rest, [f"missing {compact(key)}"]
    kinds = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
    if param["type"] not in kinds:
        return None
    if param["type"] == "string":
        other = g.int(1, 99999)
        return args | {key: other}, [f"/{key}: must be string, got number {other}; write it in quotes"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    other = g.word()
    return args | {key: other}, [f"/{key}: must be {param['type']}, got string {compact(other)}; write a number"]


def refused(g: Source, tools: list[dict]) -> Conversation:
    """The runtime did not make the call, and says what is wrong with its arguments."""
    while True:
        tool = g.pick(tools)
        user, args = functions.use(g, tool)
        made = _mistaken(g, tool, args) if args else None
        if made:
            break
        tools = [*tools, functions.special(g)]
    wrong, problems = made
    name = f"functions.{tool['name']}"
    listed = "\n".join(f"- {p}" for p in problems)
    message = f"{name} was not called: its arguments are not valid.\n{listed}\nCall it again with one JSON object that fits its declaration."
    result, final = functions.outcome(g)
    first = Turn(functions.call_thought(g, tool, args), name, compact(wrong), message, given=True)
    again = think(g, "I will call it again.", "The arguments were wrong. I will call it again.", f"The arguments were wrong. I will call {tool['name']} again with all of them right.")
    c = Conversation(user, [first, Turn(again, name, compact(args), result), Turn("", final=final)])
    c.tools = [tool]
    return c


BROKEN = [
    ("sqrt({a})", "import math\nprint(math.sqrt({a}))", "sqrt", ["the square root of {a}", "sqrt of {a}", "what is the root of {a}"]),
    ("factorial({b})", "import math\nprint(math.factorial({b}))", "factorial", ["the factorial of {b}", "{b} factorial", "what is {b}!"]),
    ("gcd({a}, {b})", "import math\nprint(math.gcd({a}, {b}))", "gcd", ["the gcd of {a} and {b}", "greatest common divisor of {a} and {b}"]),
    ("mean([{a}, {b}])", "import statistics\nprint(statistics.mean([{a}, {b}]))", "mean", ["the mean of {a} and {b}", "average of {a} and {b}"]),
    ("ceil({a} / {b})", "import math\nprint(math.ceil({a} / {b}))", "ceil", ["{a} / {b} rounded up", "how many groups of {b} for {a} people"]),
    ("log10({a})", "import math\nprint(math.log10({a}))", "log10", ["the decimal logarithm of {a}", "log10 of {a}"]),
    ("prod([{a}, {b}])", "import math\nprint(math.prod([{a}, {b}]))", "prod", ["the product of {a} and {b}", "{a} times {b}"]),
]  # fmt: skip


def unnamed(g: Source) -> Conversation:
    """A name that was not imported; the second cell imports it."""
    call, code, name, ways = g.pick(BROKEN)
    a, b = str(g.int(2, 9999)), str(g.int(2, 20))
    call, code, body = (text.replace("{a}", a).replace("{b}", b) for text in (call, code, g.pick(ways)))
    wrong = f"print({call})"
    if g.chance(0.4):
        module = code.split()[1]
        wrong = f"print({module}.{call})"
        name = module
    hint = {"math": " Did you forget to import 'math'?", "statistics": " Did you forget to import 'statistics'?"}.get(name, "")
    error = traceback(g, wrong, 1, " " * 6 + "^" * len(name), f"NameError: name '{name}' is not defined{'.' if hint else ''}{hint}")
    user = g.pick([body, capital(body), f"{capital(body)}?", f"Calculate {body}." if not body.startswith(("what", "how")) else capital(body) + "?"])
    thought = think(g, "I will compute this with Python.", "I will use Python.", "I will run one line of Python.")
    again = think(g, "I will import it.", f"{name} is not defined. I will import it.", f"The cell failed: {name} is not defined. I will import it and run it again.")
    result = run_cell(code, {})
    return Conversation(user, [Turn(thought, "python", wrong, error, given=True), Turn(again, "python", code, result), Turn("", final=f"The result is {result}.")])


def missing_file(g: Source) -> Conversation:
    """A file name that is wrong, and the listing that shows the right one."""
    table = Table(g)
    files = {table.file: table.text}
    (c, *_) = g.pick(table.numbers)
    column = table.name_of(c)
    wrong_name = g.pick([table.file.replace(".csv", ".txt"), table.about + "s.csv", "data1.csv", table.file.upper(), f"{g.pseudo().lower()}.csv"])
    if wrong_name == table.file:
        wrong_name = "file.csv"
    user = asked(g, g.template(SUMS), {"f": g.pick([wrong_name, wrong_name, table.file]), "c": column.lower()})
    path = f"{DATA}{wrong_name}"
    look = LOOK.replace("{f}", path)
    expression = f"open('{path}')"
    marks = " " * look.index(expression) + "~~~~" + "^" * (len(expression) - 4)
    error = traceback(g, look, 1, marks, f"FileNotFoundError: [Errno 44] No such file or directory: '{path}'")
    listing = f"import os\nprint(os.listdir('{DATA[:-1]}'))"
    number = "int" if not any("." in v for v in table.columns[column]) else "float"
    total = f"sum({number}(r['{column}']) for r in rows)"
    code = table.head() + f"print({total if number == 'int' else f'round({total}, 2)'})"
    peek = LOOK.replace("{f}", DATA + table.file)
    result = run_cell(code, files)
    thought = think(g, "I will look at the file.", f"I will look at {wrong_name} first.", f"The user asks about the file {wrong_name}. I will look at it first.")
    turns = [
        Turn(thought, "python", look, error, given=True),
        Turn(think(g, "I will list the files.", "There is no such file. I will list the files.", "There is no such file. I will list the files that there are."), "python", listing, f"['{table.file}']"),
        Turn(think(g, "I will look at the file.", f"I will look at {table.file}.", f"The file is {table.file}. I will look at it."), "python", peek, run_cell(peek, files)),
        Turn(think(g, f"I will sum the column {column}.", f"Now I sum the column {column}.", f"Now I sum the column {column} with Python. I will quote its output."), "python", code, result),
        Turn("", final=f"The sum of {column} is {result}."),
    ]
    return Conversation(user, turns, files=files, instructions=briefing(files, False) if g.chance(0.5) else None)


def missing_column(g: Source) -> Conversation:
    table = Table(g)
    files = {table.file: table.text}
    (c, *_) = g.pick(table.numbers)
    column = table.name_of(c)
    wrong = g.pick([column.capitalize() if column.islower() else column.lower(), f"{column}s", f"{column}_value", g.pseudo().lower()])
    average = g.chance(0.4)
    user = asked(g, g.template(AVERAGES if average else SUMS), {"f": table.file, "c": wrong.lower()})
    number = "int" if not any("." in v for v in table.columns[column]) else "float"

    def line(name: str) -> str:
        total = f"sum({number}(r['{name}']) for r in rows)"
        return f"print(round({total} / len(rows), 2))" if average else f"print({total})" if number == "int" else f"print(round({total}, 2))"

    bad, good = line(wrong), line(column)
    inner = f"sum({number}(r['{wrong}']) for r in rows)"
    at, cell_ = bad.index(inner), cell(g)
    key = f"r['{wrong}']"
    number_ = table.head().count("\n") + 1
    error = (
        f'Traceback (most recent call last):\n  File "{cell_}", line {number_}, in <module>\n    {bad}\n    {" " * at}~~~{"^" * (len(inner) - 3)}\n'
        f'  File "{cell_}", line {number_}, in <genexpr>\n    {bad}\n    {" " * bad.index(key)}~{"^" * (len(key) - 1)}\nKeyError: \'{wrong}\''
    )
    what = "average" if average else "sum"
    peek = "print(list(rows[0]))"
    code = table.head() + good
    result = run_cell(code, files)
    thought = think(g, f"I will {what} the column {wrong}.", f"I will {what} the column {wrong}.", f"The user wants me to {what} the column {wrong}. I will use Python.")
    turns = [
        Turn(thought, "python", table.head() + bad, error, given=True),
        Turn(think(g, "I will list the columns.", f"There is no column {wrong}. I will list the columns.", f"There is no column {wrong}. I will list the columns that there are."), "python", peek, str(list(table.columns))),
        Turn(think(g, f"I will {what} the column {column}.", f"Now I {what} the column {column}.", f"Now I {what} the column {column} with Python. I will quote its output."), "python", good, result),
        Turn("", final=f"The {'average' if average else 'sum of'} {column} is {result}."),
    ]
    return Conversation(user, turns, files=files)


def _json_mistake(g: Source, final: str, schema: dict) -> tuple[str, list[str]] | None:
    """A document that breaks its schema in one place, and what the validator says."""
    data, members = json.loads(final), schema["properties"]
    flat = [k for k, v in data.items() if not isinstance(v, dict | list)]
    if not flat:
        return None
    key = g.pick(flat)
    value, shape, kind = data[key], members[key], g.rng.random()
    strict, required = schema.get("additionalProperties") is False, schema.get("required", [])
    wanted = shape.get("type")
    if wanted in ("integer", "number") and kind < 0.6:
        if kind < 0.45:
            return compact(data | {key: str(value)}), [f"/{key}: must be {wanted}, got string {compact(str(value))}; remove the quotes"]
        other = f"{value} {g.word()}"
        return compact(data | {key: other}), [f"/{key}: must be {wanted}, got string {compact(other)}; write a number"]
    if wanted == "boolean" and kind < 0.7:
        text = compact(value)
        return compact(data | {key: text}), [f"/{key}: must be boolean, got string {compact(text)}; remove the quotes"]
    if wanted == "string" and "enum" not in shape and kind < 0.25 and len(str(value)) < 60:
        other = g.int(1, 999)
        return compact(data | {key: other}), [f"/{key}: must be string, got number {other}; write it in quotes"]
    if key in required and kind < 0.6 and len(data) > 1:
        return compact({k: v for k, v in data.items() if k != key}), [f"missing {compact(key)}"]
    if strict and kind < 0.85:
        extra = g.pick(["note", "comment", "source", "text", "extra", "kind"])
        if extra in data or any(abs(len(extra) - len(k)) < 3 for k in members):
            return None
        return compact(data | {extra: g.word()}), [f"unknown {compact(extra)}; allowed: {', '.join(compact(k) for k in members)}"]
    if final.endswith("}") and kind > 0.93:
        cut = final[:-1]
        return cut, [f"the text ends before the closing }} (line 1 column {len(cut) + 1})"]
    return None


def _xml_mistake(g: Source, final: str) -> tuple[str, list[str]] | None:
    body = re.fullmatch(r"<([\w-]+)>(.*)</\1>", final, re.S)
    elements = re.findall(r"<([\w-]+)>([^<]*)</\1>", final) if body else []
    if len(elements) < 2 or "".join(f"<{n}>{v}</{n}>" for n, v in elements) != body.group(2):
        return None
    root, kind = body.group(1), g.rng.random()
    if len({n for n, _ in elements}) != len(elements):
        return None
    if kind < 0.45:
        swapped = [*elements[1:], elements[0]] if len(elements) == 2 or g.chance(0.5) else [elements[1], elements[0], *elements[2:]]
        document = f"<{root}>" + "".join(f"<{n}>{v}</{n}>" for n, v in swapped) + f"</{root}>"
        return document, [f"line 1: Element '{swapped[0][0]}': This element is not expected. Expected is ( {elements[0][0]} )."]
    if kind < 0.7:
        document = f"<{root}>" + "".join(f"<{n}>{v}</{n}>" for n, v in elements[:-1]) + f"</{root}>"
        return document, [f"line 1: Element '{root}': Missing child element(s). Expected is ( {elements[-1][0]} )."]
    if kind < 0.85:
        other = g.pick(["data", "item", "record", "document", "entry"])
        if other == root:
            return None
        return f"<{other}>{body.group(2)}</{other}>", [f"line 1: the root element must be <{root}>, found <{other}>"]
    name = f"{elements[0][0]}{g.pick(['_text', '_value', '1'])}"
    document = final.replace(f"<{elements[0][0]}>", f"<{name}>", 1).replace(f"</{elements[0][0]}>", f"</{name}>", 1)
    return document, [f"line 1: Element '{name}': This element is not expected. Expected is ( {elements[0][0]} )."]


JSON_ANSWER = "one JSON value that is valid against the JSON Schema"
XML_ANSWER = "one XML document that is valid against the XML Schema"


def feedback(problems: list[str], wanted: str) -> str:
    """What the runtime tells the model about a document that is not valid."""
    how = "The final message is incomplete; it was cut off." if problems[0].startswith("the text ends") else "The final message is not valid."
    return "\n".join([how, *(f"- {p}" for p in problems), f"Write the final message again, whole: {wanted}, and nothing else."])


def repaired(g: Source, count: int) -> list[Conversation]:
    """The first document breaks the schema; the second one does not."""
    xml, found = g.chance(0.4), []
    for _ in range(12):
        made = (structured.xml_family if xml else structured.json_family)(g, count)
        form = made[0].response_format
        if xml and ("<xs:all>" in form or "<xsd:all>" in form or 'minOccurs="0"' in form or "unbounded" in form or "attribute" in form):
            continue
        schema = None if xml else json.loads(form.split("\n", 1)[1])
        for c in made:
            (right,) = c.turns
            mistake = _xml_mistake(g, right.final) if xml else _json_mistake(g, right.final, schema)
            if mistake is None:
                continue
            document, problems = mistake
            wrong = Turn(right.thought, final=document, given=True, feedback=feedback(problems, XML_ANSWER if xml else JSON_ANSWER))
            again = think(g, "I will write it again.", f"It was not valid. {right.thought}", f"It was not valid. {right.thought}")
            second = Turn(again, final=right.final)
            if g.chance(0.5):
                # A caller that sends the message back itself keeps no thoughts of the turn before.
                wrong.thought = ""
            found.append(Conversation(c.user, [wrong, second], response_format=form))
        if len(found) >= min(3, count):
            return found
        found = []
    return repaired(g, count)


def conversations(g: Source, count: int) -> list[Conversation]:
    """Conversations with one developer message, if they have one."""
    kind = g.rng.random()
    if kind < 0.14:
        return [by_zero(g) for _ in range(count)]
    if kind < 0.42:
        tools = functions.toolbox(g, functions.special(g) if g.chance(0.8) else functions.invented(g))
        found = [failed(g, tools) for _ in range(count)]
        for c in found:
            c.tools = tools
        return found
    if kind < 0.56:
        tools = functions.toolbox(g, functions.special(g) if g.chance(0.8) else functions.invented(g))
        found = [c for c in (refused(g, tools) for _ in range(count)) if c.tools[0] in tools]
        for c in found:
            c.tools = tools
        return found or conversations(g, count)
    if kind < 0.64:
        return [unnamed(g) for _ in range(count)]
    if kind < 0.72:
        return [missing_file(g)]
    if kind < 0.78:
        return [missing_column(g) for _ in range(count)]
    return repaired(g, count)
