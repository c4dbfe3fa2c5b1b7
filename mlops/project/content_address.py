"""Content addresses: the same sources have the same address on every machine and Python.

A SHA-256 over sorted (relative path, executable bit, content hash), never over an archive: gzip headers differ between
Python 3.12 and 3.13. Caches, version control and editors' files stay out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from mlops.ir.dataclass import dataclass

IGNORED_FOLDERS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"}
    | {".mlops", ".idea", ".vscode", "node_modules"}
)
IGNORED_SUFFIXES = (".pyc", ".pyo", ".swp", "~")
IGNORED_FILES = frozenset({".DS_Store"})


@dataclass(frozen=True, slots=True)
class Digest:
    """A file of an asset: its path there, and the SHA-256 of its content."""

    path: str
    executable: bool
    content: str


class UnshippableFile(Exception):
    """A link that leads out of the folder, or something that is no regular file."""


def collect(source: Path) -> tuple[tuple[str, Path], ...]:
    """(POSIX path in the asset, local file) of a file or of everything in a folder, sorted. Raises UnshippableFile, and
    OSError for a folder that cannot be read."""
    if source.is_file():
        return ((source.name, source),)
    found: list[tuple[str, Path]] = []
    top = source.resolve()
    for folder, folders, files in os.walk(source, onerror=_refused):
        folders[:] = sorted(name for name in folders if name not in IGNORED_FOLDERS and not name.endswith(".egg-info"))
        for name in files:
            if name in IGNORED_FILES or name.endswith(IGNORED_SUFFIXES):
                continue
            path = Path(folder, name)
            if not _is_text(name):
                raise UnshippableFile(f"the name of {path!r} is not UTF-8")
            if path.is_symlink() and not path.resolve().is_relative_to(top):
                raise UnshippableFile(f"{path} is a link to a place outside of {source}")
            if not path.is_file():
                raise UnshippableFile(f"{path} is not a regular file")
            found.append((path.relative_to(source).as_posix(), path))
    return tuple(sorted(found))


def _refused(fault: OSError) -> NoReturn:
    """os.walk leaves out what it cannot list, and so the step would miss it."""
    raise fault


def _is_text(name: str) -> bool:
    """False for a file name that the system holds in other bytes than UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def address(files: Iterable[tuple[str, Path]]) -> str:
    """64 hexadecimal digits for what :func:`collect` found."""
    return address_of(digests(files))


def digests(files: Iterable[tuple[str, Path]]) -> tuple[Digest, ...]:
    """In the order of their paths."""
    import hashlib  # it loads OpenSSL, and to check a definition asks for none

    found = []
    for relative, path in sorted(files):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        found.append(Digest(relative, is_executable(path), content))
    return tuple(found)


def address_of(found: Iterable[Digest]) -> str:
    import hashlib  # as above

    digest = hashlib.sha256()
    for item in found:
        executable = b"x" if item.executable else b"-"
        digest.update(b"\0".join((item.path.encode(), executable, item.content.encode())) + b"\n")
    return digest.hexdigest()


def is_executable(path: Path) -> bool:
    return os.access(path, os.X_OK) and os.name != "nt"
