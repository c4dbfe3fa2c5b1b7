"""Which files and folders of a project a program reads while it runs, as Python's own audit events tell."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

_LISTING = ("os.listdir", "os.scandir")
_IMPORTERS = ("importlib", "_frozen_importlib", "pkg_resources", "pkgutil")
"""Modules that begin so list every folder of sys.path, which says nothing of what the program wants there."""


class Reading:
    """From its making on, for as long as the process lives: an audit hook cannot be taken away. ``beside`` are folders
    of the project that are none of its sources."""

    def __init__(self, root: Path, beside: tuple[Path, ...]) -> None:
        self.paths: set[Path] = set()
        """A folder is among them where it was listed."""
        self._root = root.resolve()
        self._beside = tuple(folder.resolve() for folder in beside)
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR):
                return
        elif event in _LISTING:
            path = arguments[0] or "."
            if str(sys._getframe(1).f_globals.get("__name__")).startswith(_IMPORTERS):
                return
        else:
            return
        if not isinstance(path, str | bytes | Path):
            return
        place = Path(os.fsdecode(path)).resolve()
        if not place.is_relative_to(self._root) or "__pycache__" in place.parts:
            return
        if not any(place.is_relative_to(folder) for folder in self._beside):
            self.paths.add(place)
