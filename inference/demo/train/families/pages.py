"""What the browser tool prints for a folder of documents: search results, pages, matches, errors.

It is the runtime's own output for the documents that the generators write (Markdown, plain text, simple HTML); `test/eval/check-rows.ts`
holds rows against the real tool.
"""

import re
import sqlite3
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import quote

import regex

from tokenizer import encode

LINE_WIDTH, VIEW_TOKENS, LINES_BEFORE_TARGET = 80, 1024, 4
CONTEXT = 4096
UNESCAPED = "!'()*~-._"
FUNCTION_WORDS = set(
    """a about an and any are as at be been being but by can could did do does either ever for from get gets had has have how i if in
into is it its many me much must my of often on or our ours s should so some such than that the their them then there these they this
those to too until up upon very was we were what whatever when where whether which while who whom whose why will with would you your
yours""".split()
)
_CHUNK = regex.compile(r"\s{1,256}|(?:[^\s-]|-(?!\p{L})){1,256}-?|-")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]{1,64}")
LINK = re.compile(r"【\d+†([^†】]+)(?:†[^†】]+)?】")


def count(text: str) -> int:
    return len(encode(text))


def wrapped(text: str) -> list[tuple[str, int]]:
    """Lines of at most 80 columns with the offset of each."""
    lines, start = [], 0
    for paragraph in text.split("\n"):
        begin = at = width = 0
        for chunk in _CHUNK.findall(paragraph):
            pieces = [chunk] if len(chunk) <= LINE_WIDTH else list(chunk)
            for piece in pieces:
                if width and width + len(piece) > LINE_WIDTH:
                    lines.append((paragraph[begin:at], start + begin))
                    begin, width = at, 0
                at += len(piece)
                width += len(piece)
        if width or paragraph == "":
            lines.append((paragraph[begin:at], start + begin))
        start += len(paragraph) + 1
    return lines


@dataclass
class Page:
    url: str
    title: str
    text: str
    kind: str = "document"
    links: list[tuple[str, int | None, str]] = field(default_factory=list)
    """Target, its line, and whether that is a `passage` or a `match`."""

    def __post_init__(self):
        self.lines = wrapped(self.text)


def page_of(name: str, source: str) -> Page:
    """The page of a document, as `extractPage` makes it."""
    title, body = name.rsplit("/", 1)[-1], source.rstrip()
    if name.endswith(".md"):
        heading = re.search(r"^#{1,6} +(\S.*)$", source, re.M)
        # Lists that only a blank line parts are one.
        listed = re.sub(r"^(- .*)\n\n(?=- )", r"\1\n", source.strip(), flags=re.M)
        title, body = heading.group(1).strip() if heading else title, re.sub(r"^- ", "  * ", listed, flags=re.M)
    elif name.endswith(".html"):
        title, body = re.search("<title>(.*?)</title>", source).group(1), _html(source)
    return Page(name, title, f"\nURL: {name}\n{body}")


def _html(source: str) -> str:
    """The text of an HTML document made of headings, paragraphs, lists and tables without markup inside of them."""
    blocks = []
    for name, content in re.findall(r"<(h[1-6]|p|ul|table)>(.*?)</\1>", source.split("<body>")[1], re.S):
        if name == "ul":
            blocks.append("\n".join(f"  * {item.strip()}" for item in re.findall("<li>(.*?)</li>", content, re.S)))
        elif name == "table":
            rows = [re.findall("<t[dh]>(.*?)</t[dh]>", row) for row in re.findall("<tr>(.*?)</tr>", content, re.S)]
            blocks.append("\n".join(" | ".join(row) for row in rows))
        else:
            blocks.append("#" * int(name[1]) + " " + content if name[0] == "h" else content)
    return "\n\n".join(blocks)


def telling(query: str) -> list[str]:
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(unicodedata.normalize("NFC", query))))
    kept = [word for word in words if word not in FUNCTION_WORDS]
    return (kept or words)[:32]


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.category(c).startswith("M")).lower()


def _stem(term: str) -> str:
    folded = _folded(term)
    return folded[:-2] if len(folded) > 5 else folded[:-1] if len(folded) > 3 else folded


def _stems_in(text: str, stems: list[str]) -> set[int]:
    folded, found = _folded(text), set()
    for i, stem in enumerate(stems):
        at = folded.find(stem)
        while at >= 0:
            if at == 0 or not folded[at - 1].isalnum() or not re.match("[a-z]", stem):
                found.add(i)
                break
            at = folded.find(stem, at + 1)
    return found


def passage(page: Page, terms: list[str]) -> tuple[int, str]:
    """The first line of the most telling part, and its text on one line."""
    stems = [_stem(term) for term in terms]
    found = [_stems_in(LINK.sub(r"\1", line), stems) for line, _ in page.lines]
    frequency = [sum(i in each for each in found) for i in range(len(stems))]
    best = min(2, len(page.lines) - 1)
    best_score = 0.0
    for line in range(best, len(page.lines)):
        inside = dict.fromkeys(i for each in found[line : line + 3] for i in each)
        score = sum(1 / (1 + frequency[i]) for i in inside)
        if score > best_score and found[line]:
            best, best_score = line, score
    start = page.lines[best][1]
    end = page.lines[best + 3][1] if best + 3 < len(page.lines) else len(page.text)
    text = re.sub(r"\s+", " ", re.sub(r"^[#>*\s]+", "", LINK.sub(r"\1", page.text[start:end]))).strip()
    return best, text if len(text) <= 240 else re.sub(r"\s\S*$", "", text[:240]) + " …"


@dataclass
class Shown:
    """What one call printed: of which page, by which cursor, from which line to which."""

    text: str
    page: Page | None = None
    cursor: int = -1
    first: int = 0
    last: int = -1


class Browser:
    """A browsing session over documents by name. `used` is the number of tokens of the conversation so far."""

    def __init__(self, docs: dict[str, str]):
        self.pages = {name: page_of(name, docs[name]) for name in sorted(docs)}
        self.shown: list[Page] = []
        self.base = sqlite3.connect(":memory:")
        self.base.execute("CREATE VIRTUAL TABLE words USING fts5(title, path, body, content = '', tokenize = 'porter unicode61 remove_diacritics 2')")
        for i, page in enumerate(self.pages.values()):
            row = (i + 1, page.title, re.sub(r"[/_.-]+", " ", page.url), LINK.sub(r"\1", page.text))
            self.base.execute("INSERT INTO words (rowid, title, path, body) VALUES (?, ?, ?, ?)", row)

    def _found(self, query: str, limit: int = 10) -> list[str]:
        terms, names, urls = [f'"{term}"' for term in telling(query)], list(self.pages), {}
        for operator in (" AND ", " OR ") if terms else ():
            if len(urls) < limit:
                rows = self.base.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, 6, 3, 1)", (operator.join(terms),))
                for (i,) in rows.fetchall():
                    urls.setdefault(names[i - 1])
        return list(urls)[:limit]

    def search(self, query: str, used: int) -> Shown:
        items, links = [], []
        for url in self._found(query):
            line, summary = passage(self.pages[url], telling(query))
            items.append(f"  * 【{len(links)}†{self.pages[url].title}】 {summary}".rstrip())
            links.append((url, line, "passage"))
        body = "\n".join(items) or f"No results for `{query}`. Try fewer or other words."
        return self._show(Page("", query, f"\nURL: \n# Search Results\n\n{body}", "search", links), 0, used)

    def open(self, target: int | str | None, used: int, line: int = -1) -> Shown:
        if isinstance(target, str):
            if target not in self.pages:
                return Shown(f"Error fetching URL `{target}`: there is no such document. The documents are: {', '.join(list(self.pages)[:8])}.")
            return self._show(self.pages[target], max(0, line), used)
        page = self.shown[-1]
        if target is None:
            return self._show(page, max(0, line), used)
        if target >= len(page.links):
            return Shown(f"Invalid link id `{target}`.")
        url, wanted, kind = page.links[target]
        page = self.pages[url]
        return self._show(page, line if line >= 0 else self._target_line(page, wanted, kind, used), used)

    def _target_line(self, page: Page, wanted: int | None, kind: str, used: int) -> int:
        if wanted is None or wanted <= LINES_BEFORE_TARGET:
            return 0
        if kind == "passage" and self._view(page, 0, 0, used)[1] == len(page.lines) - 1:
            return 0
        return min(wanted - LINES_BEFORE_TARGET, len(page.lines) - 1)

    def find(self, pattern: str, used: int) -> Shown:
        page, blocks, links, skip_to = self.shown[-1], [], [], 0
        flat = re.sub(r"\s", " ", page.text).lower()
        at = flat.find(pattern.lower())
        while at >= 0:
            line = max(i for i, (_, start) in enumerate(page.lines) if start <= at)
            if line >= skip_to:
                shown = "\n".join(text for text, _ in page.lines[line : line + 4])
                blocks.append(f"# 【{len(links)}†match at L{line}】\n{shown}")
                links.append((page.url, line, "match"))
                skip_to = line + 4
            at = flat.find(pattern.lower(), at + 1)
        text = "\n\n".join(blocks) or f"No `find` results for pattern: `{pattern}`"
        title = f"Find results for text: `{pattern}` in `{page.title}`"
        url = f"{page.url}/find?pattern={quote(pattern, safe=UNESCAPED)}"
        return self._show(Page(url, title, text, "find", links), 0, used)

    def _view(self, page: Page, first: int, cursor: int, used: int) -> tuple[str, int]:
        limit = min(VIEW_TOKENS, (CONTEXT - used) // 2)
        url = f" ({page.url if page.kind != 'find' else page.url.replace('%20', ' ')})" if page.url else ""
        end = len(page.lines) - 1

        def heading(last: int) -> str:
            return f"[{cursor}] {page.title}{url}\n**viewing lines [{first} - {last}] of {end}**\n\n"

        budget, lines, tokens = limit - count(heading(end)), [], 0
        for i in range(first, len(page.lines)):
            line = f"L{i}: {page.lines[i][0]}"
            tokens += count(line + "\n")
            if lines and tokens > budget:
                break
            lines.append(line)
        while len(lines) > 1 and count("\n".join(lines)) > budget:
            lines.pop()
        last = first + len(lines) - 1
        return heading(last) + "\n".join(lines), last

    def _show(self, page: Page, first: int, used: int) -> Shown:
        cursor = len(self.shown)
        text, last = self._view(page, first, cursor, used)
        self.shown.append(page)
        return Shown(text, page, cursor, first, last)
