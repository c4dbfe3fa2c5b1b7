"""The whole loop on this machine: a model serves, its traffic drifts, and a better one serves in its place; then labels
are spoiled, and the model that was trained on them is refused. ``make loop`` runs it.

    python docs/loop/walk.py [--folder DIR] [--picture FILE]

Nobody does anything on the way: this only asks the endpoint as its clients do, and publishes labels as a clinic does.
It ends with 1 where a request failed, or the loop did not end as it should.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data import FEATURES, LABEL, Patient, measured, patients
from picture import draw
from traffic import Asked, Traffic

from mlops.account import Account, connect
from mlops.ir.feedback import Loop
from mlops.project.environments import read_project

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).parent / "project"
NAME = "tumours"
BASE, JUDGED, LABELLED, LATER = slice(0, 200), slice(200, 280), slice(280, 430), slice(430, None)
"""Whose labels are known before; who a version is judged by; whose labels come; who comes afterwards."""
NEW_SCANNER = 1.5
_PATIENCE = 120.0
_WRITTEN = 6.0
"""What is captured lies there after so many seconds."""
_WORDS = {"train": "it trains anew", "promote": "gates, then a canary"}


@dataclass(slots=True)
class Told:
    """What happened when, for the picture."""

    began: float
    events: list[tuple[float, str]] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.events.append((time.time(), text))
        print(f"\n[{time.time() - self.began:5.1f} s] {text}", flush=True)


def mlops(folder: Path, *arguments: str, expect: int = 0) -> None:
    """Show a command, run it in ``folder``, and stop where it ends otherwise than expected."""
    print(f"\n$ mlops {' '.join(arguments)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "mlops", *arguments], cwd=folder, check=False)
    if done.returncode != expect:
        raise SystemExit(f"it ended with {done.returncode}, and {expect} was expected")


def put(folder: Path, name: str, known: Sequence[Patient], uri: str, *, header: bool = False) -> None:
    lines = [",".join((*FEATURES, LABEL))] if header else []
    lines += [f"{patient.line},{patient.label}" for patient in known]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    mlops(folder, "local", "put", name, uri)


def loops(account: Account) -> list[Loop]:
    """Each time that feedback was to act."""
    return [item for item in account.here.loops.read() if item.acted] if account.here is not None else []


def until(what: Callable[[], Any], why: str) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.5)
    raise SystemExit(f"{why}: not within {_PATIENCE:g} s")


def publish_labels(folder: Path, asked: Sequence[Asked], *, spoiled: bool = False) -> None:
    """As a clinic does it once it knows."""
    lines = "".join(f"{item.name},{1 - item.label if spoiled else item.label}\n" for item in asked)
    (folder / "labels.csv").write_text(f"inference_id,label\n{lines}", encoding="utf-8")
    mlops(folder, "endpoints", "outcome", NAME, "labels.csv")


def look(folder: Path, monitor: str, since: float) -> None:
    """The monitor looks at what came since then, and finds something."""
    time.sleep(_WRITTEN)
    window = ("--since", _moment(since), "--until", _moment(time.time()))
    mlops(folder, "monitor", "run", monitor, *window, expect=1)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _standing(account: Account) -> str:
    (alarm,) = account.client("cloudwatch").describe_alarms(AlarmNames=[f"{NAME}-drift"])["MetricAlarms"]
    return str(alarm["StateValue"])


def loop(account: Account, number: int, told: Told) -> Loop:
    """The one with that number, when it has ended."""
    stages: list[str] = []

    def ended() -> Loop | None:
        found = loops(account)
        if len(found) < number:
            return None
        now = found[number - 1]
        if now.state not in stages:
            stages.append(now.state)
            verdict = str(now.told.get("verdict") or "").splitlines()[-1:]
            about = "".join(verdict).strip() or {"train": "it trains anew", "promote": "gates, then a canary"}.get(
                now.state, ""
            )
            told.note(f"feedback: {now.state}{', ' + about if about else ''}")
        return now if now.ended else None

    done: Loop = until(ended, "the loop does not end")
    return done


def walk(folder: Path) -> tuple[Told, list[Asked], bool]:
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    shutil.copy(ROOT / "mlops.lock", folder)
    known = patients()
    (folder / "sample.csv").write_text(f"{known[0].line}\n", encoding="utf-8")
    (folder / "nothing").touch()
    put(folder, "base.csv", known[BASE], "s3://mlops-local/tumours/base/")
    put(folder, "baseline.csv", known[BASE], "s3://mlops-local/tumours/baseline/", header=True)
    put(folder, "judged.csv", known[JUDGED], "s3://mlops-local/tumours/judged/")
    mlops(folder, "local", "put", "nothing", "s3://mlops-local/tumours/nothing/")
    mlops(folder, "run", "pipeline.py")
    mlops(folder, "upsert", "serving.py")
    environment = read_project(folder).environment("local")
    account = connect(environment)
    url = account.here.address(NAME) if account.here is not None else None
    mlops(folder, "feedback", "on")
    with Traffic(str(url), known[LABELLED]) as traffic:
        return _walk(folder, account, traffic, known, Told(time.time()))


def _walk(
    folder: Path, account: Account, traffic: Traffic, known: Sequence[Patient], told: Told
) -> tuple[Told, list[Asked], bool]:
    told.note("version 1 serves, and the old scanner measures")
    old = traffic.wait_for(100)
    told.note(f"a new scanner: lengths are {NEW_SCANNER} times what they were")
    since, traffic.unit = time.time(), NEW_SCANNER
    new = traffic.wait_for(200)
    publish_labels(folder, new)
    put(folder, "judged-new.csv", [measured(item, NEW_SCANNER) for item in known[JUDGED]], _JUDGED)
    look(folder, "tumours-watch", since)
    told.note("the monitor finds that features drift")
    until(lambda: _standing(account) == "ALARM", "no alarm")
    told.note("the alarm goes off")
    first = loop(account, 1, told)
    traffic.patients, since = known[LATER], time.time()
    after = traffic.wait_for(500)

    told.note("a clinic's export swaps its labels")
    publish_labels(folder, after, spoiled=True)
    look(folder, "tumours-right", since)
    told.note("a monitor finds that the model is often wrong")
    second = loop(account, 2, told)
    last = traffic.wait_for(150)
    for arguments in (("models", "lineage", NAME, "2"), ("endpoints", "history", NAME), ("feedback", "list")):
        mlops(folder, *arguments)
    print("\n                                      right")
    for what, items in (
        ("version 1, old scanner", old),
        ("version 1, new scanner", new),
        ("version 2, new scanner", after),
        ("version 2, when 3 was refused", last),
    ):
        print(f"  {what:32} {100 * _right(items):6.1f} %")
    failed = sum(item.right is None for item in traffic.asked)
    print(f"\n{len(traffic.asked)} requests, {failed} failed")
    good = (
        (first.state, first.told.get("version")) == ("done", 2)
        and (second.state, second.told.get("version")) == ("refused", 3)
        and min(_right(after), _right(last)) > _right(new) + 0.1
        and failed == 0
    )
    return told, traffic.asked, good


_JUDGED = "s3://mlops-local/tumours/judged/"


def _right(asked: Sequence[Asked]) -> float:
    return sum(item.right is True for item in asked) / len(asked)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "loop", help="is made anew")
    parser.add_argument("--picture", type=Path, help="where it is drawn; in the folder without")
    given = parser.parse_args()
    folder: Path = given.folder
    began = time.monotonic()
    if (folder / ".mlops").exists():
        _delete(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        told, asked, good = walk(folder)
    finally:
        _delete(folder)
    picture = given.picture or folder / "loop.svg"
    picture.write_text(draw(told.began, asked, told.events), encoding="utf-8")
    print(f"\n{picture} shows it; {time.monotonic() - began:.0f} s")
    print("all was well" if good else "NOT all was well")
    return 0 if good else 1


def _delete(folder: Path) -> None:
    """The clock ends where nothing is left to wait for."""
    for arguments in (("feedback", "off"), ("destroy", NAME, f"{NAME}-drift", "--resources", "--yes")):
        command = [sys.executable, "-m", "mlops", *arguments]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
