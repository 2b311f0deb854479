"""Arithmetic as people type it: bare decimals, gcd and factorial, a quotient to two places, half a sentence, another language."""


from families import words
from families.base import Conversation, Source, capital, phrase, python_turns
from families.numerals import SMALL

FRACTIONS = ["{a} {o} {b}", "{a}{o}{b}", "{a} {o} {b} = ?", "{a}{o}{b}=", "what is {a} {o} {b}?", "What's {a} {o} {b}", "Calculate {a} {o} {b}", "how much is {a} {o} {b}", "{a} {o} {b}?", "Add {a} and {b}.", "What does {a} {o} {b} give?", "please compute {a} {o} {b}", "Is it true that you can do {a} {o} {b}?"]
NAMES = {
    "gcd": ["gcd of {a} and {b}", "gcd {a} {b}", "gcd({a},{b})", "gcd of {a}, {b}", "what is the gcd of {a} and {b}", "greatest common divisor of {a} and {b}", "find the greatest common divisor of {a} and {b}", "GCD of {a} and {b}", "greatest common factor of {a} and {b}", "gcf of {a} and {b}",
            "what is the greatest common factor of {a} and {b}", "highest common factor of {a} and {b}", "hcf of {a} and {b}", "the largest number that divides {a} and {b}", "which is the greatest number dividing both {a} and {b}", "compute the gcd for {a} and {b}"],
    "lcm": ["lcm of {a} and {b}", "lcm {a} {b}", "lcm({a},{b})", "least common multiple of {a} and {b}", "what is the lcm of {a} and {b}", "the smallest common multiple of {a} and {b}", "LCM of {a} and {b}", "find the least common multiple of {a} and {b}", "lowest common multiple of {a} and {b}", "the smallest number that {a} and {b} both divide"],
    "factorial": ["{a} factorial", "factorial of {a}", "{a}!", "what is {a}!", "what is {a} factorial", "compute {a}!", "factorial {a}", "factorial({a})", "the factorial of {a}", "calculate the factorial of {a}", "how much is {a} factorial", "what is the factorial of {a}", "{a}! = ?", "tell me {a} factorial"],
    "prime": ["is {a} prime", "is {a} a prime", "is {a} a prime number", "prime or not: {a}", "check whether {a} is prime", "{a}: is it prime", "test if {a} is a prime number", "can {a} be divided by anything or is it prime"],
    "round": ["round {d}", "round {d} to a whole number", "what is {d} rounded", "{d} rounded to the nearest integer", "round off {d}", "{d} to the nearest whole number"],
    "round to": ["round {d} to {k} decimals", "round {d} to {k} decimal places", "{d} rounded to {k} decimals", "{d} to {k} places", "give {d} with {k} decimals", "shorten {d} to {k} decimal places", "round {d} to {w} digits after the point", "{d} with {w} decimal places", "what is {d} rounded to {w} decimals"],
}  # fmt: skip
CODES = {
    "gcd": ("from math import gcd\nprint(gcd({a}, {b}))", "The greatest common divisor of {a} and {b} is {r}."),
    "lcm": ("from math import lcm\nprint(lcm({a}, {b}))", "The least common multiple of {a} and {b} is {r}."),
    "factorial": ("from math import factorial\nprint(factorial({a}))", "The factorial of {a} is {r}."),
    "prime": ("print(all({a} % d for d in range(2, int({a} ** 0.5) + 1)))", "{y}, it is {r} that {a} is prime."),
    "round": ("print(round({d}))", "{d} rounded is {r}."),
    "round to": ("print(round({d}, {k}))", "{d} rounded to {k} decimals is {r}."),
}
QUOTIENTS = ["{a} divided by {b}, rounded to {w} decimals", "{a} / {b} to {k} decimal places", "{a} divided by {b} with {w} decimals", "what is {a} / {b} rounded to {k} decimals", "divide {a} by {b} and round to {w} decimal places", "{a} over {b}, {k} decimals", "round {a} / {b} to {k} decimals",
             "how much is {a} divided by {b}? Round to {w} decimals.", "{a}/{b} rounded to {k} places", "What is {a} times {b} rounded to {w} decimals?", "the quotient of {a} and {b}, rounded to {w} decimal places", "compute {a} divided by {b} (two decimals)"]  # fmt: skip
MORE = [
    ("I have {a} {p} and get {b} more", "+"), ("I have {a} {p} and get {b} more. How many do I have?", "+"), ("{a} {p} plus {b} {p}", "+"), ("I own {a} {p}. My brother gives me {b}. How many {p} now?", "+"), ("There are {a} {p} here and {b} there. Together?", "+"),
    ("I got {a} {p} yesterday and {b} today", "+"), ("We have {a} {p} and buy {b} more, so how many is that?", "+"), ("{N} has {a} {p}, {M} has {b}. How many do they have together?", "+"), ("If I start with {a} and add {b}, where do I end?", "+"), ("{a} people came, then {b} more came. How many are here?", "+"),
    ("I had {a} {p} and lost {b}", "-"), ("I have {a} {p} and give {b} away", "-"), ("I have {a} {p} and give away {b}. What is left?", "-"), ("{a} {p} minus {b} {p}", "-"), ("From {a} {p} I take {b}. How many remain?", "-"), ("We had {a} guests, {b} went home. How many are still here?", "-"), ("{N} had {a} {p} and ate {b}", "-"),
    ("{a} bags with {b} {p} each", "*"), ("{a} times {b} {p}", "*"), ("I buy {a} {p} at {b} each. What do I pay?", "*"), ("{a} rows of {b} {p}. How many {p} is that?", "*"), ("One costs {a}. What do {b} cost?", "*"), ("{b} people each bring {a} {p}", "*"),
    ("{a} {p} shared by {b} people", "/"), ("I split {a} {p} between {b} friends", "/"), ("{a} euros for {b} people, how much each?", "/"), ("Divide {a} {p} among {b} children.", "/"),
]  # fmt: skip
ABROAD = {
    "*": ["Was ist {a} mal {b}?", "Wie viel ist {a} mal {b}?", "Was ergibt {a} mal {b}?", "Cuánto es {a} por {b}?", "¿Cuánto es {a} por {b}?", "Combien font {a} fois {b} ?", "Quanto fa {a} per {b}?", "Hoeveel is {a} keer {b}?", "Rechne {a} mal {b}.", "Quanto é {a} vezes {b}?"],
    "+": ["Was ist {a} plus {b}?", "Wie viel ist {a} und {b}?", "Cuánto es {a} más {b}?", "Combien font {a} plus {b} ?", "Quanto fa {a} più {b}?", "Hoeveel is {a} plus {b}?", "Addiere {a} und {b}.", "Quanto é {a} mais {b}?"],
    "-": ["Was ist {a} minus {b}?", "Wie viel ist {a} weniger {b}?", "Cuánto es {a} menos {b}?", "Combien font {a} moins {b} ?", "Quanto fa {a} meno {b}?", "Hoeveel is {a} min {b}?"],
    "/": ["Was ist {a} geteilt durch {b}?", "Teile {a} durch {b}.", "Cuánto es {a} entre {b}?", "Combien font {a} divisé par {b} ?", "Quanto fa {a} diviso {b}?", "Hoeveel is {a} gedeeld door {b}?"],
}  # fmt: skip
SERIES = [
    ("list the primes", "print([n for n in range(2, 1000) if all(n % d for d in range(2, n))][:{a}])", "The first {a} primes are {r}.", ["first {a} primes", "the first {a} prime numbers", "list the first {a} primes", "give me {a} prime numbers", "what are the first {a} prime numbers", "show the first {a} primes"]),
    ("list the squares", "print([n ** 2 for n in range(1, {a} + 1)])", "The first {a} squares are {r}.", ["first {a} squares", "the first {a} square numbers", "list the squares from 1 to {a}", "squares of the numbers 1 to {a}", "list the first {a} square numbers"]),
    ("list the multiples", "print([{b} * n for n in range(1, {a} + 1)])", "The first {a} multiples of {b} are {r}.", ["first {a} multiples of {b}", "list {a} multiples of {b}", "the first {a} multiples of {b}", "the {b} times table up to {a}", "{b} times table, {a} rows"]),
    ("list the numbers", "print(list(range({a}, {b} + 1)))", "The numbers are {r}.", ["count from {a} to {b}", "list the numbers from {a} to {b}", "all numbers between {a} and {b}", "print the numbers {a} to {b}"]),
    ("list the powers", "print([2 ** n for n in range(1, {a} + 1)])", "The first {a} powers of 2 are {r}.", ["first {a} powers of 2", "list the first {a} powers of two", "the powers of two up to 2^{a}"]),
    ("list the Fibonacci numbers", "f = [0, 1]\nwhile len(f) < {a}:\n    f.append(f[-1] + f[-2])\nprint(f)", "The first {a} Fibonacci numbers are {r}.", ["first {a} fibonacci numbers", "the first {a} Fibonacci numbers", "list {a} numbers of the Fibonacci sequence", "fibonacci up to {a} numbers"]),
]  # fmt: skip
VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}


def computed(g: Source, user: str, expression: str) -> Conversation:
    """As `arithmetic.answer` does it."""
    inexact = "." in expression or "/" in expression
    value = eval(expression)
    result = str(round(value, 10) if inexact else value)
    operators = [VERBS[part] for part in expression.split() if part in VERBS]
    code = f"print(round({expression}, 10))" if inexact else f"print({expression})"
    return Conversation(user, python_turns(g, " and ".join(operators), expression, code, result, f"{expression} = {result}."))


def decimals(g: Source) -> Conversation:
    small = lambda: f"{g.int(0, 12)}.{g.int(1, 9)}" if g.chance(0.6) else g.decimal(2)  # noqa: E731
    o = g.pick("+++--**/")
    a, b = small(), small() if g.chance(0.8) else str(g.int(2, 30))
    if o == "/" and float(b) == 0:
        b = "0.5"
    frame = g.template(FRACTIONS)
    if frame.startswith("Add"):
        o = "+"
    shown = {"*": g.pick("**x×"), "/": g.pick("//÷")}.get(o, o)
    return computed(g, frame.replace("{a}", a).replace("{b}", b).replace("{o}", shown), f"{a} {o} {b}")


def named(g: Source) -> Conversation:
    what = g.rng.choices(list(NAMES), [5, 3, 5, 2, 2, 4])[0]
    k = g.pick([1, 2, 2, 2, 3])
    values = {"a": str(g.int(2, 20) if what == "factorial" else g.int(2, 999)), "b": str(g.int(2, 999)), "d": f"{g.int(0, 999)}.{g.int(1001, 99999)}", "k": str(k), "w": SMALL[k]}
    if what in ("gcd", "lcm") and g.chance(0.5):
        f = g.int(2, 40)
        values |= {"a": str(f * g.int(2, 30)), "b": str(f * g.int(2, 30))}
    body = g.template(NAMES[what])
    code, final = CODES[what]
    for key, value in values.items():
        body, code, final = (text.replace("{" + key + "}", value) for text in (body, code, final))
    printed = []
    exec(code, {"print": lambda v: printed.append(str(v))})
    final = final.replace("{r}", printed[0]).replace("{y}", "Yes" if printed[0] == "True" else "No")
    facts = " and ".join(values[key] for key in "abd" if "{" + key + "}" in CODES[what][0])
    user = g.pick([body, capital(body), capital(body) + "?", capital(body) + ".", body + "?"]) if g.chance(0.6) else phrase(g, "as" if body.split()[0] in ("what", "is", "how", "can", "which") else "do" if body.split()[0] in ("find", "compute", "calculate", "round", "check", "test", "give", "tell", "shorten") else "the", body)
    return Conversation(user, python_turns(g, f"work out: {what}", facts, code, printed[0], final))


def quotient(g: Source) -> Conversation:
    a, b, k = str(g.int(2, 10 ** g.int(2, 5))), str(g.int(3, 10 ** g.int(1, 3))), g.pick([1, 2, 2, 2, 3, 4])
    frame = g.template(QUOTIENTS)
    k = 2 if "two" in frame else k
    o = "*" if "times" in frame else "/"
    if o == "*":
        a = g.decimal(2)
    code = f"print(round({a} {o} {b}, {k}))"
    result = str(round(eval(f"{a} {o} {b}"), k))
    user = frame.replace("{a}", a).replace("{b}", b).replace("{k}", str(k)).replace("{w}", SMALL[k])
    user = g.pick([user, capital(user), capital(user) if user[-1] in "?." else capital(user) + "?"])
    return Conversation(user, python_turns(g, f"{VERBS[o]} and round", f"{a} {o} {b} to {k}", code, result, f"{a} {o} {b} rounded to {k} decimals is {result}."))


def more(g: Source) -> Conversation:
    text, o = g.template(MORE)
    a, b = g.int(2, 10 ** g.int(1, 4)), g.int(2, 10 ** g.int(1, 3))
    if o == "-" and b > a:
        a, b = b, a
    if o == "/" and g.chance(0.6):
        a = b * g.int(2, 60)
    noun = g.listed_or_like(words.NOUNS, "noun")
    values = {"a": str(a), "b": str(b), "p": noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s"), "N": g.first_name(), "M": g.first_name()}
    for key, value in values.items():
        text = text.replace("{" + key + "}", value)
    return computed(g, text + (g.pick(["", ".", "?", " - how many?", ", how many?"]) if text[-1] not in "?." else ""), f"{a} {o} {b}")


def abroad(g: Source) -> Conversation:
    o = g.pick("***++-/")
    a, b = str(g.int(2, 9999)), str(g.int(2, 999))
    return computed(g, g.template(ABROAD[o]).replace("{a}", a).replace("{b}", b), f"{a} {o} {b}")


def series(g: Source) -> Conversation:
    what, code, final, ways = g.pick(SERIES)
    a, b = g.int(3, 15), g.int(2, 30)
    if what == "list the numbers":
        b = a + g.int(3, 15)
    code, final, body = (text.replace("{a}", str(a)).replace("{b}", str(b)) for text in (code, final, g.template(ways)))
    printed = []
    exec(code, {"print": lambda v: printed.append(str(v))})
    user = g.pick([body, capital(body), capital(body) + ".", capital(body) + "?", f"Please {body}." if body.split()[0] in ("list", "give", "show", "count", "print") else capital(body)])
    facts = f"{a} and {b}" if "{b}" in SERIES[[s[0] for s in SERIES].index(what)][1] else str(a)
    return Conversation(user, python_turns(g, what, facts, code, printed[0], final.replace("{r}", printed[0])))


def generate(g: Source) -> Conversation:
    return g.pick([decimals] * 4 + [named] * 6 + [quotient] * 2 + [more] * 4 + [abroad] + [series])(g)
