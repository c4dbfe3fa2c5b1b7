"""Records that authors write as arguments of steps: ``Channel(…)``, ``Input(…)``, ``Retry(…)``."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError, validate_call
from typing_extensions import dataclass_transform

from mlops.declare.argument_errors import report
from mlops.declare.references import Poison
from mlops.declare.source_line import author_line

T = TypeVar("T")

_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, defer_build=True)


@dataclass_transform(frozen_default=True, eq_default=False)
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass whose arguments are checked where the author wrote them; wrong ones become findings.

    Records compare by identity, since they may hold references."""
    made: Any = dataclasses.dataclass(frozen=True, slots=True, eq=False)(cls)
    checked = validate_call(config=_STRICT)(made.__init__)
    known = [field.name for field in dataclasses.fields(made)]

    @functools.wraps(made.__init__)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            checked(self, *args, **kwargs)
        except ValidationError as error:
            report(error, made.__name__, known, "", author_line())
            for name in known:
                object.__setattr__(self, name, Poison())

    made.__init__ = init
    checked_class: type[T] = made
    return checked_class
