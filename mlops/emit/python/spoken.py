"""What is said of a member, as Python: None where a reference in it is of a kind that may not stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlops.emit.python.expressions import Scope, literal, refer, write
from mlops.emit.python.source import Node, Text, call, dictionary, listing, string
from mlops.ir import Value
from mlops.ir.fields import BOOLEAN, FLOAT, INTEGER, STRING, Kept, Made, Name, Said, Spoken, StepNamed


@dataclass(frozen=True, slots=True)
class Telling:
    """One step being told: ``before`` are variables that have to be made first, with what they hold; ``kept`` are
    their names by the keys of what is kept in them."""

    scope: Scope
    before: list[tuple[str, Node]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    def node(self, spoken: Spoken) -> Node | None:
        match spoken:
            case Said(value, None):
                return write(value, self.scope)
            case Said(value, accepts):
                return one(value, self.scope, accepts or ())
            case Made(name, positional, keywords):
                nodes, named = self._all([*positional]), self._all([*keywords.values()])
                if nodes is None or named is None:
                    return None
                return call(name, nodes, dict(zip(keywords, named, strict=True)))
            case Name(text):
                return Text(text)
            case StepNamed(name):
                return step_named(name, self.scope)
            case Kept():
                return self._kept(spoken)
            case list():
                items = self._all(spoken)
                return None if items is None else listing(items)
            case dict():
                items = self._all([*spoken.values()])
                return None if items is None else dictionary(zip(spoken, items, strict=True))

    def _all(self, several: Sequence[Spoken]) -> list[Node] | None:
        nodes = [self.node(item) for item in several]
        known = [node for node in nodes if node is not None]
        return known if len(known) == len(nodes) else None

    def _kept(self, spoken: Kept) -> Node | None:
        if spoken.key not in self.kept:
            made = self.node(spoken.made)
            if made is None:
                return None
            self.kept[spoken.key] = self.scope.names.variable(spoken.hint, "entity")
            self.before.append((self.kept[spoken.key], made))
        return Text(self.scope.use(self.kept[spoken.key]))


def step_named(name: str, scope: Scope) -> Node:
    """A step's variable, or its name where it stands further down."""
    variable = scope.steps.get(name)
    return Text(scope.use(variable.name) if variable and variable.has_property else string(name))


def one(value: Value, scope: Scope, accepts: Sequence[str]) -> Node | None:
    """A literal or a reference of one of these kinds."""
    fits = (
        (isinstance(value, str) and STRING in accepts)
        or (isinstance(value, bool) and BOOLEAN in accepts)
        or (isinstance(value, int) and not isinstance(value, bool) and INTEGER in accepts)
        or (isinstance(value, float) and FLOAT in accepts)
    )
    return write(value, scope) if fits else refer(value, scope, accepts)


def plain(value: Value) -> Text | None:
    return literal(value) if isinstance(value, str) else None
