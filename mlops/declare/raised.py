"""What an exception of an author's file says to him, of things of the language in the language's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import mlops
from mlops.declare.references import Reference
from mlops.declare.sdk_words import NAMES
from mlops.declare.shown import Labelled
from mlops.declare.slips import near
from mlops.ir import MlopsError
from mlops.ir.hiding import hide_text

_LONGEST = 400


def said_of(error: BaseException) -> str:
    """One line."""
    if isinstance(error, MlopsError):
        return error.message
    try:
        said = " ".join(str(error).split())
    except Exception:  # the author's own __str__ raised
        said = ""
    if isinstance(error, ImportError):
        said = re.sub(r" \([^()]*\)$", "", said)  # the place of a file of ours
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], Reference):
        return f"{error.args[0].label} is known only when the pipeline runs, so it is no key here"
    said = said.replace("'ImageRequest'", "'image'")
    for name, noun in _nouns():
        said = re.sub(rf"'?\b{name}\b'?(?= object)|'{name}'|\b{name}\b", f"'{noun}'", said)
    # Half of a secret would be told where it is cut before.
    said = hide_text(said)
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def help_of(error: BaseException, path: Path) -> str:
    """How to go on."""
    if isinstance(error, MlopsError) and error.hint:
        return error.hint
    if isinstance(error, NameError) and error.name:
        return _of_name(error.name)
    if isinstance(error, ModuleNotFoundError):
        return f"install {(error.name or 'it').partition('.')[0]} where mlops runs; modules beside the file are found"
    if (
        isinstance(error, ImportError) and error.name == "mlops" and (asked := getattr(error, "name_from", None))
    ):  # since Python 3.12
        return _of_name(asked)
    text = str(error)
    if "'ImageRequest'" in text:
        return (
            'an image is given whole, image=…; what is asked of it are arguments: image.pytorch("2.1", python="py310")'
        )
    if "object is not subscriptable" in text and ("method" in text or "function" in text):
        return "a function is called with parentheses: name(…)"
    is_key = isinstance(error, KeyError) and bool(error.args) and isinstance(error.args[0], Reference)
    if is_key or (isinstance(error, TypeError) and any(re.search(rf"\b{name}\b", text) for name, _ in _nouns())):
        return "what a step or a parameter gives is known only when the pipeline runs: give it to a step as it is"
    return f"`python {path.name}` shows where it comes from"


def _of_name(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    if name in mlops.__all__:
        return f"write `from mlops import {name}`"
    close = near(name.replace("_", ""), mlops.__all__)
    return f"did you mean {close[0]}, from mlops?" if close else "it has to be made or imported above this line"


def _nouns() -> Iterator[tuple[str, str]]:
    """The classes of what authors hold, longest names first, and what messages call them."""
    waiting, found = [Labelled], dict[str, str]()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        noun = getattr(kind, "noun", "") or getattr(kind, "called", "")
        if noun and kind is not Labelled:
            found[kind.__name__] = re.sub(r"^an? ", "", noun)
    yield from sorted(found.items(), key=lambda pair: -len(pair[0]))
