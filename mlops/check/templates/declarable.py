"""Resources of a template as they would be declared: with references among them, and what cannot be taken in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops.check.templates.resolving import HOLE, Scenario, Spot
from mlops.check.templates.template import Resource, Template
from mlops.ir import Ref, Step, Unknown, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.fields import Constructor
from mlops.ir.resource import NAME, NAMED_BY, Declarable, ResourceType, label_of
from mlops.ir.values import expressions
from mlops.knowledge.cloudformation import schema
from mlops.knowledge.cloudformation.references import REF_GIVES, Form


@dataclass(frozen=True, slots=True)
class Left:
    """What is not taken, where it stands: ``at`` is a pointer into the template."""

    at: str
    said: str


@dataclass(frozen=True, slots=True)
class Taken:
    """``steps`` are of resources, by their logical ids."""

    steps: Mapping[str, Step]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What may be declared, by CloudFormation's types; ``named_by`` and ``constructors`` by types of steps.
    ``otherwise`` says of other types how the like of them is had."""

    types: Mapping[str, ResourceType]
    named_by: Mapping[str, str | None]
    constructors: Mapping[str, Constructor]
    region: str
    otherwise: Mapping[str, str]

    def step_type(self, kind: str) -> str:
        """``endpoint-config`` is declared as ``EndpointConfig``."""
        return "".join(part.capitalize() for part in self.types[kind].type.split("-"))


def declarable(template: Template, scenario: Scenario, known: Known, without: frozenset[str] = frozenset()) -> Taken:
    """``without`` are logical ids that are not to be taken."""
    return _Taking(template, scenario, known, without).taken()


class _Taking:
    def __init__(self, template: Template, scenario: Scenario, known: Known, without: frozenset[str]) -> None:
        self._template, self._scenario, self._known = template, scenario, known
        self._resources = {item.name: item for item in template.resources(scenario)}
        self._own = {
            name: item
            for name, item in self._resources.items()
            if item.type in known.types and name not in without and isinstance(item.properties.value, dict)
        }
        self._left: list[Left] = []
        self._names: dict[str, str] = {}
        self._reading = ""
        self._texts: dict[tuple[str, str | None], str] = {}

    def taken(self) -> Taken:
        beside, known = self._beside(), self._known
        for name, resource in self._own.items():
            read = self._read(resource, beside.get(name, ()), self._text_alone)
            self._names[name] = read.path + (read.name or _possible(name, known.types[resource.type]))
            self._texts.update(_tells(resource.type, name, self._names[name]))
        steps = {name: self._step(resource, beside.get(name, ())) for name, resource in self._own.items()}
        told = {item.name for listed in beside.values() for item in listed}
        for name, resource in self._resources.items():
            if name not in steps and name not in told:
                other = self._known.otherwise.get(resource.type)
                said = f"{resource.label} stays in the template{f': {other}' if other else ''}"
                self._left.append(Left(resource.at, said))
        return Taken(steps, tuple(dict.fromkeys(self._left)))

    def _beside(self) -> Mapping[str, Sequence[Resource]]:
        """What is part of another in a declaration, by that one's logical id."""
        found: dict[str, list[Resource]] = {}
        members = {
            (kind, type_): member
            for kind, its in self._known.types.items()
            if its.from_template is not None
            for type_, member in its.from_template.beside.items()
        }
        for resource in self._resources.values():
            for (kind, type_), member in members.items():
                if resource.type != type_:
                    continue
                for name in self._referred(resource.properties.get(member)):
                    if name in self._own and self._own[name].type == kind:
                        found.setdefault(name, []).append(resource)
        return found

    def _referred(self, spot: Spot | None) -> Iterator[str]:
        for item in (spot.items or (spot,)) if spot is not None else ():
            match self._template.at(item.at):
                case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
                    yield name

    def _step(self, resource: Resource, beside: Sequence[Resource]) -> Step:
        read = self._read(resource, beside, self._reference)
        kind = self._known.types[resource.type]
        name = self._names[resource.name]
        type_ = self._known.step_type(resource.type)
        if read.name is None and (kind.kept is not None or kind.type == "endpoint"):
            self._left.append(Left(resource.at, f"{resource.label} has no name that is known: it is called {name}"))
        for said in read.left:
            self._left.append(Left(resource.at, f"{resource.label}: {said}"))
        named_by = self._known.named_by.get(type_)
        own: dict[str, Value] = {} if named_by is None else {named_by: name}
        members: dict[str, Value] = {NAME: name, **({} if named_by is None else {NAMED_BY: named_by})}
        return Step(label_of(kind.type, name), type_, {**own, **_sorted_tags(read.properties)}, members)

    def _read(
        self, resource: Resource, beside: Sequence[Resource], reference: Callable[[Spot, str], Value]
    ) -> Declarable:
        self._reading = resource.name
        taking = self._known.types[resource.type].from_template
        assert taking is not None  # noqa: S101 - only such are taken
        others: dict[str, list[Mapping[str, Value]]] = {}
        for item in beside:
            others.setdefault(item.type, []).append(self._properties(item, reference))
        return taking.read(self._properties(resource, reference), others, self._known.region)

    def _properties(self, resource: Resource, reference: Callable[[Spot, str], Value]) -> Mapping[str, Value]:
        """Without what the account alone knows, which is told."""
        expected = schema(resource.type) or {}
        found: dict[str, Value] = {}
        for member, spot in resource.properties.members.items():
            value = self._value(spot, expected.get("properties", {}).get(member, {}), expected, reference, member)
            if any(isinstance(inside, Unknown) for _, inside in expressions(value)) or isinstance(value, Unknown):
                if reference == self._reference and not self._is_link(resource, member):
                    self._left.append(Left(spot.at, f"{resource.label}: {member} {self._why(spot)}, and left out"))
                continue
            found[member] = value
        return found

    def _why(self, spot: Spot) -> str:
        """What would have to be given, as far as somebody can."""
        asked = {name for inside in spot.walk() if not inside.known for name in _names(self._template.at(inside.at))}
        wanted = sorted(asked & self._template.section("Parameters").keys())
        if wanted:
            return f"asks for {' and '.join(wanted)}: give {' '.join(f'-p {name}=…' for name in wanted)}"
        if asked & {"AWS::AccountId", "AWS::Region"}:
            return "asks for the account: give --env of one that has it"
        return "is known in the account alone"

    def _is_link(self, resource: Resource, member: str) -> bool:
        """What says to whom a policy or an alias belongs."""
        links = (item.from_template.beside for item in self._known.types.values() if item.from_template is not None)
        return any(found.get(resource.type) == member for found in links)

    def _value(
        self,
        spot: Spot,
        expected: Mapping[str, Any],
        root: Mapping[str, Any],
        reference: Callable[[Spot, str], Value],
        member: str,
    ) -> Value:
        if "$ref" in expected:
            expected = root.get("definitions", {}).get(str(expected["$ref"]).rpartition("/")[2], {})
        if isinstance(spot.value, dict):
            inner, patterns = expected.get("properties", {}), expected.get("patternProperties", {})
            any_: Mapping[str, Any] = next(iter(patterns.values()), {})
            return {
                name: self._value(item, inner.get(name, any_), root, reference, name)
                for name, item in spot.members.items()
            }
        if isinstance(spot.value, tuple):
            return tuple(self._value(item, expected.get("items", {}), root, reference, member) for item in spot.items)
        return _typed(spot.value, expected.get("type")) if spot.known else reference(spot, member)

    def _text_alone(self, spot: Spot, member: str) -> Value:
        return Unknown()

    def _reference(self, spot: Spot, member: str) -> Value:
        """To another that is declared too, or a text in which such are named. Nothing refers to itself: its name, as
        far as it tells something, is a text."""
        match self._template.at(spot.at):
            case {"Ref": str(name)} if name == self._reading:
                return self._texts.get((name, None), Unknown())
            case {"Fn::GetAtt": [str(name), str(attribute)]} if name == self._reading:
                return self._texts.get((name, attribute), Unknown())
            case {"Ref": str(name)} if name in self._own:
                return self._to(name, None, member)
            case {"Fn::GetAtt": [str(name), str(attribute)]} if name in self._own:
                return self._to(name, attribute, member)
            case written:
                return self._put_together(written) or Unknown()

    def _to(self, name: str, attribute: str | None, member: str) -> Value:
        kind = self._own[name].type
        type_ = self._known.step_type(kind)
        yielded = self._known.constructors[type_].yields
        label = label_of(self._known.types[kind].type, self._names[name])
        arn = next((path for path in yielded if path.endswith("Arn")), None)
        plain = next((path for path in yielded if not path.endswith("Arn")), None)
        by_ref = arn is not None and _gives_arn(kind, member)
        wants_arn = by_ref if attribute is None else attribute.endswith("Arn")
        path = arn if wants_arn else plain
        return Unknown() if path is None else Ref(f"Steps.{label}.{path}")

    def _put_together(self, written: Any) -> str | None:
        """Names of buckets and roles that the template itself says."""
        texts = {
            **{name: text for (name, attribute), text in self._texts.items() if attribute is None},
            **{f"{name}.{attribute}": text for (name, attribute), text in self._texts.items() if attribute},
        }
        scenario = replace(self._scenario, parameters={**self._scenario.parameters, **texts})
        match written:
            case {"Fn::Join": [on, list(parts)]}:
                written = {"Fn::Join": [on, [_as_ref(part) for part in parts]]}
            case {"Fn::Sub": _}:
                pass
            case _:
                return None
        value = scenario.spot(written, "").value
        return value if isinstance(value, str) and HOLE not in value else None


def _names(written: Any) -> Iterator[str]:
    """What functions ask for."""
    match written:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::Sub": str(text) | [str(text), *_]}:
            yield from re.findall(r"\$\{([^!${}.]+)\}", text)
        case dict() | list():
            for inside in written.values() if isinstance(written, dict) else written:
                yield from _names(inside)


def _as_ref(part: Any) -> Any:
    match part:
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return {"Ref": f"{name}.{attribute}"}
    return part


def _possible(logical_id: str, kind: ResourceType) -> str:
    """What has a name of the stack's is called by its logical id, in small letters where others may not be."""
    fits = kind.kept is None or re.fullmatch(kind.kept.called, logical_id)
    return logical_id if fits else logical_id.lower()


def _tells(kind: str, logical_id: str, name: str) -> Mapping[tuple[str, str | None], str]:
    """Texts that others are made of."""
    if kind == "AWS::S3::Bucket":
        return {(logical_id, None): name, (logical_id, "Arn"): f"arn:aws:s3:::{name}"}
    return {(logical_id, None): name.rpartition("/")[2]} if kind == "AWS::IAM::Role" else {}


def _gives_arn(kind: str, member: str) -> bool:
    """What a Ref is: of a key, which has a number, its ARN does as well."""
    if kind == "AWS::KMS::Key":
        return True
    return REF_GIVES.get(kind) is Form.ARN and not member.endswith("Name")


def _typed(value: Any, kind: object) -> Value:
    """A template may write numbers and switches as texts, and texts as numbers."""
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if kind in ("integer", "number") and isinstance(value, str):
        try:
            return int(value) if kind == "integer" or value.lstrip("-").isdigit() else float(value)
        except ValueError:
            return value
    if kind == "string" and isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else Unknown()


def _sorted_tags(properties: Mapping[str, Value]) -> Mapping[str, Value]:
    """In the order in which they are declared."""
    listed = properties.get("Tags")
    if not isinstance(listed, tuple):
        return properties
    tags = sorted((item for item in listed if isinstance(item, Mapping)), key=lambda item: str(item.get("Key")))
    return {**properties, "Tags": tuple(tags)}
