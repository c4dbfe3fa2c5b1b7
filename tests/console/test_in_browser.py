"""The console in a real Chromium: how each page looks, wide and narrow, light and dark.

With MLOPS_SCREENSHOTS, a folder, pages are kept there as pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from in_browser import Seen, named
from serving_here import Console

from mlops.console.finding import navigation

pytestmark = [pytest.mark.proof("console"), pytest.mark.xdist_group("browser")]

OUTPUT = "/executions/GOOD/steps/Make?direction=output&of=data&file="
PAGES = {
    "pipelines": "/pipelines",
    "executions": "/executions?parameters=1",
    "failed": "/executions/BAD",
    "execution": "/executions/GOOD",
    "metrics": "/executions/GOOD/metrics",
    "step": "/executions/GOOD/steps/Make",
    "table": f"{OUTPUT}rows.csv",
    "picture": f"{OUTPUT}dot.png",
    "log": "/executions/GOOD/steps/Make/log",
    "found": "/executions/GOOD/steps/Make/log?words=line+77",
    "compare": "/compare?e=BAD&e=GOOD",
    "models": "/models",
    "versions": "/models/churn?v=1&v=2",
    "version": "/models/churn/versions/1?gates=1",
    "endpoints": "/endpoints",
    "endpoint": "/endpoints/door",
    "monitors": "/monitors",
    "monitor": "/monitors/watched",
    "streams": "/streams",
    "events": "/events",
    "search": "/search?q=churn",
    "findings": "/findings",
    "nothing": "/nothing",
}
KEPT = os.environ.get("MLOPS_SCREENSHOTS")
_LARGEST_PICTURE = 210_000


LOOKS = ((1280, "light"), (400, "dark"), *(((1280, "dark"), (400, "light")) if KEPT else ()))
"""Each width and each scheme; all four where they are kept as pictures."""


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_each_page_is_wide_and_narrow_light_and_dark(
    scheme: str, width: int, browser: Any, open_console: Console, executions: Sequence[str], axe: str
) -> None:
    seen = Seen(browser, open_console, viewport={"width": width, "height": 800}, color_scheme=scheme)
    wrong: list[str] = []
    listed_there = {page.path.strip("/"): page.path for page in navigation()}
    for name, path in {**listed_there, **PAGES}.items():
        seen.go(named(path, executions))
        seen.page.wait_for_load_state("load")
        over = seen.page.evaluate("document.documentElement.scrollWidth") - width
        if over > 0:
            wrong.append(f"{name}: {over} px too wide")
        wrong += [f"{name}: {fault}" for fault in judged(seen.page, axe)]
        keep(seen.page, f"{name}-{width}-{scheme}")
    seen.context.close()
    assert wrong == []
    assert seen.faults == []


def judged(page: Any, axe: str) -> Iterator[str]:
    """What axe-core calls serious."""
    page.evaluate(axe)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    for fault in result["violations"]:
        if fault["impact"] in ("serious", "critical"):
            yield f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"


def keep(page: Any, name: str) -> None:
    if KEPT:
        Path(KEPT).mkdir(exist_ok=True)
        file = Path(KEPT) / f"{name}.png"
        page.screenshot(path=file)
        assert file.stat().st_size <= _LARGEST_PICTURE, name
