"""Places in S3 that a file of the official SDK uploads to, as the files of the project that it uploads: a program that
names the places alone would find them only where that file was upserted before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops.emit.python.source import string
from mlops.ir import Asset, Definition

_COMPOSED = "composed"
"""The folder that keeps what the SDK uploaded, by content."""


def linked(text: str, definition: Definition) -> str:
    """``text`` is a program, whose texts stand each for itself."""
    for uri, file in _files(definition):
        text = text.replace(string(uri), string(file))
    return text


def uploaded(definition: Definition) -> tuple[str, ...]:
    """Places that the file's own upsert sends something to."""
    return tuple(asset.uri for asset in _sent(definition))


def _sent(definition: Definition) -> list[Asset]:
    return [asset for asset in definition.assets if any(file.parent.name == _COMPOSED for _, file in asset.files)]


def _files(definition: Definition) -> Iterator[tuple[str, str]]:
    """URIs with the files and folders that lie there, as a program beside the pipeline's file names them."""
    sent = _sent(definition)
    if not sent or definition.where.file is None:
        return
    here = Path(definition.where.file).resolve().parent
    known = {_digest(file): file for file in definition.reads if file.is_file()}
    for asset in sent:
        found = {relative: _original(file, known) for relative, file in asset.files}
        folder = _folder(found)
        if folder is not None:
            told = _from(folder, here)
            yield from ((uri, told) for uri in (asset.uri, f"{asset.uri}/"))
        for relative, original in found.items():
            if original is not None:
                yield f"{asset.uri}/{relative}", _from(original, here)


def _original(file: Path, known: Mapping[str, Path]) -> Path | None:
    """The project's file of the same content; what is kept is called after that."""
    return known.get(file.name)


def _folder(found: Mapping[str, Path | None]) -> Path | None:
    """The one that holds them all by the same names."""
    tops = {
        original.parents[len(Path(relative).parts) - 1]
        for relative, original in found.items()
        if original is not None and original.as_posix().endswith(f"/{relative}")
    }
    whole = all(original is not None and original.as_posix().endswith(f"/{name}") for name, original in found.items())
    return next(iter(tops)) if whole and len(tops) == 1 else None


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _from(file: Path, here: Path) -> str:
    """Relative where it can be; files are looked for beside the program, then in the project's root."""
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.as_posix()
