"""Pipeline parameters: values that somebody may choose when the pipeline starts."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mlops.declare.misuse import misuse
from mlops.declare.references import (
    AnyReference,
    BooleanReference,
    FloatReference,
    IntegerReference,
    NumberReference,
    Reference,
    StringReference,
    lower,
    unsendable,
)
from mlops.declare.shown import shown
from mlops.declare.source_line import author_line
from mlops.ir import Parameter as ParameterRecord
from mlops.ir import Ref, Unknown, Value


class Parameter(Reference):
    """A pipeline parameter; made by ``pipeline.string(…)`` and its three siblings, not directly."""

    type_name: ClassVar[str]
    accepts: ClassVar[tuple[type, ...]]

    def __init__(
        self,
        name: str,
        default: str | int | float | bool | StringReference | None,
        choices: Sequence[str | int | float | bool] | None,
        description: str | None,
    ) -> None:
        self.name = name if isinstance(name, str) else "Unnamed"
        self.default = default
        is_list = isinstance(choices, Sequence) and not isinstance(choices, str)
        self.choices = tuple(choices) if is_list and choices is not None else None
        self.description = description
        self.where = author_line()
        self._validate(name)
        if choices is not None and not is_list:
            message = f"{self.label} should have a list of choices; it has {shown(choices)}"
            misuse("D021", message, help="write choices=[…]")

    @property
    def label(self) -> str:
        return f"the {self.type_name} parameter {self.name}"

    def lower(self) -> Value:
        return Ref(f"Parameters.{self.name}")

    def record(self, defaults: Mapping[str, str | int | float | bool]) -> ParameterRecord:
        """The IR parameter; an environment's ``defaults`` win over the default in the pipeline."""
        members: dict[str, Value] = {}
        default = defaults.get(self.name, self.default)
        if (
            isinstance(self, FloatParameter)
            and self._is_sound(default)
            and isinstance(default, int)
            and not isinstance(default, bool)
        ):
            default = float(default)
        if default is not None:
            members["DefaultValue"] = lower(default) if self._is_sound(default) else Unknown()
        if self.choices is not None:
            members["EnumValues"] = self.choices if self._choices_are_sound else Unknown()
        if self.description is not None:
            members["Description"] = self.description
        return ParameterRecord(self.name, self.type_name, members, self.where)

    def fits(self, value: object) -> bool:
        """``value`` has this parameter's type. True is no integer, and an integer will do for a float."""
        if isinstance(value, bool):
            return bool in self.accepts
        return isinstance(value, self.accepts)

    def _is_sound(self, value: object) -> bool:
        if not self.fits(value) or (isinstance(value, int | float | str) and unsendable(value) is not None):
            return False
        return not isinstance(self, FloatParameter) or not isinstance(value, int) or abs(value) <= sys.float_info.max

    def _validate(self, name: object) -> None:
        self._choices_are_sound = True
        if not isinstance(name, str):
            misuse("D042", f"a parameter's name should be a string; it is {shown(name)}", help='e.g. "MaxDepth"')
        if self.fits(self.default) and not self._is_sound(self.default):
            help = "give a finite number, or a text in UTF-8"
            misuse("D020", f"{self.label} has a default that JSON cannot hold", help=help)
        if self.default is not None and not self.fits(self.default):
            misuse("D020", f"{self.label} has the default {shown(self.default)}", help=self._mend_of(self.default))
        for choice in self.choices or ():
            if not self._is_sound(choice):
                self._choices_are_sound = False
                misuse("D021", f"{self.label} has the choice {shown(choice)}", help=self._mend_of(choice))
        if isinstance(self.default, Reference):
            return
        if self.choices is not None and self.default is not None and self.default not in self.choices:
            self._choices_are_sound = False
            misuse(
                "D022",
                f"{self.label} has the default {self.default!r}, which is not one of its choices",
                help=f"its choices are {', '.join(map(repr, self.choices))}",
            )

    def _mend_of(self, value: object) -> str:
        if self.type_name == "String" and isinstance(value, int | float) and not isinstance(value, bool):
            return f'write "{value}", or declare it with pipeline.{"integer" if isinstance(value, int) else "float"}(…)'
        if isinstance(value, str) and isinstance(self, NumberReference) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return f"write {value} without quotes, or declare it with pipeline.string(…)"
        return f"give one of type {self.type_name}, or declare the parameter with another type"


class StringParameter(Parameter, StringReference):
    """A String parameter."""

    noun = "a String parameter"
    type_name = "String"
    accepts = (str,)

    def fits(self, value: object) -> bool:
        return super().fits(value) or (isinstance(value, StringReference) and value.compiled)


class IntegerParameter(Parameter, IntegerReference):
    """An Integer parameter."""

    noun = "an Integer parameter"
    type_name = "Integer"
    accepts = (int,)


class FloatParameter(Parameter, FloatReference):
    """A Float parameter."""

    noun = "a Float parameter"
    type_name = "Float"
    accepts = (float, int)


class BooleanParameter(Parameter, BooleanReference):
    """A Boolean parameter."""

    noun = "a Boolean parameter"
    type_name = "Boolean"
    accepts = (bool,)


class AnyParameter(Parameter, AnyReference):
    """A parameter in the document's own form; whatever the document gives it stays."""

    noun = "a parameter"

    def __init__(self, written: Mapping[str, Any]) -> None:
        self._written = dict(written)
        super().__init__(self._written.get("Name", ""), None, None, None)

    @property
    def label(self) -> str:
        return f"the parameter {self.name}"

    def fits(self, value: object) -> bool:
        return True

    def record(self, defaults: Mapping[str, str | int | float | bool]) -> ParameterRecord:
        given = {"DefaultValue": defaults[self.name]} if self.name in defaults else {}
        members = {key: lower(item) for key, item in {**self._written, **given}.items() if key not in ("Name", "Type")}
        kind = self._written.get("Type", "String")
        if not isinstance(kind, str):
            misuse(
                "D042",
                f"{self.label} should have a string as its Type; it is {shown(kind)}",
                help='e.g. "String"',
                where=self.where,
            )
            kind = "String"
        return ParameterRecord(self.name, kind, members, self.where, has_type="Type" in self._written)
