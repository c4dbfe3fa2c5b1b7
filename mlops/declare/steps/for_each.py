"""ForEach: run steps once for each item of a list. Written as ``with ForEach(…) as each``."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from typing_extensions import Unpack

from mlops.declare.json_text import json_text
from mlops.declare.misuse import misuse
from mlops.declare.pipeline import BlockMember, inside
from mlops.declare.references import (
    AnyReference,
    IntegerProperty,
    Poison,
    Reference,
    StepProperty,
    StringProperty,
    StringReference,
    lower,
)
from mlops.declare.steps.base import Shared, Step
from mlops.ir import Block, Ref, StepType, Value
from mlops.ir import Step as StepRecord
from mlops.ir.fields import (
    ANY_MAP,
    COUNT,
    EVERY,
    INTEGER,
    REQUIRED,
    STRING,
    TEXT,
    WORDS,
    Constructor,
    Field,
    Given,
    Missing,
    Said,
    Spoken,
    Yielded,
)
from mlops.ir.shape_notation import ANY_SHAPE, one_of, structure
from mlops.ir.values import from_json, to_expression

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["ForEach"]

STEP_TYPE = StepType(
    type="ForEach",
    # As the official SDK's for_each_step writes it.
    arguments=structure(
        ("IterableItems", "MaxConcurrency"),
        IterableItems=ANY_SHAPE,
        MaxConcurrency={"type": "integer", "min": 1, "max": 50},
        Selector=structure(("Pick", "Field"), Pick=one_of("MaxBy", "MinBy"), Field=ANY_SHAPE),
    ),
    blocks=("ForEachBody",),
    action="for_each",
    permissions=(),
)

R = TypeVar("R", bound=Reference)


class Item(AnyReference):
    """The item of the current iteration, or a member of it: ``each.item["name"]``."""

    noun = "the current item"

    def __init__(self, path: str = "") -> None:
        self._path = path

    def __getitem__(self, key: str | int) -> Item:
        return Item(f"{self._path}[{key}]" if isinstance(key, int) else f"{self._path}['{key}']")

    def property(self, path: str) -> Item:
        """A member by its path as SageMaker writes it: ``each.item.property("address.city")``."""
        return Item(f"{self._path}.{path}")

    def lower(self) -> Value:
        return Ref(f"ForEach.CurrentItem{self._path}")


def _items(step: ForEach, *_: object) -> Value:
    if isinstance(step.items, Reference):
        return lower(step.items)
    return tuple(json_text(item) if isinstance(item, Mapping) else lower(item) for item in step.items)


def _said_items(given: Given) -> Spoken | None:
    """A reference to a list in JSON, or a list; an item that is an object in JSON is written as a dictionary."""
    listed = given.at("IterableItems")
    if not isinstance(listed, tuple):
        return None if isinstance(listed, Missing | str) else Said(listed, TEXT.accepts)
    layouts = [_object(item) if isinstance(item, str) else None for item in listed]
    pairs = zip(listed, layouts, strict=True)
    return [Said(item, EVERY) if layout is None else Said(layout) for item, layout in pairs] or None


def _object(text: str) -> Mapping[str, Value] | None:
    """The JSON object that a dictionary is written as."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or json.dumps(found) != text:
        return None
    members = {key: from_json(item) for key, item in found.items()}
    return None if to_expression(members) else members


def _said_concurrency(given: Given) -> Spoken | None:
    number = given.at("MaxConcurrency")
    return Said(number) if type(number) is int else None


def _has_a_body(step: StepRecord) -> bool:
    return [block.member for block in step.blocks] == ["ForEachBody"]


FIELDS = (
    Field("items", "IterableItems", WORDS, REQUIRED, to=_items, said=_said_items),
    Field("concurrency", "MaxConcurrency", COUNT, REQUIRED, said=_said_concurrency),
    Field("", "Selector", ANY_MAP, to=lambda step, *_: step.selector()),
)


class ForEach(Step):
    """Steps made inside ``with ForEach(…) as each:`` run once per item, at most ``concurrency`` (1 to 50) at a time.

    ``items`` is a reference to a string that holds a JSON list, or a list of 1 to 100 strings, numbers, references or
    dictionaries. A dictionary travels as JSON text, and ``each.item["name"]`` reads it. Steps inside may be of any type
    but Condition, Fail and ForEach.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        FIELDS,
        yields={
            "Status": Yielded("status", STRING),
            "InputItemCount": Yielded("item_count", INTEGER),
            "TotalStepCount": Yielded("step_count", INTEGER),
            "SucceededStepCount": Yielded("succeeded_count", INTEGER),
            "FailedStepCount": Yielded("failed_count", INTEGER),
            "StoppedStepCount": Yielded("stopped_count", INTEGER),
        },
        says=_has_a_body,
        positional=("items",),
    )

    def __init__(
        self,
        name: str,
        items: StringReference | Sequence[str | int | float | bool | Reference | Mapping[str, Any]],
        *,
        concurrency: int,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.items = items
        self.concurrency = concurrency
        self._selector: tuple[str, StepProperty] | None = None

    def __enter__(self) -> Self:
        self._opened: AbstractContextManager[None] = inside(self._body())
        self._opened.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, traceback)

    @property
    def item(self) -> Item:
        """The item of the current iteration, for the steps inside."""
        return Item()

    def select_max(self, reference: Reference) -> None:
        """Select the iteration in which ``reference``, what a step inside yields, is largest; see :meth:`selected`."""
        self._select("MaxBy", reference)

    def select_min(self, reference: Reference) -> None:
        """Select the iteration in which ``reference``, what a step inside yields, is smallest."""
        self._select("MinBy", reference)

    def selected(self, reference: R) -> R:
        """What a step inside yielded in the selected iteration, for steps after the ForEach. The step is the one that
        was selected by."""
        inner = self._inner(reference)
        if inner is None:
            return Poison()  # type: ignore[return-value]
        if self._selector is None or self._selector[1].step != inner.step:
            misuse(
                "D090",
                f"{self.name} selects no iteration by what {inner.step} yields",
                help=f"inside the block, call select_max(…) or select_min(…) with an output of {inner.step}",
                step=self.name,
            )
            return Poison()  # type: ignore[return-value]
        return self._lifted(inner, f"Selected.{inner.path}")  # type: ignore[return-value]

    def iteration(self, index: int, reference: R) -> R:
        """What a step inside yielded in the iteration with that number, from 0, for steps after the ForEach."""
        inner = self._inner(reference)
        if inner is None:
            return Poison()  # type: ignore[return-value]
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            misuse("D042", f"{self.name}: an iteration has a number from 0, not {index!r}", step=self.name)
            return Poison()  # type: ignore[return-value]
        return self._lifted(inner, f"IterationOutputs[{index}].{inner.step}.{inner.path}")  # type: ignore[return-value]

    @property
    def status(self) -> StringProperty:
        """``Succeeded``, ``Failed`` or ``Stopped``."""
        return StringProperty(self.name, "Status")

    @property
    def item_count(self) -> IntegerProperty:
        """How many items there were."""
        return IntegerProperty(self.name, "InputItemCount")

    @property
    def step_count(self) -> IntegerProperty:
        """How many steps ran, over all iterations; the next three say how they ended."""
        return IntegerProperty(self.name, "TotalStepCount")

    @property
    def succeeded_count(self) -> IntegerProperty:
        return IntegerProperty(self.name, "SucceededStepCount")

    @property
    def failed_count(self) -> IntegerProperty:
        return IntegerProperty(self.name, "FailedStepCount")

    @property
    def stopped_count(self) -> IntegerProperty:
        return IntegerProperty(self.name, "StoppedStepCount")

    def selector(self) -> Value:
        """The document's Selector, or None."""
        if self._selector is None:
            return None
        pick, field = self._selector
        return {"Pick": pick, "Field": Ref(f"IterationOutput.{field.step}.{field.path}")}

    def record(self, lowering: Lowering) -> StepRecord:
        body = Block("ForEachBody", lowering.steps(self._body()))
        return dataclasses.replace(super().record(lowering), blocks=(body,))

    def _body(self) -> list[BlockMember]:
        # Also there where the construction failed: the steps inside are read all the same.
        body: list[BlockMember] = self.__dict__.setdefault("body", [])
        return body

    def _select(self, pick: str, reference: Reference) -> None:
        inner = self._inner(reference)
        if inner is not None:
            self._selector = (pick, inner)

    def _inner(self, reference: object) -> StepProperty | None:
        """``reference``, where a step inside yields it."""
        names = [step.name for step in self._body()]
        if isinstance(reference, StepProperty) and reference.step in names:
            return reference
        if not isinstance(reference, Poison) and not self.poisoned:
            found = reference.label if isinstance(reference, Reference) else repr(reference)
            misuse(
                "D090",
                f"{self.name} takes what a step inside it yields; this is {found}",
                help=f"give an output of one of its steps: {', '.join(names) or 'there are none yet'}",
                step=self.name,
            )
        return None

    def _lifted(self, inner: StepProperty, path: str) -> StepProperty:
        outer = copy.copy(inner)
        outer.step, outer.path = self.name, path
        return outer
