"""Records that authors write as arguments of steps: ``Channel(…)``, ``Input(…)``, ``Retry(…)``."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError, validate_call
from pydantic_core.core_schema import CoreSchema, is_instance_schema
from typing_extensions import dataclass_transform

from mlops.declare.argument_errors import report
from mlops.declare.references import Poison
from mlops.declare.source_line import author_line

T = TypeVar("T")

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, defer_build=True)


def checked_call(function: Callable[..., None]) -> Callable[..., None]:
    """The same with its arguments checked against its annotations, which raises pydantic's ValidationError.

    The check is built at the first call: building it for every step and record would cost 150 ms at each start."""
    built: Callable[..., None] | None = None

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        nonlocal built
        if built is None:
            built = validate_call(config=STRICT)(function)
        built(*args, **kwargs)

    return call


@dataclass_transform(frozen_default=True, eq_default=False)
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass whose arguments are checked where the author wrote them; wrong ones become findings.

    Records compare by identity, since they may hold references."""
    made: Any = dataclasses.dataclass(frozen=True, slots=True, eq=False)(cls)
    checked = checked_call(made.__init__)
    known = [field.name for field in dataclasses.fields(made)]

    @functools.wraps(made.__init__)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            checked(self, *args, **kwargs)
        except ValidationError as error:
            report(error, made.__name__, known, "", author_line())
            for name in known:
                object.__setattr__(self, name, Poison())

    def is_one(_: type, source: object, handler: object) -> CoreSchema:
        return is_instance_schema(made, cls_repr=f"{made.__name__}(…)")

    made.__init__ = init
    # Its fields were checked when it was made; pydantic would build their whole schema for every step that takes one.
    made.__get_pydantic_core_schema__ = classmethod(is_one)
    checked_class: type[T] = made
    return checked_class
