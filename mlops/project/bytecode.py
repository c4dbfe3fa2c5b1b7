"""Bytecode of what a pipeline's file imports. Where such a file runs none is written, so that nothing appears beside
it; what had none is compiled here afterwards, or it would be compiled again by each command that loads the file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from importlib.util import cache_from_source
from pathlib import Path

_OWN = str(Path(__file__).resolve().parents[1])
"""Also where this package runs from its sources, which no installer compiles."""


def keep_bytecode(sources: Iterable[str]) -> None:
    """Of modules that lie where Python is installed, or in this package, and had none. Where it may not be written it
    is not."""
    if sys.dont_write_bytecode:
        return
    packages = (entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages")))
    installed = tuple(f"{os.path.realpath(place)}/" for place in (_OWN, sys.prefix, sys.base_prefix, *packages))
    for source in sources:
        path = os.path.realpath(source)
        if path.startswith(installed) and path.endswith(".py"):
            _compile(path)


def keep_own_bytecode(modules: Iterable[str]) -> None:
    """Of those of ``modules``, by name, that are this package's and have none that is as new as they are."""
    if sys.dont_write_bytecode:
        return
    for name in modules:
        source = getattr(sys.modules.get(name), "__file__", None) if name.startswith("mlops.") else None
        if source is not None and source.startswith(f"{_OWN}{os.sep}") and not _is_compiled(source):
            _compile(source)


def _is_compiled(source: str) -> bool:
    try:
        return Path(cache_from_source(source)).stat().st_mtime >= Path(source).stat().st_mtime
    except (OSError, NotImplementedError):
        return False


def _compile(path: str) -> None:
    import py_compile  # hardly ever wanted

    with contextlib.suppress(OSError, py_compile.PyCompileError):
        py_compile.compile(path, doraise=True)
