"""Longer exchanges: a call that fails, and two calls in a row."""

from families import functions
from families.arithmetic import run
from families.base import Conversation, Source, Turn, compact, think


def recovery(g: Source) -> Conversation:
    """The call returns an error, and the answer says so."""
    if g.chance(0.45):
        a, op = g.whole(4), g.pick(["/", "//", "%"])
        kind = {"/": "division by zero", "//": "integer division or modulo by zero", "%": "integer modulo by zero"}[op]
        user = g.pick([f"What is {a} {op} 0?", f"Compute {a} {op} 0.", f"{a} {op} 0", f"What is {a} divided by 0?" if op == "/" else f"Calculate {a} {op} 0"])
        expression = f"{a} {op} 0"
        code = f"print(round({expression}, 10))" if op == "/" else f"print({expression})"
        thought = think(g, "I will compute this with Python.", f"I need to compute this: {expression}. I will use Python.",
                        f"The user wants me to compute this. The data: {expression}. I will run one line of Python. I will quote its output.")  # fmt: skip
        where = f'Traceback (most recent call last):\n  File "<cell>", line 1, in <module>\nZeroDivisionError: {kind}'
        return Conversation(user, [Turn(thought, "python", code, where), Turn("", final=f"The call failed: ZeroDivisionError: {kind}.")])
    tool = functions.special(g) if g.chance(0.4) else functions.invented(g)
    user, args = functions.use(g, tool)
    value = str(next(iter(args.values()), "request"))
    message = g.pick([f"unknown {g.word()}", f"{value} not found", "not found", "permission denied", "service unavailable", "timeout", f"no {g.word()} for {value}", f"invalid {g.word()}", f"rate limit of {g.int(1, 500)} reached", f"{g.word()} {g.code()} is locked"])
    call = Turn(functions.call_thought(g, tool, args), f"functions.{tool['name']}", compact(args), compact({"error": message}))
    return Conversation(user, [call, Turn("", final=f"The call failed: {message}.")], tools=functions.toolbox(g, tool))


def two_step(g: Source) -> Conversation:
    """A number from a function goes into Python."""
    tool = functions.special(g) if g.chance(0.4) else functions.invented(g)
    user, args = functions.use(g, tool)
    key, value = g.part(functions.RESULT_KEYS), g.int(2, 10 ** g.int(1, 4))
    factor = g.int(2, 99)
    op, ask = g.pick([
        ("*", "multiply the {k} by {f}"), ("*", "multiply it by {f}"), ("+", "add {f} to the {k}"), ("-", "subtract {f} from the {k}"), ("+", "add {f}"), ("*", "tell me what {f} of them make in {k}"), ("/", "divide the {k} by {f}"),
    ])  # fmt: skip
    expression = f"{value} {op} {factor}"
    code, printed = run(expression)
    user = user.rstrip(".?! ") + g.pick([" and then ", ", then ", ". Then ", " and ", ". After that, "]) + ask.replace("{k}", functions.label(key)).replace("{f}", str(factor)) + g.pick([".", ""])
    first = Turn(functions.call_thought(g, tool, args), f"functions.{tool['name']}", compact(args), compact({key: value}))
    second = Turn(think(g, f"Now {expression}.", f"The {key} is {value}. Now I compute {expression}.", f"The result gives {key} {value}. The second step is {expression}. I will run it with Python."), "python", code, printed)
    return Conversation(user, [first, second, Turn("", final=f"{expression} = {printed}.")], tools=functions.toolbox(g, tool))
