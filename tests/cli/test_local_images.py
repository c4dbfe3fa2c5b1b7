"""What stands for images here: listed, found built, removed. That they are built asks the judge ``images``."""

from __future__ import annotations

import json
import os
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Told, in_this_process

from mlops.account.local.images.shelf import VENV, Built, Shelf
from mlops.knowledge.image_need import need

Said = Callable[..., Told]
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
OWN = "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"
PIPELINE = f"""
from mlops import Pipeline, Training
with Pipeline("churn") as pipeline:
    own = pipeline.string("Image")
    Training("Known", code="code", entry="train.py", image="{SKLEARN}")
    Training("Own", code="plain.py", image="{OWN}")
    Training("Later", code="plain.py", image=own)
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Said:
    (tmp_path / "mlops.toml").write_text('[project]\npipelines = "."\n', encoding="utf-8")
    (tmp_path / "pipeline.py").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "plain.py").write_text("", encoding="utf-8")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("", encoding="utf-8")
    (tmp_path / "code" / "requirements.txt").write_text("no-such-thing-at-all\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return in_this_process(capfd)


def test_how_images_run_is_listed_and_an_environment_is_removed(said: Said, tmp_path: Path) -> None:
    told = said("local", "images", "list")
    assert "no-such-thing-at-all (missing)" in told.out and "`mlops local images build`" in told.err
    found = {item["steps"][0]: item for item in json.loads(said("local", "images", "list", "--format", "json").out)}
    assert {name: (item["how"], item["built"]) for name, item in found.items()} == {
        "churn/Known": ("environment", False),
        "churn/Own": ("python", False),
        "churn/Later": ("later", False),
    }
    assert said("local", "images", "remove", "none", code=2).err.startswith("error: there is no environment none")
    assert "A032" in said("check", "pipeline.py", "--env", "local", "--select", "A032").out
    shelf, wanted = Shelf(tmp_path / ".mlops"), need(SKLEARN, "no-such-thing-at-all\n")
    assert wanted is not None
    shelf.want(wanted)
    (kept,) = shelf.all()
    venv.create(kept.folder / VENV, symlinks=True)
    version = sys.version.split()[0]
    shelf.finish(kept.need, Built(version, sys.base_prefix, os.path.realpath(kept.folder), ()))
    assert f"environment {kept.need.id}, Python {version}" in said("local", "images", "list").out
    assert (
        said("local", "images", "build").err
        == "nothing is to be built: this Python, or what is built already, meets all of them\n"
    )
    assert json.loads(said("local", "images", "remove", "--all", "--format", "json").out) == {"removed": [kept.need.id]}
    assert [*shelf.all()] == []
