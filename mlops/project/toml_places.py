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
    """The line of a key or of its table's header; a key of an inline table has the line where that begins."""
    header = ""
    header_line: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        table = re.match(r"\[+\s*([^\]]+?)\s*\]+", stripped)
        if table:
            header = table.group(1).replace('"', "").replace("'", "")
            if header == ".".join(path):
                return number
            if header == ".".join(path[:-1]):
                header_line = number
            continue
        key = re.match(r"(\"[^\"]*\"|'[^']*'|[\w\-.]+)\s*=", stripped)
        if key:
            full = ".".join(filter(None, (header, key.group(1).strip("\"'"))))
            if full == ".".join(path):
                return number
            if ".".join(path).startswith(f"{full}."):
                header_line = number  # an inline table
    return header_line


def parsed(file: Path, text: str) -> dict[str, Any]:
    """Raises ConfigurationError with the line where the text of ``file`` is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column \d+\)", str(error))
        raise ConfigurationError(f"{file}:{where.group(1) if where else text.count(chr(10)) + 1}: {error}") from None
