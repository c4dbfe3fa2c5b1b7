"""A page as one HTML file: it loads nothing, runs nothing, and reads well in light and dark and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import assert_never

from mlops.ir.sheet import Block, Facts, Gap, Heading, Paragraph, Picture, Printed, Sheet, Table

_STYLE = """\
:root {
  color-scheme: light dark;
  --ink: #1d2329; --soft: #5a6672; --line: #d8dee4; --page: #ffffff; --shade: #f4f6f8; --accent: #0b5c8a;
  --gap: #fff4e0; --gap-ink: #7a4b00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4e8ec; --soft: #9aa7b4; --line: #343c45; --page: #14181c; --shade: #1d2329; --accent: #7cc4f0;
    --gap: #3a2c10; --gap-ink: #ffd591;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 2.4rem 0 .6rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); font-size: 1.25rem; }
h3 { margin: 1.4rem 0 .4rem; font-size: 1rem; }
p { margin: .6rem 0; max-width: 46rem; white-space: pre-line; }
.under { color: var(--soft); }
.badge { display: inline-block; margin: 0 .4rem .2rem 0; padding: .05rem .55rem; border: 1px solid var(--accent);
  border-radius: 1rem; color: var(--accent); font-size: .8rem; }
nav { margin: 1.2rem 0; font-size: .9rem; }
nav a { margin-right: .9rem; color: var(--accent); }
.gap { padding: .45rem .8rem; border-left: .25rem solid var(--gap-ink); background: var(--gap); color: var(--gap-ink); }
.wide { overflow-x: auto; margin: .8rem 0; }
pre { overflow-x: auto; margin: .8rem 0; padding: .7rem .9rem; border-radius: .4rem; background: var(--shade);
  font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
figure svg { display: block; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  min-width: 5.5rem; overflow-wrap: anywhere; }
td:last-child:not(.number) { min-width: 14rem; }
th { color: var(--soft); font-weight: 600; }
thead th { background: var(--shade); white-space: nowrap; }
tbody th { width: 14rem; }
.number { text-align: right; white-space: nowrap; }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media print { nav { display: none; } main { padding: 0; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def emit(sheet: Sheet) -> str:
    names = _names([section.title for section in sheet.sections])
    body: list[str] = [f"<h1>{escape(sheet.title)}</h1>", f'<p class="under">{escape(sheet.under)}</p>']
    if sheet.badges:
        badges = (f'<span class="badge">{escape(badge)}</span>' for badge in sheet.badges)
        body.append(f"<div>{''.join(badges)}</div>")
    links = (
        f'<a href="#{name}">{escape(section.title)}</a>' for name, section in zip(names, sheet.sections, strict=True)
    )
    body.append(f'<nav aria-label="Sections">{" ".join(links)}</nav>')
    for name, section in zip(names, sheet.sections, strict=True):
        body.append(f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(section.title)}</h2>')
        for block in section.blocks:
            body += _block(block)
        body.append("</section>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(sheet.title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"<h3>{escape(block.text)}</h3>"
        case Paragraph():
            yield from (f"<p>{escape(part.strip())}</p>" for part in re.split(r"\n\s*\n", block.text.strip()))
        case Printed():
            yield f'<pre tabindex="0">{escape(block.text)}</pre>'
        case Picture():
            yield f'<figure class="wide" aria-label="{escape(block.said)}" tabindex="0">\n{block.svg}</figure>'
        case Gap():
            yield f'<p class="gap"><strong>Missing:</strong> {escape(block.text)}</p>'
        case Facts():
            rows = "\n".join(
                f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in block.rows
            )
            yield f'<div class="wide"><table><tbody>\n{rows}\n</tbody></table></div>'
        case Table():
            head = "".join(
                _cell("th", name, at in block.numeric, ' scope="col"') for at, name in enumerate(block.header)
            )
            lines = "\n".join(
                f"<tr>{''.join(_cell('td', cell, at in block.numeric) for at, cell in enumerate(row))}</tr>"
                for row in block.rows
            )
            yield (f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody></table></div>')
        case _:
            assert_never(block)


def _cell(tag: str, text: str, number: bool, more: str = "") -> str:
    kind = ' class="number"' if number else ""
    return f"<{tag}{more}{kind}>{escape(text)}</{tag}>"


def _names(titles: Sequence[str]) -> list[str]:
    """Anchors, each once.

    >>> _names(["What it is", "What it is", "!"])
    ['what-it-is', 'what-it-is-2', 'section-3']
    """
    found: list[str] = []
    for number, title in enumerate(titles, 1):
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or f"section-{number}"
        found.append(name if name not in found else f"{name}-{number}")
    return found
