"""Markdown as a reader's program shows it, and names that try to be more than names."""

from __future__ import annotations

from html.parser import HTMLParser

from markdown_it import MarkdownIt

EXPECTED_TAGS = {"h1", "h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "strong"}
EXPECTED_TAGS |= {"details", "summary", "a", "img"}
# The legend and, where a cell is complete, the picture: a name that becomes a link or an image points elsewhere.
EXPECTED_TARGETS = {"#what-the-signs-mean", "overview.svg"}
HOSTILE = [
    "pipe | pipe",
    "\\| escaped pipe \\\\|",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "`code` ``more``",
    "two\nlines\r\n\n# heading",
    "[link](javascript:alert(1)) ![image](https://example.org/x.png)",
    "[reference][1] [1]: https://example.org",
    "https://example.org www.example.org <https://example.org>",
    "**bold** _slant_ ~~gone~~ $x$ &lt;b&gt; &amp;",
    "\x1b[31mred\u202eleft\x00",
    "| --- | --- |",
    "---",
    "émotion 感情 ⚠ 😀",
]


class Page(HTMLParser):
    """The tags of a page, their attributes, what it points to, and the text of each cell of its tables."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str | None] = []
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets += [value for name, value in attrs if name in ("href", "src")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] += data
