"""What travels of a function: its file as it is, and the modules beside it that it imports."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from mlops.declare.misuse import misuse
from mlops.declare.shipped import mlops_function as runner
from mlops.declare.steps.base import Step
from mlops.ir import Where
from mlops.project.python_files import Imported, imported

RUNNER: Final = Path(runner.__file__)


def unshippable(function: Callable[..., Any]) -> tuple[str, str] | None:
    """Why a function cannot travel as source, and how to mend it."""
    name = getattr(function, "__name__", repr(function))
    if not inspect.isfunction(function):
        return f"@step makes steps of plain functions; {name} is none", "decorate a `def` at the top of a module"
    if name == "<lambda>":
        return "a lambda has no name that could be found in its file", "write a `def` at the top of a module"
    if function.__closure__:
        outer = ", ".join(function.__code__.co_freevars)
        return f"{name} reads {outer} of the function around it", "make them arguments, and move it to the top level"
    if function.__qualname__ != name:
        return f"{name} stands inside of another function or class", "move it to the top level of its file"
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        return f"{name} is asynchronous or a generator", "return what it makes"
    if not Path(function.__code__.co_filename).is_file():
        return f"{name} stands in no file", "put it into a file of the project"
    return None


def shipped(
    file: Path, function: str, siblings: list[str], root: Path, made: Step
) -> tuple[tuple[str, Path], ...] | None:
    """The files that travel: our runner, the function's file, and the modules beside it that are imported. A file of a
    package that no import names may be a template or a test: it travels as it is, whether it parses or not."""
    home = file.resolve()
    if not home.is_relative_to(root):
        message = f"{made.name}: {function} stands in {home}, outside of the project {root}"
        misuse("D053", message, step=made.name, where=made.where)
        return None
    tree = _parsed(home, made, certain=True)
    if tree is None:
        return None
    files = {RUNNER.name: RUNNER, home.name: home}
    waiting: list[Sequence[ast.stmt]] = [runner.needed(tree, function, siblings)]
    while waiting:
        for statement in waiting.pop():
            if isinstance(statement, ast.With | ast.For | ast.While):
                _complain(made, f"{function} reads what line {statement.lineno} of {home.name} makes")
                return None
            tried = {
                id(node) for block in ast.walk(statement) if isinstance(block, ast.Try) for node in ast.walk(block)
            }
            for node in ast.walk(statement):
                if runner.imports_mlops(node):
                    _complain(made, f"{function} needs mlops, which no container has")
                    return None
                named = [name for name in imported(node) if not name.level]
                for module in dict.fromkeys(name.outermost for name in named):
                    for name, path in _beside(home.parent, module):
                        if name in files or path == home:
                            continue
                        files[name] = path
                        certain = _runs(named, _module_of(name)) and id(node) not in tried
                        if (inside := _parsed(path, made, certain=certain)) is not None:
                            waiting.append(inside.body)
                        elif certain:
                            return None
    return tuple(sorted(files.items()))


def _parsed(file: Path, made: Step, *, certain: bool) -> ast.Module | None:
    """None for what Python cannot read, which is told where it is ``certain`` to be read."""
    try:
        return ast.parse(file.read_bytes(), str(file))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if certain:
            said = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            line = error.lineno if isinstance(error, SyntaxError) and (error.lineno or 0) > 0 else 1
            message = f"{made.name} ships {file.name}, and Python cannot read it: {said}"
            misuse("D101", message, step=made.name, where=Where(str(file), line))
    except OSError as error:
        if certain:
            message = f"{made.name}: {file} cannot be read: {error.strerror}"
            misuse("D053", message, step=made.name, where=made.where)
    return None


def _complain(made: Step, what: str) -> None:
    help = "a step function may use imports, functions, classes and constants of its file, and its arguments"
    misuse("D071", f"{made.name}: {what}", help=help, step=made.name, where=made.where)


def _runs(named: Sequence[Imported], module: str) -> bool:
    """Importing ``a.b`` runs ``a`` too."""
    return any(f"{name.module}.".startswith(f"{module}.") for name in named)


def _module_of(path: str) -> str:
    """
    >>> _module_of("package/part.py"), _module_of("package/__init__.py")
    ('package.part', 'package')
    """
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _beside(folder: Path, module: str) -> list[tuple[str, Path]]:
    """The files of a module or package in the same folder; none where it comes from somewhere else."""
    if (folder / f"{module}.py").is_file():
        return [(f"{module}.py", folder / f"{module}.py")]
    package = folder / module
    if not (package / "__init__.py").is_file():
        return []
    return [(file.relative_to(folder).as_posix(), file) for file in sorted(package.rglob("*.py")) if file.is_file()]
