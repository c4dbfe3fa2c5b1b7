"""What users of other consoles complain of in public, each as a test in a real Chromium: no absolute times, filters
that are not in the address, Back that loses the page, values that are cut and cannot be copied, no way from a step to
its job, errors without a cause, nothing to compare with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from in_browser import Seen, until

from mlops.use_cases.connecting import connect_here

pytestmark = [pytest.mark.proof("console"), pytest.mark.xdist_group("browser")]

Executions = tuple[str, str]
ABSOLUTE = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC")


@pytest.mark.parametrize("path", ["/pipelines", "/executions", "/executions/BAD", "/models/churn", "/events"])
def test_times_are_absolute_and_how_long_ago(path: str, seen: Seen, executions: Executions) -> None:
    seen.go(path.replace("BAD", executions[0]))
    times = seen.page.locator("main time").all_inner_texts()
    assert times
    for told in times:
        assert ABSOLUTE.search(told) and "ago" in told, told


def test_filters_are_in_the_address_and_back_and_reload_keep_the_view(seen: Seen, executions: Executions) -> None:
    seen.go("/executions")
    page = seen.page
    page.select_option("select[name=status]", "Failed")
    page.check("input[name=parameters]")
    page.click("form.filters button")
    page.wait_for_url("**status=Failed**")
    page.click(f"a[href='/executions/{executions[0]}']")
    page.wait_for_url(f"**/executions/{executions[0]}")
    page.go_back()
    page.wait_for_url("**status=Failed**")
    for _ in range(2):
        assert page.input_value("select[name=status]") == "Failed" and page.is_checked("input[name=parameters]")
        assert page.locator("tbody tr").count() == 1
        page.reload()


def test_a_cause_is_one_click_from_the_list(seen: Seen, executions: Executions) -> None:
    seen.go("/executions?status=Failed")
    page = seen.page
    page.click("tbody a.id")
    page.wait_for_url(f"**/executions/{executions[0]}")
    told = page.inner_text(".failure")
    assert "exit code 1: <script>alert(1)" in told and "The end of its log" in told
    assert f"mlops run --only End --from {executions[0]}" in told


def test_values_are_whole_and_can_be_copied(seen: Seen, executions: Executions) -> None:
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.go(f"/executions/{executions[0]}")
    page = seen.page
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/churn/execution/{executions[0]}"
    for what in (arn, f"mlops run --only End --from {executions[0]}"):
        button = page.locator(f"button.copy[data-copy='{what}']").first
        assert button.locator("xpath=..").inner_text().startswith(what), "what is copied is what is shown"
        button.click()
        until(page, "what => navigator.clipboard.readText().then(text => text === what)", what)
    cut = page.evaluate(
        "[...document.querySelectorAll('main *')]"
        ".filter(item => getComputedStyle(item).textOverflow === 'ellipsis').length"
    )
    assert cut == 0


def test_a_step_leads_to_its_job(seen: Seen, root: Path, executions: Executions) -> None:
    seen.go(f"/executions/{executions[1]}")
    page = seen.page
    page.click("tbody a:text-is('Train')")
    page.wait_for_url("**/steps/Train")
    job = page.locator("dt:text-is('Job') + dd code").inner_text()
    told = connect_here("local", root).account.client("sagemaker").describe_training_job(TrainingJobName=job)
    assert told["TrainingJobArn"] in page.inner_text("main"), "all that the service tells of it"
    assert page.locator("a:text-is('log')").count() == 1


def test_a_narrow_page_shows_what_was_asked_last(seen: Seen) -> None:
    seen.page.set_viewport_size({"width": 400, "height": 800})
    seen.go("/endpoints/door")
    assert seen.page.locator(".picture.fitted").first.evaluate("el => el.scrollWidth <= el.clientWidth")


def test_two_are_chosen_and_compared(seen: Seen) -> None:
    seen.go("/executions?pipeline=churn")
    page = seen.page
    for box in page.locator("tbody input[type=checkbox]").all():
        box.check()
    page.click("text=Compare those chosen")
    page.wait_for_url("**/compare?e=**")
    assert "badly" in page.inner_text("main")


def test_a_failure_is_one_click_from_the_last_that_succeeded(seen: Seen, executions: Executions) -> None:
    seen.go(f"/executions/{executions[0]}")
    page = seen.page
    page.click("text=beside the last that succeeded")
    page.wait_for_url(f"**/compare?e={executions[0]}&beside=succeeded")
    assert [*map(str.strip, page.locator("thead th a.id").all_inner_texts())] == [executions[1], executions[0]]
