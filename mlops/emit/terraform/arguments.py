"""Properties of a template as arguments of the provider's resource: which are blocks, maps, lists or JSON text, its
schema says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from mlops.emit.terraform.expressions import Expressions, escaped, is_function
from mlops.ir.dataclass import dataclass
from mlops.knowledge.terraform import BESIDE, NOTHING, Spelling, schema

_PAIRS = (("Key", "Value"), ("Name", "Value"))
"""How CloudFormation lists what is a map here."""

Path = tuple[str, ...]


class Unspelt(Exception):
    """Why the provider's resource cannot be what is said: no argument for a member, or nothing for an argument."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """``kept_apart`` takes a value that is not written where it is used, and its argument: lines of a text, or what is
    written as JSON text. It gives the expression that stands for it."""

    spelling: Spelling
    expressions: Expressions
    kept_apart: Callable[[str, Any], str]

    def of(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Unspelt."""
        own = {member: value for member, value in properties.items() if member not in self.spelling.apart}
        found = self._block(own, schema(self.spelling.type), ())
        for argument, member in self.spelling.copied.items():
            if argument not in found:
                found[argument] = self.expressions.told(properties[member])
        for member, more in self.spelling.given.items():
            if member in properties:
                found |= more
        _need(schema(self.spelling.type), {*found, *self.spelling.link}, self.spelling.type)
        return found

    def _block(self, members: Mapping[str, Any], block: Mapping[str, Any], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for member, value in members.items():
            here = (*path, member)
            name = self.spelling.argument(here)
            if name == NOTHING:
                continue
            if member in self.spelling.referred:
                found |= self._referred(value, self.spelling.referred[member], here)
                continue
            told = self._only(value, here) if member in self.spelling.only else value
            told = _negated(told, here) if member in self.spelling.negated else told
            if name == BESIDE:
                if not isinstance(told, Mapping) or is_function(told):
                    raise _no_argument(here)
                found |= self._block(told, block, here)
                continue
            name = name or _alike(member, block)
            if name is None:
                raise _no_argument(here)
            outer, dot, inner = name.partition(".")
            if dot:
                inside = block["blocks"][outer]["attributes"][inner]
                found.setdefault(outer, {})[inner] = self._attribute(told, inner, inside, here)
            elif name in block["attributes"]:
                found[name] = self._attribute(told, name, block["attributes"][name], here)
            else:
                found[name] = self._blocks(told, block["blocks"][name], here)
        return found

    def _referred(self, value: Any, arguments: Mapping[str, str], path: Path) -> dict[str, str]:
        match value:
            case {"Ref": str(name)}:
                address = self.expressions.ref(name).rpartition(".")[0]
                return {argument: f"${{{address}.{attribute}}}" for argument, attribute in arguments.items()}
        raise _no_argument(path)

    def _only(self, value: Any, path: Path) -> Any:
        if not isinstance(value, list | tuple) or len(value) != 1:
            raise _no_argument(path)
        return value[0]

    def _attribute(self, value: Any, name: str, kind: str, path: Path) -> Any:
        if kind.startswith("map("):
            return self._map(value, path)
        if kind.startswith("string") and isinstance(value, Mapping | list | tuple) and not is_function(value):
            return f"${{jsonencode({self.kept_apart(name, self.expressions.told(value))})}}"
        if isinstance(value, str) and "\n" in value.rstrip("\n"):
            lines = self.kept_apart(name, [escaped(line) for line in value.split("\n")])
            return f'${{join("\\n", {lines})}}'
        return self.expressions.member(path[-1], value)

    def _map(self, value: Any, path: Path) -> Any:
        pairs = _paired(value) if isinstance(value, list | tuple) else value
        if not isinstance(pairs, Mapping):
            raise _no_argument(path)
        return self.expressions.told(pairs)

    def _blocks(self, value: Any, block: Mapping[str, Any], path: Path) -> Any:
        items = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(item, Mapping) and not is_function(item) for item in items):
            raise _no_argument(path)
        filled = self.spelling.filled.get(".".join(path), {})
        found = [{**filled, **self._block(item, block, path)} for item in items]
        for item in found:
            _need(block, item.keys(), ".".join(path))
        return found[0] if block.get("max") == 1 and len(found) == 1 else found


def _negated(value: Any, path: Path) -> bool:
    if not isinstance(value, bool):
        raise _no_argument(path)
    return not value


def _no_argument(path: Path) -> Unspelt:
    return Unspelt(f"no argument for {'.'.join(path)}")


def _need(block: Mapping[str, Any], found: Collection[str], where: str) -> None:
    required = [name for name, kind in block["attributes"].items() if kind.endswith("!")]
    required += [name for name, inside in block.get("blocks", {}).items() if inside.get("min")]
    missing = [name for name in required if name not in found]
    if missing:
        raise Unspelt(f"to be told {missing[0]} of {where}")


def _alike(member: str, block: Mapping[str, Any]) -> str | None:
    """
    >>> _alike("CloudWatchLoggingOptions", {"attributes": {}, "blocks": {"cloudwatch_logging_options": {}}})
    'cloudwatch_logging_options'
    >>> _alike("Containers", {"attributes": {}, "blocks": {"container": {}}})
    'container'
    """
    known = {name.replace("_", ""): name for name in (*block["attributes"], *block.get("blocks", ()))}
    plain = member.lower()
    return known.get(plain) or known.get(plain.removesuffix("s"))


def _paired(items: Sequence[Any]) -> Mapping[str, Any] | None:
    for key, value in _PAIRS:
        if all(isinstance(item, Mapping) and item.keys() == {key, value} for item in items):
            return {item[key]: item[value] for item in items}
    return None
