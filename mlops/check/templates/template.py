"""A template's resources, for one scenario; and what a rule says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from mlops.check.templates.reading import Document
from mlops.check.templates.resolving import ABSENT, VARIABLE, Scenario, Spot, scenarios
from mlops.ir import Finding, Severity
from mlops.ir.dataclass import dataclass
from mlops.ir.values import pointer


@dataclass(frozen=True, slots=True)
class Told:
    """A code's story: ``text`` as a rule's docstring has it."""

    name: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """``at`` is a pointer into the template. ``place`` is a line and a column that are known otherwise."""

    code: str
    at: str
    message: str
    help: str | None = None
    place: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """``properties`` as they are in one scenario."""

    name: str
    type: str
    at: str
    properties: Spot

    @property
    def label(self) -> str:
        return f"{self.name} ({self.type.rpartition('::')[2]})"


EXTENSIONS = "AWS::LanguageExtensions"
_WORD = re.compile(r"\w+")
_EXPRESSION = re.compile(r"!\{[^}]*\}")
"""Of a prefix in S3."""
_MACROS = frozenset({"Transform", "Modules"})


@dataclass(frozen=True)
class Template:
    document: Document

    @property
    def raw(self) -> Mapping[str, Any]:
        return self.document.value

    @cached_property
    def _answers(self) -> dict[str, tuple[Finding, ...]]:
        return {}

    def asked(self, question: str, answer: Callable[[], tuple[Finding, ...]]) -> tuple[Finding, ...]:
        """What the rules for definitions say, asked once: most scenarios ask the same."""
        if question not in self._answers:
            self._answers[question] = answer()
        return self._answers[question]

    @cached_property
    def transformed(self) -> bool:
        """A macro writes parts of it, which nobody sees here."""
        return bool(_MACROS & self.raw.keys()) or any(
            isinstance(item, dict) and any(str(key).startswith("Fn::ForEach") for key in item)
            for item in (self.raw, self.raw.get("Resources"))
        )

    @cached_property
    def extended(self) -> bool:
        """By CloudFormation's own macro, which brings functions."""
        named = self.raw.get("Transform")
        return EXTENSIONS in (named if isinstance(named, list) else [named])

    @cached_property
    def rewritten(self) -> bool:
        """By a macro of somebody's own: properties may be its words."""
        named = self.raw.get("Transform")
        listed = named if isinstance(named, list) else [named] if named is not None else []
        return "Modules" in self.raw or any(not (isinstance(name, str) and name.startswith("AWS::")) for name in listed)

    @cached_property
    def resources_at(self) -> Mapping[str, str]:
        """Pointers of the resources by their names: also of a fragment, whose resources stand below nothing."""
        section = self.raw.get("Resources")
        if isinstance(section, dict):
            return {name: pointer("Resources") + pointer(name) for name in section if not name.startswith("Fn::")}
        return {
            name: pointer(name)
            for name, item in self.raw.items()
            if isinstance(item, dict) and isinstance(item.get("Type"), str) and "::" in item["Type"]
        }

    @cached_property
    def written(self) -> Mapping[str, Any]:
        """The resources as they stand there."""
        section = self.raw.get("Resources")
        whole = section if isinstance(section, dict) else self.raw
        return {name: whole[name] for name in self.resources_at}

    def at(self, place: str) -> Any:
        """What is written there."""
        written: Any = self.raw
        for part in place.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(written, dict):
                written = written.get(name)
            elif isinstance(written, list) and name.isdigit() and int(name) < len(written):
                written = written[int(name)]
        return written

    def type_of(self, name: str) -> str | None:
        found = self.written.get(name)
        kind = found.get("Type") if isinstance(found, dict) else None
        return kind if isinstance(kind, str) else None

    def section(self, name: str) -> Mapping[str, Any]:
        found = self.raw.get(name)
        return found if isinstance(found, dict) else {}

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        return tuple(scenarios(self.raw))

    @staticmethod
    def is_made(written: Mapping[str, Any], scenario: Scenario) -> bool:
        """A resource, or an output; also where nobody knows whether its condition holds."""
        condition = written.get("Condition")
        return not isinstance(condition, str) or scenario.conditions.get(condition) is not False

    @staticmethod
    def variables(text: str) -> Iterator[str]:
        """What a text of Fn::Sub names: of an attribute its resource."""
        for found in VARIABLE.findall(text):
            yield found.strip().partition(".")[0]

    def nodes(self, value: Any, at: str, scenario: Scenario | None = None) -> Iterator[tuple[dict[str, Any], str]]:
        """Each object with its pointer; with a scenario, of Fn::If the branch that is taken then."""
        match value:
            case {"Fn::If": [str(name), then, otherwise]} if scenario is not None and len(value) == 1:
                yield value, at
                holds = scenario.conditions.get(name)
                for number, branch, taken in ((1, then, holds is not False), (2, otherwise, holds is not True)):
                    if taken:
                        yield from self.nodes(branch, f"{at}/Fn::If/{number}", scenario)
            case dict():
                yield value, at
                for member, item in value.items():
                    yield from self.nodes(item, at + pointer(member), scenario)
            case list():
                for index, item in enumerate(value):
                    yield from self.nodes(item, at + pointer(index), scenario)

    def reached(self, scenario: Scenario) -> Iterator[tuple[dict[str, Any], str]]:
        """Each object of properties and outputs that are there then."""
        for name, written in self.written.items():
            if isinstance(written, dict) and self.is_made(written, scenario):
                yield from self.nodes(written.get("Properties"), f"{self.resources_at[name]}/Properties", scenario)
        for name, written in self.section("Outputs").items():
            if isinstance(written, dict) and self.is_made(written, scenario):
                yield from self.nodes(written, f"/Outputs{pointer(name)}", scenario)
        yield from self.nodes(self.section("Conditions"), "/Conditions")

    def resources(self, scenario: Scenario) -> Iterator[Resource]:
        """Those that are made then."""
        for name, written in self.written.items():
            if not isinstance(written, dict) or not isinstance(written.get("Type"), str):
                continue
            if not self.is_made(written, scenario):
                continue
            at = self.resources_at[name]
            properties = written.get("Properties")
            spot = scenario.spot({} if properties is None else properties, f"{at}/Properties")
            if spot.value is not ABSENT:
                yield Resource(name, written["Type"], at, spot)


def speaks_of(spot: Spot, message: str) -> str:
    """Where the member stands that the message names, the deepest of them; else where its value does, or ``spot``."""
    words = set(_WORD.findall(message))
    inside = [(member, item) for below in spot.walk() for member, item in below.members.items()]
    found = [item.at for member, item in inside if member in words]
    if not found:
        parts = _EXPRESSION.findall(message)
        texts = [item for _, item in inside if isinstance(item.value, str)]
        found = [item.at for item in texts if item.value in words or any(part in item.value for part in parts)]
    return max(found, key=lambda at: at.count("/"), default=spot.at)


Judge = Callable[[Template, Scenario], Iterable[Fault | Finding]]
"""A rule gives faults, or findings of other rules whose place it knows."""
