"""The present moment in a pipeline that is declared: told where it is in the definition, and not for being asked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlops.check.sources import open_targets

FILE = """
import time
from mlops import Fail, Pipeline

with Pipeline("churn") as p:
    Fail("No", message={message})
"""


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("time.strftime('%Y-%m-%d')", [("D108", 6, "execution.execution_id")]),
        ("f'no{len(time.strftime(chr(37)))}'", []),
        ("'no'", []),
    ],
)
def test_the_moment_is_told_where_the_pipeline_holds_it(
    tmp_path: Path, message: str, told: list[tuple[str, int, str]]
) -> None:
    folder = tmp_path / time.strftime("%Y-%m-%d")  # a folder's date is none of the definition's
    folder.mkdir()
    file = folder / "pipeline.py"
    file.write_text(FILE.format(message=message))
    found = [item for item in open_targets([str(file)], "local").findings if item.code == "D108"]
    assert [(item.code, item.where.line) for item in found] == [(code, line) for code, line, _ in told]
    assert all(words in (item.help or "") for item, (_, _, words) in zip(found, told, strict=True))
