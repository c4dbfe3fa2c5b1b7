"""What a Python script reads, takes and writes for certain: variables, folders, options of its parser, one report."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from pathlib import Path

from mlops.check.jobs import TUNING, searched_ranges
from mlops.check.script_texts import Texts
from mlops.check.scripts import Script, scripts
from mlops.check.subject import Subject
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import pointer
from mlops.project.python_files import parsed, syntax_error

DATA, CHANNEL, HYPERPARAMETER = "/opt/ml/input/data/", "SM_CHANNEL_", "SM_HP_"
_PROCESSING = "/opt/ml/processing/"
_UNSEEN = ("_tuning_objective_metric", "default_user_module_name")
"""Hyperparameters that the toolkit keeps from the script, beside those that begin with sagemaker_."""

_DUMPS = ("dump", "dumps")
_JSON = ("json", "simplejson", "ujson", "orjson")
_TELLS = ("print", "pprint", "debug", "info", "warning", "error")
_WRITES = ("write", "write_text", "write_bytes", "writelines", "to_json", "copy", "copyfile", "move")


@dataclass(frozen=True, slots=True)
class Option:
    names: tuple[str, ...]
    required: bool = False
    is_flag: bool = False
    kind: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reads:
    """What a script wants for certain. ``variables``, ``folders`` of channels and ``paths`` of a processing job with
    their lines, ``strange`` those below no folder that it makes itself; ``options`` of the parser whose ``parse_args``
    the script calls, None where it has none or that is not plain."""

    variables: tuple[tuple[str, int], ...] = ()
    folders: tuple[tuple[str, int], ...] = ()
    paths: tuple[tuple[str, int], ...] = ()
    strange: tuple[tuple[str, int], ...] = ()
    options: tuple[Option, ...] | None = None
    takes_others: bool = False
    drops_others: bool = False
    fills: bool = False
    """It brings variables of its environment itself."""
    writes: tuple[ast.Dict, int] | None = None
    """The one object that it writes as JSON, where all of it stands in the script, with its line."""
    broken: SyntaxError | None = None


@dataclass(slots=True)
class _Found:
    texts: Texts
    variables: dict[str, int] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    paths: dict[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    looked_for: set[str] = field(default_factory=set)
    options: list[Option] = field(default_factory=list)
    parses: bool = False
    takes_others: bool = False
    drops_others: bool = False
    is_plain: bool = True
    fills: bool = False
    dumps: list[ast.Call] = field(default_factory=list)
    writes_more: bool = False
    uses: Counter[str] = field(default_factory=Counter)
    """How often a name is read, but for being printed."""


def _read(file: Path) -> Reads:
    try:
        about = file.stat()
    except OSError:
        return Reads()
    return _read_as_it_is(file, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=256)
def _read_as_it_is(file: Path, changed: int, size: int) -> Reads:
    """``changed`` and ``size`` tell an edited file from what was read of it before."""
    tree = parsed(file)
    if tree is None:
        return Reads(broken=syntax_error(file))
    found = _Found(Texts(tree))
    try:
        for node in ast.walk(tree):
            _note(node, found)
        for node in tree.body:
            _walk(node, found)
    except RecursionError:  # deeper than anybody writes
        return Reads()
    own = {path for path in found.made | found.looked_for if path}
    return Reads(
        tuple((name, line) for name, line in found.variables.items() if name not in found.asked),
        tuple((name, line) for name, line in found.folders.items() if f"{DATA}{name}" not in found.looked_for),
        tuple(found.paths.items()),
        tuple((path, line) for path, line in found.paths.items() if not any(below(path, item) for item in own)),
        tuple(found.options) if found.parses and found.is_plain else None,
        found.takes_others,
        found.drops_others,
        found.fills,
        _written(found),
    )


def _written(found: _Found) -> tuple[ast.Dict, int] | None:
    if len(found.dumps) != 1 or found.writes_more:
        return None
    (call,) = found.dumps
    if not call.args or not _is_json(call.func):
        return None
    dumped = call.args[0]
    if isinstance(dumped, ast.Name) and found.uses[dumped.id] > 1:
        return None  # whoever else has it may put something into it
    value = found.texts.value(dumped)
    return (value, value.lineno) if isinstance(value, ast.Dict) else None


def _note(node: ast.AST, found: _Found) -> None:
    """What takes doubts away, wherever it stands, inside of try too."""
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Store()) if _is_environ(value):
            found.asked.add(name)
        case ast.Call(
            func=ast.Attribute(attr="get" | "setdefault", value=value), args=[ast.Constant(value=str(name)), *_]
        ) if _is_environ(value):
            found.asked.add(name)
        case ast.Call(
            func=ast.Attribute(attr="getenv") | ast.Name(id="getenv"), args=[ast.Constant(value=str(name)), *_]
        ):
            found.asked.add(name)
        case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()]):
            found.asked.add(name)
        case ast.Call(func=ast.Attribute(attr="update", value=value)) | ast.AugAssign(target=value) if _is_environ(
            value
        ):
            found.fills = True
        case ast.Call(func=ast.Name(id="load_dotenv") | ast.Attribute(attr="load_dotenv")):
            found.fills = True
        case ast.Call(func=ast.Attribute(attr="makedirs" | "mkdir", value=owner), args=args):
            found.made |= _paths(found, owner, *args[:1])
        case ast.Call(
            func=ast.Attribute(attr="exists" | "isdir" | "isfile" | "is_dir" | "is_file", value=owner), args=args
        ):
            found.looked_for |= _paths(found, owner, *args[:1])
        case ast.Name(id=name, ctx=ast.Load()):
            found.uses[name] += 1
        case ast.Call(func=function, args=args):
            _note_call(node, function, args, found)


def _note_call(call: ast.Call, function: ast.expr, args: Sequence[ast.expr], found: _Found) -> None:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _DUMPS:
        found.dumps.append(call)
    elif name in _TELLS:
        found.uses.subtract(item.id for item in args if isinstance(item, ast.Name))
    elif name in _WRITES:
        values = [found.texts.value(item) for item in args]
        dumps = (item for value in values if value is not None for item in ast.walk(value))
        found.writes_more |= not any(isinstance(item, ast.Call) and _is_json(item.func) for item in dumps)


def _paths(found: _Found, *nodes: ast.expr) -> set[str]:
    return {path.rstrip("/") for node in nodes for path in found.texts.all(node)}


def _is_json(function: ast.expr) -> bool:
    """``json.dump`` and ``json.dumps``, of whichever library."""
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _DUMPS
        and isinstance(function.value, ast.Name)
        and function.value.id in _JSON
    )


def _walk(node: ast.AST, found: _Found) -> None:
    """Everything but what may fail without harm: bodies of try, and texts that have a hole."""
    if isinstance(node, ast.expr) and not isinstance(node, ast.Name):
        texts = found.texts.all(node)
        if texts:
            for text in texts:
                _name(text, node.lineno, found)
            return
    match node:
        case ast.Try() | ast.JoinedStr():
            return
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()) if _is_environ(value):
            found.variables.setdefault(name, node.lineno)
        case ast.Call(
            func=ast.Attribute(attr="get" | "getenv" | "setdefault" | "exists" | "isdir" | "isfile" | "glob")
        ):
            return
        case ast.Call(func=ast.Attribute(attr="add_argument")):
            _add(node, found)
        case ast.Call(func=ast.Attribute(attr="parse_args")):
            found.parses = True
        case ast.Assign(
            targets=[ast.Tuple(elts=[_, ast.Name(id=others)])],
            value=ast.Call(func=ast.Attribute(attr="parse_known_args")),
        ) if others.startswith("_"):
            found.parses = found.takes_others = found.drops_others = True
        case ast.Subscript(value=ast.Call(func=ast.Attribute(attr="parse_known_args")), slice=ast.Constant(value=0)):
            found.parses = found.takes_others = found.drops_others = True
        case ast.Call(func=ast.Attribute(attr="parse_known_args")):
            found.parses = found.takes_others = True
        case ast.Call(
            func=ast.Attribute(attr="add_subparsers" | "add_argument_group" | "add_mutually_exclusive_group")
        ):
            found.is_plain = False
    paths, folders = dict(found.paths), dict(found.folders)
    for inner in ast.iter_child_nodes(node):
        _walk(inner, found)
    if _is_fallback(node):
        found.paths, found.folders = paths, folders


def _name(text: str, line: int, found: _Found) -> None:
    if text.startswith(DATA) and len(text) > len(DATA):
        found.folders.setdefault(text[len(DATA) :].partition("/")[0], line)
    if text.startswith(_PROCESSING) and len(text) > len(_PROCESSING):
        found.paths.setdefault(text.rstrip("/"), line)


def _is_fallback(node: ast.AST) -> bool:
    """What stands in it may be in nobody's way: a default that is given another value, one of two."""
    return isinstance(node, ast.BoolOp | ast.IfExp | ast.arguments) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"
    )


def below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_environ(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id == "environ"
    )


def _add(call: ast.Call, found: _Found) -> None:
    names = tuple(item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str))
    said = {item.arg: item.value for item in call.keywords}
    if len(names) != len(call.args) or not names or None in said:
        found.is_plain = False
        return
    action, kind = said.get("action"), said.get("type")
    found.options.append(
        Option(
            names,
            required=constant(said.get("required")) is True,
            is_flag=str(constant(action)).startswith(("store_", "count", "append_const")),
            kind=kind.id if isinstance(kind, ast.Name) else None,
            choices=_choices(said.get("choices")),
        )
    )


def constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _choices(node: ast.AST | None) -> tuple[str, ...]:
    """Those that are written out, and none where one is not."""
    listed = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
    values = [constant(item) for item in listed]
    return tuple(map(str, values)) if all(isinstance(value, str | int | float) for value in values) else ()


def python_scripts(subject: Subject) -> Iterator[tuple[Script, Reads]]:
    for script in scripts(subject):
        if script.file is not None and script.name.endswith(".py"):
            yield script, _read(script.file)


def hyperparameters(subject: Subject, script: Script) -> dict[str, str] | None:
    """The places of those that the script gets, by name; None where they are not known yet."""
    values = get(script.job.request, script.member) if script.member is not None else None
    if not isinstance(values, Mapping):
        return None
    at = f"{script.job.at}/{script.member}"
    found = {name: at + pointer(name) for name in values if not name.startswith("sagemaker_") and name not in _UNSEEN}
    for tuning in subject.jobs[TUNING]:
        if tuning.placed is script.placed:
            found |= {item.name: f"{item.at}/Name" for item in searched_ranges(tuning, script.job)}
    return found
