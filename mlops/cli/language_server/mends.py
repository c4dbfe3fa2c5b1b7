"""What ``--fix`` would do, as actions that an editor offers at the finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types

from mlops.check.fixing import mend
from mlops.check.python_source import decode
from mlops.cli.language_server import positions
from mlops.ir import Edit, Finding, Severity, Where

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.mlops"


def actions(
    uri: str, file: Path, text: str, root: Path, found: Sequence[Mapping[str, Any]], asked: types.Range
) -> Iterator[types.CodeAction]:
    """Of findings that stand where ``asked`` is; at last all together. ``text`` is what the editor shows: while that is
    not what was checked, nothing is sure."""
    mendable = [item for item in found if item["edit"] is not None]
    lines = text.split("\n")
    for item in mendable:
        where = positions.of_finding(item, lines)
        if where.start.line <= asked.end.line and asked.start.line <= where.end.line:
            edit = _edit(file, text, root, [item])
            if edit is not None:
                title = f"{item['code']}: write {item['edit']['new']!r} for {item['edit']['old']!r}"
                yield _action(title, types.CodeActionKind.QuickFix, uri, edit)
    if mendable:
        edit = _edit(file, text, root, mendable)
        if edit is not None:
            yield _action("Make all mends that are certain", FIX_ALL, uri, edit)


def _action(title: str, kind: types.CodeActionKind | str, uri: str, edit: types.TextEdit) -> types.CodeAction:
    return types.CodeAction(title, kind=kind, edit=types.WorkspaceEdit(changes={uri: [edit]}))


def _edit(file: Path, text: str, root: Path, found: Sequence[Mapping[str, Any]]) -> types.TextEdit | None:
    for mended in mend([_finding(item, file) for item in found], root=root):
        before, _ = decode(mended.before)
        if before == text:
            return positions.of_change(before, decode(mended.after)[0])
    return None


def _finding(item: Mapping[str, Any], file: Path) -> Finding:
    return Finding(
        item["code"],
        item["name"],
        Severity(item["severity"]),
        item["message"],
        path=item["path"],
        where=Where(str(file), item["line"], item["column"]),
        edit=Edit(item["edit"]["old"], item["edit"]["new"]),
    )
