"""A disk that is full, and files of another user: what is told, and how it goes on. The disk is a small one in memory,
mounted where only the test's own commands see it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT

from mlops.account.local import reserve

PIPELINE = """
from mlops import Pipeline, Processing
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
with Pipeline("fill") as pipeline:
    size = pipeline.string("Size", default="1")
    Processing("One", code="one.py", image=IMAGE, outputs=["x"], environment={"SIZE": size})
"""
STEP = """
import os, pathlib
with open("/opt/ml/processing/output/x/data", "wb") as file:
    for _ in range(int(os.environ["SIZE"])):
        file.write(os.urandom(1 << 20))
"""
FLOW = """
set -e
mount -t tmpfs -o size=8m tmpfs .mlops
mlops() {
  at=told/$1; shift; rc=0
  "$PYTHON" -m mlops "$@" > $at.out 2> $at.err || rc=$?
  echo $rc > $at.code
}
mlops first run pipeline.py
if [ -n "$WHOLE" ]; then
  mlops no-place-for-a-copy run pipeline.py -p Size=4
  mlops no-place-at-all run pipeline.py -p Size=40
fi
head -c 100000000 /dev/zero > .mlops/full 2> /dev/null || true
mlops list executions list
mlops doctor doctor
mlops run run pipeline.py
mlops prune local prune --keep 0 --yes
rm .mlops/full
mlops left executions list --format json
[ -z "$WHOLE" ] || mlops again run pipeline.py
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or shutil.which("unshare") is None, reason="needs a namespace of mounts")
@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.proof("examples"))], ids=["full", "while it fills and after"]
)
def test_a_full_disk_is_told_and_pruned(tmp_path: Path, whole: bool) -> None:
    if subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True
    ).returncode:
        pytest.skip("no namespace can be made here")
    (tmp_path / "mlops.toml").touch()
    (tmp_path / ".mlops").mkdir(mode=0o700)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "one.py").write_text(STEP)
    (tmp_path / "told").mkdir()
    environment = {**os.environ, "WHOLE": "yes" * whole, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    command = ["unshare", "-rm", "sh", "-c", FLOW]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told = {
        code.stem: (int(code.read_text()), code.with_suffix(".out").read_text(), code.with_suffix(".err").read_text())
        for code in (tmp_path / "told").glob("*.code")
    }
    full = f"the disk of {tmp_path / '.mlops'}"
    assert told["first"][0] == 0
    for name in ("no-place-for-a-copy", "no-place-at-all") if whole else ():
        code, _, err = told[name]
        assert (code, "is full" in err, "`mlops local prune`" in err) == (1, True, True), (name, err)
        assert str(ROOT / "mlops") not in err and "is gone" not in err
    code, out, _ = told["doctor"]
    assert full in out and "is full but for" in out
    for name in ("list", "run"):
        assert told[name][0] == 0 or full in told[name][2], told[name]
    assert not [name for name, (_, out, err) in told.items() if "move the file away" in out + err]
    code, out, err = told["prune"]
    assert (code, err) == (0, "") and ("3 executions" if whole else "1 execution") in out
    assert (told["left"][0], json.loads(told["left"][1])) == (0, [])
    assert not whole or told["again"][0] == 0


def test_the_reserve_is_kept_once_and_given_back(tmp_path: Path) -> None:
    reserve.keep(tmp_path)
    (file,) = tmp_path.iterdir()
    before = file.stat()
    assert (before.st_size, before.st_mode & 0o777, before.st_blocks > 0) == (reserve.SIZE, 0o600, True)
    reserve.keep(tmp_path)
    assert file.stat() == before
    reserve.give_back_if_full(tmp_path)
    assert file.exists()
    reserve.give_back(tmp_path)
    reserve.give_back(tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_what_another_user_made_is_told_with_its_owner(tmp_path: Path) -> None:
    """In a namespace of users root has no power over files of users that are not there."""
    if subprocess.run(["unshare", "-r", "true"], capture_output=True).returncode:
        pytest.skip("no namespace can be made here")
    (tmp_path / "mlops.toml").touch()
    (tmp_path / ".mlops").mkdir(mode=0o700)
    os.chown(tmp_path / ".mlops", 12345, 12345)
    owner = f"{tmp_path / '.mlops'} belongs to nobody"
    mend = f"sudo chown -R root {tmp_path / '.mlops'}"
    for words, code in ((["doctor"], 1), (["local", "prune"], 2), (["executions", "list"], 2)):
        command = ["unshare", "-r", sys.executable, "-m", "mlops", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        told = done.stdout + done.stderr
        assert (done.returncode, "belongs to nobody" in told, mend in told) == (code, True, True), told
        assert words != ["doctor"] or (owner in told and "mlops.toml" in told)


def test_a_project_that_cannot_be_written_to_is_told_with_a_way_on(tmp_path: Path) -> None:
    script = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$0" -m mlops executions list'
    if subprocess.run(["unshare", "-rm", "mount", "--bind", ".", "."], cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("no namespace can be made here")
    (tmp_path / "mlops.toml").touch()
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and f"error: Read-only file system: {tmp_path / '.mlops'}" in done.stderr
    assert "help: what is made here is kept in .mlops/ of the project" in done.stderr
