"""The expressions that find metrics in the log, against what the step's own script prints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.scripts import scripts
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.project.python_files import imported, parsed

_PRINTS = ("print", "write", "info", "warning", "debug", "error", "critical", "log", "echo")
_PRINT_BY_THEMSELVES = frozenset(
    {"keras", "tensorflow", "torch", "transformers", "lightning", "pytorch_lightning", "xgboost", "lightgbm", "jax",
     "catboost", "mxnet", "fastai", "accelerate", "datasets", "tqdm", "evaluate", "ultralytics", "autogluon", "flax"}
)  # fmt: skip
"""What trains may print a metric of its own form."""
_HOLES = re.compile(r"%\(\w+\)[-+ #0]*[\d.]*[a-zA-Z]|%[-+ #0]*[\d.]*[a-zA-Z]|\{[^{}]*\}")
_VALUE = "0.5"
_ESCAPES = re.compile(r"\\.|\[[^\]]*\]|\(\?[^)]*\)")
_GROUP = re.compile(r"\((?:[^()\\]|\\.)*\)[*+?]?")
_SPECIAL = re.compile(r"[\^$]|\.\*\??|\\[sbSW][*+?]?")
_WORD = re.compile(r"[A-Za-z]{3,}")


@rule(
    "X927",
    "metric-not-printed",
    Severity.WARNING,
    source="AlgorithmSpecification API: MetricDefinitions are searched for in the log of the training job",
)
def metric_not_printed(subject: Subject) -> Iterator[Fault]:
    """A training script prints a metric in another form than the expression that is to find it: the job ends well and
    has no such metric; what reads it, a condition or a tuning job, fails. Told only where the script prints the same
    words and no line of it fits; scripts with libraries that print by themselves, as torch and keras, are not looked
    at.

    Bad:  {"Name": "accuracy", "Regex": "Accuracy: ([0-9.]+)"} for a script with print(f"accuracy={accuracy}")
    Good: {"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}
    """
    for script in scripts(subject):
        if script.member is None or script.file is None or not script.name.endswith(".py"):
            continue
        lines = _printed(script.file, frozenset(name.partition("/")[0].removesuffix(".py") for name in script.files))
        for where, item in entries(script.job.request, "AlgorithmSpecification", "MetricDefinitions"):
            expression, name = item.get("Regex"), item.get("Name")
            if not lines or not isinstance(expression, str):
                continue
            near = _near(expression, lines)
            if near is not None:
                text, line = near
                printed = text.replace(_VALUE, "…")
                message = f"{script.name}:{line} prints {printed!r}, where {expression!r} finds no {name}"
                at = f"{script.job.at}{where}/Regex"
                yield Fault(at, message, "write the expression as the line is printed", script.placed)


def _are_in_order(pieces: Sequence[str], text: str) -> bool:
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _near(expression: str, lines: tuple[tuple[str, int], ...]) -> tuple[str, int] | None:
    """The line that has the expression's words, where the expression fits no line at all."""
    try:
        fits = re.compile(expression)
    except (re.error, OverflowError, RecursionError):
        return None  # told as that
    if any(fits.search(text) for text, _ in lines):
        return None
    sought = _SPECIAL.sub("", _GROUP.sub(_VALUE, expression)).replace("\\", "")
    if any(_are_in_order(text.split(_VALUE), sought) for text, _ in lines if _VALUE in text):
        return None  # a hole may have what the expression says there
    words = [word.casefold() for word in _WORD.findall(_ESCAPES.sub(" ", expression))]
    if not words:
        return None
    for text, line in lines:
        said = {word.casefold() for word in _WORD.findall(text)}
        if said.issuperset(words):
            return text, line
    return None


def _printed(file: Path, beside: frozenset[str]) -> tuple[tuple[str, int], ...]:
    try:
        about = file.stat()
    except OSError:
        return ()
    try:
        return _printed_as_it_is(file, about.st_mtime_ns, about.st_size, beside)
    except RecursionError:  # deeper than anybody writes
        return ()


@lru_cache(maxsize=256)
def _printed_as_it_is(file: Path, changed: int, size: int, beside: frozenset[str]) -> tuple[tuple[str, int], ...]:
    """The lines with a value in each hole. None where what is imported may print, too, or a line is not known."""
    tree = parsed(file)
    found: list[tuple[str, int]] = []
    for node in () if tree is None else ast.walk(tree):
        if any(name.level or name.outermost in _PRINT_BY_THEMSELVES | beside for name in imported(node)):
            return ()
        if isinstance(node, ast.Call) and _is_print(node.func) and node.args:
            parts = [_sample(part) for part in node.args]
            texts = [part for part in parts if part is not None]
            if all(isinstance(part, ast.Constant) for part in node.args):
                found.append((" ".join(texts), node.lineno))
                continue
            if not any(_WORD.search(text) for text in texts):
                return ()  # a text that is made elsewhere may be any
            # A logger puts what follows into the first.
            is_logged = not isinstance(node.func, ast.Name) and len(parts) > 1
            found.append((texts[0] if is_logged else " ".join(part or _VALUE for part in parts), node.lineno))
    return tuple(found)


def _is_print(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in _PRINTS


def _sample(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return _HOLES.sub(_VALUE, text)
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=parts):
            return "".join(_sample(part) or _VALUE for part in parts)
        case ast.BinOp(left=left, op=ast.Mod()):
            return _sample(left)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            known = [_sample(left), _sample(right)]
            return "".join(part or _VALUE for part in known) if any(known) else None
        case ast.Call(func=ast.Attribute(attr="format", value=owner)):
            return _sample(owner)
    return None
