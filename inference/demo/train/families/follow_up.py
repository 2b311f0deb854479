"""The second to fourth turn of a thread: another question, one that leans on the answer before it, a correction, the answer as JSON.

The runtime keeps of earlier turns what was asked, declared functions that were called, and the answers; thoughts, Python and the browser are gone.
"""

import calendar
import re
from datetime import date, timedelta

from families import arithmetic, arithmetic_everyday, dates, documents, functions, outside, small_talk, structured, text
from families.base import Conversation, Source, Turn, capital, compact, python_turns, think, vary, wording
from families.dates import some_day
from families.numerals import in_words
from families.text import quoted

PRINTED = re.compile(r"print\((?:round\()?(.*?)(?:, 10\))?\)")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")

# Of the result so far, `{r}`, and a new number, `{n}`.
ONWARD = {
    "{r} * {n}": "and times {n}|times {n}|now times {n}|and multiplied by {n}|multiply that by {n}|multiply it by {n}|multiply the result by {n}|now multiply by {n}|that times {n}|and {n} times that|what is {n} times that|and if I multiply that by {n}|take that times {n}|now {n} times as much|and {n} of those|what about {n} times the result|x {n}|* {n}|then times {n}|OK, and times {n}|And what is that times {n}".split("|"),
    "{r} + {n}": "plus {n}|and plus {n}|now add {n}|add {n}|add {n} to that|add {n} to it|and {n} more|what if I add {n}|and with {n} more|that plus {n}|now plus {n}|then add {n}|increase that by {n}|put {n} on top|and another {n}|+ {n}|add {n} to the result|what is that plus {n}|and if {n} come on top|sum that with {n}".split("|"),
    "{r} - {n}": "minus {n}|and minus {n}|now subtract {n}|subtract {n}|subtract {n} from that|take away {n}|take {n} off|and without {n}|less {n}|now minus {n}|then subtract {n}|reduce that by {n}|that minus {n}|- {n}|what remains if I take away {n}|and {n} less|take {n} away from the result|what is that minus {n}|deduct {n}|and after I spend {n} of it".split("|"),
    "{r} / {n}": "divided by {n}|and divided by {n}|divide that by {n}|divide it by {n}|now divide by {n}|that over {n}|split that by {n}|and shared by {n}|/ {n}|now split it into {n} parts|what is that divided by {n}|and divided among {n}|divide the result by {n}|then divide by {n}|what if {n} people share it".split("|"),
    "{r} * 2": "double it|double that|and twice that|now double|twice as much|and doubled|times two|what is twice that|now the double of it".split("|"),
    "{r} / 2": "half of that|and half of it|now halve it|halve that|and half|what is half of that|cut it in half|only half of it".split("|"),
    "{r} ** 2": "square it|square that|and squared|now squared|what is that squared|now the square of it|and the square".split("|"),
    "{r} * {p} / 100": "and {p}% of that|{p}% of that|what is {p} percent of that|{p} percent of it|now {p}% of it|how much is {p}% of that|take {p}% of the result|and {p} percent".split("|"),
}  # fmt: skip
IT = "<it|that|this|the result|the answer|that number|this number|the number|the last one|what you got|your answer|the outcome|the total>"
MORE = "<|another |a|one more time |again |further |yet another |an extra |additional |some >"
START = "<|and |now |then |ok, |next |so |please |also |well, |and now |good, |fine, |could you |can you |would you |I want to |let us >"
# The same in parts: half of what is said onward is put together from these.
ONWARD_WIDE = {
    "{r} * {n}": [
        f"{START}<multiply|take|scale> {IT} <by|times|with the factor> {{n}}", f"{START}<what is|what are|how much is|how much are|how many are|give me|compute|I need> {{n}} times {IT}", f"<and|now|what about|how about|then> {{n}} <times|of> {IT}",
        f"<what if|and if|suppose|say> <there were|there are|I have|we had|we need|I take|I buy|we order> {{n}} <of them|of those|of these|times as many|times as much|such|of that kind>", f"<and|now|what about|how about> {{n}} <times as much|times as many|of these|of those|of them|such ones|copies|rounds of it|times in a row>",
        f"<what if|suppose|imagine> {IT} <is|was|came|happens|is done|is needed> {{n}} times", f"{IT} <for {{n}} people|for {{n}} days|in {{n}} weeks|{{n}}-fold|over {{n}} months|for each of {{n}} people|times {{n}}|multiplied by {{n}}>",
    ],
    "{r} + {n}": [
        f"{START}<add|plus|put|throw in|count in|include|append> <|another |yet another |one more |an extra |the number |also >{{n}}<| to {IT}| on it| as well| too| extra| more>", f"<what if|and if|suppose|say|imagine> <another |a further |an additional |an extra |>{{n}} <come|arrive|are added|come along|more come|turn up|are put in|appear|come in>",
        f"<what if|and if|suppose> <I|we|you|they> <get|find|receive|earn|win|buy|gain|add|have> {{n}} <more|extra|on top|in addition|again>", f"<what is|how much is|how many is|compute|give me> {IT} <plus|with another|with an extra|and> {{n}}", f"<and|now|then> {{n}} <more|extra|in addition|besides|as a bonus|on the pile>",
        f"<increase|raise|grow|extend|lift> {IT} by <|another |a further >{{n}}", f"<and with|now with|how about with> <another |an extra |>{{n}}<| more| extra| added| in addition>",
    ],
    "{r} - {n}": [
        f"{START}<subtract|take away|take off|deduct|remove|drop|leave out|cut off|strip> <|another |yet another |one more |an extra |also >{{n}}<| from {IT}| of it| as well| too| more>", f"<what if|and if|suppose|say|imagine> <another |a further |>{{n}} <leave|go|are gone|are lost|are removed|go away|are missing|drop out|break|are taken>",
        f"<what if|and if|suppose> <I|we|you|they> <give away|spend|sell|pay|use|lose|eat|drop|return|throw out> {{n}}<| of them| of it| of that| again>", f"<what is|how much is|what remains of|what is left of> {IT} <minus|without|less|after taking> {{n}}", f"<and|now|then> {{n}} <less|fewer|off|away|out|taken away|removed|lost|spent>",
        f"<reduce|lower|decrease|shrink|cut> {IT} by <|another |a further >{{n}}", f"<and with|now with|how about with> {{n}} <less|fewer|taken out|missing|removed|subtracted|sold|off>",
    ],
    "{r} / {n}": [
        f"{START}<divide|split|share|break up> {IT} <by|into|among|between> {{n}}<| parts| people| of us| groups| boxes>", f"<what is|how much is> {IT} <divided by|over|split by> {{n}}", f"<what if|and if|suppose> {{n}} <people|friends|groups|of us|children> <share|split|divide> {IT}", f"{IT} <per|for each of|for one of> {{n}}<| people| days| persons>",
    ],
    "{r} * 2": [f"{START}<double|duplicate> {IT}", f"<and|now|what about> <twice|the double of|two times> {IT}"],
    "{r} / 2": [f"{START}<halve|cut in half|split in half> {IT}", f"<and|now|what about> <half|one half> of {IT}"],
    "{r} ** 2": [f"{START}square {IT}", f"<and|now|what is|what about> the square of {IT}"],
    "{r} * {p} / 100": [f"<what is|what are|how much is|give me|compute|take> {{p}} <percent|%> of {IT}", f"<and|now> {{p}} <percent|%> of {IT}"],
}  # fmt: skip
REDO = ["<redo|repeat|do|compute|try|run|calculate|work out|solve> <it|that|this|the sum|the same> <again |once more |>with {x}", "<I|I really|I actually> <meant|wanted|should have written|should have said|had in mind> {x}", "<the right|the correct> <number|value|one> is <that |>{x}", "<there is|I made|that was> a <mistake|typo|slip|mix-up>: {x}", "<change|correct|fix|adjust> that: {x}", "<sorry|oops|pardon|wait|hold on|stop|ah|argh|hm>, <I meant |it is |make it |rather |that should be |>{x}", "<use|take|put|read> {x}<| please>"]
ROUND = [f"{START}round {IT} <to|off to> {{d}}", f"<and|now|> {IT} rounded to {{d}}", "<and|now|please|> rounded to {d}", f"<what is|give me|I want|write> {IT} <with|to|rounded to> {{d}}"]

WEEKDAY_OF_IT = [
    "<and |so |then |now |>< |>on <which|what> <day of the week|weekday|day> <is|will|does|would> <that|this|it|that date|this date|the date> <fall|be|come|happen|land>", "<and |so |then |now |><what|which> <weekday|day of the week|day> <is|was|will be|would be|do we get for|belongs to> <it|that|that date|this date|the date|this one|that day>",
    "<tell me|name|give me|find|I need|compute> <the|its> <weekday|day of the week><| of that| of it| for that date| too| as well>", "<is|was|will> <that|it> <a monday|a sunday|a workday|which weekday|what day of the week|a friday or what|on the weekend>", "<and|now> <the|its> <weekday|day of the week|name of the day><| for it| of that date| there>",
    "<where|on what day> in the week <is|are|do> <that|it|we|we be|we end up|we arrive>",
]
AGAIN = ["and {x}", "now {x}", "what about {x}", "and for {x}", "how about {x}", "the same for {x}", "the same with {x}", "do the same with {x}", "do that for {x}", "and with {x}", "now the same for {x}", "{x}", "and what about {x}", "next: {x}", "also for {x}", "and then {x}", "ok and {x}", "now do {x}", "repeat it for {x}", "try {x}", "once more with {x}", "then {x}", "and {x}, please", "please do {x} too", "I also need it for {x}", "and now for {x}", "what would it be for {x}", "could you do {x} as well", "can you also do {x}", "{x} too", "{x} too, please", "and the same thing for {x}", "what if it is {x}", "suppose it is {x}", "would you do {x} also", "how is it for {x}", "the next one is {x}", "another one: {x}", "one more: {x}", "let us do {x} now", "what do you get for {x}", "and in the case of {x}", "now take {x}", "do {x} next", "go on with {x}", "continue with {x}", "check {x} too", "is it different for {x}", "and then there is {x}"]  # fmt: skip
INSTEAD = ["no, I meant {x}", "sorry, I meant {x}", "oops, {x}", "I meant {x}", "wait, it should be {x}", "make that {x}", "correction: {x}", "no, {x}", "sorry, {x}", "actually {x}", "I mistyped, it is {x}", "no wait, {x}", "not that, {x}", "pardon, {x}", "that was wrong, use {x}", "I wanted {x}", "please use {x}"]  # fmt: skip
AS_JSON = "now as JSON|as JSON, please|give me that as JSON|in JSON|can I have that as JSON|the same as JSON|now in JSON|JSON please|return it as JSON|write that as JSON|output that as JSON|please format the answer as JSON|turn that into JSON|I need it as JSON|and as JSON|show it as JSON|put that into JSON|that as a JSON object|make it JSON|could you give me the result as JSON".split("|")  # fmt: skip
REPEAT = "say that again|repeat that|what was the answer|can you repeat the answer|once more, please|repeat the result|what did you say|tell me the answer again|what was that again|please repeat|again, please|I did not get that, say it again".split("|")

OTHER = {
    "any": [("reverse the text", "{q}[::-1]", 'The reversed text is "{r}".', "now backwards|and backwards|reverse it|and reversed|how is it backwards|now reverse that|turn it around|spell it backwards|and in reverse"),
            ("convert to uppercase", "{q}.upper()", 'The uppercase text is "{r}".', "now in uppercase|and in capital letters|in upper case|make it uppercase|and in caps|now uppercase|write it in capitals"),
            ("count the characters", "len({q})", "The number of characters is {r}.", "how long is it|and how many characters is that|how many characters does it have|what is its length|count the characters|and its length"),
            ("count the vowels", 'sum(c in "aeiou" for c in {q}.lower())', "The number of vowels is {r}.", "how many vowels does it have|and the vowels|count the vowels|how many vowels are in it|and how many vowels")],
    "word": [("sort the letters", '"".join(sorted({q}))', 'The sorted letters are "{r}".', "now sort the letters|sort its letters|and with the letters sorted|put the letters in order|and the letters in alphabetical order"),
             ("find the first letter", "{q}[0]", 'The first letter is "{r}".', "what is the first letter|and its first letter|which letter comes first"),
             ("count the letters", "sum(c.isalpha() for c in {q})", "The number of letters is {r}.", "how many letters is that|and how many letters does it have|count its letters|how many letters are there")],
    "phrase": [("count the words", "len({q}.split())", "The number of words is {r}.", "how many words is that|and how many words|count the words|how many words does it have"),
               ("sort the words", '" ".join(sorted({q}.split()))', 'The sorted words are "{r}".', "now sort the words|sort the words|and in alphabetical order|put the words in order"),
               ("reverse the words", '" ".join({q}.split()[::-1])', 'The reversed words are "{r}".', "now the words in reverse order|reverse the words|and the words backwards"),
               ("find the longest word", "max({q}.split(), key=len)", 'The longest word is "{r}".', "which word is the longest|and the longest word|what is the longest word")],
}  # fmt: skip
"""Questions about a text that was named before, or that was the last answer."""


def said(g: Source, body: str) -> str:
    """A short line as people type it in a chat."""
    body = capital(body) if g.chance(0.55) else body
    asks = re.match(r"(?i)(what|how|which|can|could|and (what|how)|and |ok, and )", body)
    return body + ("" if body[-1] in "?!." else g.pick(["?", "?", "?", "", " please?"]) if asks else g.pick(["", ".", ".", "", "!", " please", ", please."]))


def onward(g: Source, form: str, n: str, p: str = "") -> str:
    """What to do with the last result, in one of the plain forms or put together from parts."""
    way = wording(g, ONWARD[form], ONWARD_WIDE[form], 0.55)
    return said(g, way.replace("{n}", n).replace("{p}", p))


def used(c: Conversation) -> tuple[str, str] | None:
    """The expression that a conversation about one number computed, and its result."""
    call = next((t for t in c.turns if t.recipient == "python"), None)
    match = PRINTED.fullmatch(call.call) if call else None
    if match and NUMBER.fullmatch(call.result) and re.fullmatch(r"[\d .*+/%()-]+", match.group(1)):
        return match.group(1), call.result
    return None


def compute(g: Source, user: str, expression: str) -> Conversation:
    return arithmetic.answer(g, user, expression)


def number(g: Source) -> str:
    return g.decimal(2) if g.chance(0.08) else str(g.whole(g.pick([1, 1, 2, 2, 3, 4])))


def rounded(g: Source, result: str) -> Conversation:
    """The last result with fewer digits."""
    k = g.pick([0, 1, 2, 2, 2, 3])
    what, code, final, digits = "round", f"print(round({result}))", f"{result} rounded is {{r}}.", "<a|the nearest> <whole number|integer>"
    if k:
        what, code, final = "round to", f"print(round({result}, {k}))", f"{result} rounded to {k} decimals is {{r}}."
        digits = f"{in_words(g, str(k), 0.3)} <decimal|digit|decimal place|place>{'s' * (k > 1)}"
    user = said(g, vary(g, g.pick(ROUND).replace("{d}", digits)))
    value = str(round(float(result), k) if k else round(float(result)))
    return Conversation(user, python_turns(g, f"work out: {what}", result, code, value, final.replace("{r}", value)))


def arithmetic_pair(g: Source) -> tuple[Conversation, Conversation]:
    while True:
        first = g.pick([arithmetic.binary, arithmetic.binary, arithmetic.story, arithmetic.percent, arithmetic.lists, arithmetic_everyday.decimals, arithmetic_everyday.more, arithmetic.chain])(g)
        call = next(t for t in first.turns if t.recipient == "python")
        if NUMBER.fullmatch(call.result) and len(call.result) < 16:
            break
    result, kind = call.result, g.rng.random()
    if "." in result and g.chance(0.3):
        return first, rounded(g, result)
    if kind < 0.72 or used(first) is None:
        form = g.pick(list(ONWARD)[:4]) if g.chance(0.7) else g.pick(list(ONWARD))
        n, p = number(g), str(g.int(2, 99))
        if form == "{r} / {n}" and float(n) == 0:
            n = "4"
        shown = in_words(g, n, 0.12)
        user = onward(g, form, shown, p)
        return first, compute(g, user, form.replace("{r}", result).replace("{n}", n).replace("{p}", p))
    expression, _ = used(first)
    numbers = re.findall(r"\d+(?:\.\d+)?", expression)
    old = g.pick(numbers)
    if kind < 0.86 and expression.count(old) == 1 and re.fullmatch(r"[\d.]+ [-+*/] [\d.]+", expression):
        new = number(g)
        if "/" in expression and float(new) == 0:
            new = "5"
        way = g.pick([f"{new} instead of {old}", f"{new}, not {old}", f"{new} where I wrote {old}", f"not {old} but {new}", f"with {new} instead of {old}", f"{old} should be {new}", f"{new} in place of {old}", f"{new} as the number in place of {old}", f"{old} was wrong, it is {new}", f"{new}, {old} was a typo", f"{new} replaces {old}", f"swap {old} for {new}", f"put {new} where {old} was", f"{new} rather than the {old}", f"the {old} is really {new}", f"change the {old} to {new}"])
        ways = REDO if g.chance(0.4) else INSTEAD if g.chance(0.6) else AGAIN[:8] + ["{x}", "{x}"]
        user = said(g, vary(g, g.template(ways)).replace("{x}", way))
        return first, compute(g, user, re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d.])", new, expression))
    match = re.fullmatch(r"([\d.]+) ([-+*/]) ([\d.]+)", expression)
    if match and g.chance(0.6):
        a, op, b = match.groups()
        other = g.pick([o for o in "+-*" if o != op])
        name = {"+": g.pick(["plus", "added", "+"]), "-": g.pick(["minus", "subtracted", "-"]), "*": g.pick(["times", "multiplied", "*"])}[other]
        old_name = {"+": "plus", "-": "minus", "*": "times", "/": "divided"}[op]
        way = g.pick([name, f"{name}, not {old_name}", f"{name} instead of {old_name}", f"{a} {name} {b}" if name[0] not in "ms" or name == "minus" else name])
        return first, compute(g, said(g, g.template(INSTEAD).replace("{x}", way)), f"{a} {other} {b}")
    a, b, op = number(g), number(g), g.pick("+-*")
    shown = f"{a} {g.pick(arithmetic.SYMBOLS[op][:5])} {b}"
    return first, compute(g, said(g, g.template(AGAIN).replace("{x}", shown)), f"{a} {op} {b}")


def _about(g: Source, operation: tuple, literal: str, user: str) -> Conversation:
    what, expression, final, *_ = operation
    code = expression.replace("{q}", f'"{literal}"')
    result = str(eval(code))
    return Conversation(user, python_turns(g, what, f'"{literal}"', f"print({code})", result, final.replace("{r}", result)))


SUBJECT = {op[0]: op for ops in OTHER.values() for op in ops}
FIRST = [op for op in text.OPERATIONS if op[0] in SUBJECT]


def text_pair(g: Source) -> tuple[Conversation, Conversation]:
    operation = g.pick(FIRST)
    what, _, _, kind, form, templates = operation
    subject = text.subject(g, form)
    values = {"s": text.shown_subject(g, subject), "z": quoted(g, subject, 0)}
    first = _about(g, operation, subject, text.prompt(g, templates, subject, values))
    if g.chance(0.5):
        new = text.subject(g, form)
        while new == subject:
            new = text.subject(g, form)
        way = g.template(AGAIN if g.chance(0.75) else INSTEAD)
        user = way.replace("{x}", g.pick([quoted(g, new, 0.4), f"the {'sentence' if ' ' in new else 'word'} {quoted(g, new)}" if "{x}" != way else quoted(g, new)]))
        user = user if g.chance(0.5) else capital(user)
        return first, _about(g, operation, new, user + ("" if user[-1] in "?!." or user == new else g.pick(["?", "", "."])))
    about = first.turns[0].result if kind == "str" else subject
    spaced = " " in about
    other = g.pick([op for op in OTHER["any"] + OTHER["phrase" if spaced else "word"] if op[0] != what])
    return first, _about(g, other, about, said(g, g.template(other[3].split("|"))))


def date_pair(g: Source) -> tuple[Conversation, Conversation]:
    a = some_day(g)
    code = "from datetime import date{d}\nprint({e})"
    kind = g.rng.random()

    def weekday_of(user: str, day: date) -> Conversation:
        name = calendar.day_name[day.weekday()]
        call = f'from datetime import date\nprint(date.fromisoformat("{day}").strftime("%A"))'
        return Conversation(user, python_turns(g, "find the weekday", str(day), call, name, f"{day} is a {name}."))

    def shifted(user: str, day: date, n: int, weeks: bool, back: bool) -> Conversation:
        unit, sign = "weeks" if weeks else "days", "-" if back else "+"
        delta = timedelta(weeks=n) if weeks else timedelta(days=n)
        call = code.replace("{d}", ", timedelta").replace("{e}", f'date.fromisoformat("{day}") {sign} timedelta({unit}={n})')
        result = str(day - delta if back else day + delta)
        return Conversation(user, python_turns(g, "shift the date", f"{day} {'minus' if back else 'plus'} {n} {unit}", call, result, f"The date is {result}."))

    first = dates.weekday(g) if kind < 0.35 else shifted(g.pick([f"What date is {{n}} days after {a}?", f"Add {{n}} days to {a}.", f"{a} plus {{n}} days"]).replace("{n}", str(n := g.int(2, 400))), a, n, False, False)
    if kind < 0.35:
        b = some_day(g)
        return first, weekday_of(said(g, g.template(AGAIN).replace("{x}", str(b))), b)
    day = date.fromisoformat(first.turns[0].result)
    if kind < 0.55:
        return first, weekday_of(said(g, vary(g, g.pick(WEEKDAY_OF_IT)) if g.chance(0.6) else g.pick(["what weekday is that", "which day of the week is that", "and what day of the week is it", "what weekday will it be", "on which weekday does that fall", "and the weekday"])), day)
    m, weeks, back = g.int(1, 60), g.chance(0.4), g.chance(0.35)
    unit = ("week" if weeks else "day") + ("" if m == 1 else "s")
    count = "a" if m == 1 else in_words(g, str(m), 0.2)
    if back:
        way = g.pick([f"and {count} {unit} before that", f"minus {count} {unit}", f"{count} {unit} earlier", f"now {count} {unit} back", f"what about {count} {unit} before", f"go back {count} {unit} from there", f"and {count} {unit} earlier"])
    else:
        way = g.pick([f"and {count} {unit} later", f"plus {count} {unit}", f"{count} {unit} after that", f"and {count} more {unit}", f"now {count} {unit} later", f"what about {count} {unit} after that", f"add {count} {unit} to that", f"then {count} {unit} more"])
    return first, shifted(said(g, way), day, m, weeks, back)


def function_pair(g: Source, tools: list[dict]) -> tuple[Conversation, Conversation]:
    """The same function again, with one argument changed; the others are those of the call before."""
    while True:
        tool = g.pick(tools)
        user, args = functions.use(g, tool)
        texts = [p["name"] for p in tool["params"] if p["name"] in args and isinstance(args[p["name"]], str) and p["kind"] not in ("enum", "unasked")]
        if texts or g.chance(0.1):
            break
    result, final = functions.outcome(g)
    name = f"functions.{tool['name']}"
    first = Conversation(user, [Turn(functions.call_thought(g, tool, args), name, compact(args), result), Turn("", final=final)])
    if not texts or g.chance(0.15):
        return first, as_json(g, first)
    key = g.pick(texts)
    while True:
        _, other = functions.use(g, tool)
        if key in other and other[key] != args[key]:
            break
    changed = args | {key: other[key]}
    word = functions.label(key)
    way = g.template(AGAIN if g.chance(0.8) else INSTEAD)
    shown = g.pick([f"{other[key]}", f"{other[key]}", f"{other[key]}", f"the {word} {other[key]}", f"in {other[key]}" if word in ("city", "place", "location", "town") else f"{word} {other[key]}"])
    result, final = functions.outcome(g)
    turns = [Turn(functions.call_thought(g, tool, changed), name, compact(changed), result), Turn("", final=final)]
    return first, Conversation(said(g, way.replace("{x}", shown)), turns)


def as_json(g: Source, first: Conversation) -> Conversation:
    """The last answer as JSON: the object a function gave, or one with the result."""
    last = first.turns[-2] if len(first.turns) > 1 else first.turns[-1]
    value: object = last.result
    if last.recipient == "python" and NUMBER.fullmatch(last.result):
        value = float(last.result) if "." in last.result else int(last.result)
    document = last.result if last.result.startswith("{") else compact({"result": value})
    thought = think(g, "I will write the JSON.", "The user wants the last answer as JSON.", "The user wants the last answer as JSON. I will write nothing else.")
    return Conversation(said(g, g.template(AS_JSON)), [Turn(thought, final=document)])


def repeated(g: Source, first: Conversation) -> Conversation:
    thought = think(g, "", "The user wants the last answer again.", "The user wants the last answer again. I will repeat it.")
    return Conversation(said(g, g.template(REPEAT)), [Turn(thought, final=first.turns[-1].final)])


def single(g: Source) -> Conversation:
    """A question by itself, of the kinds that need no declaration."""
    return g.pick([arithmetic.generate] * 7 + [text.generate] * 6 + [dates.generate] * 5 + [outside.generate] * 2 + [small_talk.generate] * 2)(g)


def plain_thread(g: Source) -> list[Conversation]:
    """Two to four turns without declarations."""
    count, kind = g.pick([2, 2, 2, 3, 3, 4]), g.rng.random()
    if kind < 0.5:
        # Questions alike in form, each by itself: what the last one names counts, not the answer before it.
        alike = [arithmetic.binary, arithmetic.binary, arithmetic.story, text.generate, dates.generate, small_talk.generate]
        maker = g.pick(alike) if g.chance(0.45) else single
        return [maker(g) for _ in range(count)]
    pair = list(g.pick([arithmetic_pair] * 5 + [text_pair] * 3 + [date_pair] * 2)(g))
    if kind > 0.86:
        first = g.pick([arithmetic.generate, arithmetic.binary, text.generate, dates.generate])(g)
        pair = [first, as_json(g, first) if kind > 0.9 else repeated(g, first)]
    elif pair[1].turns[-2].result and kind > 0.76:
        result = pair[1].turns[-2].result
        if NUMBER.fullmatch(result) and len(result) < 14:
            n = number(g)
            form = g.pick(list(ONWARD)[:3])
            pair.append(compute(g, onward(g, form, n), form.replace("{r}", result).replace("{n}", n)))
    return [*(single(g) for _ in range(max(0, count - len(pair)))), *pair]


def conversations(g: Source, count: int) -> list[Conversation]:
    """Threads whose last turn is to be learned: without declarations, with the same functions, one schema, or one folder."""
    kind, threads = g.rng.random(), []
    tools, form = [], None
    if kind < 0.62:
        threads = [plain_thread(g) for _ in range(count)]
    elif kind < 0.84:
        tools = functions.toolbox(g, functions.special(g) if g.chance(0.8) else functions.invented(g))
        for _ in range(count):
            if g.chance(0.5):
                threads.append(list(function_pair(g, tools)))
                continue
            families = [g.pick(["function", "function", "no_tool"]) for _ in range(g.pick([2, 2, 3]))]
            threads.append([(functions.called if family == "function" else functions.uncalled)(g, tools)[0] for family in families])
    elif kind < 0.92:
        made = (structured.json_family if g.chance(0.55) else structured.xml_family)(g, count + 2)
        form = made[0].response_format
        threads = [[made[i], made[i + 1]] if g.chance(0.7) else made[i : i + 3] for i in range(count)]
    else:
        threads = [documents.conversations_of(g, g.pick([2, 2, 3])) for _ in range(count)]
        threads = [[*thread[:-1], single(g)] if g.chance(0.25) else thread for thread in threads]
    found = []
    for *earlier, last in threads:
        last.history, last.tools, last.response_format = earlier, tools, form
        last.browser, last.docs = earlier[0].browser, earlier[0].docs
        found.append(last)
    return found
