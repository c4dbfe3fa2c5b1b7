"""Pictures that emit draws, on a page that allows no style but its own files': their styles are one of those."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from markupsafe import Markup

from mlops.emit.drawing import svg
from mlops.emit.plots import chart, gantt
from mlops.ir.sheet import Block, Picture

_STYLE = re.compile(r"<style>.*?</style>\n?", re.DOTALL)
_DARK = re.compile(r"@media \(prefers-color-scheme:dark\)\{(.*)\}\s*\Z", re.DOTALL)


def embedded(picture: str) -> Markup:
    """``picture`` is of our own drawing, where all that others wrote is escaped."""
    return Markup(_STYLE.sub("", picture, count=1))  # noqa: S704


def blocks(told: Iterable[Block]) -> list[tuple[str, Block, Markup | None]]:
    """Of a sheet, as the macro of that name tells them: what each is, it, and its picture."""
    return [
        (type(block).__name__, block, embedded(block.svg) if isinstance(block, Picture) else None) for block in told
    ]


@cache
def stylesheet() -> str:
    """Light and dark by what the system wants, or the page."""
    return "\n".join(map(_switched, (svg.STYLE, gantt.STYLE, chart.style())))


def _switched(style: str) -> str:
    found = _DARK.search(style)
    if found is None:
        return style
    dark = found[1]
    return (
        f"{style[: found.start()]}@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}"
    )
