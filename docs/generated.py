"""A page that a program writes, and whether it is stale."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def written(page: Path, text: str, program: str) -> int:
    """Write ``text``; with ``--check`` only see whether it is what stands there. The exit code."""
    if "--check" not in sys.argv[1:]:
        page.write_text(text, encoding="utf-8")
        return 0
    stale = not page.is_file() or page.read_text(encoding="utf-8") != text
    if stale:
        print(f"{page.relative_to(ROOT)} is stale: python docs/{program}", file=sys.stderr)
    return int(stale)
