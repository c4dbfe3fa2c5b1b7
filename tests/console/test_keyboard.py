"""The whole console by keyboard alone, in a real Chromium: what can be clicked is reached, is seen to be reached, in
the order in which it is read, and does what a click does."""

from __future__ import annotations

from typing import Any

import pytest
from in_browser import Seen, go_to, named, until
from test_in_browser import PAGES

pytestmark = [pytest.mark.proof("console"), pytest.mark.xdist_group("browser")]

Executions = tuple[str, str]
MOST_STOPS = 90
"""Of a page. Behind so many come more of the same, as lines of a log."""
STOPS = """() => {
  window.stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter(item => item.type !== "hidden" && !item.disabled && item.checkVisibility());
  window.stops.forEach((item, at) => { item.dataset.stop = at; });
  document.activeElement.blur();
  return window.stops.length;
}"""
REACHED = """() => {
  const item = document.activeElement, style = getComputedStyle(item), box = item.getBoundingClientRect();
  return [Number(item.dataset.stop ?? -1), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    box.bottom > 0 && box.top < innerHeight, item.outerHTML.slice(0, 120)];
}"""


def test_each_stop_of_each_page_is_reached_in_order_and_seen(seen: Seen, executions: Executions) -> None:
    wrong = []
    for name, path in PAGES.items():
        seen.go(named(path, executions))
        wrong += [f"{name}: {fault}" for fault in walked(seen.page)]
    assert wrong == []


def walked(page: Any) -> list[str]:
    count, wrong = page.evaluate(STOPS), []
    for wanted in range(min(count, MOST_STOPS)):
        page.keyboard.press("Tab")
        reached, is_marked, is_in_view, html = page.evaluate(REACHED)
        if reached != wanted:
            return [*wrong, f"stop {wanted} is not the next of {count}: {html}"]
        if not (is_marked and is_in_view):
            wrong.append(f"{html} is not seen to be reached")
    return wrong


def test_from_the_list_to_the_log_of_the_step_that_failed(seen: Seen, executions: Executions) -> None:
    seen.go("/executions")
    page = seen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    go_to(page, f"a[href='/executions/{executions[0]}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/executions/{executions[0]}")
    assert page.locator(".failure").is_visible()
    go_to(page, f"a[href='/executions/{executions[0]}/steps/End/log']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/log")
    go_to(page, "input[name=words]")
    page.keyboard.type("script")
    page.keyboard.press("Enter")
    page.wait_for_url("**/log?words=script")
    go_to(page, "#theme")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_executions_are_chosen_and_filtered(seen: Seen) -> None:
    seen.go("/executions?pipeline=churn")
    page = seen.page
    for number in range(2):
        go_to(page, f"tbody tr:nth-child({number + 1}) input[type=checkbox]")
        page.keyboard.press("Space")
    go_to(page, "button:text-is('Compare those chosen')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?e=**")
    page.go_back()
    go_to(page, "select[name=status]")
    page.keyboard.type("Failed")
    page.keyboard.press("Enter")  # a select does not send its form
    go_to(page, "form.filters button")
    page.keyboard.press("Enter")
    page.wait_for_url("**status=Failed**")


def test_a_version_is_decided_on_with_a_reason(seen: Seen) -> None:
    """And back, since others look at it, too."""
    page = seen.page
    for decision, reason in (("Reject", "seen by keyboard"), ("Approve", "and taken back")):
        seen.go("/models/churn/versions/1")
        go_to(page, f"summary:has-text('{decision}')")
        page.keyboard.press("Enter")
        go_to(page, "details[open] [name=reason]")
        page.keyboard.type(reason)
        go_to(page, "details[open] button")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"main >> text={reason}")


def test_a_picture_is_scrolled(seen: Seen, executions: Executions) -> None:
    """What is larger than its place."""
    seen.page.set_viewport_size({"width": 400, "height": 800})
    seen.go("/monitors/watched")
    page = seen.page
    go_to(page, ".picture")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.picture').scrollLeft > 0")
