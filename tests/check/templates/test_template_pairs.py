"""A fault in a template is told at its line, and what is near to it and sound is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops.check.templates.judging import judge

ROWS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("pairs.yaml").read_text())
_EITHER = re.compile(r"«(.*?)¦(.*?)»")
_REPEATED = re.compile(r"\{(\w)\*(\d+)\}")


def _template(text: str, *, sound: bool) -> tuple[bytes, set[int]]:
    """One of the two, and the lines that have a mark."""
    lines: list[str] = []
    marked: set[int] = set()
    for written in text.splitlines():
        part = ROWS["parts"].get(written.strip().strip("%")) if written.strip().startswith("%") else None
        if part is not None:
            lines += part.splitlines()
            continue
        alone = written[:2] if written[:2] in ("-|", "+|") else ""
        if alone == ("-|" if sound else "+|"):
            continue
        line = written.removeprefix(alone)
        lines.append(_EITHER.sub(lambda found: found[2 if sound else 1], line).removesuffix(" ##"))
        if alone or "«" in line or line.endswith(" ##"):
            marked.add(len(lines))
    whole = _REPEATED.sub(lambda found: found[1] * int(found[2]), "\n".join(lines))
    return whole.encode(), marked


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in ROWS["pairs"]])
def test_one_is_told_at_its_line_and_the_other_is_not(row: dict[str, str]) -> None:
    content, marked = _template(row["text"], sound=False)
    told = judge(content, "template.yaml")
    assert marked & {finding.where.line for finding in told if finding.code == row["code"]}, told
    content, _ = _template(row["text"], sound=True)
    assert row["code"] not in {finding.code for finding in judge(content, "template.yaml")}
