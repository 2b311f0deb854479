"""Arithmetic: the model writes the expression, Python computes it, the answer quotes the result."""

import math
import re
import statistics

from families import arithmetic_everyday, arithmetic_stories, words
from families import arithmetic_wording as wide
from families.base import Conversation, Source, python_turns, say, vary, worded
from families.numerals import SMALL, in_words, ordinal

SYMBOLS = {
    "+": ["+", "+", "+", "plus", "plus", "added to", "and"],
    "-": ["-", "-", "-", "minus", "minus", "−", "–", "take away", "less", "subtract"],
    "*": ["*", "*", "*", "x", "×", "times", "multiplied by", "·", "⋅", "X", "multiplied with"],
    "/": ["/", "/", "/", "divided by", "÷", "÷", "over"],
    "//": ["//", "//", "div"],
    "%": ["%", "%", "mod", "modulo", "modulus"],
    "**": ["**", "**", "^", "^", "to the power of", "raised to the power of", "to the power", "raised to", "raised to the power"],
}

EXPRESSION = [
    "ask|what is {e}", "ask|what's {e}", "ask|how much is {e}", "ask|what does {e} equal", "ask|what does {e} give",
    "do|compute {e}", "do|calculate {e}", "do|evaluate {e}", "do|work out {e}", "do|solve {e}", "do|find {e}",
    "the|the result of {e}", "the|the value of {e}", "the|{e}", "as|{e}", "as|{e} =", "as|{e} = ?", "as|{e}?",
    "do|tell me {e}", "ask|how much does {e} make", "do|run the numbers for {e}", "as|What do I get for {e}?",
    "ask|what do you get if you compute {e}", "as|Solve: {e}", "as|Compute the following: {e}", "as|Result of {e}?",
    "do|do the math: {e}", "as|I have the expression {e}. What is its value?", "ask|can you tell me how much {e} is",
    "do|figure out {e}", "as|Math question: {e}", "the|the exact value of {e}", "ask|{e} is how much", "ask|{e} equals what",
]  # fmt: skip

PAIR = {
    "+": ["the|the sum of {a} and {b}", "do|add {a} and {b}", "do|add {a} to {b}", "do|sum {a} and {b}", "the|the total of {a} and {b}",
          "ask|what is {a} increased by {b}", "do|put {a} and {b} together", "ask|what do {a} and {b} add up to",
          "as|Add these two numbers: {a} and {b}", "ask|how much do {a} and {b} make together", "ask|what number do {a} and {b} give together", "do|put {a} on top of {b}", "as|{a} and then {b} more: what is the total?", "do|combine {a} with {b}", "do|count {a} and {b} together", "the|{a} plus another {b}", "ask|what is the total of {a} and {b}", "the|{a} and {b} in total", "do|increase {a} by {b}"],
    "-": ["the|the difference between {a} and {b}", "do|subtract {b} from {a}", "the|the difference of {a} and {b}",
          "do|take {b} away from {a}", "ask|what is {a} decreased by {b}", "ask|what remains if I take {b} from {a}",
          "ask|how much more is {a} than {b}", "do|deduct {b} from {a}", "ask|what is {b} less than {a}", "ask|what is left if {b} goes from {a}", "ask|how much lower is {b} than {a}", "ask|how far is {b} from {a}", "do|remove {b} from {a}", "the|{a} without {b}", "the|{a} less {b}", "do|drop {a} by {b}", "ask|what stays of {a} after taking {b}", "the|the gap between {a} and {b}", "do|reduce {a} by {b}", "do|tell me what is left of {a} minus {b}", "as|From {a}, take {b}. What do you have?"],
    "*": ["the|the product of {a} and {b}", "do|multiply {a} by {b}", "do|multiply {a} and {b}", "do|multiply {a} with {b}",
          "ask|what do I get if I multiply {a} by {b}", "ask|how much is {a} multiplied with {b}", "the|{a} multiplied by {b}",
          "as|Multiply these: {a} and {b}", "ask|what is the product when {a} is multiplied by {b}", "the|{a} sets of {b}", "ask|what do {a} groups of {b} make", "ask|how much is {a} times {b} exactly", "do|take {a} a total of {b} times", "ask|what are {a} pieces of {b} each", "the|the exact product of {a} and {b}"],
    "/": ["the|the quotient of {a} and {b}", "do|divide {a} by {b}", "ask|what is {a} divided by {b}", "the|the ratio of {a} to {b}",
          "ask|how many times does {b} go into {a}", "do|split {a} into {b} equal parts", "ask|what is the quotient when {a} is divided by {b}"],
    "//": ["the|the integer quotient of {a} and {b}", "do|divide {a} by {b} and drop the remainder", "the|the whole part of {a} divided by {b}",
           "the|the integer division of {a} by {b}", "ask|how many whole times does {b} fit into {a}", "do|integer divide {a} by {b}"],
    "%": ["the|the remainder of {a} divided by {b}", "the|the remainder when {a} is divided by {b}", "ask|what is left over when {a} is divided by {b}",
          "the|the remainder of dividing {a} by {b}", "ask|what remainder does {a} leave when divided by {b}", "do|find the remainder of {a} / {b}",
          "ask|what is {a} modulo {b}", "ask|if I divide {a} by {b}, what is the remainder", "the|{a} mod {b}"],
    "**": ["do|raise {a} to the power of {b}", "the|{a} raised to {b}", "the|the power {a} to the {b}", "ask|what is {a} to the {b}th power",
           "ask|what is {a} to the power {b}", "do|take {a} to the power of {b}", "the|{a} with exponent {b}", "do|put {a} to the power {b}", "ask|how large is {a} to the power of {b}", "do|calculate the power {a} with the exponent {b}", "the|{a} to the power of {b}"],
}  # fmt: skip


def number(g: Source, decimals: float = 0.2, digits: int = 8) -> str:
    text = g.decimal() if g.chance(decimals) else str(g.whole(g.pick([1, 2, 2, 3, 3, 4, 5, 6, digits])))
    return "-" + text if g.chance(0.06) else text


def grouped(g: Source, text: str) -> str:
    """Sometimes writes a large integer with thousands separators."""
    if text.isdigit() and len(text) > 3 and g.chance(0.06):
        return f"{int(text):,}"
    return text


def run(expression: str) -> tuple[str, str]:
    """The code for an expression and what it prints."""
    inexact = "." in expression or "/" in expression.replace("//", "") or "math." in expression
    code = f"print(round({expression}, 10))" if inexact else f"print({expression})"
    value = eval(expression, {"sum": sum, "len": len})
    return code, str(round(value, 10) if inexact else value)


VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "//": "divide without a rest", "%": "find the remainder", "**": "raise to a power"}
"""A thought names the operation before its numbers: it is chosen where nothing else has to be found."""


def operation(expression: str) -> str:
    """What a thought calls an expression of one or two operations; longer ones are only computed."""
    found = [VERBS[op] for op in re.findall(r" (\*\*|//|[-+*/%]) ", expression)]
    return " and ".join(found) if 0 < len(found) <= 2 else "compute this"


def answer(g: Source, user: str, expression: str, what: str | None = None, final: str = "{e} = {r}."):
    code, result = run(expression)
    text = final.replace("{e}", expression).replace("{r}", result)
    return Conversation(user, python_turns(g, what or operation(expression), expression, code, result, text))


def operands(g: Source, op: str) -> tuple[str, str]:
    if op == "**":
        return str(g.int(2, 60) if g.chance(0.8) else g.int(60, 999)), str(g.int(2, 12))
    a, b = number(g), number(g)
    if op in ("//", "%"):
        a, b = str(g.whole(7)), str(g.int(2, 10 ** g.int(1, 3)))
    if op == "/" and float(b) == 0:
        b = "7"
    if op == "/" and b.isdigit() and g.chance(0.35):
        a = str(int(b) * g.whole(3))
    return a, b


def binary(g: Source):
    op = g.pick("+-*") if g.chance(0.6) else g.pick(["+", "+", "-", "-", "*", "*", "*", "/", "/", "//", "%", "%", "**", "**", "**"])
    a, b = operands(g, op)
    expression = f"{a} {op} {b}"
    if g.chance(0.55) and not (a[0] == "-" or b[0] == "-"):
        shown_a, shown_b = (in_words(g, n, 0.04) if op in "+-*" else n for n in (grouped(g, a), grouped(g, b)))
        return answer(g, worded(g, PAIR[op], wide.PAIR[op], a=shown_a, b=shown_b, o=ordinal(g, b)), expression)
    symbol = g.pick(SYMBOLS[op])
    gap = "" if not symbol.isalpha() and " " not in symbol and g.chance(0.25) else " "
    shown = f"{grouped(g, a)}{gap}{symbol}{gap}{grouped(g, b)}"
    return answer(g, worded(g, EXPRESSION, wide.EXPRESSION, e=shown), expression)


def multiple(g: Source):
    """Twice, half and so on: the second operand is a word."""
    expression, templates = g.pick(wide.MULTIPLES)
    a = number(g).lstrip("-")
    return answer(g, say(g, templates, a=grouped(g, a)), expression.replace("{a}", a))


def chain(g: Source):
    """Three or four operands, possibly with parentheses."""
    n = g.pick([3, 3, 4])
    pool = ["+", "-", "*"] if g.chance(0.7) else ["+", "-", "*", "/"]
    ops = [g.pick(pool) for _ in range(n - 1)]
    parts = [number(g, 0.12, 5).lstrip("-") for _ in range(n)]
    parts = ["3" if float(p) == 0 else p for p in parts]
    said = list(parts)
    if g.chance(0.15):
        i, base, exponent = g.int(0, n - 1), g.int(2, 40), g.pick([2, 2, 3])
        parts[i] = f"{base} ** {exponent}"
        said[i] = f"{base}" + g.pick([f"^{exponent}", f"^{exponent}", f"**{exponent}", "²³"[exponent - 2], " squared" if exponent == 2 else " cubed"])
    style = g.rng.random()
    first = g.int(0, n - 2)
    pairs = [(first, first + 1)] if style < 0.4 else [(0, 1), (2, 3)] if style < 0.5 and n == 4 else []
    for row in (parts, said):
        for i, j in pairs:
            row[i], row[j] = "(" + row[i], row[j] + ")"
    names = {op: g.pick([s for s in SYMBOLS[op] if s not in ("and", "added to", "over", "subtract")]) for op in set(ops)}
    tight = g.chance(0.2) and not any(s[0].isalpha() for s in names.values())
    gap = "" if tight else " "
    shown = said[0] + "".join(f"{gap}{names[op]}{gap}{p}" for op, p in zip(ops, said[1:]))
    expression = parts[0] + "".join(f" {op} {p}" for op, p in zip(ops, parts[1:]))
    try:
        return answer(g, worded(g, EXPRESSION, wide.EXPRESSION, e=shown), expression, "compute this")
    except ZeroDivisionError:
        return chain(g)


def nested(g: Source):
    """Two operations, said in words."""
    expression, templates = g.pick(list(wide.NESTED.items()))
    values = {key: str(g.whole(g.pick([1, 2, 2, 3, 4]))) for key in "abc"}
    user = say(g, templates, **values)
    for key, value in values.items():
        expression = expression.replace("{" + key + "}", value)
    return answer(g, user, expression)


PERCENT = [
    ("{b} * {a} / 100", "{a}% of {b} is {r}.", ["ask|what is {a}% of {b}", "do|calculate {a}% of {b}", "the|{a}% of {b}", "as|{a}% of {b}",
     "ask|how much is {a} percent of {b}", "do|find {a} percent of {b}", "the|{a} percent of {b}", "as|{a}% of {b}?", "do|take {a}% of {b}",
     "as|A bill is {b} dollars. How much is a tip of {a}%?", "as|The tax on {b} is {a}%. How much tax is that?",
     "as|{a}% of the {b} students came. How many students came?", "ask|what's {a} % of {b}", "do|work out a {a}% share of {b}", "ask|which number is {a}% of {b}", "ask|{a} percent of {b} makes what", "the|{a} per cent of {b}", "do|give me {a} percent from {b}", "as|If I take {a}% of {b}, what do I have?", "the|the {a}% part of {b}", "ask|what number is {a} percent of {b}", "do|get {a}% from {b}", "ask|what does {a}% of {b} come to"]),
    ("{b} * (1 + {a} / 100)", "{b} increased by {a}% is {r}.", ["do|increase {b} by {a}%", "ask|what is {b} increased by {a}%", "ask|what is {b} plus {a}%",
     "do|add {a}% to {b}", "as|A salary of {b} goes up by {a}%. What is the new salary?", "the|{b} raised by {a} percent", "ask|how much is {b} after a rise of {a}%",
     "as|A price of {b} rises by {a}%. What is the new price?", "ask|what is {b} with {a}% tax added", "do|raise {b} by {a} percent"]),
    ("{b} * (1 - {a} / 100)", "{b} decreased by {a}% is {r}.", ["do|decrease {b} by {a}%", "ask|what is {b} minus {a}%", "do|reduce {b} by {a}%", "ask|what is {b} reduced by {a} percent",
     "as|A jacket costs {b} and is {a}% off. What is the price now?", "do|apply a {a}% discount to {b}", "ask|how much is {b} after a {a}% discount",
     "do|lower {b} by {a} percent", "do|take {a}% off {b}", "as|The price was {b}, then it fell by {a}%. What is it now?"]),
    ("{a} / {b} * 100", "{a} is {r} percent of {b}.", ["ask|what percent of {b} is {a}", "ask|{a} is what percent of {b}", "ask|what percentage of {b} is {a}", "the|{a} as a percentage of {b}",
     "do|express {a} as a percent of {b}", "as|{a} of {b} people agreed. What percentage is that?", "ask|how many percent of {b} is {a}", "as|I scored {a} out of {b}. What percent is that?"]),
    ("({b} - {a}) / {a} * 100", "The change from {a} to {b} is {r} percent.", ["the|the percent change from {a} to {b}", "ask|by how many percent did it change from {a} to {b}",
     "the|the percentage change from {a} to {b}", "as|A price went from {a} to {b}. What is the change in percent?", "the|the percentage increase from {a} to {b}"]),
]  # fmt: skip

PERCENT_NAMES = dict(zip((e for e, *_ in PERCENT), ["take a percentage", "add a percentage", "deduct a percentage", "find what percentage it is", "find the change in percent"]))


def percent(g: Source):
    expression, final, templates = PERCENT[0] if g.chance(0.5) else g.pick(PERCENT)
    a = g.decimal(2) if g.chance(0.12) else str(g.int(1, 100 if g.chance(0.9) else 400))
    b = g.decimal() if g.chance(0.15) else str(g.whole(5))
    if expression.startswith("{a}") or "{b} -" in expression:
        a = str(g.whole(4))
    filled = expression.replace("{a}", a).replace("{b}", b)
    return answer(g, worded(g, templates, wide.PERCENT[expression], a=a, b=b), filled, PERCENT_NAMES[expression], final.replace("{a}", a).replace("{b}", b))


POWER = [
    ("{a} ** 2", "{a} squared is {r}.", ["the|{a} squared", "the|the square of {a}", "do|square {a}", "ask|what is {a} squared", "as|{a}²"]),
    ("{a} ** 3", "{a} cubed is {r}.", ["the|{a} cubed", "the|the cube of {a}", "do|cube {a}", "ask|what is {a} cubed", "as|{a}³"]),
    ("{a} ** 0.5", "The square root of {a} is {r}.", ["the|the square root of {a}", "do|take the square root of {a}", "the|sqrt({a})", "as|sqrt({a})", "ask|what is the root of {a}", "as|√{a}", "do|compute sqrt {a}"]),
    ("{a} ** (1 / 3)", "The cube root of {a} is {r}.", ["the|the cube root of {a}", "do|take the cube root of {a}", "ask|what is the third root of {a}"]),
    ("abs(-{a})", "The absolute value of -{a} is {r}.", ["the|the absolute value of -{a}", "the|abs(-{a})", "the|the magnitude of -{a}"]),
]  # fmt: skip

POWER_NAMES = dict(zip((e for e, *_ in POWER), ["square", "cube", "take the square root", "take the cube root", "take the absolute value"]))


def power(g: Source):
    expression, final, templates = g.pick(POWER)
    a = str(g.whole(g.pick([1, 2, 3, 4, 6])))
    filled = expression.replace("{a}", a)
    return answer(g, worded(g, templates, wide.POWER[expression], a=a), filled, POWER_NAMES[expression], final.replace("{a}", a))


LISTS = [
    ("sum", "print(sum({l}))", "The sum is {r}.", ["the|the sum of {n}", "do|add up {n}", "do|sum {n}", "the|the total of {n}", "do|add these numbers: {n}", "ask|what do {n} add up to", "as|Sum of {n}?", "as|Total: {n}", "do|total {n}", "ask|how much do {n} make together", "do|put {n} together", "ask|what is the total of {n}", "the|the overall sum of {n}", "do|add the numbers {n}", "ask|what do I get if I add {n}", "as|Add: {n}", "ask|how much is it all together: {n}"]),
    ("average", "n = {l}\nprint(round(sum(n) / len(n), 10))", "The average is {r}.", ["the|the average of {n}", "the|the mean of {n}", "do|average {n}", "ask|what is the mean value of {n}", "do|calculate the arithmetic mean of {n}", "as|Average: {n}", "as|My scores are {n}. What is my average?", "as|The temperatures were {n}. What was the average?"]),
    ("maximum", "print(max({l}))", "The largest is {r}.", ["the|the maximum of {n}", "the|the largest of {n}", "the|the biggest number among {n}", "ask|which is the largest of {n}", "ask|which number is the greatest: {n}", "the|the highest value in {n}", "as|Max of {n}?", "the|the largest number in the list {n}", "do|pick the largest of {n}", "ask|which of {n} is the highest", "the|the top value of {n}", "ask|which one is the biggest: {n}", "do|find the greatest of these: {n}"]),
    ("minimum", "print(min({l}))", "The smallest is {r}.", ["the|the minimum of {n}", "the|the smallest of {n}", "ask|which is the smallest of {n}", "the|the lowest value in {n}", "ask|which number is the least: {n}", "as|Min of {n}?", "the|the smallest number in the list {n}"]),
    ("median", "from statistics import median\nprint(median({l}))", "The median is {r}.", ["the|the median of {n}", "do|find the median of {n}", "ask|what is the median value of {n}", "as|Median: {n}"]),
    ("product", "from math import prod\nprint(prod({l}))", "The product is {r}.", ["the|the product of {n}", "do|multiply {n} together", "do|multiply all of {n}", "do|multiply these numbers: {n}"]),
    ("sort", "print(sorted({l}))", "The sorted list is {r}.", ["do|sort {n}", "do|sort the numbers {n}", "do|put {n} in ascending order", "do|order these numbers from small to large: {n}", "do|arrange {n} in increasing order"]),
    ("sort", "print(sorted({l}, reverse=True))", "The sorted list is {r}.", ["do|sort {n} in descending order", "do|sort {n} from largest to smallest", "do|order these numbers from large to small: {n}"]),
    ("range", "n = {l}\nprint(max(n) - min(n))", "The range is {r}.", ["the|the range of {n}", "the|the difference between the largest and smallest of {n}"]),
]  # fmt: skip


def lists(g: Source):
    what, code, final, templates = g.pick(LISTS[:4] if g.chance(0.6) else LISTS)
    k = g.pick([3, 3, 4, 4, 5, 6, 8]) if what != "product" else 3
    if what == "average" and g.chance(0.12):
        k = 2
    kind = g.rng.random()
    items = [g.decimal(2) if kind < 0.15 else str(g.int(1, 10 ** g.pick([1, 2, 2, 3, 4]))) for _ in range(k)]
    if what in ("average", "range", "median") and kind < 0.15:
        items = [str(g.int(1, 500)) for _ in range(k)]
    style = g.rng.random()
    if style < 0.4:
        shown = ", ".join(items)
    elif style < 0.75:
        shown = ", ".join(items[:-1]) + g.pick([" and ", " and ", ", and "]) + items[-1]
    elif style < 0.9:
        shown = "[" + ", ".join(items) + "]"
    else:
        shown = g.pick([" ", ",", "; "]).join(items)
    listed = "[" + ", ".join(items) + "]"
    filled = code.replace("{l}", listed)
    if what in ("sum", "product") and any("." in i for i in items):
        filled = filled.replace("print(", "print(round(").replace("]))", "]), 10))")
    value = {
        "sum": sum, "average": lambda n: round(sum(n) / len(n), 10), "maximum": max, "minimum": min, "median": statistics.median,
        "product": math.prod, "sort": lambda n: sorted(n, reverse="reverse" in code), "range": lambda n: max(n) - min(n),
    }[what](eval(listed))  # fmt: skip
    result = str(round(value, 10) if isinstance(value, float) else value)
    wording = wide.LISTS["sort down" if "reverse" in code else what]
    user = worded(g, templates, wording, n=shown, m=", ".join(items))
    return Conversation(user, python_turns(g, f"find the {what}", listed, filled, result, final.replace("{r}", result)))


COMPARE = [
    ("max", ["ask|which is larger, {a} or {b}", "ask|which is bigger, {a} or {b}", "ask|what is larger: {a} or {b}", "ask|which number is greater, {a} or {b}", "ask|is {a} or {b} larger", "the|the larger of {a} and {b}", "the|the greater number: {a} or {b}", "as|{a} or {b}: which is bigger?", "ask|which one is more, {a} or {b}", "do|compare {a} and {b} and tell me the larger one", "ask|of {a} and {b}, which is larger", "the|the bigger one of {a} and {b}", "do|pick the larger number from {a} and {b}", "ask|between {a} and {b}, which is higher", "ask|what is the greater of {a} and {b}", "ask|which is the larger number: {a} or {b}", "the|the higher of {a} and {b}"]),
    ("min", ["ask|which is smaller, {a} or {b}", "ask|which is less, {a} or {b}", "the|the smaller of {a} and {b}", "ask|what is smaller: {a} or {b}", "ask|which number is lower, {a} or {b}", "ask|is {a} or {b} smaller", "as|{a} or {b}: which is smaller?"]),
    (">", ["ask|is {a} greater than {b}", "ask|is {a} larger than {b}", "ask|is {a} bigger than {b}", "ask|is {a} more than {b}", "ask|is it true that {a} > {b}", "ask|{a} > {b}", "do|check if {a} is greater than {b}", "ask|does {a} exceed {b}"]),
    ("<", ["ask|is {a} less than {b}", "ask|is {a} smaller than {b}", "ask|is {a} below {b}", "ask|is it true that {a} < {b}", "ask|{a} < {b}", "do|check whether {a} is less than {b}"]),
    ("==", ["ask|is {a} equal to {b}", "ask|are {a} and {b} equal", "ask|is {a} the same as {b}", "do|check if {a} equals {b}", "ask|does {a} equal {b}"]),
]  # fmt: skip


def compare(g: Source):
    kind, templates = COMPARE[0] if g.chance(0.35) else g.pick(COMPARE)
    a, b = number(g, 0.4, 6), number(g, 0.4, 6)
    if g.chance(0.35):
        base = str(g.int(0, 99))
        a, b = f"{base}.{g.int(1, 99)}", f"{base}.{g.int(1, 9)}"
    if kind == "==" and g.chance(0.4):
        b = a
    user = worded(g, templates, wide.COMPARE[kind], a=a, b=b)
    if kind in ("max", "min"):
        result = str({"max": max, "min": min}[kind](eval(a), eval(b)))
        label = "larger" if kind == "max" else "smaller"
        turns = python_turns(g, f"find the {label} number", f"{a} and {b}", f"print({kind}({a}, {b}))", result, f"The {label} number is {result}.")
        return Conversation(user, turns)
    claim = f"{a} {kind} {b}"
    result = str(eval(claim))
    final = f"{'Yes' if result == 'True' else 'No'}, {claim} is {result}."
    what = {">": "check if it is more", "<": "check if it is less", "==": "check if it is equal"}[kind]
    return Conversation(user, python_turns(g, what, claim, f"print({claim})", result, final))


NUMBER = [
    ("factorial", "from math import factorial\nprint(factorial({a}))", "The factorial of {a} is {r}.", (3, 20), ["the|the factorial of {a}", "the|{a} factorial", "as|{a}!", "ask|what is {a}!"]),
    ("prime", "print(all({a} % d for d in range(2, int({a} ** 0.5) + 1)))", "{y}, it is {r} that {a} is prime.", (3, 9999), ["ask|is {a} prime", "ask|is {a} a prime number", "do|check if {a} is prime", "ask|is the number {a} prime or not"]),
    ("even", "print({a} % 2 == 0)", "{y}, it is {r} that {a} is even.", (1, 99999), ["ask|is {a} even", "ask|is {a} an even number", "do|check whether {a} is even"]),
    ("odd", "print({a} % 2 == 1)", "{y}, it is {r} that {a} is odd.", (1, 99999), ["ask|is {a} odd", "ask|is {a} an odd number"]),
    ("binary", "print(bin({a})[2:])", "{a} in binary is {r}.", (1, 4000), ["the|{a} in binary", "do|convert {a} to binary", "the|the binary form of {a}", "do|write {a} in base 2"]),
    ("hexadecimal", "print(hex({a})[2:])", "{a} in hexadecimal is {r}.", (1, 90000), ["the|{a} in hexadecimal", "do|convert {a} to hex", "the|the hexadecimal form of {a}"]),
    ("sum to", "print(sum(range(1, {a} + 1)))", "The sum from 1 to {a} is {r}.", (5, 5000), ["the|the sum of all numbers from 1 to {a}", "the|the sum of the integers from 1 to {a}", "do|add all numbers from 1 to {a}", "the|the sum of the first {a} positive integers"]),
    ("gcd", "from math import gcd\nprint(gcd({a}, {b}))", "The greatest common divisor of {a} and {b} is {r}.", (2, 5000), ["the|the gcd of {a} and {b}", "the|the greatest common divisor of {a} and {b}", "the|gcd({a}, {b})"]),
    ("lcm", "from math import lcm\nprint(lcm({a}, {b}))", "The least common multiple of {a} and {b} is {r}.", (2, 500), ["the|the lcm of {a} and {b}", "the|the least common multiple of {a} and {b}", "the|lcm({a}, {b})"]),
    ("round to", "print(round({d}, {k}))", "{d} rounded to {k} decimals is {r}.", (1, 9), ["do|round {d} to {k} decimals", "do|round {d} to {w} decimal places", "the|{d} rounded to {k} decimal places"]),
    ("round", "print(round({d}))", "{d} rounded is {r}.", (1, 9), ["do|round {d} to the nearest integer", "the|{d} rounded to the nearest whole number"]),
    ("divisible", "print({a} % {b} == 0)", "{y}, it is {r} that {a} is divisible by {b}.", (2, 9999), ["ask|is {a} divisible by {b}", "do|check if {a} is divisible by {b}", "ask|does {b} divide {a} evenly", "ask|is {a} a multiple of {b}"]),
]  # fmt: skip


def numbers(g: Source):
    name, code, final, (low, high), templates = g.pick(NUMBER)
    a, b, d = str(g.int(low, high)), str(g.int(2, max(9, high // 7))), f"{g.int(0, 999)}.{g.int(1001, 9999)}"
    k = g.pick([2, 2, 2, 1, 3])
    if g.chance(0.4):
        d += str(g.int(1, 999))
    if name == "divisible" and g.chance(0.4):
        a = str(int(b) * g.int(2, 99))
    values = {"a": a, "b": b, "d": d, "k": str(k)}
    filled = code
    for key, value in values.items():
        filled = filled.replace("{" + key + "}", value)
    printed = []
    exec(filled, {"print": lambda v: printed.append(str(v))})
    values |= {"r": printed[0], "y": "Yes" if printed[0] == "True" else "No"}
    for key, value in values.items():
        final = final.replace("{" + key + "}", value)
    facts = " and ".join(v for k, v in {"a": a, "b": b, "d": d}.items() if "{" + k + "}" in code)
    user = worded(g, templates, wide.NUMBER[name], a=a, b=b, d=d, k=str(k), w=SMALL[k])
    return Conversation(user, python_turns(g, f"work out: {name}", facts, filled, printed[0], final))


STORY = [
    ("{a} * {b}", ["I bought {a} boxes of {b} {p}. How many {p} do I have?", "There are {a} shelves with {b} {p} each. How many {p} are there in total?", "A {q} costs {b} dollars. How much do {a} of them cost?",
     "{N} reads {a} pages a day. How many pages does {N} read in {b} days?", "Each of the {a} rooms has {b} {p}. How many {p} is that?", "If one {q} weighs {a} grams, how much do {b} {p} weigh?", "A car drives {a} km per hour. How far does it get in {b} hours?",
     "{N} earns {a} euros per hour. How much does {N} earn in {b} hours?", "How many {p} are in {a} crates if every crate holds {b} {p}?", "A school has {a} classes with {b} students each. How many students are there?", "{N} fills {a} bags with {b} {p} each. How many {p} does that take?", "{a} trucks carry {b} {p} apiece. How many {p} in all?", "{N} puts {a} {p} into every one of {b} drawers. What is the total?", "We print {a} copies of {b} pages. How many pages is that?", "What is the area of a room that is {a} m long and {b} m wide?"]),
    ("{a} + {b}", ["{N} has {a} {p} and gets {b} more. How many {p} does {N} have now?", "I had {a} {p} and bought {b} more. How many do I have now?", "There are {a} {p} in one bag and {b} in another. How many are there altogether?",
     "{N} scored {a} points and {M} scored {b} points. How many points do they have together?", "A farmer picked {a} {p} on Monday and {b} on Tuesday. How many in total?", "One ticket costs {a} and the other {b}. What is the total cost?", "A train has {a} passengers. {b} more get on. How many passengers are there now?", "{N} owns {a} {p} and buys {b} others. What is the total now?", "{a} {p} were here and {b} were delivered. How many are there now?", "{N} found {a} {p}, then {b}. How many is that altogether?"]),
    ("{a} - {b}", ["{N} has {a} {p} and gives away {b}. How many {p} are left?", "I had {a} dollars and spent {b}. How much is left?", "There were {a} {p} in the shop and {b} were sold. How many remain?", "{N} has {a} {p}. {M} has {b} {p}. How many more does {N} have?",
     "A tank holds {a} liters. {b} liters are used. How much is left?", "Of {a} guests, {b} left early. How many stayed?", "A book has {a} pages and {N} has read {b}. How many pages remain?", "A store held {a} {p} and {b} of them were sold. How many are still there?", "{N} collected {a} {p} and lost {b}. How many does {N} still have?", "{a} {p} were made, {b} broke. How many are whole?", "Out of {a} {p}, {b} are gone. How many are there still?"]),
    ("{a} / {b}", ["{N} shares {a} {p} equally among {b} friends. How many does each get?", "{a} {p} are packed evenly into {b} boxes. How many per box?", "A trip of {a} km takes {b} hours. What is the average speed?", "{b} tickets cost {a} dollars. How much does one ticket cost?",
     "A bill of {a} euros is split by {b} people. How much does each pay?", "If {b} {p} cost {a} dollars, what is the price of one?"]),
    ("{a} * {b} + {c}", ["{N} buys {a} {p} at {b} dollars each and pays {c} for shipping. What is the total?", "I have {a} bags with {b} {p} each and {c} loose ones. How many {p} do I have?", "A taxi costs {c} plus {b} per km. What do {a} km cost?"]),
    ("{a} * {b} - {c}", ["{N} bought {a} packs of {b} {p} and lost {c} of them. How many {p} are left?", "There are {a} rows of {b} seats and {c} seats are broken. How many seats can be used?", "I sell {a} {p} for {b} each and spend {c}. What is my profit?"]),
    ("{a} + {b} - {c}", ["{N} had {a} {p}, got {b} more and lost {c}. How many are left?", "A bus has {a} people. {b} get on and {c} get off. How many are on the bus?"]),
]  # fmt: skip


SHAPES = dict(STORY)
STORY_MIX = ["{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / {b}"] * 8 + list(arithmetic_stories.STORY) + list(SHAPES)
MEASURED = re.compile(r"\$|dollar|euro|pound|franc|cost|price|pay|earn|account|\b(km|kg|cm|m|g|grams|liters|hours|minutes|degrees)\b")


def plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def story(g: Source):
    expression = g.pick(STORY_MIX)
    common = expression in SHAPES and g.chance(0.4)
    user = vary(g, g.template(SHAPES[expression] if common else arithmetic_stories.STORY[expression]))
    a, b, c = (str(g.int(2, 10 ** g.pick([1, 2, 2, 3]))) for _ in range(3))
    if MEASURED.search(user) and not ("//" in expression or "%" in expression):
        a, b = (g.decimal(2) if g.chance(0.15) else n for n in (a, b))
    if "{a} - {b}" in expression and " * " not in expression and float(b) > float(a):
        a, b = b, a
    if expression in ("{a} / {b}", "{a} // {b}", "{a} % {b}"):
        a, b = (b, a) if float(b) > float(a) and g.chance(0.85) else (a, b)
        a = str(int(b) * g.int(2, 60)) if expression == "{a} / {b}" and b.isdigit() and g.chance(0.4) else a
    if expression == "{a} - {b} * {c}":
        a = str(math.ceil(float(b) * int(c)) + g.int(1, 99))
    noun, other = (g.part(words.NOUNS) if g.chance(0.7) else g.pseudo() for _ in range(2))
    values = {"p": plural(noun), "q": noun, "r": plural(other), "N": g.first_name(), "M": g.first_name()}
    filled = expression
    for key, value in {"a": a, "b": b, "c": c}.items():
        filled = filled.replace("{" + key + "}", value)
        values[key] = value if "${" + key in user else in_words(g, grouped(g, value), 0.12)
    for key, value in values.items():
        user = user.replace("{" + key + "}", value)
    user = user[:1].upper() + user[1:]
    if g.chance(0.1):
        user = g.pick(["Please help: ", "Word problem: ", "Solve this: ", "Here is a question. ", "Homework: ", "Riddle: ", "Can you help? ", "A quick one: "]) + user
    if g.chance(0.06):
        user += g.pick([" Please calculate it.", " Show the number.", " Thanks!", " I need the exact number.", " Use Python."])
    return answer(g, user, filled)


def untidy(g: Source, user: str) -> str:
    """A few prompts are typed carelessly; numbers stay as they are."""
    kind = g.rng.random()
    if kind < 0.05:
        return user.lower()
    if kind < 0.09:
        return user.rstrip(".?")
    long = re.findall(r"[A-Za-z]{5,}", user)
    if kind < 0.12 and long:
        word = g.pick(long)
        i = g.int(1, len(word) - 3)
        return user.replace(word, word[:i] + word[i + 1] + word[i] + word[i + 2 :], 1)
    return user


def generate(g: Source) -> Conversation:
    makers = [binary] * 24 + [chain] * 3 + [percent] * 8 + [power] * 2 + [lists] * 8 + [compare] * 6 + [numbers] * 2 + [story] * 12 + [multiple, nested] + [arithmetic_everyday.generate] * 10
    conversation = g.pick(makers)(g)
    conversation.user = untidy(g, conversation.user)
    return conversation
