"""Lines of a TOML text: tomllib tells none, so a second look finds them, only when a mistake has to say where."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError


def mistake(file: Path, text: str, path: tuple[str, ...], message: str) -> str:
    """A sentence that begins with the place."""
    return f"{place(file, text, path)}: {message}"


def place(file: Path, text: str, path: tuple[str, ...]) -> str:
    """``file:line`` of a key, as far as the line is known."""
    line = line_of(text, path)
    return f"{file}:{line}" if line else str(file)


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line of a key or of a table's header. Of what is not there it is the table that lacks it, or the key whose
    value it would be in; None where there is neither. ``text`` is one that tomllib takes."""
    from mlops.project.toml_lines import Said, lines  # only a mistake has to say where

    found: dict[tuple[str, ...], tuple[Said, int]] = {}
    try:
        for known, said, line in lines(text):
            if path[: len(known)] == known and (known not in found or said < found[known][0]):
                found[known] = (said, line)
    except RecursionError:  # deeper than anybody nests by hand
        pass
    for end in range(len(path), 0, -1):
        said, line = found.get(path[:end], (Said.IMPLIED, 0))
        if line and (end >= len(path) - 1 or said is Said.BY_KEY):
            return line
    return None


def parsed(file: Path, text: str) -> dict[str, Any]:
    """Raises ConfigurationError with the line where the text of ``file`` is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column \d+\)", str(error))
        raise ConfigurationError(f"{file}:{where.group(1) if where else text.count(chr(10)) + 1}: {error}") from None
