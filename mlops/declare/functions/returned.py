"""What a function returns, as references of its step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlops.declare.functions.annotations import JSON
from mlops.declare.references import (
    BooleanReference,
    FloatReference,
    IntegerReference,
    JsonSource,
    Reference,
    ReportValue,
    StringReference,
)
from mlops.declare.shipped.mlops_function import RETURNED
from mlops.ir import Ref, Value


class _Returned(ReportValue):
    """One value that a function returns."""

    def __init__(self, step: str, field: str) -> None:
        file = Ref(f"Steps.{step}.PropertyFiles.{RETURNED}")
        super().__init__(JsonSource(f"what {step} returns", property_file=file), field)


class _OfOneType(Reference):
    def __init__(self, step: str, field: str) -> None:
        self._value = _Returned(step, field)

    def lower(self) -> Value:
        return self._value.lower()


class _Float(_OfOneType, FloatReference):
    noun = "a float that a function returns"


class _Integer(_OfOneType, IntegerReference):
    noun = "an integer that a function returns"


class _Text(_OfOneType, StringReference):
    noun = "a string that a function returns"


class _Flag(_OfOneType, BooleanReference):
    noun = "a boolean that a function returns"


_OF_KIND: Mapping[str, Callable[[str, str], Reference]] = {
    "float": _Float,
    "int": _Integer,
    "str": _Text,
    "bool": _Flag,
    JSON: _Returned,
}


def reference(kind: str, step: str, field: str) -> Reference:
    return _OF_KIND[kind](step, field)
