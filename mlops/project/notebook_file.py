"""A notebook's cells as one program, its lines where the notebook's own file has them.

So whatever tells a line of the program tells one of the file, and an editor finds it. What is no Python becomes a call
of ``__notebook__``, which whoever runs the program puts into its names.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence

CALLED = "__notebook__"
"""Takes what kind of a magic it is, its name, what stands behind it and, of a cell's, the cell."""

_LINE = re.compile(
    r"^(?P<indent>\s*)(?:(?P<into>[\w\s,.\[\]'\"]+?)\s*=\s*)?(?P<sign>[%!])(?P<rest>[^%=].*)$", re.DOTALL
)
_HELP = re.compile(r"^\s*\?{1,2}[\w.]+\s*$|^\s*[\w.]+\?{1,2}\s*$")
_AS_CODE = ("time", "timeit", "capture", "prun", "local", "px", "heat", "memit", "mprun", "lprun", "snakeviz")
"""Cell magics whose cell is Python like any other."""


def program(text: str) -> str:
    """Raises ValueError for what is no notebook, and SyntaxError at a line that is neither Python nor a magic."""
    notebook = json.loads(text)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        worksheets = notebook.get("worksheets") if isinstance(notebook, dict) else None
        if not isinstance(worksheets, list):
            raise ValueError("it is no notebook: it has no cells")
        cells = [cell for sheet in worksheets for cell in sheet.get("cells", [])]
    language = _language(notebook.get("metadata"))
    if language not in ("", "python"):
        raise ValueError(f"it is a notebook of {language}, and a pipeline is a program in Python")
    lines: list[str] = []
    place = _Places(text)
    for cell in cells:
        source = cell.get("source", cell.get("input", "")) if isinstance(cell, dict) else ""
        given = source if isinstance(source, list) else str(source).splitlines(keepends=True)
        code = [str(line).rstrip("\n") for line in given]
        # All cells are looked for, so that a line which a text cell holds too is found in the right one.
        at = [place.of(json.dumps(str(line), ensure_ascii=False), json.dumps(str(line))) for line in given]
        if cell.get("cell_type") != "code":
            continue
        for number, line in zip(at, _plain(code), strict=True):
            lines.extend([""] * ((number or 0) - 1 - len(lines)))
            lines.append(line)
    return "\n".join(lines) + "\n"


def _language(metadata: object) -> str:
    """Empty where it does not say."""
    told = metadata if isinstance(metadata, dict) else {}
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        known = told.get(key)
        if isinstance(known, dict) and isinstance(known.get(name), str):
            return str(known[name]).lower()
    return ""


class _Places:
    """The lines of the notebook's file on which the strings of its cells stand, in their order."""

    def __init__(self, text: str) -> None:
        self._lines = [line.strip().rstrip(",") for line in text.splitlines()]
        self._next = 0

    def of(self, *written: str) -> int | None:
        """None where no line holds just that, as in a file without line breaks."""
        for index in range(self._next, len(self._lines)):
            line = self._lines[index]
            if line in written or (line.startswith('"source"') and line.endswith(written)):
                self._next = index + 1
                return index + 1
        return None


def _plain(cell: Sequence[str]) -> list[str]:
    """The same number of lines, all Python."""
    first = next((index for index, line in enumerate(cell) if line.strip()), None)
    if first is None:
        return list(cell)
    if cell[first].startswith("%%"):
        name, _, rest = cell[first][2:].strip().partition(" ")
        if name in _AS_CODE:
            return ["", *([""] * first), *_plain(cell[first + 1 :])]
        body = "\n".join(cell[first + 1 :])
        call = _call("cell", name, rest.strip(), body + "\n" if body else "")
        return [*([""] * first), call, *([""] * (len(cell) - first - 1))]
    lines = list(cell)
    while (wrong := _wrong_line(lines)) is not None:
        # Where Python stops is not always where the magic stands; then the next that could be one is taken.
        candidates = [index for index in (wrong, *range(len(lines))) if index < len(lines) and _is_magic(lines[index])]
        if not candidates:
            break
        _replace(lines, candidates[0])
    return lines


def _wrong_line(lines: Sequence[str]) -> int | None:
    try:
        compile("\n".join(lines) + "\n", "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return (error.lineno or 1) - 1
    except ValueError:
        return None
    return None


def _is_magic(line: str) -> bool:
    return _LINE.match(line) is not None or _HELP.match(line) is not None


def _replace(lines: list[str], index: int) -> None:
    """The magic of a line, and the lines that a backslash joins to it."""
    last = index
    while lines[last].endswith("\\") and last + 1 < len(lines):
        last += 1
    joined = " ".join(
        line.rstrip("\\").strip() if line is not lines[index] else line.rstrip("\\") for line in lines[index : last + 1]
    )
    lines[index : last + 1] = [_line(joined), *([""] * (last - index))]


def _line(line: str) -> str:
    found = _LINE.match(line)
    if found is None:
        return line[: len(line) - len(line.lstrip())] + "pass"
    into = f"{found['into']} = " if found["into"] else ""
    rest = found["rest"].strip()
    if found["sign"] == "!":
        return f"{found['indent']}{into}{_call('shell', '', rest.lstrip('!'), '')}"
    name, _, arguments = rest.partition(" ")
    return f"{found['indent']}{into}{_call('line', name, arguments.strip(), '')}"


def _call(kind: str, name: str, rest: str, body: str) -> str:
    return f"{CALLED}({kind!r}, {name!r}, {rest!r}, {body!r})"
