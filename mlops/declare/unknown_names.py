"""Names that the modules a pipeline file uses do not have, and arguments that their functions do not take."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mlops.declare.misuse import is_collecting, misuse
from mlops.declare.references import Poison
from mlops.declare.slips import slip

F = TypeVar("F", bound=Callable[..., object])


class _PoisonedFunction(Poison):
    """May be called, too."""

    def __call__(self, *args: object, **kwargs: object) -> Poison:
        return self


def unknown_name(module: str, name: str, known: Sequence[str]) -> Poison:
    """What the attribute of a module is that does not exist. Raises AttributeError where no file is being loaded:
    whoever asks then may only be looking."""
    if name.startswith("_") or not is_collecting():
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    listed = sorted(item for item in known if not item.startswith("_"))
    edit = slip(name, listed)
    mend = f"did you mean {edit.new}? " if edit else ""
    misuse("D031", f"{module} has no {name}", help=f"{mend}it has {', '.join(listed)}", edit=edit)
    return _PoisonedFunction()


def told_arguments(function: F) -> F:
    """A method whose wrong arguments are told with all other mistakes, and give a poisoned value."""
    if TYPE_CHECKING:
        return function
    signature = inspect.signature(function)
    known = [name for name in signature.parameters if name != "self"]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> object:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            label = f"{function.__name__} {args[1]}" if len(args) > 1 else function.__name__
            unknown = [name for name in kwargs if name not in known]
            for name in unknown:
                edit = slip(name, known)
                help = f"did you mean {edit.new}?" if edit else f"it takes {', '.join(known)}"
                misuse("D040", f"{label}: there is no argument {name}", help=help, edit=edit)
            if not unknown:
                code = "D041" if "missing" in str(error) else "D040"
                misuse(code, f"{label}: {error}", help=f"it takes {', '.join(known)}")
            return Poison()
        return function(*args, **kwargs)

    return call
