"""The console in a real Chromium: how pages look, what they ask for, what a keyboard reaches, and how soon they know.

With MLOPS_SCREENSHOTS, a folder, pages are kept there as pictures.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from serving_here import IMAGE, Console, registered, serving, write_project

from mlops.cli import main
from mlops.console.finding import navigation
from mlops.deploy.executions.following import listed
from mlops.use_cases.connecting import connect_here

pytestmark = [pytest.mark.proof("console"), pytest.mark.xdist_group("browser")]

AXE = "axe-core@4.14.1"
SLOWLY = f"""\
from mlops import Pipeline, Processing
with Pipeline("slowly") as pipeline:
    one = Processing("One", code="slow.py", image="{IMAGE}", outputs=["data"])
    Processing("Two", code="slow.py", image="{IMAGE}", outputs=["data"], after=[one])
"""
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


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("project")
    write_project(folder)
    (folder / "slowly.py").write_text(SLOWLY)
    (folder / "slow.py").write_text("import time\ntime.sleep(1.5)\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["run", "pipeline.py"]) == 0
        assert main(["run", "pipeline.py", "-p", "Ends=badly"]) == 1
        with registered(folder):
            yield folder


@pytest.fixture(scope="module")
def console(root: Path) -> Iterator[Console]:
    with serving(root) as found:
        yield found


@pytest.fixture(scope="module")
def executions(root: Path) -> Sequence[str]:
    """Ids: the one that failed, the one that succeeded."""
    return [item["PipelineExecutionArn"].rpartition("/")[2] for item in listed(connect_here("local").account, "churn")]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    subprocess.run(["npm", "install", *quiet, AXE], cwd=folder, check=True, capture_output=True)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield found
        found.close()


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


@pytest.fixture
def seen(browser: Any, console: Console) -> Iterator[Seen]:
    found = Seen(browser, console, viewport={"width": 1280, "height": 900})
    yield found
    found.context.close()
    assert found.faults == []


def named(path: str, executions: Sequence[str]) -> str:
    return path.replace("BAD", executions[0]).replace("GOOD", executions[1])


LOOKS = ((1280, "light"), (400, "dark"), *(((1280, "dark"), (400, "light")) if KEPT else ()))
"""Each width and each scheme; all four where they are kept as pictures."""


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_each_page_is_wide_and_narrow_light_and_dark(
    scheme: str, width: int, browser: Any, console: Console, executions: Sequence[str], axe: str
) -> None:
    seen = Seen(browser, console, viewport={"width": width, "height": 800}, color_scheme=scheme)
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


def test_a_keyboard_is_enough(seen: Seen, executions: Sequence[str]) -> None:
    """From the list to the log of the step that failed, and each stop is seen."""
    seen.go("/executions")
    page = seen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
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


def go_to(page: Any, selector: str) -> None:
    for _ in range(200):
        page.keyboard.press("Tab")
        focus = "el => el === document.activeElement"
        if page.locator(selector).first.evaluate(focus):
            shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert shown != "none", selector
            return
    pytest.fail(f"no key leads to {selector}")


def test_back_and_reload_keep_the_view(seen: Seen, executions: Sequence[str]) -> None:
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


def test_a_cause_is_one_click_away_and_values_are_whole(seen: Seen, executions: Sequence[str]) -> None:
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.go("/executions?status=Failed")
    page = seen.page
    page.click("tbody a.id")
    assert "mlops run --only End" in page.inner_text(".failure")
    page.click(".failure button.copy")
    page.wait_for_function("document.querySelector('.failure button.copy').textContent === 'copied'")
    assert page.evaluate("navigator.clipboard.readText()") == f"mlops run --only End --from {executions[0]}"


def test_two_are_chosen_and_compared(seen: Seen) -> None:
    seen.go("/executions?pipeline=churn")
    page = seen.page
    for box in page.locator("tbody input[type=checkbox]").all():
        box.check()
    page.click("text=Compare those chosen")
    page.wait_for_url("**/compare?e=**")
    assert "badly" in page.inner_text("main")


def test_what_starts_in_a_terminal_is_there_within_a_second_step_by_step(seen: Seen, root: Path) -> None:
    seen.go("/executions")
    page = seen.page
    page.wait_for_timeout(500)
    page.check("tbody tr >> nth=0 >> input")
    words = [sys.executable, "-m", "mlops", "run", "slowly.py"]
    terminal = subprocess.Popen(words, cwd=root, stdout=subprocess.DEVNULL)
    link = page.wait_for_selector("tbody tr:has-text('slowly') a.id", timeout=20_000)
    shown = datetime.now(UTC)
    newest = listed(connect_here("local", root).account, "slowly")[0]
    assert (shown - newest["StartTime"]).total_seconds() < 1.0
    assert page.locator("tbody input:checked").count() == 1
    link.click()
    for step in ("One", "Two"):
        page.wait_for_selector(f"tbody tr:has-text('{step}') >> text=Executing", timeout=20_000)
    assert terminal.wait(20) == 0
    page.wait_for_selector("h1 >> text=Succeeded", timeout=20_000)


SLOW_CANARY = """
[env.local.promote]
strategy = { canary = { share = 50, bake = "5m" } }
[env.local.promote.judge]
errors = { at_most = "1%", interval = "1s" }
"""


def test_a_canary_under_load_is_watched_and_taken_back_from_the_page(seen: Seen, root: Path) -> None:
    configuration = root / "mlops.toml"
    before = configuration.read_text(encoding="utf-8")
    configuration.write_text(before + SLOW_CANARY, encoding="utf-8")
    assert main(["models", "approve", "churn", "2"]) == 0
    promote = ["promote", "churn", "--to", "local", "--endpoint", "shop", "--version"]
    assert main([*promote, "1"]) == 0
    runtime = connect_here("local", root).account.client("sagemaker-runtime")
    command = [sys.executable, "-m", "mlops", *promote, "2"]
    ended, answered = threading.Event(), list[str]()

    def load() -> None:
        while not ended.is_set():
            reply = runtime.invoke_endpoint(EndpointName="shop", Body="hello", ContentType="text/plain")
            answered.append(reply["Body"].read().decode())
            time.sleep(0.02)

    loading = threading.Thread(target=load)
    loading.start()
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as shifting:
        try:
            seen.go("/endpoints/shop")
            seen.page.get_by_text("The shift under way: version 2 of churn").wait_for()
            seen.page.get_by_text("1 of 2").wait_for()
            seen.page.get_by_text("Take back …").click()
            form = seen.page.locator('form[action="/endpoints/shop/abort"]')
            form.get_by_label("Why").fill("seen on the page")
            form.get_by_role("button").click()
            seen.page.get_by_text("taken back", exact=True).first.wait_for()
            output, _ = shifting.communicate(timeout=60)
        finally:
            ended.set()
            loading.join(30)
            shifting.kill()
            configuration.write_text(before, encoding="utf-8")
            main(["endpoints", "delete", "shop", "--yes"])
    assert shifting.returncode == 1, output
    assert "seen on the page" in output
    assert set(answered) == {"one: hello"}, "nobody noticed"
    seen.page.reload()
