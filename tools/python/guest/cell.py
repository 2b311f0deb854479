# The interpreter's side of a cell. Leaves its functions in `sys._chorale_cell`. The names that it uses are
# bound here, before any cell runs, so that a cell that replaces `repr` or `compile` fools only itself.


def _make(explain, install_explanations, install_standard_library, install_event_loop):
    import __main__
    import ast
    import asyncio
    import builtins
    import inspect
    import json
    import linecache
    import os
    import random
    import sys
    import traceback
    import warnings

    compile_, eval_, exec_, isinstance_, len_ = compile, eval, exec, isinstance, len
    print_, range_, repr_, slice_, str_, sum_ = print, range, repr, slice, str, sum
    quote = json.encoder.encode_basestring_ascii
    coroutine_flag = inspect.CO_COROUTINE
    FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    ONLY_AST = ast.PyCF_ONLY_AST
    Expr, Expression = ast.Expr, ast.Expression
    VALUE_LIMIT = 64 * 1024
    ERROR_LIMIT = 32 * 1024
    namespace = __main__.__dict__
    # Of matplotlib's `show`: the figures are saved when the cell ends.
    warnings.filterwarnings("ignore", message=".*non-interactive, and thus cannot be shown")
    loop = None
    is_check = False
    current = None
    figures = 0

    def explain_module(module):
        return "Only the Python standard library is available here."

    def clean(text, limit):
        """
        A text that has a UTF-8 form, cut to about `limit` bytes; `text` may be a subclass that lies. A long
        one is cut before it is encoded: it may be as long as memory is large.
        """
        length = str_.__len__(text)
        if length <= limit:
            data = str_.encode(text, "utf-8", "backslashreplace")
            if len_(data) <= limit:
                return data.decode("utf-8")
        front, back = limit * 2 // 3, limit // 3
        head = part(text, slice_(None, front), slice_(None, front))
        tail = part(text, slice_(-back, None), slice_(-back, None))
        cut = length - len_(head) - len_(tail)
        return f"{head}\n[... {cut} characters cut here ...]\n{tail}"

    def part(text, characters, byte_range):
        data = str_.encode(str_.__getitem__(text, characters), "utf-8", "backslashreplace")
        return data[byte_range].decode("utf-8", "ignore")

    def only_user_frames(report):
        """Drops the frames of the library and of this file, here and in the exceptions before it."""
        while report is not None:
            if report.stack is not None:
                report.stack[:] = [f for f in report.stack if f.filename.startswith("<cell ")]
                if not report.stack:
                    report.stack = None
            report = report.__cause__ or report.__context__

    def problem(error, source):
        """What to say of an exception that ended a cell; None for `sys.exit()` and `sys.exit(0)`."""
        if isinstance_(error, SystemExit) and error.code in (None, 0):
            return None
        return describe(error, source)

    def describe(error, source=""):
        try:
            report = traceback.TracebackException.from_exception(error, compact=True)
            only_user_frames(report)
            text = "".join(report.format()).rstrip("\n")
        except BaseException:
            return "An exception was raised that cannot be printed."
        try:
            # "Did you mean …?" says enough.
            advice = "" if text.endswith("?") else explain(error, source, explain_module)
        except BaseException:
            advice = ""
        return clean(f"{text}\n{advice}".rstrip("\n"), ERROR_LIMIT)

    def save_figures():
        """Figures that a cell leaves open become files, as a notebook would show them below it."""
        nonlocal figures
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        try:
            for number in pyplot.get_fignums():
                try:
                    pyplot.figure(number).savefig(f"/outputs/figure-{figures + 1}.png")
                    figures += 1
                except Exception as problem:
                    print_(f"A figure could not be saved: {problem!r}", file=sys.stderr)
            pyplot.close("all")
        except Exception as problem:
            print_(f"The figures could not be saved: {problem!r}", file=sys.stderr)

    def json_text(text):
        return "null" if text is None else quote(text)

    def finish(value, error):
        save_figures()
        loop.runs_cell = False
        if not is_check:
            loop.report_failures()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                pass
        return f'{{"value": {json_text(value)}, "error": {json_text(error)}}}'

    def shown(value):
        if value is None:
            return None
        namespace["_"] = value
        return clean(repr_(value), VALUE_LIMIT)

    def is_silenced(source, last):
        """Whether a semicolon follows the last expression, as in a notebook. One in a comment does not."""
        # As the compiler does; it counts columns in bytes.
        lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")[last.end_lineno - 1 :]
        rest = [lines[0].encode()[last.end_col_offset :].decode(), *lines[1:]]
        return "\n".join(rest).lstrip(" \t\f\\\n").startswith(";")

    def parts(source, name):
        """The statements, and the last expression when its value is to be echoed."""
        tree = compile_(source, name, "exec", FLAGS | ONLY_AST, True)
        last = tree.body[-1] if tree.body else None
        if not isinstance_(last, Expr) or is_silenced(source, last):
            return compile_(tree, name, "exec", FLAGS, True), None
        tree.body.pop()
        return (
            compile_(tree, name, "exec", FLAGS, True),
            compile_(Expression(last.value), name, "eval", FLAGS, True),
        )

    async def run_async(statements, expression, source):
        try:
            value = None
            for code in (statements, expression):
                if code is not None:
                    value = eval_(code, namespace)
                    if code.co_flags & coroutine_flag:
                        value = await value
            return finish(shown(value) if expression is not None else None, None)
        except BaseException as error:
            return finish(None, problem(error, source))

    def run(source, number):
        """JSON of the outcome, or a future of it for a cell with top-level await."""
        nonlocal current
        current = None
        loop.begin_cell()
        name = f"<cell {number}>"
        linecache.cache[name] = (len_(source), None, source.splitlines(True), name)
        try:
            statements, expression = parts(source, name)
            if any(c is not None and c.co_flags & coroutine_flag for c in (statements, expression)):
                current = asyncio.ensure_future(run_async(statements, expression, source))
                return current
            exec_(statements, namespace)
            value = eval_(expression, namespace) if expression is not None else None
            return finish(shown(value), None)
        except BaseException as error:
            return finish(None, problem(error, source))

    def check(source):
        """
        Runs a cell that leaves nothing behind: earlier ones can have changed what cells run on. With its
        outcome it returns the sum of the numbers that Python keeps as objects, whose values can be changed.
        """
        nonlocal is_check
        missing = object()
        kept = namespace.get("_", missing)
        is_check = True
        outcome = run(source, 0)
        is_check = False
        if kept is missing:
            namespace.pop("_", None)
        else:
            namespace["_"] = kept
        return f"{outcome} {sum_(range_(-5, 257))}"

    def cancel():
        """Interrupts a cell that waits: nothing of it is running that could notice an interrupt."""
        if current is not None and not current.done():
            current.cancel()

    def display(*values):
        for value in values:
            print_(repr_(value))

    def prepare(wake, pause):
        """
        Does what a memory snapshot must not, or cannot, hold. Returns what runs the event loop for a moment
        (see event_loop.py).
        """
        random.seed()
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", write_through=True)
        os.makedirs("/mnt/data", exist_ok=True)
        os.makedirs("/outputs", exist_ok=True)
        os.chdir("/mnt/data")
        sys.path.insert(0, "/mnt/data")
        install_standard_library()
        install_explanations()
        builtins.display = display
        nonlocal loop
        loop = install_event_loop(wake, pause, describe)
        return loop.turn

    def set_explanation(explain):
        """`explain` says of a module that is not there how the user could add it."""
        nonlocal explain_module
        explain_module = explain

    return run, check, cancel, prepare, set_explanation


__import__("sys")._chorale_cell = _make(
    _explain, _install_explanations, _install_standard_library, _install_event_loop
)
