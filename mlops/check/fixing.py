"""Mends that are certain, made in the author's own file: a name or a string becomes another, every other byte stays.

A finding's edit is made only where the file still says what the finding says it does; two that contradict each other
are both left to the author.
"""

from __future__ import annotations

import ast
import difflib
import json
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.check.python_source import PythonSource, Word, decode
from mlops.ir import Edit, Finding
from mlops.ir.dataclass import dataclass
from mlops.ir.lines import offsets
from mlops.project.files import write_bytes

_PLAIN = re.compile(r"[^\"'\\\r\n]*")
_NAME = re.compile(r"[A-Za-z0-9_\-]+")


@dataclass(frozen=True, slots=True)
class Mended:
    """``count`` is how many findings the change of a file takes away."""

    file: Path
    before: bytes
    after: bytes
    count: int

    def write(self) -> None:
        """Replace the file as a whole."""
        write_bytes(self.file, self.after)

    def diff(self, shown: str) -> str:
        """As ``diff -u`` has it."""
        before, after = (side.decode(errors="replace").splitlines(keepends=True) for side in (self.before, self.after))
        lines = difflib.unified_diff(before, after, f"a/{shown}", f"b/{shown}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@dataclass(frozen=True, slots=True)
class _Change:
    """Characters ``start`` to ``end`` become ``text``."""

    start: int
    end: int
    text: str


def mend(findings: Iterable[Finding], *, root: Path) -> list[Mended]:
    """What would become of the files below ``root``, by path; those without a certain mend are not here."""
    by_file: dict[Path, list[Finding]] = {}
    for finding in findings:
        if finding.edit is not None and finding.where.file not in (None, "-"):
            by_file.setdefault(Path(finding.where.file or ""), []).append(finding)
    found: list[Mended] = []
    for file in sorted(by_file):
        if not file.is_relative_to(root) or file.suffix not in (".py", ".json"):
            continue
        before = file.read_bytes()
        mended = (_python if file.suffix == ".py" else _definition)(before, by_file[file])
        if mended is not None:
            found.append(Mended(file, before, *mended))
    return found


def _definition(content: bytes, findings: Sequence[Finding]) -> tuple[bytes, int] | None:
    encoding = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"
    text = content.decode(encoding)
    try:
        document = json.loads(text)
    except ValueError:  # it was changed since it was read
        return None
    pointers = {finding.path for finding in findings if finding.path is not None}
    starts = offsets(text, pointers)
    changes = []
    for finding in findings:
        path = finding.path
        if finding.edit is not None and path is not None and path in starts:
            changes.append(_json_change(text, starts[path], path, finding.edit, document))
    return _applied(text, encoding, changes, json.loads)


def _json_change(text: str, start: int, path: str, edit: Edit, document: Any) -> _Change | None:
    parent, _, token = path.rpartition("/")
    name = token.replace("~1", "/").replace("~0", "~")
    holder = _at(document, parent)
    decoder = json.JSONDecoder()
    if not isinstance(holder, dict):
        value, end = decoder.raw_decode(text, start)
        return _string_change(value, start, end, edit)
    key, end = decoder.raw_decode(text, start)
    value_start = _past(text, _past(text, end) + 1)
    value, value_end = decoder.raw_decode(text, value_start)
    if name == edit.old and key == edit.old:
        certain = edit.new not in holder and value != edit.old
        return _Change(start, end, _quoted(edit.new, text[start:end])) if certain else None
    return _string_change(value, value_start, value_end, edit)


def _string_change(value: Any, start: int, end: int, edit: Edit) -> _Change | None:
    """A whole string, or the one name in an expression's path that is meant."""
    if not isinstance(value, str):
        return None
    if value == edit.old:
        return _Change(start, end, _quoted(edit.new))
    names = [match for match in _NAME.finditer(value) if match.group() == edit.old]
    if len(names) != 1 or not _NAME.fullmatch(edit.new):
        return None
    return _Change(start, end, _quoted(value[: names[0].start()] + edit.new + value[names[0].end() :]))


def _quoted(text: str, like: str = "") -> str:
    return json.dumps(text, ensure_ascii=like.isascii())


def _past(text: str, position: int) -> int:
    while text[position] in " \t\r\n":
        position += 1
    return position


def _at(document: Any, path: str) -> Any:
    for token in path.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def _python(content: bytes, findings: Sequence[Finding]) -> tuple[bytes, int] | None:
    text, encoding = decode(content)
    source = PythonSource(text)
    begins = [0]
    for line in source.lines:
        begins.append(begins[-1] + len(line))
    changes = [_word_change(finding, finding.edit, source, begins) for finding in findings if finding.edit is not None]
    return _applied(text, encoding, changes, ast.parse)


def _word_change(finding: Finding, edit: Edit, source: PythonSource, begins: Sequence[int]) -> _Change | None:
    line, column = finding.where.line, finding.where.column
    if line is None or column is None:
        return None
    words = source.words(line)
    word = next((item for item in words if (item.line, item.column, item.value) == (line, column, edit.old)), None)
    if word is None:
        return None
    start, end = begins[line - 1] + word.column - 1, begins[line - 1] + word.end - 1
    written = source.text[start:end]
    if not word.is_literal:
        taken = any(other.kind == word.kind == "keyword" and other.value == edit.new for other in words)
        certain = written == edit.old and edit.new.isidentifier() and not keyword.iskeyword(edit.new) and not taken
        return _Change(start, end, edit.new) if certain else None
    quote = written[:1]
    if quote not in "\"'" or written != f"{quote}{edit.old}{quote}" or not _PLAIN.fullmatch(edit.new):
        return None
    if _is_member(finding, word) and any(other.is_literal and other.value == edit.new for other in words):
        return None  # the right member may stand beside it
    return _Change(start, end, f"{quote}{edit.new}{quote}")


def _is_member(finding: Finding, word: Word) -> bool:
    return finding.path is not None and finding.path.rpartition("/")[2] == word.value


def _applied(text: str, encoding: str, changes: Sequence[_Change | None], parse: Any) -> tuple[bytes, int] | None:
    """All changes that no other contradicts; None where there is none, or where the result would not parse."""
    wanted = dict.fromkeys(change for change in changes if change is not None)
    kept = sorted(_undisputed(wanted), key=lambda change: change.start)
    parts, position = [], 0
    for change in kept:
        parts += [text[position : change.start], change.text]
        position = change.end
    after = "".join([*parts, text[position:]])
    if after == text:
        return None
    try:
        parse(after)
    except (SyntaxError, ValueError):
        return None
    return after.encode(encoding), sum(change in kept for change in changes)


def _undisputed(changes: Mapping[_Change, None]) -> Iterator[_Change]:
    ordered = sorted(changes, key=lambda change: (change.start, change.end, change.text))
    reach = -1
    for index, change in enumerate(ordered):
        following = ordered[index + 1].start if index + 1 < len(ordered) else change.end
        if change.start >= reach and following >= change.end:
            yield change
        reach = max(reach, change.end)
