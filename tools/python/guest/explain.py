# What the model should know of this Python when something fails that works in others: which part is missing
# here, and what to do instead.


def _make_explanations():
    import errno
    import hashlib
    import sys
    from types import ModuleType

    isinstance_ = isinstance
    THREADS = (
        "There are no threads in this sandbox: call the functions one after the other in a loop, "
        "or use asyncio (asyncio.to_thread and asyncio.gather work)."
    )
    PROCESSES = (
        "There are no processes in this sandbox, and no shell: multiprocessing and subprocess cannot start "
        "any. Call the functions one after the other in a loop."
    )
    NETWORK = "There is no network in this sandbox."
    INPUT = "input() has no keyboard to read from in this sandbox: put the values into the code."
    FENCES = "Send plain Python, without Markdown fences."
    MAGICS = "Shell commands (!) and IPython magics (%) are not available here; write plain Python."
    # By module and attribute, or module alone.
    ADVICE = {
        "_multiprocessing": PROCESSES,
        "_posixsubprocess": PROCESSES,
        "os.fork": PROCESSES,
        "os.forkpty": PROCESSES,
        "curses": "There is no terminal in this sandbox.",
        "tkinter": "There is no screen in this sandbox.",
        "turtle": "There is no screen in this sandbox.",
        "nest_asyncio": "It is not needed: asyncio.run and await work in the same cell here.",
        "time.tzset": "Use zoneinfo, for example datetime.now(ZoneInfo('Asia/Tokyo')).",
        "hashlib.scrypt": "hashlib.pbkdf2_hmac is.",
        "signal.alarm": "A cell is interrupted when its time is over.",
        "signal.setitimer": "A cell is interrupted when its time is over.",
    }
    # From the standard library, since Python 3.9.
    REMOVED = set(
        "asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils formatter imghdr imp lib2to3 mailcap "
        "msilib nis nntplib ossaudiodev parser pipes smtpd sndhdr spwd sunau symbol telnetlib uu xdrlib".split()
    )
    UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNREFUSED, errno.ENETDOWN}
    SYSTEM = "The sandbox has no operating system for this: no processes, no users, no signals."

    def missing_part(name):
        """
        Of a module of the standard library that this Python is built without. Nothing of what its package
        does not have in any Python; None of modules that are not of the standard library.
        """
        root = str(name).partition(".")[0]
        if root in REMOVED:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            return f"{root} is no longer part of Python: this one is {version}."
        if root not in ADVICE and root not in sys.stdlib_module_names:
            return None
        if root in sys.modules:
            return ""
        advice = ADVICE.get(root, "")
        if root == "nest_asyncio":
            return advice
        return f"The sandbox's Python is built without the module {root}. {advice}".rstrip()

    class PartFinder:
        """`import multiprocessing` works; what it needs of the system is asked for later and is not there."""

        @staticmethod
        def find_spec(fullname, path=None, target=None):
            if fullname in ("_multiprocessing", "_posixshmem"):
                raise ModuleNotFoundError(PROCESSES, name=fullname)

    def of_source(source):
        lines = [line.lstrip() for line in source.splitlines()]
        if any(line.startswith("```") for line in lines):
            return FENCES
        if any(line.startswith(("!", "%")) for line in lines):
            return MAGICS
        return ""

    def of_attribute(error):
        module = error.obj
        if not isinstance_(module, ModuleType):
            return ""
        root = module.__name__.partition(".")[0]
        if root not in sys.stdlib_module_names or module.__name__ == "__main__":
            return ""
        name = f"{module.__name__}.{error.name}"
        return f"{name} is not available in this sandbox. {ADVICE.get(name, '')}".rstrip()

    def of_system(error):
        if "does not support processes" in str(error):
            return PROCESSES
        if error.errno == errno.ENOSYS:
            return SYSTEM
        reason = getattr(error, "reason", error)
        number = getattr(reason, "errno", None)
        return NETWORK if number in UNREACHABLE or "gaierror" in type(reason).__name__ else ""

    def of_one(error, source, of_module):
        text = str(error)
        if isinstance_(error, SyntaxError):
            return of_source(source)
        if isinstance_(error, ModuleNotFoundError):
            part = "" if text == PROCESSES else missing_part(error.name)
            return of_module(error.name) if part is None else part
        if isinstance_(error, AttributeError):
            return of_attribute(error)
        if isinstance_(error, OSError):
            return of_system(error)
        if isinstance_(error, EOFError):
            return INPUT if text == "EOF when reading a line" else ""
        if isinstance_(error, RuntimeError) and text == "can't start new thread":
            return THREADS
        if isinstance_(error, NotImplementedError) and "subprocess" in text:
            return PROCESSES
        if isinstance_(error, ValueError) and text.startswith("unsupported hash type"):
            return f"hashlib in this sandbox has {', '.join(sorted(hashlib.algorithms_available))}."
        return ""

    def explain(error, source, of_module):
        """A sentence, or nothing. `of_module` says it of a module that is not of the standard library."""
        seen = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            found = of_one(error, source, of_module)
            if found:
                return found
            error = error.__cause__ or error.__context__
        return ""

    def install():
        sys.meta_path.append(PartFinder)

    return explain, install


_explain, _install_explanations = _make_explanations()
