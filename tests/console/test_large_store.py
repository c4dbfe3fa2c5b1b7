"""The console over a large store: each page answers, goes on by a key, and holds no more of it than it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from statistics import median

import pytest
from large_here import EXECUTIONS, LINE, LOG_BYTES, STEPS, VERSIONS, Ids, write_large
from serving_here import Answer, Console

pytestmark = [pytest.mark.proof("console"), pytest.mark.xdist_group("large")]

SMALL = 1_000
MOST_RATIO = 1.5
MOST_CPU_SECONDS = 1.0
"""Of any page: the layout of 500 steps may take a second."""
MOST_GROWN_MEGABYTES = 64
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Served:
    console: Console
    process: subprocess.Popen[str]
    ids: Ids

    def path(self, pattern: str) -> str:
        return pattern.replace("REAL", self.ids.real).replace("WIDE", self.ids.wide)

    def ask(self, pattern: str) -> Answer:
        answer = self.console.ask(self.path(pattern))
        assert answer.status == 200, answer.text
        return answer

    def cpu_seconds(self, pattern: str) -> float:
        """What the server computed for it: what others do on this machine is not in it."""
        before = self._ticks()
        self.ask(pattern)
        return (self._ticks() - before) / _TICKS

    def _ticks(self) -> int:
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(told[11]) + int(told[12])

    @property
    def most_megabytes(self) -> float:
        told = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", told)[0]) / 1024


@contextmanager
def served(folder: Path, ids: Ids) -> Iterator[Served]:
    """By a process of its own, as a terminal starts it."""
    command = [sys.executable, "-m", "mlops", "console", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            console = Console(process.stdout.readline().strip())
            console.enter()
            yield Served(console, process, ids)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("large") / "project"
    with served(folder, write_large(folder)) as found:
        yield found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("small") / "project"
    with served(folder, write_large(folder, SMALL, SMALL // 20)) as found:
        yield found


LOG = "/executions/REAL/steps/Work/log"
PAGES = (
    "/pipelines",
    "/executions",
    "/executions?parameters=1&pipeline=many&size=100",
    "/executions?until=2026-02-01",
    "/executions?status=Failed&since=2026-01-01",
    "/executions?words=nothing-has-this",
    "/executions/REAL",
    "/executions/WIDE",
    "/executions/WIDE?whole=1",
    "/executions/WIDE/steps/Step250",
    LOG,
    f"{LOG}?at=head",
    f"{LOG}?words=00000007",
    f"{LOG}?words=nothing-has-this",
    "/compare?e=000000000001&e=000000000002&e=000000050000&e=WIDE",
    "/models",
    "/models/many",
    "/models/many?v=1&v=5000",
    "/models/many/versions/2500",
    "/events",
    "/events?of=execution&is=000000000007",
    "/search?q=many",
    "/search?q=00000005",
)


def test_each_page_answers_in_bounded_memory(large: Served) -> None:
    """The first ask of a page loads what it shows with."""
    for pattern in ("/pipelines", "/executions/000000000001", "/models/many/versions/1", "/events"):
        large.ask(pattern)
    before, slow = large.most_megabytes, {}
    for pattern in PAGES:
        large.ask(pattern)
        took = min(large.cpu_seconds(pattern) for _ in range(2))
        if took > MOST_CPU_SECONDS:
            slow[pattern] = took
    grown = large.most_megabytes - before
    assert slow == {}
    assert grown < MOST_GROWN_MEGABYTES, grown


@pytest.mark.parametrize(
    "pattern", ["/executions", "/executions?pipeline=many&size=25", "/executions?until=2026-01-02"]
)
def test_a_list_of_a_hundred_times_as_many_is_as_soon_there(pattern: str, small: Served, large: Served) -> None:
    """Together, so that what else the machine does is in both; each so often that a tick of the clock is nothing."""
    small.ask(pattern)
    large.ask(pattern)
    ratios = []
    for _ in range(5):
        took = [sum(one.cpu_seconds(pattern) for _ in range(15)) for one in (small, large)]
        ratios.append(took[1] / max(took[0], 1 / _TICKS))
    assert median(ratios) <= MOST_RATIO, ratios


def following(answer: Answer, words: str) -> str | None:
    found = re.search(rf'href="([^"]+)"[^>]*>{words}', answer.text)
    return unescape(found[1]) if found else None


def test_executions_go_on_by_a_key_from_any_place(large: Served) -> None:
    seen: list[str] = []
    place: str | None = "?until=2026-02-01&pipeline=many&size=100"
    for _ in range(20):
        answer = large.ask(f"/executions{place}")
        seen += re.findall(r'name="e" value="(\d{12})"', answer.text)
        place = following(answer, "older ones")
    first = int(seen[0])
    assert [int(id) for id in seen] == list(range(first, first - 2_000, -1))
    assert 0 < first < EXECUTIONS // 3


def test_all_versions_of_a_group_are_walked(large: Served) -> None:
    seen: list[int] = []
    place: str | None = ""
    while place is not None:
        answer = large.ask(f"/models/many{place}")
        seen += [int(number) for number in re.findall(r'name="v" value="(\d+)"', answer.text)]
        place = following(answer, "older ones")
    assert seen == list(range(VERSIONS, 0, -1))


def test_a_pipeline_of_many_steps_is_drawn_together_and_each_by_itself(large: Served) -> None:
    together, whole = (large.ask(f"/executions/WIDE{query}").text for query in ("", "?whole=1"))
    boxes = [len(re.findall(r'aria-label="Step\d+: ', text)) for text in (together, whole)]
    assert boxes[0] < 100 and boxes[1] == STEPS, boxes
    assert len(re.findall(r'<a href="/executions/wide00000000/steps/Step\d+">', whole)) == STEPS


def test_a_log_is_seen_from_both_ends_searched_and_kept(large: Served) -> None:
    end = large.ask(LOG)
    last = int(re.findall(r"<code>line (\d+) of", end.text)[-1])
    assert last * len(LINE % 0) > LOG_BYTES - 2 * len(LINE % 0)
    before = re.findall(r"<code>line (\d+) of", large.ask(f"{LOG}{following(end, 'before these')}").text)
    assert len(before) == 500 and int(before[-1]) < last
    assert "<code>line 00000000 of" in large.ask(f"{LOG}?at=head").text
    searched = large.ask(f"{LOG}?words=line+00200000")
    assert "<code>line 00200000" not in searched.text, "so far one search does not go"
    further = following(searched, "search on")
    found = None
    for _ in range(4):
        assert further is not None
        found = large.ask(f"{LOG}{further}")
        if "<code>line 00200000" in found.text:
            break
        further = following(found, "search on")
    assert found is not None and "<code>line 00200000" in found.text
    before_all = large.most_megabytes
    assert len(large.ask(f"{LOG}/download").text) >= LOG_BYTES
    assert large.most_megabytes - before_all < MOST_GROWN_MEGABYTES
