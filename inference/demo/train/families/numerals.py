"""Small numbers and ordinals as words."""

from families.base import Source

SMALL = "zero one two three four five six seven eight nine ten eleven twelve".split()
ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()


def in_words(g: Source, text: str, share: float) -> str:
    """Sometimes spells a small number."""
    return SMALL[int(text)] if text.isdigit() and 1 < int(text) < len(SMALL) and g.chance(share) else text


def figure_ordinal(text: str) -> str:
    """`3rd`, `14th`."""
    ending = "th" if text[-2:-1] == "1" else {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th")
    return text + ending


def ordinal(g: Source, text: str) -> str:
    """`4th` or `fourth`; numbers beyond twelve only as figures."""
    if text.isdigit() and int(text) < len(ORDINALS) and g.chance(0.5):
        return ORDINALS[int(text)]
    return figure_ordinal(text)


def times(g: Source, n: int) -> str:
    """`3 times`, `three times`, `twice`."""
    if n == 2 and g.chance(0.5):
        return "twice"
    return f"{in_words(g, str(n), 0.45)} times"
