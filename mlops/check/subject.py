"""What the rules look at: a definition with its step types, and what several rules need to know, worked out once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlops.check import graph, jobs
from mlops.check.jobs import Container, Job, Kind, Machine
from mlops.check.shapes import Feed, Misfit, Shape, own_shape, shape, walk
from mlops.ir import Definition, Join, JsonGet, Parameter, Placed, Ref, Step, StepType, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.values import LITERALS, Expression, RefPath, expressions, pointer

if TYPE_CHECKING:
    from mlops.project.house_policy import HousePolicy


@dataclass(frozen=True, slots=True)
class Site:
    """An expression where it stands: in a step, or (``placed`` None) elsewhere in the document."""

    at: str
    expression: Expression
    placed: Placed | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A ``Get`` with its parsed path."""

    site: Site
    path: RefPath


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter with its place in the document."""

    parameter: Parameter
    at: str


class Uri(NamedTuple):
    """Where a step says a place in S3: ``value`` is a text or an expression."""

    at: str
    value: Value
    placed: Placed


class PropertyFile(NamedTuple):
    """One that a step declares, where it is an object."""

    at: str
    item: Mapping[str, Value]
    placed: Placed

    def text(self, member: str) -> str | None:
        found = self.item.get(member)
        return found if isinstance(found, str) else None


_URI_MEMBERS = frozenset({"S3Uri", "S3OutputPath", "ModelDataUrl", "DestinationS3Uri", "OutputS3Uri", "S3OutputUri"})


class Subject:
    """Everything here is derived from the definition and the step types; nothing is changed after it was made."""

    def __init__(self, definition: Definition, types: Mapping[str, StepType]) -> None:
        self.definition = definition
        self.types = types

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        return tuple(self.definition.placed())

    @cached_property
    def by_name(self) -> Mapping[str, Placed]:
        """The first step of each name; names that are missing are not here."""
        found: dict[str, Placed] = {}
        for placed in self.placed:
            if placed.step.name:
                found.setdefault(placed.step.name, placed)
        return found

    @cached_property
    def parameters(self) -> Mapping[str, Declared]:
        found: dict[str, Declared] = {}
        for index, parameter in enumerate(self.definition.parameters):
            if parameter.name:
                found.setdefault(parameter.name, Declared(parameter, pointer("Parameters", index)))
        return found

    def type_of(self, step: Step) -> StepType | None:
        return self.types.get(step.type)

    def of_type(self, *names: str) -> Iterator[tuple[Placed, Mapping[str, Value]]]:
        """Steps of these types whose Arguments are an object, with the Arguments."""
        for name in names:
            yield from self._by_type.get(name, ())

    @cached_property
    def _by_type(self) -> Mapping[str, list[tuple[Placed, Mapping[str, Value]]]]:
        found: dict[str, list[tuple[Placed, Mapping[str, Value]]]] = defaultdict(list)
        for placed in self.placed:
            if isinstance(placed.step.arguments, Mapping):
                found[placed.step.type].append((placed, placed.step.arguments))
        return found

    @cached_property
    def jobs(self) -> Mapping[Kind, tuple[Job, ...]]:
        """By kind; a check starts a processing job, and a tuning job also the training jobs that it defines."""
        found: dict[Kind, list[Job]] = {kind: [] for kind in jobs.KINDS}
        kinds = {kind.request: found[kind] for kind in jobs.KINDS}
        for name, steps in self._by_type.items():
            step_type = self.types.get(name)
            listed = kinds.get(step_type.request) if step_type is not None and step_type.request else None
            if listed is not None:
                listed += [Job(f"{placed.pointer}/Arguments", request, placed) for placed, request in steps]
        found[jobs.TRAINING] += [job for tuning in found[jobs.TUNING] for job in jobs.defined(tuning)]
        return {kind: tuple(listed) for kind, listed in found.items()}

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """Every place that asks for instances: of jobs, then of endpoint configurations."""
        every = ((kind, job) for kind, listed in self.jobs.items() for job in listed)
        found = [machine for kind, job in every for machine in jobs.machines(kind, job)]
        for placed, config in self.of_type("EndpointConfig"):
            found += jobs.variants(placed, config)
        return tuple(found)

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Everything that names an image to run: of jobs, then of models."""
        found = [jobs.container(kind, job) for kind, listed in self.jobs.items() for job in listed]
        for placed, model in self.of_type("Model"):
            found += jobs.served(placed, model)
        return tuple(container for container in found if container is not None)

    @cached_property
    def serving(self) -> tuple[Container, ...]:
        """What serves: the containers of models and of registrations."""
        found = [container for container in self.containers if container.job is None]
        for placed, registration in self.of_type("RegisterModel"):
            found += jobs.registered(placed, registration)
        return tuple(found)

    @cached_property
    def uris(self) -> tuple[Uri, ...]:
        """Every place in S3 that Arguments name."""
        return tuple(
            Uri(at + pointer(name), item, placed)
            for at, holder, placed in self.objects
            for name, item in holder.items()
            if name in _URI_MEMBERS and not isinstance(item, tuple | dict)
        )

    @cached_property
    def property_files(self) -> tuple[PropertyFile, ...]:
        """Of all steps; what is no object in those lists is not here (R320 tells it)."""
        found: list[PropertyFile] = []
        for placed in self.placed:
            listed = placed.step.members.get("PropertyFiles")
            for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
                if isinstance(item, Mapping):
                    found.append(PropertyFile(f"{placed.pointer}/PropertyFiles/{index}", item, placed))
        return tuple(found)

    @cached_property
    def objects(self) -> tuple[tuple[str, Mapping[str, Value], Placed], ...]:
        """Every object of a request in Arguments, with its pointer; not maps of texts, nor steps inside of steps."""
        found: list[tuple[str, Mapping[str, Value], Placed]] = []
        for placed in self.placed:
            _collect_objects(placed.step.arguments, f"{placed.pointer}/Arguments", placed, found)
        return tuple(found)

    @cached_property
    def policy(self) -> HousePolicy | None:
        """That of the project in which the definition lies; a definition from standard input has none."""
        # Who binds a definition that was checked before asks for none.
        from mlops.project.house_policy import read_house_policy
        from mlops.project.root import find_root

        file = self.definition.where.file
        return None if file is None or file == "-" else read_house_policy(find_root(Path(file)))

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every expression of the document, in document order."""
        found = [
            Site(at, expression, None)
            for name, value in self.definition.members.items()
            for at, expression in expressions(value, pointer(name))
        ]
        for placed in self.placed:
            for name, value in placed.step.members.items():
                found.extend(
                    Site(at, expression, placed)
                    for at, expression in expressions(value, placed.pointer + pointer(name))
                )
            found.extend(
                Site(at, expression, placed)
                for at, expression in expressions(placed.step.arguments, f"{placed.pointer}/Arguments")
            )
        return tuple(found)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Every ``Get`` that parses."""
        return tuple(
            Reading(site, path)
            for site in self.sites
            if isinstance(site.expression, Ref) and (path := site.expression.path) is not None
        )

    @cached_property
    def texts(self) -> tuple[tuple[str, str, Placed | None], ...]:
        """Every literal text with its pointer, also inside of a Join; keys and parameters are not here."""
        found: list[tuple[str, str, Placed | None]] = []
        for name, value in self.definition.members.items():
            found.extend((at, text, None) for at, text in literal_texts(value, pointer(name)))
        for placed in self.placed:
            for name, value in placed.step.members.items():
                found.extend((at, text, placed) for at, text in literal_texts(value, placed.pointer + pointer(name)))
            start = f"{placed.pointer}/Arguments"
            found.extend((at, text, placed) for at, text in literal_texts(placed.step.arguments, start))
        return tuple(found)

    @cached_property
    def graph(self) -> graph.Graph:
        return graph.build(self.placed)

    def request_shape(self, step: Step) -> Shape | None:
        """What Arguments mirror, None where nobody knows."""
        step_type = self.type_of(step)
        if step_type is not None and step_type.arguments is not None:
            return own_shape(step_type)
        if step_type is None or step_type.request is None:
            return None
        return shape(step_type.service, step_type.request)

    @cached_property
    def _compared(self) -> tuple[tuple[Placed, Misfit | Feed], ...]:
        found: list[tuple[Placed, Misfit | Feed]] = []
        for placed in self.placed:
            step = placed.step
            against = self.request_shape(step)
            if against is None or not isinstance(step.arguments, Mapping):
                continue
            step_type = self.type_of(step)
            omits = step_type.omits if step_type else frozenset()
            found.extend((placed, item) for item in walk(step.arguments, against, f"{placed.pointer}/Arguments", omits))
        return tuple(found)

    @cached_property
    def misfits(self) -> tuple[tuple[Placed, Misfit], ...]:
        """Where Arguments differ from the request that they mirror."""
        return tuple((placed, item) for placed, item in self._compared if isinstance(item, Misfit))

    @cached_property
    def feeds(self) -> tuple[tuple[Placed, Feed], ...]:
        """Which expression fills which place of which request."""
        return tuple((placed, item) for placed, item in self._compared if isinstance(item, Feed))


def literal_texts(value: Value, at: str) -> list[tuple[str, str]]:
    """Every literal text in a value with its pointer."""
    found: list[tuple[str, str]] = []
    _collect_texts(value, at, found)
    return found


def _collect_texts(value: Value, at: str, found: list[tuple[str, str]]) -> None:
    """A walk over the whole document that many rules wait for; so no generators, and the common kinds first."""
    if isinstance(value, str):
        found.append((at, value))
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                found.append((at + pointer(key), item))
            elif item is not None:
                _collect_texts(item, at + pointer(key), found)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _collect_texts(item, f"{at}/{index}", found)
    elif isinstance(value, Join):
        for index, item in enumerate(value.values):
            _collect_texts(item, f"{at}/Std:Join/Values/{index}", found)
    elif isinstance(value, JsonGet):
        _collect_texts(value.s3_uri, f"{at}/Std:JsonGet/S3Uri", found)
    elif not isinstance(value, LITERALS) and isinstance(value, Mapping):
        _collect_texts(dict(value), at, found)


_TEXT_MAPS = frozenset({"Environment", "HyperParameters", "StaticHyperParameters"})
_BLOCKS = frozenset({"IfSteps", "ElseSteps", "ForEachBody"})


def _collect_objects(
    value: Value, at: str, placed: Placed, found: list[tuple[str, Mapping[str, Value], Placed]]
) -> None:
    if isinstance(value, dict):
        found.append((at, value, placed))
        for name, item in value.items():
            if isinstance(item, tuple | dict) and name not in _TEXT_MAPS and name not in _BLOCKS:
                _collect_objects(item, at + pointer(name), placed, found)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, tuple | dict):
                _collect_objects(item, f"{at}/{index}", placed, found)
