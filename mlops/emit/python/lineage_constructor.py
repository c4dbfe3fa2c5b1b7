"""What the constructor of lineage takes: entities as records, and associations between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.emit.python.arguments import Argument, Constructor, Facts, objects
from mlops.emit.python.expressions import DATA, MODEL, STRING, literal, write
from mlops.emit.python.source import Node, Text, call, dictionary, listing
from mlops.emit.python.telling import one
from mlops.ir import Value
from mlops.ir.values import same

_KINDS = {"Actions": "Action", "Artifacts": "Artifact", "Contexts": "Context"}
_ENDS = ("Source", "Destination")


@dataclass(frozen=True, slots=True)
class _Entity:
    kind: str
    name: Value
    request: Mapping[str, Value]


def _entities(facts: Facts) -> list[_Entity] | None:
    """In the order of their kinds, as they stand in the request; None where one has no name."""
    found: list[_Entity] = []
    for member, kind in _KINDS.items():
        for item in objects(facts.at(member)):
            if item.get(f"{kind}Name") is None:
                return None
            found.append(_Entity(kind, item[f"{kind}Name"], item))
    return found


def _ends(facts: Facts) -> list[Mapping[str, Value]]:
    """The ends of associations that are entities of the same step."""
    return [
        end
        for item in objects(facts.at("Associations"))
        for side in _ENDS
        if isinstance(end := item.get(side), Mapping) and set(end) == {"Name", "Type"}
    ]


def _is(entity: _Entity, end: Mapping[str, Value]) -> bool:
    return end.get("Type") == entity.kind and same(end.get("Name"), entity.name)


def _entity(entity: _Entity, facts: Facts) -> Node | None:
    request = entity.request
    source, kind = request.get("Source"), request.get(f"{entity.kind}Type")
    if not isinstance(source, Mapping) or "SourceUri" not in source or kind is None:
        return None
    known = {f"{entity.kind}Name", f"{entity.kind}Type", "Properties"}
    more = {key: value for key, value in request.items() if key not in {*known, "Source"}}
    beside = {key: value for key, value in source.items() if key != "SourceUri"}
    if beside:
        more["Source"] = beside
    positional = [
        one(entity.name, facts.scope, (STRING,)),
        one(source["SourceUri"], facts.scope, (DATA, MODEL, STRING)),
        one(kind, facts.scope, (STRING,)),
    ]
    if any(node is None for node in positional):
        return None
    said: dict[str, Node] = {}
    given = request.get("Properties")
    if isinstance(given, Mapping) and given:
        items = {key: one(value, facts.scope, (STRING,)) for key, value in given.items()}
        if None in items.values():
            return None
        said["properties"] = dictionary((key, node) for key, node in items.items() if node is not None)
    if more:
        said["arguments"] = write(more, facts.scope)
    return call(entity.kind, [node for node in positional if node is not None], said)


def _written_entities(facts: Facts) -> Node | None:
    entities = _entities(facts)
    if not entities:
        return None
    nodes = [_entity(entity, facts) for entity in entities]
    if any(node is None for node in nodes):
        return None
    ends = _ends(facts)
    listed: list[Node] = []
    for entity, node in zip(entities, nodes, strict=True):
        if node is not None and any(_is(entity, end) for end in ends):
            known = entity.name if isinstance(entity.name, str) else ""
            variable = facts.scope.use(facts.scope.names.variable(known or entity.kind, "entity"))
            facts.before.append((variable, node))
            listed.append(Text(variable))
        elif node is not None:
            listed.append(node)
    return listing(listed)


def _associations(facts: Facts) -> Node | None:
    """After the entities, whose variables it names."""
    items, entities = objects(facts.at("Associations")), _entities(facts)
    if not items or entities is None:
        return None
    named = [entity for entity in entities if any(_is(entity, end) for end in _ends(facts))]
    variables = [variable for variable, _ in facts.before]
    if len(named) != len(variables):
        return None

    def end(given: Value) -> Node | None:
        if not isinstance(given, Mapping):
            return None
        if set(given) == {"Arn"}:
            return one(given["Arn"], facts.scope, (STRING,))
        found = [variable for entity, variable in zip(named, variables, strict=True) if _is(entity, given)]
        return Text(found[0]) if found else None

    written: list[Node] = []
    for item in items:
        ends = [end(item.get(side)) for side in _ENDS]
        kind = item.get("AssociationType")
        if any(node is None for node in ends) or not (kind is None or isinstance(kind, str)):
            return None
        nodes = [*(node for node in ends if node is not None), *([] if kind is None else [literal(kind)])]
        written.append(call("Association", nodes))
    return listing(written)


LINEAGE = Constructor(
    "Lineage",
    arguments=(
        # Own nothing: an order of kinds that is not ours is the document's own.
        Argument("entities", _written_entities, ""),
        Argument("associations", _associations, "Associations"),
    ),
)
