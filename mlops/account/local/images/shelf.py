"""What is built and what is wanted. A folder holds ``need.json``, and once it is whole ``built.json``, written last."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from mlops.account.local import ownership
from mlops.ir.dataclass import dataclass
from mlops.knowledge.image_need import Need, need
from mlops.project.files import write_bytes
from mlops.project.private import FILE, private_folder
from mlops.run.beneath import remove
from mlops.run.ports import Interpreter

FOLDER = "images"
_NEED, _BUILT = "need.json", "built.json"
VENV, LOCK, LOG = "venv", "installed.txt", "build.log"


@dataclass(frozen=True, slots=True)
class Built:
    """``version`` is the Python's, which lies in ``base``; ``installed`` are lines of ``pip freeze``, ``told`` is what
    differs from the image. ``place`` is where it was built: its programs name that."""

    version: str
    base: str
    place: str
    installed: tuple[str, ...]
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """``built`` is None of what is only wanted, or half made."""

    need: Need
    folder: Path
    built: Built | None


class Shelf:
    def __init__(self, state: Path) -> None:
        self.folder = state / FOLDER

    def find(self, need: Need) -> Interpreter | None:
        folder = self.place(need)
        built = _built(folder)
        return None if built is None else _interpreter(folder, built)

    def built(self, need: Need) -> Built | None:
        return _built(self.place(need))

    def want(self, need: Need) -> None:
        """Noted, so that who builds all that is wanted builds it."""
        folder = private_folder(self.place(need))
        if not (folder / _NEED).exists():
            write_bytes(folder / _NEED, need.written().encode(), mode=FILE)

    def standing_for(self, image: str) -> str:
        """A hash of all that is built for an image, whatever beside it; empty where nothing is."""
        if not self.folder.is_dir():
            return ""
        wanted = need(image)
        packages = wanted.packages if wanted is not None else ()
        ids = [
            f"{kept.need.id} {_digest(kept.built)}"
            for kept in self.all()
            if kept.built is not None and kept.need.packages == packages
        ]
        return hashlib.sha256("\n".join(ids).encode()).hexdigest() if ids else ""

    def all(self) -> Iterator[Kept]:
        """By their ids."""
        if not self.folder.is_dir():
            return
        for folder in sorted(self.folder.iterdir()):
            try:
                found = Need.read((folder / _NEED).read_text(encoding="utf-8"))
            except (OSError, ValueError, TypeError, KeyError):  # not yet, or of another mlops
                continue
            yield Kept(found, folder, _built(folder))

    def place(self, need: Need) -> Path:
        return self.folder / need.id

    def finish(self, need: Need, built: Built) -> None:
        folder = self.place(need)
        write_bytes(folder / LOCK, "".join(f"{line}\n" for line in built.installed).encode(), mode=FILE)
        write_bytes(folder / _BUILT, json.dumps(asdict(built)).encode(), mode=FILE)

    def remove(self, kept: Kept) -> bool:
        """False where somebody builds it at this moment."""
        lock = ownership.take(kept.folder)
        if lock is None:
            return False
        try:
            (kept.folder / _BUILT).unlink(missing_ok=True)
            remove(kept.folder)
        finally:
            os.close(lock)
        return True


def _built(folder: Path) -> Built | None:
    """None too where it was moved, or the Python that it was made of has gone."""
    try:
        found = json.loads((folder / _BUILT).read_text(encoding="utf-8"))
        built = Built(found["version"], found["base"], found["place"], tuple(found["installed"]), tuple(found["told"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    is_whole = built.place == os.path.realpath(folder) and os.access(folder / VENV / "bin" / "python", os.X_OK)
    return built if is_whole else None


def _interpreter(folder: Path, built: Built) -> Interpreter:
    venv = folder / VENV
    return Interpreter(venv / "bin" / "python", built.version, _digest(built), (str(venv), built.base), built.installed)


def _digest(built: Built) -> str:
    return hashlib.sha256("\n".join((built.version, *built.installed)).encode()).hexdigest()
