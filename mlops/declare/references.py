"""Values that are known only when the pipeline runs, typed so that an editor and mypy know what may go where.

Operators make conditions and never booleans; every reference lowers to an IR expression. References hash by identity.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlops.declare.conditions import Comparison, Condition, Membership, Poisoned
from mlops.declare.misuse import misuse
from mlops.declare.other_uses import no_function
from mlops.declare.secrets import Secret
from mlops.declare.shown import Labelled, shown
from mlops.declare.source_line import is_authors
from mlops.declare.unknown_attributes import unknown_attribute
from mlops.ir import Join, JsonGet, Ref, Unknown, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.json_path import extended
from mlops.ir.values import to_expression

__all__ = ["DataReference", "ModelReference", "Reference"]

_LARGEST_BITS = 14_000
"""Python itself writes no integer of more than 4,300 digits."""


class Reference(Labelled):
    """A value that is known only at run time."""

    noun: ClassVar[str] = "a reference"
    known: ClassVar[str] = "when the pipeline runs"
    compiled: bool = False
    """Whether it is a text already when the pipeline is compiled."""

    def lower(self) -> Value:
        """The IR expression."""
        raise AssertionError(f"{type(self).__name__} has no expression")

    @property
    def label(self) -> str:
        return self.noun

    def __eq__(self, other: object) -> Comparison:  # type: ignore[override]
        return self._compare("Equals", other)

    def __ne__(self, other: object) -> Comparison:  # type: ignore[override]
        return self._compare("NotEquals", other)

    def __gt__(self, other: Reference | int | float) -> Comparison:
        return self._compare("GreaterThan", other)

    def __ge__(self, other: Reference | int | float) -> Comparison:
        return self._compare("GreaterThanOrEqualTo", other)

    def __lt__(self, other: Reference | int | float) -> Comparison:
        return self._compare("LessThan", other)

    def __le__(self, other: Reference | int | float) -> Comparison:
        return self._compare("LessThanOrEqualTo", other)

    __hash__ = object.__hash__

    def in_(self, *choices: Reference | str | int | float | bool) -> Membership:
        """True where the value is one of ``choices``."""
        listed = choices[0] if len(choices) == 1 else None
        if isinstance(listed, list | tuple | set):
            misuse(
                "D042", "in_ takes the choices one by one, not a list of them", help="write in_(1, 2), or in_(*choices)"
            )
            return Membership(self, tuple(listed))
        return Membership(self, choices)

    def _compare(self, operator: str, other: object) -> Comparison:
        return Comparison(operator, self, other)

    def __bool__(self) -> bool:
        misuse(
            "D001",
            f"{self.label} is known only {self.known}, so it is neither true nor false here",
            help="decide at run time with `with when(...)`, and join conditions with & | ~ instead of and, or, not",
        )
        return True

    def __str__(self) -> str:
        self._not_text()
        return ""

    def __format__(self, spec: str) -> str:
        self._not_text()
        return ""

    def __add__(self, other: object) -> Poison:
        self._not_text()
        return Poison()

    __radd__ = __add__

    def _not_text(self) -> None:
        misuse(
            "D002",
            f"{self.label} is known only {self.known}, so it cannot become part of a string here",
            help=f'build the text {"then" if self.compiled else "at run time"} with join("…", reference, "…")',
        )

    # Hidden from type checkers, so that they find what nobody can do with it.
    if not TYPE_CHECKING:

        def _calculated(self, *_: object) -> Poison:
            self._not_here("calculated with", "calculate in a step's script, or make the result another parameter")
            return Poison()

        __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = (
            _calculated
        )
        __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __divmod__ = __rdivmod__ = _calculated
        __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __xor__ = __rxor__ = _calculated
        __neg__ = __pos__ = __abs__ = __round__ = __trunc__ = __floor__ = __ceil__ = _calculated

        def _joined(self, *_: object) -> Condition:
            misuse(
                "D011",
                f"& | ~ join conditions; {self.label} is none",
                help="compare it first, in parentheses: (flag == True) & (rate > 0.5); & and | bind tighter than ==",
            )
            return Poisoned()

        __and__ = __rand__ = __or__ = __ror__ = __invert__ = _joined

        def __int__(self) -> int:
            return self._number("made a number", "give it to a step as it is")

        def __float__(self) -> float:
            return float(self._number("made a number", "give it to a step as it is"))

        def __index__(self) -> int:
            return self._number("counted with", "choose in a step's script, or with `with when(…)`")

        def _number(self, done: str, help: str) -> int:
            if not is_authors(sys._getframe(2).f_code.co_filename):
                raise TypeError(f"{self.label} is no number")  # pydantic looks whether it can be one
            self._not_here(done, help)
            return 0

        def __len__(self) -> int:
            self._not_here("measured", "measure it in a step's script")
            return 0

        def __iter__(self) -> Iterator[Poison]:
            self._not_here("looped over", "loop in a step's script, or with `with ForEach(…)` over a list in JSON")
            return iter(())

        def __contains__(self, item: object) -> bool:
            self._not_here("searched", "compare it when the pipeline runs: reference.in_(1, 2), reference == 1")
            return True

        def __getitem__(self, key: object) -> Poison:
            self._not_here("taken apart", "take it apart in a step's script")
            return Poison()

        def __call__(self, *_: object, **__: object) -> Reference:
            return no_function(self.label, "leave the parentheses out: it is a value", self)

        def __fspath__(self) -> str:
            self._not_text()
            return ""

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return unknown_attribute(
                name,
                f"{self.label} has no {name}",
                help=f"it is known only {self.known}: give it to a step as it is, or to join",
                instead=Poison(),
            )

    def _not_here(self, done: str, help: str) -> None:
        misuse("D006", f"{self.label} is known only {self.known}, so it cannot be {done} here", help=help)

    def __repr__(self) -> str:
        return f"<{self.label}>"


class StringReference(Reference):
    """A run-time string."""

    noun = "a string reference"


class NumberReference(Reference):
    """A run-time number."""

    noun = "a number reference"


class IntegerReference(NumberReference):
    """A run-time integer."""

    noun = "an integer reference"


class FloatReference(NumberReference):
    """A run-time float."""

    noun = "a float reference"


class BooleanReference(Reference):
    """A run-time boolean."""

    noun = "a boolean reference"


class StepProperty(Reference):
    """A member of what SageMaker answers about a step, by its path."""

    def __init__(self, step: str, path: str) -> None:
        self.step, self.path = step, path

    @property
    def label(self) -> str:
        named = _NAMED.search(self.path)
        what = f"{_NAMED_AS[named[1]]} {named[2]}" if named else self.path.rpartition(".")[2]
        return f"the {what} of {self.step}"

    def lower(self) -> Value:
        return Ref(f"Steps.{self.step}.{self.path}")


_NAMED = re.compile(r"\b(Outputs|OutputParameters|FinalMetricDataList)\['([^']*)'\]")
_NAMED_AS = {"Outputs": "output", "OutputParameters": "output", "FinalMetricDataList": "metric"}


class DataReference(StepProperty):
    """The S3 URI of data that a step wrote."""

    noun = "a step's data"


class ModelReference(StepProperty):
    """The S3 URI of a ``model.tar.gz`` that a step wrote."""

    noun = "a trained model"

    @property
    def label(self) -> str:
        return f"the trained model of {self.step}"


class StringProperty(StepProperty, StringReference):
    """A string that a step yields."""

    noun = "a step's string"


class IntegerProperty(StepProperty, IntegerReference):
    """An integer that a step yields."""

    noun = "a step's integer"


class FloatProperty(StepProperty, FloatReference):
    """A float that a step yields."""

    noun = "a step's float"


class BooleanProperty(StepProperty, BooleanReference):
    """A boolean that a step yields."""

    noun = "a step's boolean"


class ModelNameReference(StringProperty):
    """The name of a SageMaker model that a step created."""

    noun = "a created model's name"

    def __init__(self, step: str) -> None:
        super().__init__(step, "ModelName")


class AnyReference(StringReference, IntegerReference, FloatReference, BooleanReference):
    """A run-time value whose type only the run knows; it may stand wherever a reference may."""

    noun = "a run-time value"


class Deferred(AnyReference):
    """Stands for a value that is chosen later, and judged then."""

    noun = "a value that is chosen later"


class PropertyReference(StepProperty, AnyReference):
    """Any member of what SageMaker answers about a step: ``train.property("TrainingJobName")``."""

    noun = "the property"


class _JsonDocument(Labelled):
    """What a value is taken out of, by its name."""

    def __getitem__(self, key: str | int) -> ReportValue:
        raise NotImplementedError

    # Hidden from type checkers, so that they find what nobody can do with it.
    if not TYPE_CHECKING:

        def _compared(self, other: object) -> Condition:
            misuse(
                "D012",
                f"{self.label} is a file, and a value in it can be compared",
                help='take the value out by its name: evaluate.reports["quality"]["accuracy"] >= 0.8',
            )
            return Poisoned()

        __gt__ = __ge__ = __lt__ = __le__ = _compared

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            help = f'take a value out of it by its name: ["{name}"]'
            return unknown_attribute(name, f"{self.label} has no {name}", help=help, instead=self[name])


class ReportReference(_JsonDocument):
    """A JSON file that a Processing step writes; index it to get a value out of it."""

    def __init__(self, step: str, report: str, uri: StringReference) -> None:
        self._step, self._report = step, report
        self.uri = uri

    @property
    def label(self) -> str:
        return f"the report {self._report} of {self._step}"

    def __getitem__(self, key: str | int) -> ReportValue:
        return ReportValue(self._source(), extended("", key))

    def at(self, path: str | StringReference) -> ReportValue:
        """A value by its JsonPath as written, e.g. ``regression_metrics.mse.value``; it may be a reference itself."""
        return ReportValue(self._source(), path)

    def _source(self) -> JsonSource:
        file = Ref(f"Steps.{self._step}.PropertyFiles.{self._report}")
        return JsonSource(f"{self._step}'s report {self._report}", property_file=file)

    def __repr__(self) -> str:
        return f"<the report {self._report} of {self._step}>"


class JsonFile(_JsonDocument):
    """A JSON file in S3, whoever wrote it; index it to get a value out of it. Made by ``json_file``."""

    def __init__(self, uri: str | StringReference | DataReference) -> None:
        # The service reads the URI from a Join or a string; a bare reference is wrapped as the official SDK does.
        wrapped = uri if isinstance(uri, str | JoinedReference) else JoinedReference("", (uri,))
        self._json = JsonSource("the JSON file", s3_uri=wrapped)

    @property
    def label(self) -> str:
        return self._json.label

    def __getitem__(self, key: str | int) -> ReportValue:
        return ReportValue(self._json, extended("", key))

    def at(self, path: str | StringReference) -> ReportValue:
        """A value by its JsonPath as written; it may be a reference itself."""
        return ReportValue(self._json, path)


@dataclass(frozen=True, slots=True)
class JsonSource:
    """Where a JsonGet reads: exactly one of the two forms is set."""

    label: str
    property_file: Value = None
    s3_uri: str | JoinedReference | None = None


class ReportValue(AnyReference):
    """A value out of a JSON file, by JsonPath; index it further to go deeper."""

    noun = "a value of a report"

    def __init__(self, source: JsonSource, path: str | StringReference) -> None:
        self._json, self._path = source, path

    @property
    def label(self) -> str:
        shown = self._path if isinstance(self._path, str) else self._path.label
        return f"the value {shown} of {self._json.label}"

    def __getitem__(self, key: str | int) -> ReportValue:
        if isinstance(self._path, Reference):
            deeper = f"[{key}]" if isinstance(key, int) else f"['{key}']"
            return ReportValue(self._json, JoinedReference("", (self._path, deeper)))
        return ReportValue(self._json, extended(self._path, key))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            help = f'go deeper by the name: ["{name}"]'
            return unknown_attribute(name, f"{self.label} has no {name}", help=help, instead=self[name])

    def lower(self) -> Value:
        return JsonGet(path=lower(self._path), property_file=self._json.property_file, s3_uri=lower(self._json.s3_uri))


class JoinedReference(StringReference):
    """Strings put together at run time, or, where all are known then, when the pipeline is compiled."""

    noun = "a joined string"

    def __init__(self, separator: str, parts: tuple[Reference | str | int | float, ...]) -> None:
        self._separator, self._parts = separator, parts
        references = [part for part in parts if isinstance(part, Reference)]
        self.compiled = (
            bool(references)
            and all(part.compiled for part in references)
            and not any(isinstance(part, float) for part in parts)
        )

    def lower(self) -> Value:
        parts = tuple(lower(part) for part in self._parts)
        if self.compiled and not any(isinstance(part, Unknown) for part in parts):
            return self._separator.join(map(str, parts))
        return Join(self._separator, parts)


class Poison(AnyReference):
    """What a misuse returns: it may stand anywhere and nothing more is said about it."""

    noun = "a value with a reported mistake"

    def lower(self) -> Value:
        return Unknown()

    def __getitem__(self, key: object) -> Poison:
        return self

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Poison]:
        return iter(())

    def __call__(self, *args: object, **kwargs: object) -> Poison:
        return self

    def __getattr__(self, name: str) -> Poison:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __enter__(self) -> Poison:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __bool__(self) -> bool:
        return True

    def _compare(self, operator: str, other: object) -> Condition:  # type: ignore[override]
        return Poisoned()

    def in_(self, *choices: object) -> Condition:  # type: ignore[override]
        return Poisoned()

    if not TYPE_CHECKING:

        def _joined(self, *_: object) -> Condition:
            return Poisoned()

        __and__ = __rand__ = __or__ = __ror__ = __invert__ = _joined

    def _not_text(self) -> None:
        return

    def _not_here(self, done: str, help: str) -> None:
        return


def lower(value: object) -> Value:
    """A DSL value, however nested, to an IR value. Tuples and lists become tuples; an object that is an expression in
    the document's own form becomes that expression."""
    match value:
        case Reference():
            return value.lower()
        case ReportReference():
            return value.uri.lower()
        case Secret():
            misuse(
                "D081",
                f"the secret {value.reference.id} cannot stand here, where no step of ours could put its value in",
                help="give it in environment= of a Processing or Training step with code=, or of a step function",
            )
            return Unknown()
        case Mapping():
            members = {str(key): lower(item) for key, item in value.items()}
            return to_expression(members) or members
        case list() | tuple():
            return tuple(lower(item) for item in value)
        case None | bool():
            return value
        case int() | float() | str():
            reason = unsendable(value)
            if reason is None:
                return value
            misuse("D004", f"{reason} cannot stand in a pipeline definition", help=_SENDABLE)
            return Unknown()
    instead = value.instead if isinstance(value, Labelled) else None
    help = f"give what you mean of it, e.g. {instead}" if instead else _SENDABLE
    misuse("D004", f"{shown(value)} cannot stand in a pipeline definition", help=help)
    return Unknown()


_SENDABLE = "give what JSON has: texts, numbers, True and False, lists and dictionaries of these, and references"


def lower_word(value: object) -> Value:
    """Of a command line or an environment, where a number is written as text: ``0.25`` becomes ``"0.25"``."""
    if isinstance(value, int | float) and not isinstance(value, bool) and unsendable(value) is None:
        return str(value)
    return lower(value)


def is_expression(value: Mapping[str, Any]) -> bool:
    """``value`` looks like an expression in the document's own form, e.g. ``{"Get": "Parameters.Depth"}``."""
    return len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet")


def unsendable(value: int | float | str) -> str | None:
    """Why JSON cannot hold a scalar; None where it can."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is no JSON number; it"
    if isinstance(value, int) and value.bit_length() > _LARGEST_BITS:
        return "an integer of thousands of digits"
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return "half of a surrogate pair"
    return None
