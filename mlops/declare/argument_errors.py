"""pydantic's complaints about a step's arguments, in the author's words: one finding per argument."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops.declare import references, sdk_words
from mlops.declare.misuse import misuse
from mlops.declare.references import Reference
from mlops.declare.slips import slip
from mlops.ir import Where
from mlops.ir.fields import Field

_WANTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "True or False",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a dictionary",
    "mapping_type": "a dictionary",
    "is_sequence": "a list",
    "sequence_str": "a list",
}


def report(
    found: Iterable[Mapping[str, Any]],
    constructor: str,
    known: Sequence[str],
    step: str,
    where: Where,
    fields: Sequence[Field],
) -> None:
    """Record what is wrong with a call of ``constructor``, whose arguments are ``known`` and stand in the document by
    their ``fields``. A record has no ``step``."""
    call = f"{constructor} {step}".rstrip()
    about = step or None
    by_argument: dict[str, list[Mapping[str, Any]]] = {}
    for detail in found:
        by_argument.setdefault(_argument(detail, known), []).append(detail)
    kinds = {details[0]["type"] for details in by_argument.values()}
    for argument, details in by_argument.items():
        kind = details[0]["type"]
        if kind.startswith("missing") and "unexpected_positional_argument" in kinds:
            continue  # it was given, only without its keyword
        if kind in ("unexpected_keyword_argument", "extra_forbidden", "unexpected_positional_argument"):
            message, help = _unexpected(known, argument, kind, fields)
            foreign = kind.endswith("positional_argument") or sdk_words.ours(argument, known, fields) is not None
            edit = None if foreign else slip(argument, known)
            misuse("D040", f"{call}: {message}", help=help, step=about, where=where, edit=edit)
        elif kind.startswith("missing"):
            message = f"{call}: the argument {argument} is missing"
            misuse("D041", message, step=about, where=where)
        else:
            message = f"{call}: {_mistyped(argument, details)}"
            misuse("D042", message, step=about, where=where)


def _argument(detail: Mapping[str, Any], known: Sequence[str]) -> str:
    """pydantic names a positional argument by its place, ``self`` being 0."""
    first = detail["loc"][0] if detail["loc"] else ""
    if isinstance(first, int) and 0 < first <= len(known) and not detail["type"].startswith("unexpected"):
        return known[first - 1]
    return str(first)


def _unexpected(known: Sequence[str], argument: str, kind: str, fields: Sequence[Field]) -> tuple[str, str | None]:
    if kind == "unexpected_positional_argument":
        return "too many words stand without a keyword", "name the arguments: image=…, instance=…"
    ours = sdk_words.ours(argument, known, fields)
    if ours is not None:
        return f"there is no argument {argument}", f"here it is called {ours}"
    close = difflib.get_close_matches(argument, known, n=1)
    if close:
        return f"there is no argument {argument}", f"did you mean {close[0]}?"
    return (
        f"there is no argument {argument}",
        f"it takes {', '.join(known)}; what SageMaker's request has beyond these goes into arguments={{…}}",
    )


def _mistyped(argument: str, details: Iterable[Mapping[str, Any]]) -> str:
    wanted: list[str] = []
    deepest = list(details)
    # A union reports every member; what was found deepest inside is the value at fault.
    longest = max(len(_path(detail)) for detail in deepest)
    deepest = [detail for detail in deepest if len(_path(detail)) == longest]
    for detail in deepest:
        text = _expectation(detail)
        if text not in wanted:
            wanted.append(text)
    path = "".join(f"[{part!r}]" for part in _path(deepest[0]))
    choice = " or ".join(wanted) if len(wanted) < 3 else ", ".join(wanted[:-1]) + f" or {wanted[-1]}"
    return f"{argument}{path} should be {choice}; it is {_found(deepest[0]['input'])}"


def _path(detail: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Keys and indexes of the user's value; pydantic mixes in the names of union members."""
    return tuple(
        part
        for part in detail["loc"][1:]
        if isinstance(part, int) or not re.search(r"^(str|int|float|bool|bytes)$|\[|is-instance|[A-Z]\w+$", part)
    )


def _expectation(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "is_instance_of":
        name = detail["ctx"]["class"].rpartition(".")[2]
        kind = getattr(references, name, None)
        if isinstance(kind, type) and issubclass(kind, Reference):
            return kind.noun
        return {"ImageRequest": "image.…", "Sequence": "a list", "Mapping": "a dictionary"}.get(str(name), str(name))
    if detail["type"] in ("dataclass_type", "dataclass_exact_type"):
        return f"{detail['ctx']['class_name']}(…)"
    if detail["type"] == "literal_error":
        return str(detail["ctx"]["expected"])
    known = _WANTED.get(detail["type"])
    if known:
        return known
    message = str(detail["msg"])
    return message[0].lower() + message[1:]


def _found(value: object) -> str:
    if isinstance(value, Reference):
        return value.label
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({type(value).__name__})"
