"""What a step printed: its end first, then page by page, with a link to each line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from mlops.console.page import Page, Sent, Shown, Visit

_LINES, _MOST_FOUND = 500, 200


def show(visit: Visit) -> Shown:
    from mlops.deploy.executions.log_pages import log_page, search
    from mlops.ir.hiding import hide_lines, hide_text
    from mlops.use_cases.looking import execution, step_of

    state = execution(visit.connected, visit.path["execution"]).state
    step = step_of(state, visit.path["step"])
    query, account = visit.query, visit.connected.account
    stream, place, words = query.one("stream") or None, query.one("at") or None, query.one("words")
    shown: dict[str, object] = {
        "title": f"Log of {step.name}, {state.pipeline} {state.id}",
        "state": state,
        "step": step,
        "stream": stream,
        "words": words,
        "head": query.but(at="head", words=None),
        "end": query.but(at=None, words=None),
        "download": query.but(at=None, words=None),
        "is_end": place is None,
        "page": None,
        "found": None,
    }
    if words:
        found = search(account, step, stream, words, place, _LINES, _MOST_FOUND)
        matches = [(query.but(at=one.place, words=None), one.number, hide_text(one.line)) for one in found.found]
        shown |= {"found": found, "matches": matches, "further": query.but(at=found.following)}
        return shown
    page = log_page(account, step, stream, place, _LINES)
    if page is not None:
        lines = hide_lines(page.lines).split("\n") if page.lines else []
        shown |= {
            "page": page,
            "lines": lines,
            "here": query.but(at=page.here, words=None),
            "before": query.but(at=page.before, words=None),
            "behind": query.but(at=page.behind, words=None),
        }
    return shown


def follows(visit: Visit) -> Mapping[str, str] | None:
    """The end of it; other pages stay what they are."""
    query = visit.query
    return {"execution": visit.path["execution"]} if not query.one("at") and not query.one("words") else None


def download(visit: Visit) -> Sent:
    from mlops.deploy.executions.log_pages import whole_log
    from mlops.use_cases.looking import execution, step_of

    state = execution(visit.connected, visit.path["execution"]).state
    step = step_of(state, visit.path["step"])
    lines = whole_log(visit.connected.account, step, visit.query.one("stream") or None)

    def pieces() -> Iterator[bytes]:
        while piece := list(islice(lines, _LINES)):
            yield "".join(f"{line}\n" for line in piece).encode()

    return Sent("text/plain; charset=utf-8", pieces(), f"{state.pipeline}-{state.id}-{step.name}.log")


PAGE = Page("/executions/{execution}/steps/{step}/log", "Log", show, follows=follows, files={"download": download})
