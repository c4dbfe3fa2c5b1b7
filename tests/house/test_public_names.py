"""The names of the package are those that its modules state, written where type checkers find them."""

from __future__ import annotations

from pathlib import Path

import mlops
import mlops.resources
from tests.house.public_names import PACKAGE, files, names, written


def test_the_package_has_the_names_that_its_modules_state() -> None:
    for file, text in files().items():
        assert file.read_text(encoding="utf-8") == text, "write it again: make names"


def test_every_name_is_there() -> None:
    assert [name for name in mlops.__all__ if getattr(mlops, name) is None] == []
    assert [name for name in mlops.resources.__all__ if getattr(mlops.resources, name) is None] == []


def test_a_new_file_with_a_name_is_enough(tmp_path: Path) -> None:
    (tmp_path / "declare" / "steps").mkdir(parents=True)
    (tmp_path / "declare" / "steps" / "toy.py").write_text('__all__ = ["Toy"]\n')
    found = names(tmp_path)
    assert found["Toy"] == "mlops.declare.steps.toy"
    text = written((PACKAGE / "__init__.py").read_text(encoding="utf-8"), found)
    assert "    from mlops.declare.steps.toy import Toy\n" in text
    assert '    "Toy": "mlops.declare.steps.toy",\n' in text
