"""Foreign text is never markup: neither as HTML, by the standard library's parser, nor as Markdown, by markdown-it."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mlops.emit.sheets import html, markdown
from mlops.ir.sheet import Facts, Gap, Heading, Paragraph, Section, Sheet, Table

HOSTILE = [
    "<script>alert(1)</script>",
    "</style></main><img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "![a](https://evil.example/a.png)",
    "https://evil.example www.evil.example a@evil.example",
    "*a* _b_ **c** ~~d~~ `e` $f$ a_b __c__",
    "| a | b |",
    "# a\n## b\n- c\n+ d\n1. e\n2) f\n===\n---",
    "&lt;b&gt; &#60; &amp;",
    "\\*a\\* \\",
    "    four spaces",
    '" onmouseover="x',
]
VOID = {"meta"}


def sheet(text: str) -> Sheet:
    """With the text in each place that takes any."""
    blocks = (
        Heading(text),
        Paragraph(text),
        Gap(text),
        Facts([(text, text)]),
        Table((text, "n"), [(text, text)], frozenset({1})),
    )
    return Sheet(text, text, [Section(text, blocks)], [text])


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style",):
            self.text.append(data)


PLAIN = Seen()
PLAIN.feed(html.emit(sheet("plain")))

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40) | st.sampled_from(HOSTILE)


def hostile(test: object) -> object:
    for text in HOSTILE:
        test = example(text)(test)  # type: ignore[arg-type]
    return test


@hostile  # type: ignore[untyped-decorator]
@given(texts)
def test_html_has_the_tags_that_plain_text_gives(text: str) -> None:
    seen = Seen()
    seen.feed(html.emit(sheet(text)))
    assert seen.open == [] and seen.tags <= PLAIN.tags and seen.attributes <= PLAIN.attributes
    assert "".join(text.split()) in "".join("".join(seen.text).split())


def test_html_loads_and_runs_nothing() -> None:
    whole = html.emit(sheet("plain"))
    assert not PLAIN.tags & {"script", "link", "img", "iframe", "object"} and "url(" not in whole
    assert "default-src 'none'" in whole and "prefers-color-scheme: dark" in whole
    assert {name for tag, name in PLAIN.attributes if tag == "a"} == {"href"} and 'href="#plain"' in whole


def rendered(text: str) -> tuple[set[str], str]:
    """Tags, and all text, of what is rendered."""
    reader = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    seen = Seen()
    seen.feed(reader.render(markdown.emit(sheet(text))))
    return seen.tags, "".join("".join(seen.text).split())


@hostile  # type: ignore[untyped-decorator]
@given(texts)
def test_markdown_has_the_tags_that_plain_text_gives(text: str) -> None:
    tags, told = rendered(text)
    assert tags <= rendered("plain")[0] | {"br"}
    assert "".join(text.split()) in told


def test_markdown_of_plain_text_is_plain() -> None:
    assert "| **a_b** | 0.5 and 1.5 |" in markdown.emit(
        Sheet("a", "b", [Section("c", [Facts([("a_b", "0.5 and 1.5")])])])
    )
