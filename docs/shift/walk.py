"""The whole road on this machine: two versions are trained, approved, promoted to staging and, under constant load, by
5, 25, 50 and 100 percent to production. ``make shift`` runs it.

    python docs/shift/walk.py [--folder DIR] [--bake SECONDS] [--picture FILE]

Ends with 1 where a request failed, or where a stage's split is not what chance makes of its share.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from load import Load
from picture import draw
from split import CONFIDENCE, interval
from timeline import Timeline, read

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = "pipelines/breast_cancer/pipeline.py"
GROUP = "breast-cancer"
TOML = """
[project]
pipelines = "pipelines"

[env.defaults]
instance = "ml.m5.large"

# Both lie in the local account.
[env.staging]
account = "000000000000"

[env.staging.promote]
endpoint = "{{group}}-staging"

[env.production]
account = "000000000000"
approval = true

[env.production.promote]
strategy = {{ stepped = {{ shares = [5, 25, 50, 100], bake = "{bake}s" }} }}

[env.production.promote.gates]
after = "staging"
approvals = {{ reasons = true }}

[env.production.promote.judge]
errors = {{ at_most = "1%", interval = "1s" }}
latency = {{ at_most = "2s", interval = "1s" }}
"""


def project(folder: Path, toml: str) -> Path:
    """With the pipeline of the repository."""
    shutil.copytree(ROOT / "pipelines" / "breast_cancer", folder / "pipelines" / "breast_cancer", dirs_exist_ok=True)
    shutil.copy(ROOT / "mlops.lock", folder)
    (folder / "mlops.toml").write_text(toml, encoding="utf-8")
    return folder


def mlops(folder: Path, *arguments: str, expect: int = 0) -> str:
    """Show a command, run it in ``folder``, and stop where it ends otherwise than expected. What it printed."""
    print(f"\n$ mlops {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "mlops", *arguments], cwd=folder, text=True, stdout=subprocess.PIPE, check=False
    )
    print(done.stdout, end="", flush=True)
    if done.returncode != expect:
        raise SystemExit(f"it ended with {done.returncode}, and {expect} was expected")
    return done.stdout


def address(folder: Path, endpoint: str) -> str:
    shown = mlops(folder, "endpoints", "show", endpoint)
    return next(line.split()[1] for line in shown.splitlines() if line.startswith("  address"))


def promote(folder: Path, version: int) -> None:
    """To staging, then to production."""
    mlops(folder, "models", "approve", GROUP, str(version), "--reason", "its report is good")
    mlops(folder, "promote", GROUP, "--to", "staging")
    mlops(folder, "promote", GROUP, "--to", "production", "--yes")


def walk(folder: Path, bake: float) -> tuple[Timeline, bool]:
    """What happened, and whether all was well."""
    project(folder, TOML.format(bake=f"{bake:g}"))
    mlops(folder, "run", PIPELINE, "-p", "Trees=30")
    promote(folder, 1)
    mlops(folder, "run", PIPELINE, "-p", "Trees=40")
    began = time.time()
    with Load(address(folder, GROUP), folder / "pipelines" / "breast_cancer" / "sample.csv") as load:
        time.sleep(3)
        promote(folder, 2)
        time.sleep(3)
    time.sleep(2)  # requests are recorded each second
    found = read(folder, GROUP, began, time.time())
    print(f"\n{load.seen.requests} requests by {load.seen.by}, {load.seen.failed} failed")
    return found, load.seen.failed == 0 and _is_split(found)


def _is_split(found: Timeline) -> bool:
    print(f"\n  wanted  requests  to the new version  {100 * CONFIDENCE:g} % of such splits lie between")
    stages, good = list(found.stages(found.new)), True
    for stage in stages:
        asked = found.within(stage)
        new = sum(item.variant == found.new for item in asked)
        low, high = interval(len(asked), stage.share)
        good = good and low <= new <= high and len(asked) > 0
        told = f"{new} ({100 * new / max(len(asked), 1):.1f} %)"
        print(f"  {100 * stage.share:4g} %  {len(asked):8}  {told:>18}  {low} and {high}")
    return good and [round(100 * stage.share) for stage in stages] == [5, 25, 50, 100]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "shift", help="is made anew")
    parser.add_argument("--bake", type=float, default=8.0, help="seconds of each stage")
    parser.add_argument("--picture", type=Path, help="where it is drawn; in the folder without")
    given = parser.parse_args()
    folder: Path = given.folder
    began = time.monotonic()
    if (folder / ".mlops").exists():
        _delete(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        found, good = walk(folder, given.bake)
        picture = given.picture or folder / "shift.svg"
        picture.write_text(draw(found), encoding="utf-8")
        print(f"\n{picture} shows it; {time.monotonic() - began:.0f} s")
    finally:
        _delete(folder)
    print("all was well" if good else "NOT all was well")
    return 0 if good else 1


def _delete(folder: Path) -> None:
    for endpoint in (GROUP, f"{GROUP}-staging"):
        command = [sys.executable, "-m", "mlops", "endpoints", "delete", endpoint, "--yes"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
