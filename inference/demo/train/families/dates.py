"""Dates: Python parses the copied date string and does the calendar work."""

import calendar
import re
from datetime import date, timedelta

from families import dates_wording as wide
from families.base import Conversation, Source, python_turns, say, worded
from families.numerals import figure_ordinal, in_words

MONTHS = list(calendar.month_name)[1:]
FORMATS = [
    ("%Y-%m-%d", lambda d: d.isoformat()),
    ("%B %d, %Y", lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}"),
    ("%d %B %Y", lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}"),
    ("%m/%d/%Y", lambda d: f"{d.month:02}/{d.day:02}/{d.year}"),
    ("%b %d, %Y", lambda d: f"{MONTHS[d.month - 1][:3]} {d.day}, {d.year}"),
    ("%d %b %Y", lambda d: f"{d.day} {MONTHS[d.month - 1][:3]} {d.year}"),
    ("%B %d %Y", lambda d: f"{MONTHS[d.month - 1]} {d.day} {d.year}"),
    ("%Y/%m/%d", lambda d: f"{d.year}/{d.month:02}/{d.day:02}"),
    ("%d.%m.%Y", lambda d: f"{d.day:02}.{d.month:02}.{d.year}"),
]

BETWEEN = [
    "ask|how many days are between {a} and {b}", "ask|how many days are there between {a} and {b}", "ask|how many days from {a} to {b}", "the|the number of days between {a} and {b}",
    "do|count the days from {a} to {b}", "the|the days between {a} and {b}", "ask|how many days lie between {a} and {b}", "ask|how long is it from {a} to {b} in days",
    "ask|how many days passed from {a} until {b}", "do|calculate the days between {a} and {b}", "the|the difference in days between {a} and {b}", "do|find the number of days from {a} until {b}",
    "as|Days between {a} and {b}?", "as|From {a} to {b}: how many days?", "as|My trip starts on {a} and ends on {b}. How many days apart are these dates?",
    "as|A project ran from {a} to {b}. How many days is that?", "ask|how far apart are {a} and {b} in days", "ask|what is the number of days separating {a} and {b}",
    "as|I was hired on {a} and left on {b}. How many days later was that?", "do|work out how many days separate {a} and {b}",
]  # fmt: skip

WEEKDAY = [
    "ask|what day of the week is {a}", "ask|what day of the week was {a}", "ask|which day of the week is {a}", "ask|what weekday is {a}", "ask|which weekday was {a}", "the|the weekday of {a}",
    "ask|on which weekday does {a} fall", "ask|what day of the week does {a} fall on", "ask|what day is {a}", "the|the day of the week for {a}", "do|find the weekday of {a}",
    "ask|{a} is which day of the week", "as|I was born on {a}. What day of the week was that?", "ask|on what day of the week did {a} fall", "as|Weekday of {a}?", "ask|what day was {a}",
    "as|The meeting is on {a}. Which weekday is it?", "ask|which day of the week was it on {a}", "do|determine the day of the week of {a}", "ask|what weekday will {a} be",
]  # fmt: skip

AFTER = [
    "ask|what date is {n} {u} after {a}", "ask|which date is {n} {u} after {a}", "the|the date {n} {u} after {a}", "ask|what is {a} plus {n} {u}", "do|add {n} {u} to {a}", "the|{a} plus {n} {u}",
    "ask|what date comes {n} {u} after {a}", "ask|what will the date be {n} {u} after {a}", "ask|what is the date {n} {u} from {a}", "as|It is {a}. What is the date in {n} {u}?", "ask|{n} {u} after {a} is what date",
    "as|A loan starts on {a} and runs for {n} {u}. When does it end?", "ask|which day is {n} {u} later than {a}", "do|find the date {n} {u} after {a}", "do|count {n} {u} forward from {a}",
    "as|If I start on {a}, what date is it {n} {u} later?", "ask|what date do I get if I add {n} {u} to {a}", "as|An order from {a} arrives {n} {u} later. On which date?",
]  # fmt: skip

BEFORE = [
    "ask|what date is {n} {u} before {a}", "ask|which date was {n} {u} before {a}", "the|the date {n} {u} before {a}", "ask|what is {a} minus {n} {u}", "do|subtract {n} {u} from {a}", "the|{a} minus {n} {u}",
    "ask|what date comes {n} {u} before {a}", "do|go back {n} {u} from {a}", "ask|what was the date {n} {u} before {a}", "do|find the date {n} {u} earlier than {a}", "do|take {n} {u} off {a}",
]  # fmt: skip

UNTIL = [
    "ask|how many days until {a}", "ask|how many days are left until {a}", "the|the number of days until {a}", "ask|how many days from today to {a}", "ask|how long until {a} in days", "do|count the days until {a}",
    "ask|how many days from now until {a}", "ask|how many days is it till {a}", "as|Days until {a}?", "as|My exam is on {a}. How many days do I have left?", "ask|how many days remain until {a}",
]  # fmt: skip

SINCE = ["ask|how many days since {a}", "ask|how many days have passed since {a}", "the|the number of days since {a}", "ask|how many days ago was {a}", "do|count the days since {a}", "ask|how many days is it since {a}"]

LEAP = [
    "ask|is {y} a leap year", "ask|was {y} a leap year", "do|check if {y} is a leap year", "ask|is the year {y} a leap year", "ask|will {y} be a leap year", "do|tell me whether {y} is a leap year",
    "ask|does the year {y} have 366 days", "as|{y}: leap year or not?", "ask|does {y} have a February 29", "as|Leap year {y}?",
]  # fmt: skip

MONTH = [
    "ask|how many days does {m} {y} have", "ask|how many days are in {m} {y}", "the|the number of days in {m} {y}", "ask|how long is {m} {y} in days", "ask|how many days were there in {m} {y}", "the|the length of {m} {y} in days",
]  # fmt: skip

YEARDAY = ["the|the day of the year of {a}", "ask|which day of the year is {a}", "ask|what day number in the year is {a}", "the|the day number of {a}", "do|find the day of the year for {a}"]
WEEK = ["the|the ISO week of {a}", "ask|which ISO week is {a} in", "the|the week number of {a}", "ask|what week of the year is {a}", "ask|which calendar week is {a} in"]
ISO = ["do|convert {a} to ISO format", "do|write {a} as YYYY-MM-DD", "the|{a} in ISO format", "do|format {a} as YYYY-MM-DD", "do|rewrite {a} in the form YYYY-MM-DD"]
EARLIER = ["ask|which date is earlier, {a} or {b}", "ask|which is earlier: {a} or {b}", "ask|which comes first, {a} or {b}", "the|the earlier date of {a} and {b}", "ask|what date is earlier, {a} or {b}"]
LATER = ["ask|which date is later, {a} or {b}", "ask|which is later: {a} or {b}", "ask|which comes last, {a} or {b}", "the|the later date of {a} and {b}", "ask|which is more recent, {a} or {b}"]


SHARES = [4, 4, 1.5, 1.5, 1.5, 1, 0.5, 0.7]
STYLED = {"%B %d, %Y": r"(\w+) (\d+), (\d+)", "%d %B %Y": r"(\d+) (\w+) (\d+)", "%B %d %Y": r"(\w+) (\d+) (\d+)"}
STYLES = {
    "%B %d, %Y": [r"\1 #, \3", r"\1 #, \3", r"\1 the #, \3", r"\1 # of \3"],
    "%d %B %Y": [r"# of \2 \3", r"the # of \2 \3", r"# \2 \3", r"# of \2, \3", r"\1 of \2 \3", r"the # of \2, \3"],
    "%B %d %Y": [r"\1 # \3", r"\1 the # \3"],
}
"""Ways of speaking: `#` is the day as in 3rd. Python gets the date without them."""


def some_day(g: Source) -> date:
    low, high = (1900, 2100) if g.chance(0.25) else (2015, 2035)
    return date(g.int(low, high), 1, 1) + timedelta(days=g.int(0, 364))


class Parser:
    """How one conversation writes its dates in the prompt and reads them in Python."""

    def __init__(self, g: Source, *days: date):
        self.format, self.show = FORMATS[0] if g.chance(0.4) else g.rng.choices(FORMATS[1:], SHARES)[0]
        if self.format == "%m/%d/%Y" and min(day.day for day in days) > 12 and g.chance(0.4):
            self.format, self.show = "%d/%m/%Y", lambda d: f"{d.day:02}/{d.month:02}/{d.year}"
        self.iso = self.format == "%Y-%m-%d"
        self.style = g.pick(STYLES[self.format]) if self.format in STYLES and g.chance(0.35) else None
        self.weekday = g.chance(0.06)
        if "%B" in self.format and g.chance(0.06):
            upper = self.show
            self.show = lambda d: upper(d).lower()

    def told(self, d: date, weekday: bool = True) -> str:
        """The date as the prompt has it: what Python reads, or the same with the ornaments of speech."""
        text = self.show(d)
        if self.style:
            text = re.sub(STYLED[self.format], lambda m: m.expand(self.style).replace("#", figure_ordinal(str(d.day))), text)
        return f"{calendar.day_name[d.weekday()]}, {text}" if weekday and self.weekday and not self.iso else text

    def code(self, *lines: str, delta: bool = False) -> str:
        names = ("date" if self.iso else "datetime") + (", timedelta" if delta else "")
        return "\n".join([f"from datetime import {names}", *lines])

    def read(self, shown: str) -> str:
        return f'date.fromisoformat("{shown}")' if self.iso else f'datetime.strptime("{shown}", "{self.format}")'

    def as_date(self, expression: str) -> str:
        return expression if self.iso else f"({expression}).date()"


def spelled(g: Source, shown: str) -> str:
    """The prompt may quote a date or say 'on'."""
    return f'"{shown}"' if g.chance(0.04) else shown


def between(g: Source):
    a = some_day(g)
    b = a + timedelta(days=g.int(1, 10 ** g.pick([2, 3, 4])))
    a, b = (b, a) if g.chance(0.12) else (a, b)
    p = Parser(g, a, b)
    sa, sb = p.show(a), p.show(b)
    code = p.code(f"a = {p.read(sa)}", f"b = {p.read(sb)}", "print(abs((b - a).days))")
    result = str(abs((b - a).days))
    return Conversation(worded(g, BETWEEN, wide.BETWEEN, a=spelled(g, p.told(a)), b=spelled(g, p.told(b))), python_turns(g, "count the days", f"{sa} to {sb}", code, result, f"There are {result} days between {sa} and {sb}."))


def order(g: Source):
    a, b = some_day(g), some_day(g)
    p = Parser(g, a, b)
    sa, sb = p.show(a), p.show(b)
    later = g.chance(0.5)
    pick = "max" if later else "min"
    code = p.code(f"a = {p.read(sa)}", f"b = {p.read(sb)}", f"print({p.as_date(f'{pick}(a, b)')})")
    result = str(max(a, b) if later else min(a, b))
    return Conversation(worded(g, LATER if later else EARLIER, wide.LATER if later else wide.EARLIER, a=p.told(a), b=p.told(b)), python_turns(g, "compare the dates", f"{sa} and {sb}", code, result, f"The {'later' if later else 'earlier'} date is {result}."))


def shift(g: Source):
    a = some_day(g)
    p = Parser(g, a)
    weeks, back = g.chance(0.25), g.chance(0.35)
    n = 1 if g.chance(0.06) else g.int(2, 60) if weeks else g.int(2, 10 ** g.pick([2, 2, 3, 4]))
    if back and n > 400 and not weeks:
        n = n % 400 + 2
    delta = timedelta(weeks=n) if weeks else timedelta(days=n)
    unit = "weeks" if weeks else "days"
    try:
        result = str(a - delta if back else a + delta)
    except OverflowError:
        return shift(g)
    shown, read = p.show(a), p.read(p.show(a))
    values = {"n": "one" if n == 1 and g.chance(0.3) else in_words(g, str(n), 0.2), "u": unit if n > 1 else unit[:-1]}
    if g.chance(0.07):
        shown, read, p.iso = "today", "date.today()", True
        user = say(g, wide.BEFORE_TODAY if back else wide.AFTER_TODAY, **values)
    else:
        user = worded(g, BEFORE if back else AFTER, wide.BEFORE if back else wide.AFTER, a=spelled(g, p.told(a)), **values)
    sum_code = f"{read} {'-' if back else '+'} timedelta({unit}={n})"
    facts = f"{shown} {'minus' if back else 'plus'} {n} {unit}"
    return Conversation(user, python_turns(g, "shift the date", facts, p.code(f"print({p.as_date(sum_code)})", delta=True), result, f"The date is {result}."))


def weekday(g: Source):
    a = some_day(g)
    p = Parser(g, a)
    shown = p.show(a)
    result = calendar.day_name[a.weekday()]
    return Conversation(worded(g, WEEKDAY, wide.WEEKDAY, a=spelled(g, p.told(a, weekday=False))), python_turns(g, "find the weekday", shown, p.code(f'print({p.read(shown)}.strftime("%A"))'), result, f"{shown} is a {result}."))


def today(g: Source):
    day = some_day(g)
    if g.chance(0.5):
        result = calendar.day_name[day.weekday()]
        code = 'from datetime import date\nprint(date.today().strftime("%A"))'
        return Conversation(say(g, wide.TODAY_WEEKDAY), python_turns(g, "find the weekday", "today", code, result, f"Today is a {result}."))
    code = "from datetime import date\nprint(date.today())"
    return Conversation(say(g, wide.TODAY), python_turns(g, "find the date", "today", code, str(day), f"The date is {day}."))


def until(g: Source):
    back = g.chance(0.35)
    a = date(1960, 1, 1) + timedelta(days=g.int(0, 24000)) if back else date(2026, 1, 1) + timedelta(days=g.int(0, 2500))
    p = Parser(g, a)
    shown = p.show(a)
    result = str(g.int(1, 10 ** g.int(1, 4)))
    day = p.read(shown) + ("" if p.iso else ".date()")
    difference = f"(date.today() - {day}).days" if back else f"({day} - date.today()).days"
    imports = "from datetime import date" + ("" if p.iso else ", datetime")
    final = f"It is {result} days since {shown}." if back else f"It is {result} days until {shown}."
    return Conversation(worded(g, SINCE if back else UNTIL, wide.SINCE if back else wide.UNTIL, a=p.told(a)), python_turns(g, "count the days", shown, f"{imports}\nprint({difference})", result, final))


def year(g: Source):
    y = g.int(1900, 2100) if g.chance(0.8) else g.int(1500, 3000)
    if g.chance(0.65):
        result = str(calendar.isleap(y))
        final = f"{'Yes' if result == 'True' else 'No'}, it is {result} that {y} is a leap year."
        return Conversation(worded(g, LEAP, wide.LEAP, y=str(y)), python_turns(g, "check the year", str(y), f"import calendar\nprint(calendar.isleap({y}))", result, final))
    m = g.int(1, 12)
    name = MONTHS[m - 1]
    result = str(calendar.monthrange(y, m)[1])
    code = f"import calendar\nprint(calendar.monthrange({y}, {m})[1])"
    return Conversation(worded(g, MONTH, wide.MONTH, m=name, y=str(y)), python_turns(g, "count the days", f"{name} {y}, month {m}", code, result, f"{name} {y} has {result} days."))


def detail(g: Source):
    a, kind = some_day(g), g.pick(["day", "week", "iso"])
    p = Parser(g, a)
    while kind == "iso" and p.iso:
        p = Parser(g, a)
    shown = p.show(a)
    common, templates, tail, result, final = {
        "day": (YEARDAY, wide.YEARDAY, ".timetuple().tm_yday", str(a.timetuple().tm_yday), "{s} is day {r} of the year."),
        "week": (WEEK, wide.WEEK, ".isocalendar()[1]", str(a.isocalendar()[1]), "{s} is in week {r}."),
        "iso": (ISO, wide.ISO, ".date()", str(a), "{s} is {r}."),
    }[kind]
    code = p.code(f"print({p.read(shown)}{tail})")
    return Conversation(worded(g, common, templates, a=p.told(a)), python_turns(g, "read the date", shown, code, result, final.replace("{s}", shown).replace("{r}", result)))


def generate(g: Source) -> Conversation:
    return g.pick([between] * 22 + [weekday] * 16 + [shift] * 16 + [until] * 5 + [year] * 6 + [detail] * 4 + [order] * 4 + [today])(g)
