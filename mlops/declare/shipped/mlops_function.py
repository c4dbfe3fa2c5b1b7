"""Run one function of a file inside of a Processing container.

    python3 mlops_function.py COUNT CHUNK... TEXT...

COUNT chunks joined are JSON: the file beside this one, the function, literal arguments, the names of arguments that are
inputs, the kinds of those that follow as TEXT, and the kinds of what it returns. Only what the function needs of its
file is run: definitions and imports at module level, never the pipeline that stands there too. Lines stay the author's.
"""

from __future__ import annotations
import __future__

import ast
import json
import operator
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any, Callable, Iterator

BASE = os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"
"""The variable is set where a local run cannot mount folders at their place."""
INPUTS = BASE + "/processing/input"
OUTPUTS = BASE + "/processing/output"
MESSAGE = BASE + "/output/message"
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
RETURNED = "return"
"""No field can have a name that is a keyword of Python."""


def needed(tree: ast.Module, function: str, steps: list[str]) -> list[ast.stmt]:
    """The statements at module level that ``function`` needs, in order; pieces of mlops stay out, and the outermost
    decorator of each of ``steps``, which made a step of it."""
    binders: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in bound(statement):
            binders.setdefault(name, []).append(statement)
    ours = {name for name, found in binders.items() if any(imports_mlops(statement) for statement in found)}
    for statement in tree.body:
        if isinstance(statement, DEFINITIONS):
            made = statement.decorator_list[statement.name in steps :]
            statement.decorator_list = [item for item in made if not names_of(item) & ours]
    kept: list[ast.stmt] = []
    waiting = [function]
    while waiting:
        for statement in binders.get(waiting.pop(), []):
            if statement in kept or imports_mlops(statement):
                continue
            kept.append(statement)
            waiting.extend(used(statement))
    stars = [item for item in tree.body if isinstance(item, ast.ImportFrom) and item.names[0].name == "*"]
    futures = [item for item in tree.body if isinstance(item, ast.ImportFrom) and item.module == "__future__"]
    kept += [item for item in (*stars, *futures) if item not in kept and not imports_mlops(item)]
    return [statement for statement in tree.body if statement in kept]


def bound(statement: ast.AST) -> set[str]:
    """Names that a statement at module level defines."""
    if isinstance(statement, DEFINITIONS):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    names: set[str] = set()
    for node in own_nodes(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif node is not statement and isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
        ):
            names |= bound(node)
    return names


def own_nodes(statement: ast.AST) -> Iterator[ast.AST]:
    """All nodes below a statement that belong to the module's scope."""
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            if isinstance(child, DEFINITIONS):
                yield child
            elif not isinstance(child, ast.Lambda):
                waiting.append(child)


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def used(statement: ast.AST) -> set[str]:
    """Names that a statement at module level reads."""
    return scope([statement])[1]


def scope(body: list[ast.AST]) -> tuple[set[str], set[str]]:
    """Names that a scope binds, and those that it and the functions inside of it read from outside of themselves.
    Annotations are never evaluated, so they read nothing."""
    own: set[str] = set()
    read: set[str] = set()
    shared: set[str] = set()
    inner: list[ast.AST] = []
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FUNCTIONS):
            inner.append(node)
            waiting.extend(item for item in (*node.args.defaults, *node.args.kw_defaults) if item is not None)
            if isinstance(node, ast.Lambda):
                continue
        if isinstance(node, DEFINITIONS):
            own.add(node.name)
            waiting.extend(node.decorator_list)
            if isinstance(node, ast.ClassDef):
                waiting.extend([*node.bases, *node.keywords, *node.body])
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            own |= bound(node)
        elif isinstance(node, ast.Global):
            shared |= set(node.names)
        elif isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else own).add(node.id)
        else:
            if type(node).__name__ in ("ExceptHandler", "MatchAs", "MatchStar", "MatchMapping"):
                own |= {getattr(node, "name", None) or "", getattr(node, "rest", None) or ""}
            for field, value in ast.iter_fields(node):
                if field != "annotation":
                    waiting.extend(item for item in (value if isinstance(value, list) else [value]) if is_node(item))
    for function in inner:
        read |= free(function)
    return own - shared, read


def free(function: Any) -> set[str]:
    """Names that a function reads from outside."""
    arguments = function.args
    listed = [*getattr(arguments, "posonlyargs", ()), *arguments.args, *arguments.kwonlyargs]
    listed += [item for item in (arguments.vararg, arguments.kwarg) if item is not None]
    own, read = scope([function.body] if isinstance(function, ast.Lambda) else function.body)
    return read - own - {item.arg for item in listed}


def is_node(item: object) -> bool:
    return isinstance(item, ast.AST)


def names_of(node: ast.AST) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def imports_mlops(statement: ast.AST) -> bool:
    """An import of mlops, which no container has; also one that only type checkers see."""
    if isinstance(statement, ast.Import):
        return any(alias.name.partition(".")[0] == "mlops" for alias in statement.names)
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").partition(".")[0] == "mlops"
    return False


def load(file: str, function: str, steps: list[str]) -> Callable[..., Any]:
    """The function, out of a module that holds only what it needs."""
    tree = ast.parse(Path(file).read_bytes(), file)
    tree.body = needed(tree, function, steps)
    flags = __future__.annotations.compiler_flag
    module = type(sys)("__mlops_function__")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses and pickle look a class's module up
    exec(compile(tree, file, "exec", flags=flags, dont_inherit=True), module.__dict__)  # noqa: S102 - the author's file
    found: Callable[..., Any] = getattr(module, function)
    return found


def converted(kind: str, text: str) -> Any:
    """An argument that came as text."""
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            raise SystemExit(f"mlops: {text!r} is neither True nor False")
        return text.lower() == "true"
    if kind == "int":
        return int(float(text)) if "." in text else int(text)  # a report may hold 3.0 where 3 is meant
    return float(text) if kind == "float" else text


def checked(kind: str, value: Any, what: str) -> Any:
    """A returned value as it was declared, ready for JSON."""
    try:
        if kind == "float" and not isinstance(value, (str, bytes)):
            return float(value)
        if kind == "int" and not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    if kind == "bool" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "json":
        return value
    raise SystemExit(f"mlops: {what} should be of type {kind}; the function returned {value!r}")


def publish(name: str, value: Any, what: str) -> None:
    """A returned path becomes the output ``name``: a folder's content, or the one file."""
    if not isinstance(value, (str, os.PathLike)) or not os.path.exists(value):
        raise SystemExit(f"mlops: {what} should be a path that is there; the function returned {value!r}")
    source, target = Path(value), Path(OUTPUTS, name)
    target.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copy2(str(source), str(target / source.name))
        return
    for item in sorted(source.iterdir()):
        if item.is_dir():
            shutil.copytree(str(item), str(target / item.name))
        else:
            shutil.copy2(str(item), str(target / item.name))


def deliver(function: str, results: dict[str, str], returned: Any) -> None:
    """What the function returned, to the folders of outputs. ``results`` maps fields to kinds; "" is the whole."""
    values: dict[str, Any] = {}
    for position, (name, kind) in enumerate(results.items()):
        what = f"{function}().{name}" if name else f"{function}()"
        if not name:
            value = returned
        elif isinstance(returned, dict):
            value = returned.get(name)
        elif name.startswith("item") and type(returned) is tuple:
            value = returned[position] if position < len(returned) else None
        else:
            value = getattr(returned, name, None)
        if kind == "path":
            publish(name or "result", value, what)
        else:
            values[name or "result"] = checked(kind, value, what)
    if values:
        folder = Path(OUTPUTS, RETURNED)
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(values, sort_keys=True, allow_nan=False)
        (folder / "return.json").write_text(text, encoding="utf-8")


def tell(error: BaseException, file: str) -> None:
    """The first line of the job's ExitMessage: what was raised, and where in the author's file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f" ({os.path.basename(file)}, line {lines[-1]})" if lines else ""
    try:
        os.makedirs(os.path.dirname(MESSAGE), exist_ok=True)
        Path(MESSAGE).write_text(f"{type(error).__name__}: {error}{place}"[:1000], encoding="utf-8")
    except OSError:
        pass  # the log has it


def main(words: list[str]) -> int:
    count = int(words[0])
    call = json.loads("".join(words[1 : 1 + count]))
    texts = words[1 + count :]
    folder = os.path.dirname(os.path.abspath(__file__))
    file = os.path.join(folder, call["file"])
    arguments: dict[str, Any] = dict(call["literals"])
    arguments.update({name: Path(INPUTS, name) for name in call["paths"]})
    arguments.update({name: converted(kind, text) for (name, kind), text in zip(call["texts"].items(), texts)})
    try:
        returned = load(file, call["function"], call["steps"])(**arguments)
    except Exception as error:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames)
        tell(error, file)
        return 1
    deliver(call["function"], call["results"], returned)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
