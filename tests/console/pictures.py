"""The pictures of docs/console.md: one of the repository's pipelines is run here some times, and its pages are
photographed in Chromium.

    python tests/console/pictures.py      # needs the extra `local`, playwright and Chromium

Each picture says in itself which pages the navigation had, so that a test can tell when they are out of date.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from mlops.console.finding import navigation

ROOT = Path(__file__).parent.parent.parent
PICTURES = ROOT / "docs" / "console"
TOML = """\
[project]
pipelines = "pipelines"
[env.defaults]
instance = "ml.m5.large"
[env.local.promote]
strategy = { canary = { share = 25, bake = "15s" } }
[env.local.promote.judge]
errors = { at_most = "1%", interval = "3s" }
"""
FIT = "model = RandomForest"
REFUSAL = """\
if options.trees < 1:
    raise ValueError(f"no forest is made of {options.trees} trees: give -p Trees=…")

"""
"""So that a failure is told in words of the project and not of a library."""
RUNS = (("Trees=10",), ("Trees=40",), ("Trees=0",), ("Trees=80", "MinAccuracy=0.9"))
"""Parameters; of no trees nothing can be made."""


@dataclass(frozen=True, slots=True)
class Shot:
    path: str
    height: int
    width: int = 1280
    scheme: str = "light"


SHOTS = {
    "executions": Shot("/executions?parameters=1", 350),
    "failed": Shot("/executions/FAILED", 820),
    "execution": Shot("/executions/GOOD", 900),
    "compare": Shot("/compare?e=GOOD&e=OTHER", 900, scheme="dark"),
    "version": Shot("/models/breast-cancer/versions/1?gates=1", 800),
    "endpoint": Shot("/endpoints/breast-cancer", 900, scheme="dark"),
    "cost": Shot("/cost", 620),
    "narrow": Shot("/executions/FAILED", 800, width=400),
}


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="mlops-pictures-"))
    try:
        ids = made(folder)
        with serving(folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, shot in SHOTS.items():
                take(browser, address, shot, ids, PICTURES / f"{name}.png")
            browser.close()
    finally:
        mlops(folder, "endpoints", "delete", "breast-cancer", "--yes")
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def made(folder: Path) -> dict[str, str]:
    """Ids by what they stand for in the paths."""
    pipeline = folder / "pipelines" / "breast_cancer"
    shutil.copytree(ROOT / "pipelines" / "breast_cancer", pipeline, ignore=shutil.ignore_patterns("*.json"))
    train = pipeline / "train" / "train.py"
    train.write_text(train.read_text(encoding="utf-8").replace(FIT, f"{REFUSAL}{FIT}"), encoding="utf-8")
    shutil.copy(ROOT / "mlops.lock", folder)
    (folder / "mlops.toml").write_text(TOML, encoding="utf-8")
    for parameters in RUNS:
        mlops(folder, "run", *(word for one in parameters for word in ("-p", one)))
    for version in ("1", "2"):
        mlops(folder, "models", "approve", "breast-cancer", version, "--reason", "its report is good")
    promote = ("promote", "breast-cancer", "--to", "local", "--version")
    mlops(folder, *promote, "1")
    with asked(folder, pipeline / "sample.csv"):
        mlops(folder, *promote, "2")
    listed = mlops(folder, "executions", "list").splitlines()[1:]
    newest = [line.split()[0] for line in listed]
    return {"GOOD": newest[2], "OTHER": newest[3], "FAILED": newest[1]}


@contextmanager
def asked(folder: Path, sample: Path) -> Iterator[None]:
    """Ten times a second."""
    shown = mlops(folder, "endpoints", "show", "breast-cancer").splitlines()
    address = next(line.split()[1] for line in shown if line.startswith("  address"))
    request = urllib.request.Request(address, sample.read_bytes(), {"Content-Type": "text/csv"})
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.1):
            urllib.request.urlopen(request).close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        ended.set()
        asking.join()


def mlops(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "mlops", *words]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False).stdout


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "mlops", "console", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as console:
        try:
            assert console.stdout is not None
            yield console.stdout.readline().strip()
        finally:
            console.terminate()


def take(browser: Any, address: str, shot: Shot, ids: dict[str, str], file: Path) -> None:
    size = {"width": shot.width, "height": shot.height}
    context = browser.new_context(viewport=size, color_scheme=shot.scheme)
    page = context.new_page()
    page.goto(address)
    page.wait_for_url("**/pipelines")
    path = re.sub("|".join(ids), lambda found: ids[found[0]], shot.path)
    page.goto(address.partition("/enter")[0] + path)
    page.wait_for_load_state("load")
    page.screenshot(path=file)
    context.close()
    told = ", ".join(item.title for item in navigation())
    file.write_bytes(with_note(file.read_bytes(), told))


def with_note(png: bytes, text: str) -> bytes:
    """A chunk of text before the last one, which is the end."""
    body = b"tEXtPages\0" + text.encode("latin-1")
    return png[:-12] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + png[-12:]


if __name__ == "__main__":
    sys.exit(main())
