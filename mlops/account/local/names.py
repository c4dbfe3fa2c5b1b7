"""What is there by name, for somebody who types: read in passing, beside whoever writes, and never made.

A store that is not there, is being moved or is of another version has no names to give; nobody wants to hear of that
between two keys.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from mlops.account.local.state import STORE

_MOST = 100


def executions(folder: Path) -> list[str]:
    """Ids, newest first."""
    return _names(folder, "SELECT id FROM execution ORDER BY created DESC LIMIT ?", _MOST)


def steps(folder: Path, execution: str | None) -> list[str]:
    """In the order of their starts, of the execution whose id begins so; of the newest without."""
    return _names(
        folder,
        "SELECT name FROM step WHERE execution = "
        "(SELECT id FROM execution WHERE id GLOB ? ORDER BY created DESC LIMIT 1) "
        "GROUP BY name ORDER BY min(started) LIMIT ?",
        f"{execution or ''}*",
        _MOST,
    )


def resources(folder: Path, kind: str) -> list[str]:
    """Of the kinds that the account keeps as resources: Pipeline, Endpoint, ModelPackageGroup."""
    return _names(folder, "SELECT name FROM resource WHERE kind = ? ORDER BY name LIMIT ?", kind, _MOST)


def versions(folder: Path, group: str) -> list[str]:
    """Newest first."""
    query = "SELECT CAST(version AS TEXT) FROM package WHERE name = ? AND version > 0 ORDER BY version DESC LIMIT ?"
    return _names(folder, query, group, _MOST)


def _names(folder: Path, query: str, *values: object) -> list[str]:
    try:
        with closing(sqlite3.connect(f"{(folder / STORE).resolve().as_uri()}?mode=ro", uri=True, timeout=0.1)) as store:
            return [str(row[0]) for row in store.execute(query, values)]
    except (sqlite3.Error, OSError):
        return []
