"""What stands under the pointer: the argument of a constructor, and the member of the request that it becomes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from mlops.cli.language_server.positions import characters
from mlops.declare.argument_members import default, members, of_names
from mlops.ir.fields import Field


def told(text: str, line: int, unit: int) -> str | None:
    """In Markdown; ``line`` and ``unit`` as the protocol counts."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    lines = text.split("\n")
    if line >= len(lines):
        return None
    # Python counts bytes of UTF-8.
    at = (line + 1, len(lines[line][: characters(lines[line], unit)].encode()))
    known = of_names()
    for call, keyword in _keywords(tree):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        begin = (keyword.lineno, keyword.col_offset)
        if name in known and begin <= at <= (begin[0], begin[1] + len((keyword.arg or "").encode())):
            return _argument(name, keyword.arg or "", known[name])
    return None


def _keywords(tree: ast.AST) -> Iterator[tuple[ast.Call, ast.keyword]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((node, keyword) for keyword in node.keywords if keyword.arg is not None)


def _argument(constructor: str, name: str, fields: Sequence[Field]) -> str | None:
    found = [field for field in fields if field.name == name]
    if not found:
        return None
    lines = [f"**{name}** of {constructor}: {', '.join(members(found))}"]
    if otherwise := default(found[-1]):
        lines.append("required" if otherwise == "required" else f"without it: {otherwise}")
    words = sorted({word for field in found for word in field.kind.words})
    if words:
        lines.append("one of " + ", ".join(f"`{word}`" for word in words))
    return "\n\n".join(lines)
