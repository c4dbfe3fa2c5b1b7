"""What happens in a terminal and at an endpoint, on a page that is open meanwhile in a real Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
from in_browser import Seen
from serving_here import IMAGE

from mlops.cli import main
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.looking import execution

pytestmark = [pytest.mark.proof("console"), pytest.mark.xdist_group("browser")]

SLOWLY = f"""\
from mlops import Pipeline, Processing
with Pipeline("slowly") as pipeline:
    one = Processing("One", code="slow.py", image="{IMAGE}", outputs=["data"])
    two = Processing("Two", code="slow.py", image="{IMAGE}", outputs=["data"], after=[one])
    Processing("Three", code="slow.py", image="{IMAGE}", outputs=["data"], after=[two])
"""
NOTING = """() => {
  const seen = window.seen = {};
  const look = () => {
    for (const row of document.querySelectorAll("tbody tr")) {
      if (row.cells.length < 2) continue;  // none has begun
      const said = `${row.cells[1].innerText.trim()} ${row.cells[0].innerText.trim()}`;
      if (!(said in seen)) seen[said] = Date.now();
    }
  };
  look();
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
"""When the page first told what of which step, in milliseconds."""


def test_what_starts_in_a_terminal_is_there_within_a_second_step_by_step(seen: Seen, root: Path) -> None:
    (root / "slowly.py").write_text(SLOWLY)
    (root / "slow.py").write_text("import time\ntime.sleep(1.5)\n")
    seen.go("/executions")
    page = seen.page
    page.wait_for_timeout(500)
    page.check("tbody tr >> nth=0 >> input")
    words = [sys.executable, "-m", "mlops", "run", "slowly.py"]
    terminal = subprocess.Popen(words, cwd=root, stdout=subprocess.DEVNULL)
    link = page.wait_for_selector("tbody tr:has-text('slowly') a.id", timeout=60_000)
    shown = time.time()
    assert page.locator("tbody input:checked").count() == 1, "what somebody chose is not lost"
    link.click()
    page.wait_for_url("**/executions/*")
    page.evaluate(NOTING)
    page.wait_for_selector("h1 >> text=Succeeded", timeout=60_000)
    assert terminal.wait(120) == 0
    told = page.evaluate("window.seen")
    state = execution(connect_here("local", root), page.url.rpartition("/")[2]).state
    assert state.created is not None
    late = [shown - state.created.timestamp()]
    for number, step in enumerate(state.steps):
        assert step.started is not None and step.ended is not None
        if number:  # the first has begun before its execution was clicked on
            late.append(told[f"{step.name} Executing"] / 1000 - step.started.timestamp())
        late.append(told[f"{step.name} Succeeded"] / 1000 - step.ended.timestamp())
    waiting = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # so many want each processor
    assert median(late) < waiting and max(late) < 10.0 * waiting, late


SLOW_CANARY = """
[env.local.promote]
strategy = { canary = { share = 50, bake = "5m" } }
[env.local.promote.judge]
errors = { at_most = "1%", interval = "1s" }
"""


@contextmanager
def asked(root: Path, endpoint: str) -> Iterator[set[str]]:
    """Some fifty requests a second; gives what was answered."""
    runtime = connect_here("local", root).account.client("sagemaker-runtime")
    ended, answered = threading.Event(), set[str]()

    def load() -> None:
        while not ended.is_set():
            reply = runtime.invoke_endpoint(EndpointName=endpoint, Body="hello", ContentType="text/plain")
            answered.add(reply["Body"].read().decode())
            time.sleep(0.02)

    loading = threading.Thread(target=load)
    loading.start()
    try:
        yield answered
    finally:
        ended.set()
        loading.join(30)


def test_a_canary_under_load_is_watched_and_taken_back_from_the_page(
    seen: Seen, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    configuration = root / "mlops.toml"
    before = configuration.read_text(encoding="utf-8")
    configuration.write_text(before + SLOW_CANARY, encoding="utf-8")
    assert main(["models", "approve", "churn", "2"]) == 0
    promote = ["promote", "churn", "--to", "local", "--endpoint", "shop", "--version"]
    assert main([*promote, "1"]) == 0
    try:
        with asked(root, "shop") as answered:
            output, code = taken_back(seen, [sys.executable, "-m", "mlops", *promote, "2"], root)
    finally:
        configuration.write_text(before, encoding="utf-8")
        main(["endpoints", "delete", "shop", "--yes"])
    assert code == 1, output
    assert "seen on the page" in output
    assert answered == {"one: hello"}, "nobody noticed"
    seen.page.reload()


def taken_back(seen: Seen, command: list[str], root: Path) -> tuple[str, int]:
    """What the promotion told, and its exit code."""
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as shifting:
        try:
            seen.go("/endpoints/shop")
            page = seen.page
            page.get_by_text("The shift under way: version 2 of churn").wait_for(timeout=60_000)
            page.get_by_text("1 of 2").wait_for(timeout=60_000)
            shares = page.get_by_role("region", name="variants", exact=True).get_by_text("50 %")
            shares.nth(1).wait_for(timeout=60_000)
            page.get_by_role("region", name="looks").locator("tbody tr td.whole").first.wait_for(timeout=60_000)
            page.get_by_text("Take back …").click()
            form = page.locator('form[action="/endpoints/shop/abort"]')
            form.get_by_label("Why").fill("seen on the page")
            form.get_by_role("button").click()
            page.get_by_text("taken back", exact=True).first.wait_for(timeout=60_000)
            output, _ = shifting.communicate(timeout=60)
        finally:
            shifting.kill()
    return output, shifting.returncode
