"""The program that keeps the files of a notebook instance in S3: what it takes there and back, and what it leaves."""

from __future__ import annotations

import json
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from mlops.knowledge.notebooks import sync

AWS = """#!/bin/sh
# For the aws command line: folders stand for places of S3.
[ ! -e "$THERE/refused" ] || exit 1
case "$3" in s3://*) from="$THERE/${3#s3://}"; to="$4" ;; *) from="$3"; to="$THERE/${4#s3://}" ;; esac
echo "$@" >> "$THERE/calls"
mkdir -p "$from" "$to"
cp -R "$from/." "$to"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Below which S3 has the files of `Research`."""
    there = tmp_path / "s3"
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "aws"
    command.write_text(AWS)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("THERE", str(there))
    kept = there / "acme" / "notebooks" / "Research"
    (kept / "deep").mkdir(parents=True)
    (kept / "a.ipynb").write_text("old")
    (kept / "deep" / "b.ipynb").write_text("b")
    return there


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "SageMaker"
    folder.mkdir()
    (folder / "a.ipynb").write_text("mine")
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/research"
    (tmp_path / "metadata.json").write_text(json.dumps({"ResourceName": "Research", "ResourceArn": arn}))
    return folder


def told(files: Path) -> dict[str, str]:
    return {file.relative_to(files).as_posix(): file.read_text() for file in files.rglob("*") if file.is_file()}


def kept(files: Path) -> None:
    sync.main("s3://acme/notebooks", files, files.parent / "metadata.json")


def test_files_go_to_a_folder_of_the_instances_name(place: Path, files: Path) -> None:
    kept(files)
    assert told(files) == {"a.ipynb": "mine"}
    assert told(place / "acme") == {"notebooks/Research/a.ipynb": "mine", "notebooks/Research/deep/b.ipynb": "b"}
    (call,) = (place / "calls").read_text().splitlines()
    assert call.startswith(f"s3 sync {files} s3://acme/notebooks/Research/ --region eu-west-1 --no-follow-symlinks ")
    assert "--delete" not in call


def test_one_that_was_made_takes_over_what_it_lacks_and_goes_on_where_it_was_cut_off(place: Path, files: Path) -> None:
    (files / sync.WANTED).touch()
    (place / "refused").touch()
    with pytest.raises(subprocess.CalledProcessError):
        kept(files)
    assert (files / sync.WANTED).exists()
    (place / "refused").unlink()
    kept(files)
    assert told(files) == {"a.ipynb": "mine", "deep/b.ipynb": "b"}
    shutil.rmtree(files / "deep")
    kept(files)
    assert told(files) == {"a.ipynb": "mine"}, "what was deleted comes back to none that was there"


LEFT_OUT = [".env", "a/.env.local", "prod.env", "deep/er/key.pem", "x/.ssh/config", "id_rsa.pub", "credentials.json"]
LEFT_OUT += [".git/config", "repo/.git/objects/ab", ".ipynb_checkpoints/a.ipynb", "x/.ipynb_checkpoints/b.ipynb"]
LEFT_OUT += [sync.WANTED, f"{sync.STAGED}/a.ipynb"]
TAKEN = ["a.ipynb", "deep/er/b.py", "environment.yml", ".gitignore", "keys.csv", "model/checkpoint.pt", "secretary.txt"]


@pytest.mark.parametrize(("name", "wanted"), [*((n, True) for n in LEFT_OUT), *((n, False) for n in TAKEN)])
def test_what_is_secret_or_made_again_stays_here(name: str, wanted: bool) -> None:
    patterns = [*sync.MADE_AGAIN, *sync.SECRET]
    assert any(fnmatch(name, found) for pattern in patterns for found in (pattern, f"*/{pattern}")) is wanted
