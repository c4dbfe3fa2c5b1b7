"""Values that nobody is to see: each lies in a file of its own below the account's folder, its owner's alone, and in no
table, event, log or token. They are not encrypted: whoever reads this disk as this user reads them."""

from __future__ import annotations

import json
import uuid
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

from mlops.account.local.state import State
from mlops.project.files import write_bytes
from mlops.project.private import FILE, private_folder

_FOLDER = "values"


def keep(state: State, value: str | bytes) -> str:
    """The name by which it is found again."""
    name = uuid.uuid4().hex
    told = {"text": value} if isinstance(value, str) else {"bytes": b64encode(bytes(value)).decode()}
    write_bytes(private_folder(state.folder / _FOLDER) / name, json.dumps(told).encode(), mode=FILE)
    return name


def kept(state: State, name: str) -> str | bytes | None:
    """None where somebody has removed the file."""
    try:
        told = json.loads(_place(state, name).read_bytes())
    except FileNotFoundError:
        return None
    return b64decode(told["bytes"]) if "bytes" in told else str(told["text"])


def forget(state: State, name: str) -> None:
    _place(state, name).unlink(missing_ok=True)


def unnamed(state: State, before: float) -> Iterator[Path]:
    """Files older than ``before``, in seconds since 1970, that no resource names: who kept a value was killed before he
    said whose it is, or before he took it away."""
    folder = state.folder / _FOLDER
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        named = state.store.one(
            "SELECT 1 FROM resource WHERE kind IN ('Secret', 'Parameter') AND instr(body, ?)", file.name
        )
        if named is None and file.stat().st_mtime < before:
            yield file


def _place(state: State, name: str) -> Path:
    return state.folder / _FOLDER / name
