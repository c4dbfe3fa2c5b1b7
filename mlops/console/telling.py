"""How templates write values: moments, durations, sizes. Each is a filter of that name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from mlops.console.page import address
from mlops.emit.drawing.states import state_of
from mlops.emit.plots.scales import said_seconds
from mlops.ir.one_line import in_one_line

_STEPS = ((60, "s", 1), (3600, "min", 60), (86400, "h", 3600), (86400 * 60, "days", 86400))


def moment(time: datetime | None) -> Markup:
    """Absolute, and how long ago."""
    if time is None:
        return Markup("")
    known = time.astimezone(UTC)
    at = f"{known:%Y-%m-%d %H:%M:%S} UTC"
    # Nobody else's text is in it, and a page has hundreds: Markup.format takes ten times as long.
    told = f'<span class="at">{at}</span> <span class="ago">{ago(known)}</span>'
    return Markup(f'<time datetime="{known.isoformat()}">{told}</time>')  # noqa: S704


def written_moment(text: str) -> Markup:
    """The same of a moment as records write it; what is none stays as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return Markup("{}").format(text)
    return moment(found if found.tzinfo is not None else found.replace(tzinfo=UTC))


def at_second(seconds_: float) -> Markup:
    """The same of seconds since 1970."""
    return moment(datetime.fromtimestamp(seconds_, UTC))


def ago(time: datetime, now: datetime | None = None) -> str:
    """
    >>> ago(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 2, 5, tzinfo=UTC))
    '2 h ago'
    """
    seconds = ((now or datetime.now(UTC)) - time).total_seconds()
    if seconds < 1:
        return "now"
    for limit, unit, size in _STEPS:
        if seconds < limit:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds // (86400 * 30))} months ago"


def execution_link(id: str, pipeline: str) -> Markup:
    """A filter and no macro, which takes three times as long: a page has a hundred."""
    told, of = escape(id), escape(pipeline)
    return Markup(f'<a class="id" href="{address("executions", id)}" aria-label="execution {told} of {of}">{told}</a>')  # noqa: S704


def seconds(value: float | None) -> str:
    return "" if value is None else said_seconds(value)


def size(count: int) -> str:
    """
    >>> size(999), size(1500), size(2_000_000)
    ('999 B', '1.5 kB', '2 MB')
    """
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{count / step:.3g} {unit}"
    return f"{count} B"


@lru_cache(256)
def status(word: str) -> Markup:
    """A colour, a sign and the word, as in pictures."""
    state = state_of(word)
    glyph = Markup('<path class="glyph" d="{}"/>').format(state.glyph) if state.glyph else Markup("")
    sign = Markup('<svg viewBox="-8 -8 16 16" aria-hidden="true"><circle class="dot" r="8"/>{}</svg>').format(glyph)
    return Markup('<span class="status {}">{}{}</span>').format(state.kind, sign, state.word)


def pretty(value: Any) -> str:
    """JSON for people; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def copied(text: object, shown: object = None) -> Markup:
    """A value that can be taken whole, however little of it is shown."""
    whole = str(text)
    button = Markup('<button type="button" class="copy" data-copy="{}" aria-label="copy {}">copy</button>').format(
        whole, whole[:80]
    )
    return Markup('<span class="value"><code>{}</code>{}</span>').format(whole if shown is None else str(shown), button)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "at_second": at_second,
    "copied": copied,
    "execution_link": execution_link,
    "in_one_line": in_one_line,
    "moment": moment,
    "pretty": pretty,
    "seconds": seconds,
    "size": size,
    "status": status,
    "written_moment": written_moment,
}
