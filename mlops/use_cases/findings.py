"""What is found in a project's pipelines, with the lines around it: for whoever goes on running while files change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_lines, hide_text
from mlops.use_cases.told_by_command import told_by_command

_AROUND = 2
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class FoundAt:
    """``lines`` are those around it, with their numbers."""

    code: str
    severity: str
    message: str
    help: str
    place: str
    line: int | None
    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """``told`` is what the command had to say where it found nothing to check."""

    command: str
    files: int
    errors: int
    warnings: int
    findings: tuple[FoundAt, ...]
    told: str = ""


def findings(program: Sequence[str], root: Path, environment: str) -> Findings:
    """``program`` is how the command line is started."""
    words = ["check", ".", "--env", environment]
    command = f"mlops {' '.join(words)}"
    told = told_by_command(program, words, root)
    if isinstance(told, str):
        return Findings(command, 0, 0, 0, (), told)
    summary = told["summary"]
    found = tuple(_found(root, item) for item in told["findings"])
    return Findings(command, summary["files"], summary["errors"], summary["warnings"], found)


def _found(root: Path, item: Mapping[str, Any]) -> FoundAt:
    file, line = str(item.get("file") or ""), item.get("line")
    return FoundAt(
        code=str(item["code"]),
        severity=str(item["severity"]),
        message=hide_text(str(item["message"])),
        help=hide_text(str(item.get("help") or "")),
        place=f"{file}:{line}" if line else file,
        line=line,
        lines=_around(root, file, line) if line else (),
    )


def _around(root: Path, file: str, line: int) -> tuple[tuple[int, str], ...]:
    """Of a file of the project, and of no other."""
    try:
        path = (root / file).resolve()
        if not path.is_relative_to(root.resolve()) or path.stat().st_size > _LARGEST:
            return ()
        text = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        return ()
    begin = max(line - 1 - _AROUND, 0)
    shown = hide_lines(text[begin : line + _AROUND]).split("\n")
    return tuple(enumerate(shown, begin + 1))
