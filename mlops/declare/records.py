"""Records that authors write as arguments of steps: ``Channel(…)``, ``Input(…)``, ``Retry(…)``."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from mlops.declare.references import Deferred, Poison
from mlops.declare.source_line import author_line
from mlops.declare.wrong_arguments import WrongArguments, is_unjudged, unjudged
from mlops.project.exact_types import ExactCall

if TYPE_CHECKING:
    from pydantic_core.core_schema import CoreSchema

T = TypeVar("T")


def checked_call(function: Callable[..., None]) -> Callable[..., None]:
    """The same with its arguments checked against its annotations; raises :class:`WrongArguments`.

    Where they are not plainly right pydantic judges, and is loaded and built for that: it would be most of a start."""
    exact = ExactCall(function)
    judged: Callable[..., None] | None = None

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        nonlocal judged
        taken = exact.taken(args, kwargs)
        if taken is not None:
            function(*taken[0], **taken[1])
            return
        if is_unjudged() or any(isinstance(value, Deferred) for value in (*args, *kwargs.values())):
            function(*args, **kwargs)
            return
        if judged is None:
            from mlops.declare.argument_judge import judge

            judged = judge(function)
        judged(*args, **kwargs)

    return call


def strict_table(cls: type[T]) -> type[T]:
    """A TypedDict of arguments: nothing beside them, and each as exactly as the others."""
    # What pydantic's with_config sets; pydantic is not loaded for it.
    config = {"extra": "forbid", "strict": True, "arbitrary_types_allowed": True}
    cls.__pydantic_config__ = config  # type: ignore[attr-defined]
    return cls


@dataclass_transform(frozen_default=True, eq_default=False)
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass whose arguments are checked where the author wrote them; wrong ones become findings.

    Records compare by identity, since they may hold references."""
    made: Any = dataclasses.dataclass(frozen=True, slots=True, eq=False, repr=False)(cls)
    plain = made.__init__
    checked = checked_call(plain)
    known = [field.name for field in dataclasses.fields(made)]

    @functools.wraps(made.__init__)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            checked(self, *args, **kwargs)
        except WrongArguments as error:
            from mlops.declare.argument_errors import Call, report
            from mlops.declare.sdk_words import fields_of

            fields = fields_of(made)
            call = Call(made.__name__, plain, known, known, fields, None, author_line(), args, kwargs)
            with unjudged():
                left = report(error.details, call)
                # What is not there may be what was meant.
                plain(self, **{**dict.fromkeys(left.wrong if left.lost else (), Poison()), **left.arguments})

    def is_one(_: type, source: object, handler: object) -> CoreSchema:
        from pydantic_core.core_schema import is_instance_schema

        return is_instance_schema(made, cls_repr=f"{made.__name__}(…)")

    made.__init__ = init
    made.__repr__ = lambda self: f"{made.__name__}(…)"
    # Its fields were checked when it was made; pydantic would build their whole schema for every step that takes one.
    made.__get_pydantic_core_schema__ = classmethod(is_one)
    checked_class: type[T] = made
    return checked_class
