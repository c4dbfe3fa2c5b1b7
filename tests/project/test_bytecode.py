"""A pipeline's file leaves no bytecode beside it, and what it imports of ours is not compiled again by each command."""

from __future__ import annotations

import os
import py_compile  # noqa: F401 - so that its own bytecode is not among what is looked for
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from mlops.declare.load import load
from mlops.project import bytecode, notebook_file

IMPORTED = notebook_file.__name__
SOURCE = Path(notebook_file.__file__)
PIPELINE = f"""\
import beside
import {IMPORTED}
from mlops import Fail, Pipeline

with Pipeline("p"):
    Fail("F", message="m")
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where bytecode goes, which may be written."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(sys, "pycache_prefix", str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setitem(sys.modules, IMPORTED, notebook_file)  # other tests load the package anew
    return folder


def test_what_a_file_imports_of_ours_is_compiled_once(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, IMPORTED)
    file = tmp_path / "pipeline.py"
    file.write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "beside.py").write_text("", encoding="utf-8")
    assert load(file).findings == ()
    assert Path(cache_from_source(str(SOURCE))).is_file()
    assert not [*cache.rglob("beside*"), *tmp_path.rglob("__pycache__")]


@pytest.mark.parametrize(
    ("modules", "forbidden", "kept"),
    [
        pytest.param([IMPORTED], False, True, id="ours"),
        pytest.param([IMPORTED], True, False, id="forbidden"),
        pytest.param(["json"], False, False, id="another's"),
        pytest.param(["mlops.not_there"], False, False, id="not loaded"),
    ],
)
def test_bytecode_is_kept_of_ours(
    modules: list[str], forbidden: bool, kept: bool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", forbidden)
    bytecode.keep_own_bytecode(modules)
    assert [*cache.rglob("*.pyc")] == ([Path(cache_from_source(str(SOURCE)))] if kept else [])


def test_an_older_one_is_made_again(cache: Path) -> None:
    bytecode.keep_own_bytecode([IMPORTED])
    made = Path(cache_from_source(str(SOURCE)))
    os.utime(made, (0, 0))
    bytecode.keep_own_bytecode([IMPORTED])
    assert made.stat().st_mtime >= SOURCE.stat().st_mtime


def test_where_none_may_be_written_there_is_none(cache: Path) -> None:
    cache.write_bytes(b"")
    bytecode.keep_own_bytecode([IMPORTED])
    assert cache.read_bytes() == b""
