"""Words that look like those of a list and are not in it: what a value means must come from where it stands."""

from collections import defaultdict
from random import Random

ORDER = 3
START, END = "^", "$"
SHORTEST, LONGEST = 3, 12


class Lookalikes:
    """A Markov chain over the letters of single words."""

    def __init__(self, listed: list[str]):
        self.listed = {word for word in listed if word.isalpha()}
        self.next = defaultdict(list)
        for word in sorted(self.listed):
            text = START * ORDER + word.lower() + END
            for i in range(ORDER, len(text)):
                self.next[text[i - ORDER : i]].append(text[i])

    def make(self, rng: Random) -> str:
        """A new word in lower case."""
        while True:
            text = START * ORDER
            while text[-1] != END and len(text) <= ORDER + LONGEST:
                text += rng.choice(self.next[text[-ORDER:]])
            word = text[ORDER:-1]
            if text[-1] == END and len(word) >= SHORTEST and not {word, word.capitalize()} & self.listed:
                return word
