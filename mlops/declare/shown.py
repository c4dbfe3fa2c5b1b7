"""How messages name a value that an author gave: in his words, never by an object's address or a class of ours."""

from __future__ import annotations

import re
import types

_LONGEST = 60
_INTERNAL = re.compile(r" at 0x[0-9a-fA-F]+|\bmlops\.\w|^<class ")


class Labelled:
    """Something of the language that authors hold in their hands."""

    __slots__ = ()

    @property
    def label(self) -> str:
        """How messages name it."""
        raise NotImplementedError

    @property
    def instead(self) -> str | None:
        """What an author means who gives it where a value is wanted, as he would write it; None where that is
        anybody's guess."""
        return None


def shown(value: object) -> str:
    """
    >>> shown(0.25), shown("2"), shown(None), shown([1, "a"]), shown(list), shown(print), shown(object())
    ('0.25 (float)', "'2' (str)", 'None', "[1, 'a']", 'the type list', 'the function print', 'an object')
    """
    if isinstance(value, Labelled):
        return value.label
    if isinstance(value, type):
        return f"the type {value.__name__}"
    if isinstance(value, types.ModuleType):
        return f"the module {value.__name__.rpartition('.')[2]}"
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return f"the function {value.__name__}"
    if value is None:
        return "None"
    text = _text(value)
    kind = type(value).__name__
    if not text:
        return f"an {kind}" if kind[0] in "aeiouAEIOU" else f"a {kind}"
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return short if isinstance(value, list | tuple | dict | set | frozenset) else f"{short} ({kind})"


def _text(value: object) -> str:
    """Its own; empty where that would say nothing to a reader."""
    try:
        text = repr(value)
    except Exception:  # the author's own __repr__ raised
        return ""
    return "" if _INTERNAL.search(text) or (text.startswith("<") and not isinstance(value, str)) else text
