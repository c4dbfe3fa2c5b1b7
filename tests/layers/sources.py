"""The package's sources, each parsed and walked once for all that reads them."""

from __future__ import annotations

import ast
import gc
from collections.abc import Sequence
from functools import cache
from pathlib import Path


@cache
def parsed(file: Path) -> ast.Module:
    """It stays, so none of it is garbage: to look through all before again and again took four times as long as to
    parse them."""
    gc.disable()
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    finally:
        gc.freeze()
        gc.enable()


@cache
def nodes_of(file: Path) -> Sequence[ast.AST]:
    return tuple(ast.walk(parsed(file)))
