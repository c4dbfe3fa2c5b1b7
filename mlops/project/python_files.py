"""What a Python file says, without running it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple


class Imported(NamedTuple):
    """``module`` may also be a name inside of one. ``level`` is the number of dots before it."""

    module: str
    level: int

    @property
    def outermost(self) -> str:
        return self.module.partition(".")[0]


def parsed(source: Path | str | bytes) -> ast.Module | None:
    """None for what Python could not read either."""
    try:
        return ast.parse(source.read_bytes() if isinstance(source, Path) else source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def syntax_error(file: Path) -> SyntaxError | None:
    """Why Python could not read a file; None where it can, or cannot for want of anything else."""
    try:
        ast.parse(file.read_bytes())
    except SyntaxError as error:
        return error
    except (OSError, ValueError, RecursionError, MemoryError):
        return None
    return None


def imported(node: ast.AST) -> list[Imported]:
    """What one statement imports, itself and not what stands inside of it.

    >>> [[name.module for name in imported(node)] for node in ast.parse("import a.b, c\\nfrom d.e import f, g").body]
    [['a.b', 'c'], ['d.e', 'd.e.f', 'd.e.g']]
    >>> imported(ast.parse("from . import a").body[0])
    [Imported(module='a', level=1)]
    """
    if isinstance(node, ast.Import):
        return [Imported(alias.name, 0) for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if not node.module:
        return [Imported(alias.name, node.level) for alias in node.names]
    modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [Imported(module, node.level) for module in modules]
