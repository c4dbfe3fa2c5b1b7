"""A tab of a real Chromium that the console let in, and what its keyboard reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from serving_here import Console


class Seen:
    """A tab that was let in. ``faults`` are what the browser complains of, and requests to anybody else."""

    def __init__(self, browser: Any, console: Console, **given: Any) -> None:
        self.context = browser.new_context(**given)
        self.page = self.context.new_page()
        self.base = console.base
        self.faults: list[str] = []
        self.page.on("console", self._complaint)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(console.address)
        self.page.wait_for_url(f"{self.base}/pipelines")

    def _complaint(self, message: Any) -> None:
        if message.type in ("error", "warning") and "404" not in message.text:
            self.faults.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.faults.append(f"asked for {request.url}")

    def go(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}")


def named(path: str, executions: Sequence[str]) -> str:
    return path.replace("BAD", executions[0]).replace("GOOD", executions[1])


def go_to(page: Any, selector: str) -> None:
    for _ in range(200):
        page.keyboard.press("Tab")
        focus = "el => el === document.activeElement"
        if page.locator(selector).first.evaluate(focus):
            shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert shown != "none", selector
            return
    pytest.fail(f"no key leads to {selector}")


def until(page: Any, expression: str, given: object = None) -> None:
    """It is true in the page. Not asked there again and again, which the page's own policy would refuse."""
    for _ in range(400):
        if page.evaluate(expression, given):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {expression}")
