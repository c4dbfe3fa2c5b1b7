"""Names that the modules a pipeline file uses do not have, and arguments that their functions do not take."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mlops.declare.other_uses import no_brackets, no_function
from mlops.declare.references import Poison
from mlops.declare.slips import near
from mlops.declare.source_line import author_line
from mlops.declare.unknown_attributes import among, unknown_attribute

F = TypeVar("F", bound=Callable[..., object])


def unknown_name(module: str, name: str, known: Iterable[str], of: Callable[[str], object]) -> Any:
    """What the attribute of a module is that does not exist: where it is certain which was meant, that one, by ``of``.
    ``__getattr__`` of the module ends with it."""
    if name.startswith("_"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    from mlops.declare.sdk_words import NAMES  # only a mistake needs it

    listed = sorted(item for item in known if not item.startswith("_"))
    help, edit = among(name, listed)
    if name in NAMES:
        help, edit = NAMES[name], None
    elif not near(name, listed) and len(listed) >= _MANY:
        help = "docs/declare.md has all names"
    instead = of(edit.new) if edit else Poison()
    return unknown_attribute(name, f"{module} has no {name}", help=help, edit=edit, instead=instead)


_MANY = 20


class Names(types.ModuleType):
    """A module that pipeline files get as it is, such as ``image``: its names stand behind a dot."""

    # Hidden from type checkers, so that they find what nobody can do with it.
    if not TYPE_CHECKING:

        def __call__(self, *args: object, **_: object) -> Poison:
            return no_function(self._own, self._meant(args[0] if args else None), Poison())

        def __getitem__(self, key: object) -> Poison:
            return no_brackets(self._own, self._meant(key), Poison())

    @property
    def _own(self) -> str:
        return self.__name__.rpartition(".")[2]

    def _meant(self, key: object) -> str:
        own = {name: item for name, item in vars(self).items() if name[0] != "_" and self._is_own(item)}
        name = key if isinstance(key, str) and key in own else next(iter(own))
        written = f"{self._own}.{name}{'(…)' if isinstance(own[name], types.FunctionType) else ''}"
        return f"write {written}" if name == key else f"its names stand behind a dot, e.g. {written}"

    def _is_own(self, item: object) -> bool:
        """Made there, and no class, which an author has no use for."""
        home = item.__module__ if isinstance(item, types.FunctionType) else type(item).__module__
        return home == self.__name__


def behind_a_dot(module: str) -> None:
    """Parentheses and brackets on that module are told from now on."""
    sys.modules[module].__class__ = Names


def told_arguments(function: F) -> F:
    """A function whose wrong arguments are told with all other mistakes. It is called with those that are right; where
    one is missing, a function gives a poisoned value, and a constructor gets one."""
    if TYPE_CHECKING:
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> object:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # The function's own code raised it where there is a frame below this one.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
        return _told(function, args, kwargs)

    return call


def _told(function: Callable[..., object], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
    from mlops.declare.argument_errors import Call, report

    parameters = inspect.signature(function).parameters
    is_method = "self" in parameters
    known = [name for name in parameters if name != "self"]
    places = [item.name for item in parameters.values() if item.kind is item.POSITIONAL_OR_KEYWORD]
    given = dict(zip(places, args, strict=False))
    details = [
        *({"type": "unexpected_keyword_argument", "loc": (name,)} for name in kwargs if name not in known),
        *({"type": "missing_argument", "loc": (name,)} for name in _missing(parameters, {*given, *kwargs})),
        *(
            {"type": "multiple_argument_values", "loc": (name,), "input": kwargs[name]}
            for name in kwargs
            if name in given
        ),
    ]
    own = args[1:] if is_method else args
    made = function.__name__ == "__init__"
    name = type(args[0]).__name__ if made else function.__name__
    label = own[0] if own and isinstance(own[0], str) and not made else None
    call = Call(name, function, known, known, (), label, author_line(), own, kwargs)
    left = report(details, call)
    arguments = {name: value for name, value in left.arguments.items() if name not in left.wrong}
    missing = _missing(parameters, {*arguments, "self"})
    if missing and not made:
        return Poison()
    return function(*args[:1] if is_method else (), **arguments, **dict.fromkeys(missing, Poison()))


def _missing(parameters: Mapping[str, inspect.Parameter], given: Iterable[str]) -> list[str]:
    present = set(given)
    return [
        name
        for name, item in parameters.items()
        if item.default is item.empty
        and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
        and name not in present
    ]
