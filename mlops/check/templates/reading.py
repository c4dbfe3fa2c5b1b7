"""A template's text as values with their places. Functions of CloudFormation are objects, however they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mlops.check import located
from mlops.check.located import Unreadable
from mlops.ir.dataclass import dataclass
from mlops.ir.lines import scan
from mlops.ir.values import pointer

LARGEST = 1_000_000
"""Bytes of a template that lies in a bucket (guide: CloudFormation quotas)."""
DEEPEST = 100
ALIASES = "CloudFormation takes no anchors and aliases of YAML"
_MOST_ALIASED = 50_000
"""Values of a text with aliases, each of which may stand for many."""
_SECTIONS = ("AWSTemplateFormatVersion", "Resources")
_TYPE = re.compile(r"\bType['\"]?\s*:\s*['\"]?(?:AWS|Alexa|Custom)::")


@dataclass(frozen=True, slots=True)
class Document:
    """``at`` finds line and column of a pointer, of a member those of its key; ``inside`` where the lines of a text
    begin, of those that stand as they are (YAML's ``|``). ``repeated`` are pointers of members that stand twice."""

    file: str
    value: Mapping[str, Any]
    text: str
    marks: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    inside: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()
    alias: tuple[int, int] | None = None
    """Where the first one of YAML's stands: what it leads to is read, though CloudFormation does not take it."""

    def at(self, place: str) -> tuple[int, int]:
        return located.place(self.marks, place)


def is_template(content: bytes) -> bool:
    """By its text: cheap, since a folder's files are all asked."""
    text = content.decode("utf-8", errors="replace")
    return "AWSTemplateFormatVersion" in text or _TYPE.search(text) is not None


def read(content: bytes, file: str) -> Document:
    """Raises Unreadable."""
    text = located.text_of(content, LARGEST, "CloudFormation")
    return _json(text, file) if text.lstrip()[:1] == "{" and file.endswith(".json") else _yaml(text, file)


def _json(text: str, file: str) -> Document:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is no JSON: {error.msg}", error.lineno, error.colno) from None
    except ValueError as error:
        raise Unreadable(f"it is no JSON: {error}") from None  # a number of thousands of digits
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    located.need_sound(value, text, DEEPEST + 1)
    members = tuple(scan(text))
    marks = {found.pointer: (found.line, found.column) for found in members}
    return Document(file, _object(value), text, marks, repeated=tuple(item.pointer for item in members if item.repeats))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable("it is no object with Resources")
    return value


def _yaml(text: str, file: str) -> Document:
    import yaml  # few have templates in YAML

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        alias = next(
            (
                (event.start_mark.line + 1, event.start_mark.column + 1)
                for event in yaml.parse(text, Loader=loader)
                if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None
            ),
            None,
        )
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(f"it is no YAML: {error.problem or error.context}", line, column) from None
    except yaml.YAMLError as error:
        raise Unreadable(f"it is no YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    if node is None:
        raise Unreadable("it is empty")
    walk = _Walk(yaml.SafeLoader(""), aliased=alias is not None)
    value = _object(walk.value(node, ""))
    return Document(file, value, text, walk.marks, walk.inside, tuple(walk.repeated), alias)


class _Walk:
    """Values of nodes, with their places."""

    def __init__(self, constructor: Any, *, aliased: bool = False) -> None:
        self._constructor = constructor
        self._left = _MOST_ALIASED if aliased else None
        self.marks: dict[str, tuple[int, int]] = {}
        self.inside: dict[str, tuple[int, int]] = {}
        self.repeated: list[str] = []

    def value(self, node: Any, at: str, depth: int = 0) -> Any:
        mark = node.start_mark
        self._counted(mark)
        self.marks.setdefault(at, (mark.line + 1, mark.column + 1))
        if depth > DEEPEST:
            raise Unreadable("it is nested too deep", mark.line + 1, mark.column + 1)
        tag = str(node.tag)
        if tag.startswith("!"):
            name = tag[1:]
            member = name if name in ("Ref", "Condition") else f"Fn::{name}"
            below = at + pointer(member)
            inside = self._plain(node, below, depth + 1, tagged=True)
            if name == "GetAtt" and isinstance(inside, str):
                inside = inside.split(".", 1)
            return {member: inside}
        return self._plain(node, at, depth)

    def _plain(self, node: Any, at: str, depth: int, *, tagged: bool = False) -> Any:
        kind = node.id
        self.marks.setdefault(at, (node.start_mark.line + 1, node.start_mark.column + 1))
        if kind == "mapping":
            found: dict[str, Any] = {}
            for key, item in self._merged(node, depth):
                name = str(key.value)
                below = at + pointer(name)
                if name in found:
                    self.repeated.append(below)
                self.marks[below] = (key.start_mark.line + 1, key.start_mark.column + 1)
                found[name] = self.value(item, below, depth + 1)
            return found
        if kind == "sequence":
            return [self.value(item, at + pointer(index), depth + 1) for index, item in enumerate(node.value)]
        if node.style in ("|", ">"):
            self.inside[at] = (node.start_mark.line + 2, 0)
        if tagged:
            return node.value
        return self._scalar(node)

    def _counted(self, mark: Any) -> None:
        """Aliases of aliases stand for thousands of values in a few lines."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Unreadable(ALIASES, mark.line + 1, mark.column + 1)

    def _merged(self, node: Any, depth: int) -> list[tuple[Any, Any]]:
        """With the members of mappings behind `<<`, of which its own go before."""
        if self._left is None or depth > DEEPEST:
            return list(node.value)
        self._counted(node.start_mark)
        own = [(key, item) for key, item in node.value if not str(key.tag).endswith(":merge")]
        names = {str(key.value) for key, _ in own}
        found: list[tuple[Any, Any]] = []
        for key, item in node.value:
            if not str(key.tag).endswith(":merge"):
                continue
            for other in item.value if item.id == "sequence" else [item]:
                for pair in self._merged(other, depth + 1) if other.id == "mapping" else ():
                    name = str(pair[0].value)
                    if name not in names:
                        names.add(name)
                        found.append(pair)
        return [*found, *own]

    def _scalar(self, node: Any) -> Any:
        """Dates stay texts, as CloudFormation reads them."""
        tag = str(node.tag).rpartition(":")[2]
        if tag in ("bool", "int", "float", "null"):
            try:
                found = self._constructor.construct_object(node)
                str(found)  # raises for a number of thousands of digits
            except (ValueError, KeyError, IndexError):
                return node.value
            return found
        return node.value
