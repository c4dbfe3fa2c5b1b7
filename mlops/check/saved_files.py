"""Which files a training script saves and its inference script loads, by their names: as far as a text says them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from posixpath import basename

from mlops.check.script_texts import Texts

MODEL_FN = "model_fn"
_OPENS = ("open",)
_JOINS = ("join", "joinpath", "Path", "PurePath", "PurePosixPath", "PosixPath", "str", "fspath")
_LOADS = re.compile(r"load\w*|open|read_(pickle|json|csv|parquet|text|bytes)|Booster|InferenceSession|from_file")
_SAVES = re.compile(
    r"save\w*|dump|export\w*|to_(pickle|json|csv|parquet|onnx|file|disk)|write_(text|bytes)|write|rename|move|"
    r"copy(file|2|tree)?|extractall|log_model|savez\w*|system|run|call|check_call|Popen"
)
_ASKS = ("exists", "isfile", "is_file", "listdir", "glob", "rglob", "iglob", "iterdir", "walk", "scandir")


def called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def name_of_file(node: ast.expr, texts: Texts) -> str | None:
    """The last part of a path, where it is written out.

    >>> name_of_file(ast.parse('Path(model_dir) / "model.joblib"').body[0].value, Texts(ast.parse("")))
    'model.joblib'
    >>> name_of_file(ast.parse('f"{name}.pt"').body[0].value, Texts(ast.parse("")))
    """
    match node:
        case ast.Constant(value=str(text)):
            return basename(text) or None
        case ast.JoinedStr(values=[*_, ast.Constant(value=str(text))]):
            return basename(text) if "/" in text else None
        case ast.BinOp(op=ast.Div(), right=right):
            return name_of_file(right, texts)
        case ast.BinOp(op=ast.Add(), right=ast.Constant(value=str(text))):
            return basename(text) if "/" in text else None
        case ast.Call(args=[first, *rest]) if called(node) in (*_JOINS, *_OPENS):
            return name_of_file(first if called(node) in _OPENS or not rest else rest[-1], texts)
        case ast.Call(func=ast.Attribute(attr="open" | "as_posix" | "resolve", value=owner)):
            return name_of_file(owner, texts)
        case ast.Name():
            value = texts.value(node)
            return name_of_file(value, texts) if value is not None and not isinstance(value, ast.Name) else None
    return None


def loads(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The files below the model's folder that ``model_fn`` is sure to load, with their lines. None where it looks what
    there is, or what it does is in another function."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == MODEL_FN]
    if len(functions) != 1 or not functions[0].args.args:
        return
    (function,), folder = functions, functions[0].args.args[0].arg
    inside = list(ast.walk(function))
    if any(isinstance(node, ast.Try | ast.If | ast.IfExp | ast.BoolOp) for node in inside) or any(
        isinstance(node, ast.Call) and called(node) in _ASKS for node in inside
    ):
        return
    texts = Texts(tree)
    for node in inside:
        if not isinstance(node, ast.Call) or _LOADS.fullmatch(called(node)) is None:
            continue
        for argument in (*node.args, *(item.value for item in node.keywords)):
            where = texts.value(argument) if isinstance(argument, ast.Name) else argument
            name = name_of_file(argument, texts)
            if name and "." in name and where is not None and _reads(where, folder):
                yield name, node.lineno


def _reads(node: ast.expr, name: str) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node))


def saved(tree: ast.Module) -> frozenset[str] | None:
    """The names under which a script saves anything; None where it saves something under a name that is not written
    out, or by what is not known."""
    texts, found = Texts(tree), set[str]()
    opened = {id(item.context_expr) for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items}
    handles = {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if id(node) in opened and called(node) == "open":
            name = name_of_file(node, texts)
            if name is None:
                return None
            found.add(name)
        elif _SAVES.fullmatch(called(node)) is not None and not _into(node, handles):
            given = (*node.args, *(item.value for item in node.keywords))
            names = {name for item in given if (name := name_of_file(item, texts)) is not None}
            if isinstance(node.func, ast.Attribute) and called(node) in ("write_text", "write_bytes"):
                names = {name} if (name := name_of_file(node.func.value, texts)) is not None else set()
            if not names and (given or called(node) != "copy"):
                return None
            found |= names
    return frozenset(found)


def _into(call: ast.Call, handles: set[str]) -> bool:
    """``json.dump(report, file)``, ``file.write(text)``: of what is opened elsewhere."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return any(isinstance(node, ast.Name) and node.id in handles for node in (*call.args, owner))


def words(tree: ast.Module) -> frozenset[str]:
    """Every text outside of ``model_fn``: what else may name a file."""
    within = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == MODEL_FN
        for inner in ast.walk(node)
    }
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within
    )
