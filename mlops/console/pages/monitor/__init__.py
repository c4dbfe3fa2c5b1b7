"""One monitor: what its runs found, and how far each feature went from the baseline."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.console.page import Page, Shown, Visit

_SIZES = (20, 50, 100)


def show(visit: Visit) -> Shown:
    from mlops.console.drawings import embedded
    from mlops.use_cases import monitors
    from mlops.use_cases.monitor_picture import picture

    name = visit.path["monitor"]
    chosen = visit.query.number("size", _SIZES[0])
    size = chosen if chosen in _SIZES else _SIZES[0]
    found = monitors.show(visit.connected, name, size)
    drawn = picture(visit.connected, found)
    return {
        "title": f"Monitor {name}",
        "monitor": found.monitor,
        "runs": found.runs,
        "picture": embedded(drawn) if drawn is not None else None,
        "sizes": [(one, visit.query.but(size=str(one))) for one in _SIZES],
        "size": size,
        "again": f"mlops monitor run {name}{visit.connected.environment.option}",
    }


def follows(visit: Visit) -> Mapping[str, str] | None:
    return {"monitor": visit.path["monitor"]}


PAGE = Page("/monitors/{monitor}", "Monitor", show, follows=follows)
