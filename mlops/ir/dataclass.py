"""``dataclass`` as the standard library has it, made in a third of the time.

A cold compile makes some 130 of them, a quarter of its time: before Python 3.13 each compiles six functions
from text. Five of those follow from the list of fields alone; here they are functions over that list, and ``__init__``
alone is compiled. All else is the standard library's: ``fields``, ``replace``, ``asdict``, ``match``; what is asked for
seldom, an order, it makes whole. A type checker sees nothing but its decorator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, eq=True, repr=True, order=False, frozen=False, **options):
        def made(cls):
            if not eq or order or not options.keys() <= {"slots", "kw_only"}:
                return dataclasses.dataclass(eq=eq, repr=repr, order=order, frozen=frozen, **options)(cls)
            own = vars(cls)
            if not cls.__doc__:
                # Else its signature is worked out for the text.
                cls.__doc__ = cls.__name__
            # A class body that defines __eq__ alone has None for its hash, which nobody wrote.
            hashes = own.get("__hash__") is not None or ("__hash__" in own and "__eq__" not in own)
            made = dataclasses.dataclass(eq=False, repr=False, init=False, **options)(cls)
            if "__init__" not in own:
                made.__init__ = _init(made, frozen)
            if frozen:
                _freeze(made, slots=options.get("slots", False))
            if "__eq__" not in own:
                made.__eq__ = _equal
            if not hashes:
                made.__hash__ = _hash if frozen else None
            if repr and "__repr__" not in own:
                made.__repr__ = _repr
            return made

        return made if cls is None else made(cls)


def _init(cls: Any, frozen: bool) -> Callable[..., None]:
    fields = dataclasses.fields(cls)
    given: dict[str, Any] = {"_set": object.__setattr__, "_made": _MADE}
    taken: list[str] = []
    last: list[str] = []
    lines: list[str] = []
    for field in fields:
        name = value = field.name
        text = name
        if field.default is not dataclasses.MISSING:
            given[f"_default_{name}"] = field.default
            text = f"{name}=_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            given[f"_factory_{name}"] = field.default_factory
            text = f"{name}=_made"
            value = f"_factory_{name}() if {name} is _made else {name}"
        if field.init:
            (last if field.kw_only else taken).append(text)
        elif "=" in text:
            value = text.partition("=")[2] if value == name else f"_factory_{name}()"
        else:
            continue
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    heads = ", ".join(["self", *taken, *(["*", *last] if last else [])])
    body = "\n  ".join(lines or ["pass"])
    names: dict[str, Any] = {}
    # As the standard library does it; nothing but the names of fields, which are identifiers, is in the text.
    exec(f"def make({', '.join(given)}):\n def __init__({heads}):\n  {body}\n return __init__", {}, names)  # noqa: S102
    init: Callable[..., None] = names["make"](*given.values())
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return init


class _Made:
    def __repr__(self) -> str:
        return "<factory>"


_MADE = _Made()


def _freeze(cls: Any, *, slots: bool) -> None:
    names = frozenset(cls.__dataclass_fields__)

    def set_attribute(one: Any, name: str, value: object) -> None:
        if type(one) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, one).__setattr__(name, value)

    def delete_attribute(one: Any, name: str) -> None:
        if type(one) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, one).__delattr__(name)

    cls.__setattr__, cls.__delattr__ = set_attribute, delete_attribute
    if slots:
        cls.__getstate__, cls.__setstate__ = _get_state, _set_state


def _get_state(one: Any) -> list[Any]:
    return [getattr(one, field.name) for field in dataclasses.fields(one)]


def _set_state(one: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(one), state, strict=True):
        object.__setattr__(one, field.name, value)


def _equal(one: Any, other: Any) -> Any:
    if one is other:
        return True
    if one.__class__ is not other.__class__:
        return NotImplemented
    values = _compared(one.__class__)
    return values(one) == values(other)


def _hash(one: Any) -> int:
    return hash(_hashed(one.__class__)(one))


@recursive_repr()
def _repr(one: Any) -> str:
    shown = (f"{field.name}={getattr(one, field.name)!r}" for field in dataclasses.fields(one) if field.repr)
    return f"{one.__class__.__qualname__}({', '.join(shown)})"


@cache
def _compared(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    return _values([field.name for field in dataclasses.fields(cls) if field.compare])


@cache
def _hashed(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    return _values(
        [field.name for field in dataclasses.fields(cls) if (field.compare if field.hash is None else field.hash)]
    )


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


__all__ = ["dataclass"]
