"""A report format: how many findings there are."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.ir import Finding


def render(findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str:
    return f"{len(findings)} in {files} files\n"
