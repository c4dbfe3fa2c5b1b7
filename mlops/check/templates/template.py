"""A template's resources, for one scenario; and what a rule says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from mlops.check.templates.reading import Document
from mlops.check.templates.resolving import ABSENT, Scenario, Spot, scenarios
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

    def resources(self, scenario: Scenario) -> Iterator[Resource]:
        """Those that are made then."""
        for name, written in self.written.items():
            if not isinstance(written, dict) or not isinstance(written.get("Type"), str):
                continue
            condition = written.get("Condition")
            if isinstance(condition, str) and scenario.conditions.get(condition) is False:
                continue
            at = self.resources_at[name]
            properties = written.get("Properties")
            spot = scenario.spot({} if properties is None else properties, f"{at}/Properties")
            if spot.value is not ABSENT:
                yield Resource(name, written["Type"], at, spot)


Judge = Callable[[Template, Scenario], Iterable[Fault | Finding]]
"""A rule gives faults, or findings of other rules whose place it knows."""
