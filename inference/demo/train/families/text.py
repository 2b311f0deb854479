"""Text operations: the string is copied into one Python expression, the answer quotes its result."""

import re

from families.base import Conversation, Source, phrase, python_turns, vary
from families.numerals import ordinal, times
from families.text_wording import WORDING

# (what, expression, answer, kind of result, subject, templates). `{s}` is the subject as written in the
# prompt, `{z}` the same without a label, `{q}` the Python literal, `{c}` a letter or word, `{d}` another one, `{n}` a number.
OPERATIONS = [
    ("reverse the text", "{q}[::-1]", 'The reversed text is "{r}".', "str", "any",
     ["do|reverse {s}", "do|write {s} backwards", "do|spell {s} backwards", "ask|what is {s} backwards", "ask|what is {s} reversed", "the|{s} reversed", "the|{s} backwards",
      "do|flip the letters of {s}", "the|the reverse of {s}", "ask|how do you write {s} in reverse", "do|turn {s} around", "do|print {s} in reverse order", "as|Reverse this text: {s}",
      "as|Reverse: {s}", "do|reverse the order of the letters in {s}", "ask|how is {s} spelled backwards", "ask|what does {s} read like from back to front", "do|mirror {s}", "do|reverse the characters of {s}", "ask|what do you get when you reverse {s}"]),
    ("count the letter", "{q}.count({c})", 'The count is {r}.', "int", "letter",
     ["ask|how many {l} are in {s}", "ask|how many times does {l1} appear in {s}", "ask|how many times does {l1} occur in {s}", "do|count {l} in {s}", "do|count how often {l1} appears in {s}", "the|the number of {l} in {s}",
      "ask|how often is {l1} used in {s}", "ask|how many {l} does {s} have", "ask|how many {l} does {s} contain", "ask|how often does {l1} show up in {s}", "the|the count of {l1} in {s}", "do|count the occurrences of {l1} in {s}",
      "ask|how many {l} can you find in {s}", "ask|how many {l} are there in {s}", "do|find out how many {l} there are in {s}", "as|In {s}, how many {l} are there?", "as|Number of {l} in {s}?", "ask|what is the number of {l} in {s}", "the|how many times {l1} is in {s}", "do|tell me how many {l} {s} has"]),
    ("count the letters", "sum(c.isalpha() for c in {q})", "The number of letters is {r}.", "int", "any",
     ["ask|how many letters are in {s}", "ask|how many letters does {s} have", "do|count the letters in {s}", "the|the number of letters in {s}", "do|count the letters of {s}", "ask|how many letters are there in {s}", "ask|how many letters long is {s}", "as|In {s}, how many letters are there?", "ask|of how many letters does {s} consist"]),
    ("count the characters", "len({q})", "The number of characters is {r}.", "int", "any",
     ["ask|how many characters are in {s}", "ask|how many characters does {s} have", "do|count the characters in {s}", "the|the number of characters in {s}", "the|the length of {s}", "ask|how long is {s}", "ask|what is the length of {s}", "do|measure the length of {s}", "the|the string length of {s}", "ask|how many characters long is {s}", "as|Length of {s}?", "the|len({z})"]),
    ("count the vowels", 'sum(c in "aeiou" for c in {q}.lower())', "The number of vowels is {r}.", "int", "any",
     ["ask|how many vowels are in {s}", "ask|how many vowels does {s} have", "do|count the vowels in {s}", "the|the number of vowels in {s}", "ask|how many vowels does {s} contain", "do|count the vowels of {s}", "the|the vowel count of {s}"]),
    ("count the words", "len({q}.split())", "The number of words is {r}.", "int", "phrase",
     ["ask|how many words are in {s}", "ask|how many words does {s} have", "do|count the words in {s}", "the|the number of words in {s}", "the|the word count of {s}", "ask|how many words are there in {s}", "as|Count the words: {s}", "ask|how many words does {s} contain", "as|How many words are in this sentence: {s}", "do|count how many words are in {s}"]),
    ("sort the words", '" ".join(sorted({q}.split()))', 'The sorted words are "{r}".', "str", "phrase",
     ["do|sort the words in {s}", "do|sort the words {s}", "do|sort the words of {s} alphabetically", "do|put the words {s} in alphabetical order", "do|order the words in {s} alphabetically", "do|alphabetize {s}", "do|arrange the words {s} alphabetically", "as|Sort these words: {s}", "the|the words of {s} in alphabetical order", "do|sort {s} alphabetically by word"]),
    ("sort the letters", '"".join(sorted({q}))', 'The sorted letters are "{r}".', "str", "word",
     ["do|sort the letters in {s}", "do|sort the letters of {s}", "do|sort the letters of {s} alphabetically", "do|put the letters of {s} in alphabetical order", "do|arrange the letters of {s} in order", "do|order the letters in {s} from a to z", "the|the letters of {s} in alphabetical order", "do|sort the characters of {s}"]),
    ("convert to uppercase", "{q}.upper()", 'The uppercase text is "{r}".', "str", "any",
     ["do|convert {s} to uppercase", "do|write {s} in capital letters", "the|{s} in uppercase", "do|uppercase {s}", "do|make {s} uppercase", "do|change {s} to upper case", "do|put {s} in all caps", "do|write {s} in all caps", "do|turn {s} into uppercase", "the|{s} in capitals", "do|capitalize all letters of {s}", "ask|what is {s} in uppercase"]),
    ("convert to lowercase", "{q}.lower()", 'The lowercase text is "{r}".', "str", "upper",
     ["do|convert {s} to lowercase", "do|write {s} in small letters", "the|{s} in lowercase", "do|lowercase {s}", "do|make {s} lowercase", "do|change {s} to lower case", "do|turn {s} into lowercase", "ask|what is {s} in lowercase", "do|put {s} in lower case letters"]),
    ("convert to title case", "{q}.title()", 'The text in title case is "{r}".', "str", "phrase",
     ["do|convert {s} to title case", "the|{s} in title case", "do|write {s} in title case", "do|capitalize each word of {s}", "do|capitalize every word in {s}", "do|make {s} title case", "do|change {s} to title case", "do|capitalize the first letter of each word in {s}"]),
    ("find the character codes", "[ord(c) for c in {q}]", "The character codes are {r}.", "list", "word",
     ["the|the character codes of {s}", "the|the ASCII codes of {s}", "the|the Unicode code points of {s}", "ask|what are the character codes in {s}", "do|list the character codes of {s}", "the|the ASCII values of the letters in {s}", "do|convert {s} to ASCII codes", "ask|what are the ASCII codes for {s}", "the|the code points of {s}"]),
    ("find the character code", "ord({c})", "The character code is {r}.", "int", "char",
     ["the|the character code of {c1}", "the|the ASCII code of {c1}", "ask|what is the ASCII value of {c1}", "the|the Unicode code point of {c1}", "the|ord({c1})", "ask|which code does the character {c1} have", "the|the code of the letter {c1}"]),
    ("find the character", "chr({n})", 'The character is "{r}".', "str", "code",
     ["ask|which character has the code {n}", "the|the character with code {n}", "the|the character for ASCII code {n}", "ask|what character is {n} in ASCII", "the|chr({n})", "do|convert the code {n} to a character", "ask|which letter has the character code {n}"]),
    ("find the first letter", "{q}[0]", 'The first letter is "{r}".', "str", "word",
     ["the|the first letter of {s}", "ask|what is the first letter of {s}", "ask|which letter does {s} start with", "ask|what letter does {s} begin with", "the|the first character of {s}", "the|the initial letter of {s}"]),
    ("find the last letter", "{q}[-1]", 'The last letter is "{r}".', "str", "word",
     ["the|the last letter of {s}", "ask|what is the last letter of {s}", "ask|which letter does {s} end with", "the|the last character of {s}", "the|the final letter of {s}", "ask|what letter is at the end of {s}"]),
    ("find the first characters", "{q}[:{n}]", 'The first characters are "{r}".', "str", "slice",
     ["the|the first {n} letters of {s}", "the|the first {n} characters of {s}", "do|take the first {n} letters of {s}", "do|cut {s} to {n} characters"]),
    ("find the last characters", "{q}[-{n}:]", 'The last characters are "{r}".', "str", "slice",
     ["the|the last {n} letters of {s}", "the|the last {n} characters of {s}", "do|take the last {n} letters of {s}"]),
    ("find the letter", "{q}[{n} - 1]", 'The letter is "{r}".', "str", "slice",
     ["the|letter number {n} of {s}", "the|character number {n} in {s}", "ask|which letter is at position {n} in {s}", "the|the letter at position {n} of {s}"]),
    ("replace the text", "{q}.replace({c}, {d})", 'The new text is "{r}".', "str", "replace",
     ["do|replace {c1} with {d1} in {s}", "do|replace every {c1} with {d1} in {s}", "do|replace all {c1} by {d1} in {s}", "do|change {c1} to {d1} in {s}", "do|swap {c1} for {d1} in {s}", "do|substitute {d1} for {c1} in {s}", "as|In {s}, replace {c1} with {d1}.", "as|Take {s} and replace {c1} by {d1}.", "ask|what is {s} with {c1} replaced by {d1}"]),
    ("remove the text", '{q}.replace({c}, "")', 'The new text is "{r}".', "str", "letter",
     ["do|remove every {c1} from {s}", "do|remove all {l} from {s}", "do|delete {c1} from {s}", "do|delete all {l} in {s}", "ask|what is {s} without {c1}", "do|strip {c1} out of {s}"]),
    ("check for a palindrome", "{q} == {q}[::-1]", "{y}, it is {r} that the text is a palindrome.", "bool", "pal",
     ["ask|is {s} a palindrome", "do|check if {s} is a palindrome", "ask|does {s} read the same backwards", "ask|is {s} the same forwards and backwards", "do|test whether {s} is a palindrome", "ask|is it true that {s} is a palindrome"]),
    ("search the text", "{c} in {q}", "{y}, it is {r} that the text contains it.", "bool", "letter",
     ["ask|does {s} contain {c1}", "ask|is {c1} in {s}", "do|check if {s} contains {c1}", "ask|does {c1} appear in {s}", "ask|is there a {c2} in {s}"]),
    ("join the words", "{d}.join({w})", 'The joined text is "{r}".', "str", "join",
     ["do|join {w1} with {d1}", "do|join the words {w1} with {d1}", "do|join {w1} using {d1}", "do|combine {w1} with {d1} between them", "do|connect {w1} with {d1}", "do|put {d1} between the words {w1}", "as|Join these with {d1}: {w1}", "do|concatenate {w1} with {d1} as the separator"]),
    ("repeat the text", "{q} * {n}", 'The repeated text is "{r}".', "str", "repeat",
     ["do|repeat {s} {n} times", "do|write {s} {n} times", "the|{s} repeated {n} times", "do|print {s} {n} times in a row", "ask|what is {s} repeated {n} times", "do|say {s} {n} times"]),
    ("reverse the words", '" ".join({q}.split()[::-1])', 'The reversed words are "{r}".', "str", "phrase",
     ["do|reverse the words in {s}", "do|reverse the order of the words in {s}", "do|reverse the word order of {s}", "the|the words of {s} in reverse order", "do|put the words of {s} in reverse order", "do|write the words of {s} from last to first"]),
    ("find the longest word", "max({q}.split(), key=len)", 'The longest word is "{r}".', "str", "phrase",
     ["the|the longest word in {s}", "ask|which word in {s} is the longest", "do|find the longest word in {s}", "ask|what is the longest word of {s}"]),
    ("remove the spaces", '{q}.replace(" ", "")', 'The new text is "{r}".', "str", "phrase",
     ["do|remove the spaces from {s}", "do|remove all spaces in {s}", "do|delete the spaces in {s}", "ask|what is {s} without spaces"]),
    ("count the unique letters", "len(set({q}))", "The number of different letters is {r}.", "int", "word",
     ["ask|how many different letters are in {s}", "the|the number of unique letters in {s}", "ask|how many distinct letters does {s} have", "do|count the unique characters in {s}"]),
]  # fmt: skip

LABELS = {
    "word": ["the word ", "the word ", "the word ", "the string ", "the text ", "the term ", "the name ", "word ", "string "],
    "phrase": ["the sentence ", "the phrase ", "the text ", "the string ", "this sentence: ", "the line ", "my sentence ", "the title ", "text "],
}
THIS = {
    "word": ["this", "this", "this word", "this string", "the following", "the following word", "the word below", "this text", "it"],
    "phrase": ["this", "this", "this sentence", "this text", "the following", "the following sentence", "the text below", "this phrase", "this line", "it"],
}
OPENING = ["Given {x}, {b}", "Take {x}. {B}", "Take {x} and {b}", "Consider {x}. {B}", "Here is {x}. {B}", "I have {x}. {B}", "Look at {x}: {b}", "With {x}: {b}", "About {x}: {b}", "My input is {x}. {B}", "Let s = {z}. {B}", "s = {z}\n{B}"]


def subject(g: Source, kind: str) -> str:
    if kind == "pal" and g.chance(0.5):
        half = str(g.int(10, 999)) if g.chance(0.2) else g.letters(2, 4).lower()
        return half + g.pick(["", half[0]]) + half[::-1]
    if kind == "phrase" or (kind in ("any", "upper", "letter", "replace", "repeat") and g.chance(0.3)):
        words = [g.word() for _ in range(g.int(2, 7))]
        if g.chance(0.25):
            words[0] = words[0].capitalize()
        if g.chance(0.2):
            words.insert(g.int(0, len(words)), g.pick(["the", "a", "is", "and", "of", "my", "in", "on"]))
        text = " ".join(words)
        if kind in ("any", "upper", "letter", "repeat") and g.chance(0.2):
            text = g.pick([f"{text}.", f"{text}!", f"{text}?", text.replace(" ", ", ", 1), f"{text.capitalize()}."])
    else:
        text = g.first_name() if g.chance(0.12) else g.word()
        if g.chance(0.12):
            text = g.pick([text.capitalize(), text.upper(), text + str(g.int(1, 999)), g.code()])
        elif g.chance(0.06) and kind in ("any", "word", "letter", "slice", "repeat"):
            text = g.pick([str(g.int(100, 10 ** g.int(4, 7))), f"{text}-{g.word()}", f"{text}_{g.word()}", f"{text}{g.word().capitalize()}"])
    return text.upper() if kind == "upper" and g.chance(0.7) else text


def quoted(g: Source, text: str, bare: float = 0.35) -> str:
    """A string as a prompt shows it: in some kind of quotes, or bare."""
    kind = g.rng.random()
    if kind < bare and '"' not in text and not text.endswith((".", "?", "!", ",")):
        return text
    if kind > 0.93 and "`" not in text:
        return g.pick([f"`{text}`", f"`{text}`", f"“{text}”"])
    return f"'{text}'" if kind > 0.76 and "'" not in text else f'"{text}"'


def shown_subject(g: Source, text: str) -> str:
    spaced = " " in text
    label = g.pick(LABELS["phrase" if spaced else "word"]) if g.chance(0.4) else ""
    return label + quoted(g, text, 0.15 if spaced and not label else 0.35)


def listed_subject(g: Source, text: str) -> str:
    """Words as a list rather than a sentence; the string that Python gets has spaces between them."""
    items = [f"{quote}{word}{quote}" for quote in [g.pick(["", "", "", '"', "'"])] for word in text.split()]
    return g.pick([", ".join(items), ", ".join(items), ", ".join(items[:-1]) + " and " + items[-1], ",".join(items)])


def prompt(g: Source, templates: list[str], text: str, values: dict[str, str]) -> str:
    """Fills a template. The subject may also stand apart: after a colon, in a line of its own, or in a sentence before."""
    kind, body = g.template(templates).split("|", 1)
    body, style = vary(g, body), g.rng.random()
    shown, bare = values["s"], text if g.chance(0.6) else quoted(g, text, 0)
    this = g.pick(THIS["phrase" if " " in text else "word"])
    apart = kind != "as" and body.count("{s}") == 1 and style < 0.3
    if apart:
        body = body.replace("{s}", "it" if style > 0.24 else this)
    if apart and style < 0.1 and this != "it":
        body += ": {z}"
    for key, value in values.items():
        body = body.replace("{" + key + "}", value)
    body = re.sub(r"\b(every|each|any|all) the (letter|digit|character|word)\b", r"\1 \2", body)
    if apart and style > 0.24:
        opening = g.pick(OPENING).replace("{x}", shown).replace("{z}", values["z"])
        body = g.pick(["", "", "what is ", "tell me "]) + body if kind == "the" else body
        end = "?" if kind == "ask" or body.startswith("what") else "."
        return opening.replace("{b}", body).replace("{B}", body[:1].upper() + body[1:]) + end
    user = phrase(g, kind, body)
    if apart and style > 0.1 or apart and this == "it":
        gap = g.pick(["\n", "\n\n"])
        return f"{bare}{gap}{user}" if g.chance(0.3) or this == "it" else f"{user.rstrip('.')}{gap if user[-1] in '?!.' else ':' + gap}{bare}"
    return user


def letters_of(g: Source, letter: str) -> tuple[str, str]:
    """How a prompt names a letter: in the plural and in the singular."""
    upper = letter.upper() if g.chance(0.1) else letter
    quote = g.pick(['"', '"', "'", "'"])
    plural = g.pick([f"{letter}'s", f"{letter}'s", f"{letter}'s", f"{quote}{letter}{quote}", f"{letter}s", f"letters {letter}", f"{upper}'s", f'letters "{letter}"', f"{quote}{letter}{quote}s", f"{quote}{letter}{quote} letters", f"{letter}’s", f"letter {letter}s", f"letter {letter}'s", f"`{letter}`"])
    if letter.isdigit():
        return g.pick([f"{letter}s", f"{letter}'s", f"digits {letter}"]), g.pick([f"the digit {letter}", f"{quote}{letter}{quote}", letter])
    single = g.pick([f"the letter {letter}", f"{quote}{letter}{quote}", f"{letter}", f"letter {letter}", f"the letter {upper}", f"the letter {quote}{letter}{quote}", f"the character {quote}{letter}{quote}"])
    return plural, single


def generate(g: Source) -> Conversation:
    weights = [9 if i < 2 else 3.5 if i < 12 else 1.0 for i in range(len(OPERATIONS))]
    what, expression, final, kind, form, templates = g.rng.choices(OPERATIONS, weights)[0]
    text = subject(g, form)
    n = g.int(2, 5)
    values = {"s": shown_subject(g, text), "q": f'"{text}"', "n": str(n), "o": ordinal(g, str(n)), "t": times(g, n)}
    if form == "phrase" and what in ("sort the words", "count the words", "reverse the words", "find the longest word") and g.chance(0.4 if what == "sort the words" else 0.12):
        values["s"] = listed_subject(g, text)
    facts = f'"{text}"'
    if form == "letter":
        letter = (g.pick([c for c in text if c.isalpha()] or [c for c in text if c.isdigit()] or ["a"]) if g.chance(0.8) else g.letters(1, 1)).lower()
        values["l"], values["l1"] = letters_of(g, letter)
        if what == "search the text" and g.chance(0.45) or " " in text and g.chance(0.08):
            letter = g.pick(text.split()) if g.chance(0.6) else g.word() if g.chance(0.5) else text[1:4].strip()
            values["l"] = quoted(g, letter, 0)
            values["l1"] = g.pick([quoted(g, letter), values["l"], f"the word {quoted(g, letter)}"]) if " " in text else quoted(g, letter, 0.2)
        values["c"], values["c1"] = f'"{letter}"', values["l1"]
        facts = f'"{letter}" in "{text}"'
    elif form == "char":
        char = g.pick(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!?+-*/#%&@=éüñ"))
        name = "letter" if char.isalpha() else "digit" if char.isdigit() else "character"
        label = g.pick([f"the {name} ", "the character ", f"{name} "]) if g.chance(0.3) else ""
        values["c"], values["c1"] = f'"{char}"', label + quoted(g, char, 0.25)
        facts = f'"{char}"'
    elif form == "code":
        values["n"] = facts = str(g.int(33, 126) if g.chance(0.85) else g.int(192, 255))
        if values["n"] in ("34", "92"):
            values["n"] = facts = "65"
    elif form == "slice":
        while len(text) <= 5:
            text += g.pseudo()
        values |= {"s": shown_subject(g, text), "q": f'"{text}"'}
        facts = f'"{text}" and {values["n"]}'
    elif form == "replace":
        old = g.pick(text.split()) if " " in text else g.pick([c for c in text if c.isalpha()] or ["a"])
        new = g.word() if " " in text else g.pick([*"abcdefghijklmnopqrstuvwxyz", "-", "*", "_"])
        values |= {"c": f'"{old}"', "d": f'"{new}"', "c1": quoted(g, old), "d1": quoted(g, new)}
        facts = f'"{old}" by "{new}" in "{text}"'
    elif form == "join":
        items = [g.word() for _ in range(g.int(2, 5))]
        mark, name = g.pick([("-", "a hyphen"), (", ", "a comma and a space"), ("_", "an underscore"), ("/", "a slash"), (" ", "a space"), (".", "a dot"), (":", "a colon"), (",", "a comma"), ("+", "a plus sign"), ("", "nothing")])
        listed = g.pick([", ".join(items), ", ".join(items[:-1]) + " and " + items[-1], "[" + ", ".join(f'"{i}"' for i in items) + "]", ", ".join(f'"{i}"' for i in items)])
        values |= {"d": f'"{mark}"', "d1": name if mark in ("", " ", ", ") or g.chance(0.5) else f'"{mark}"', "w": "[" + ", ".join(f'"{i}"' for i in items) + "]", "w1": listed}
        facts = f'{values["w"]} with "{mark}"'
    elif form == "repeat":
        facts = f'"{text}" {values["n"]} times'
    values |= {"z": quoted(g, text, 0), "c2": values.get("c", ""), "d2": values.get("d", "")}
    user = prompt(g, templates if g.chance(0.5) else WORDING[what], text, {k: v for k, v in values.items() if k not in ("q", "c", "d", "w")})
    for key in ("q", "c", "d", "w", "n"):
        expression = expression.replace("{" + key + "}", values.get(key, ""))
    result = str(eval(expression))
    final = final.replace("{y}", "Yes" if result == "True" else "No").replace("{r}", result)
    return Conversation(user, python_turns(g, what, facts, f"print({expression})", result.rstrip("\n"), final))
