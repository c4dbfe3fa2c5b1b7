"""The text of a pipeline file: its statements, the names and strings in them with their columns, its comments.

Read by Python's own parser and tokenizer, and only for a file that a finding or an allow comment is about.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

from mlops.ir.dataclass import dataclass
from mlops.project.python_files import parsed

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
Kind = Literal["literal", "keyword", "attribute"]
_COMPOUND = (ast.stmt, ast.ExceptHandler, ast.match_case)
_HOLDING = (ast.Call, ast.Dict, ast.List, ast.Tuple, ast.Set, ast.keyword)


@dataclass(frozen=True, slots=True)
class Word:
    """A literal, the name of a keyword argument or an attribute. Lines and columns are 1-based, in characters;
    ``end`` is the column behind it on the same line."""

    value: str | int | float
    line: int
    column: int
    end: int
    kind: Kind

    @property
    def is_literal(self) -> bool:
        return self.kind == "literal"


@dataclass(frozen=True, slots=True)
class Comment:
    """``alone`` says that nothing else stands on its line."""

    text: str
    line: int
    column: int
    alone: bool


class PythonSource:
    """A file that may not parse: then it has no words and no statements, perhaps comments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = _LINES.findall(text)
        self._found: dict[int, list[Word]] = {}

    @classmethod
    def of(cls, file: Path) -> PythonSource | None:
        """None where Python could not read it either."""
        try:
            return cls(decode(file.read_bytes())[0])
        except (OSError, SyntaxError, UnicodeDecodeError):
            return None

    @cached_property
    def _tree(self) -> ast.Module | None:
        return parsed(self.text)

    @cached_property
    def _statements(self) -> dict[int, ast.stmt]:
        """The innermost statement of each line; a compound one only on the lines of its header."""
        found: dict[int, ast.stmt] = {}
        stack: list[ast.AST] = [self._tree] if self._tree else []
        while stack:
            node = stack.pop()
            if isinstance(node, ast.stmt):
                last = max((_end(item) for item in _header(node)), default=node.lineno)
                for line in range(node.lineno, last + 1):
                    found[line] = node
            inner = [item for item in ast.iter_child_nodes(node) if isinstance(item, _COMPOUND)]
            stack.extend(reversed(inner))
        return found

    def first_line(self, line: int) -> int:
        """Where the statement of a line begins."""
        statement = self._statements.get(line)
        return statement.lineno if statement else line

    def words(self, line: int) -> list[Word]:
        """Those of the statement that stands on a line."""
        statement = self._statements.get(line)
        if statement is None:
            return []
        if statement.lineno not in self._found:
            self._found[statement.lineno] = [word for part in _header(statement) for word in self._words(part)]
        return self._found[statement.lineno]

    def words_of_names(self, line: int) -> list[Word]:
        """Those of the statements that gave the names which the statement of a line uses, each given once."""
        found: list[Word] = []
        seen: set[str] = set()
        todo = [self._statements.get(line)]
        while todo:
            statement = todo.pop()
            parts = _header(statement) if statement is not None else []
            used = [node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)]
            for name in used:
                given = self._assignments.get(name, ())
                if name not in seen and len(given) == 1 and given[0] is not statement:
                    found += self.words(given[0].lineno)
                    todo.append(given[0])
                seen.add(name)
        return found

    @cached_property
    def _assignments(self) -> dict[str, list[ast.stmt]]:
        found: dict[str, list[ast.stmt]] = {}
        for statement in {id(item): item for item in self._statements.values()}.values():
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(statement)
        return found

    def around(self, word: Word) -> Iterator[list[Word]]:
        """The words of each call, list and dictionary of its statement that holds a word, from the narrowest."""
        statement = self._statements.get(word.line)
        parts = [node for part in _header(statement) for node in ast.walk(part)] if statement is not None else []
        held = [list(self._words(node)) for node in parts if isinstance(node, _HOLDING)]
        yield from sorted((words for words in held if word in words), key=len)

    def _words(self, part: ast.AST) -> Iterator[Word]:
        stack = [part]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.JoinedStr):
                continue  # its pieces have no places of their own before Python 3.12
            negative = _negative(node)
            if negative is not None and node.lineno == node.end_lineno:  # type: ignore[attr-defined]
                yield self._word(negative, node.lineno, node.col_offset, node.end_col_offset, "literal")  # type: ignore[attr-defined]
                continue
            if isinstance(node, ast.Constant) and type(node.value) in (str, int, float):
                if node.lineno == node.end_lineno and node.end_col_offset is not None:
                    yield self._word(node.value, node.lineno, node.col_offset, node.end_col_offset, "literal")  # type: ignore[arg-type]
            elif isinstance(node, ast.keyword) and node.arg is not None:
                yield self._word(node.arg, node.lineno, node.col_offset, node.col_offset + _bytes(node.arg), "keyword")
            elif isinstance(node, ast.Attribute) and node.end_lineno is not None and node.end_col_offset is not None:
                end = node.end_col_offset
                yield self._word(node.attr, node.end_lineno, end - _bytes(node.attr), end, "attribute")
            stack.extend(reversed(list(ast.iter_child_nodes(node))))

    def _word(
        self,
        value: str | int | float,
        line: int,
        start: int,
        end: int,
        kind: Kind,
    ) -> Word:
        content = self.lines[line - 1].encode()
        column = len(content[:start].decode(errors="replace"))
        return Word(value, line, column + 1, len(content[:end].decode(errors="replace")) + 1, kind)

    def comments(self) -> list[Comment]:
        """By the tokenizer, so that a # inside of a string is none; up to where it gives up."""
        found: list[Comment] = []
        try:
            for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
                if token.type == tokenize.COMMENT:
                    line, column = token.start
                    found.append(Comment(token.string, line, column + 1, not token.line[:column].strip()))
        except (tokenize.TokenError, SyntaxError):  # the file's own mistake is told by whoever loads it
            pass
        return found

    def next_code_line(self, line: int) -> int:
        """The first line after ``line`` that is neither empty nor a comment."""
        for number in range(line + 1, len(self.lines) + 1):
            stripped = self.lines[number - 1].strip()
            if stripped and not stripped.startswith("#"):
                return number
        return line


def decode(content: bytes) -> tuple[str, str]:
    """Text and encoding of a Python file, line ends as they are. Raises SyntaxError or UnicodeDecodeError."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return content.decode(encoding), encoding


def _header(statement: ast.stmt) -> list[ast.AST]:
    return [item for item in ast.iter_child_nodes(statement) if not isinstance(item, _COMPOUND)]


def _negative(node: ast.AST) -> int | float | None:
    """A number with a minus before it, which the parser keeps apart."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if isinstance(value, int | float) and not isinstance(value, bool) else None
    return None


def _end(node: ast.AST) -> int:
    inner = max((_end(item) for item in ast.iter_child_nodes(node)), default=0) if isinstance(node, ast.withitem) else 0
    return max(inner, getattr(node, "end_lineno", None) or 0)


def _bytes(text: str) -> int:
    return len(text.encode())
