"""Which Python files can do nothing but declare: their text imports this package, plain modules of Python, and files of
the project of which the same is true.

Only these run in the process that asked for them. It is speed that is decided here, not safety: what a text hides, the
running of the file finds out (:mod:`mlops.declare.reaching_out`) before it happens.
"""

from __future__ import annotations

import ast
from pathlib import Path

from mlops.project.python_files import Imported, imported, parsed

_PLAIN = frozenset(
    [
        "__future__",
        "abc",
        "argparse",
        "base64",
        "bisect",
        "calendar",
        "collections",
        "configparser",
        "contextlib",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fnmatch",
        "fractions",
        "functools",
        "glob",
        "hashlib",
        "heapq",
        "inspect",
        "io",
        "itertools",
        "json",
        "logging",
        "math",
        "numbers",
        "operator",
        "os",
        "pathlib",
        "pprint",
        "random",
        "re",
        "secrets",
        "string",
        "statistics",
        "struct",
        "sys",
        "textwrap",
        "time",
        "tomllib",
        "types",
        "typing",
        "unittest",
        "uuid",
        "warnings",
        "zoneinfo",
    ]
)
_HIDING = frozenset(
    [
        "exec",
        "eval",
        "__import__",
        "__builtins__",
        "__loader__",
        "__spec__",
        "system",
        "popen",
        "fork",
        "forkpty",
        "spawnv",
        "posix_spawn",
        "execv",
        "execve",
        "execvp",
        "ctypes",
    ]
)
"""Names behind which anything can stand."""


def is_self_contained(file: Path, root: Path) -> bool:
    """Of a text that Python cannot read it is true: it will not run. Of a notebook it never is."""
    return file.suffix == ".py" and _is(file, (file.parent, root), set())


def _is(file: Path, folders: tuple[Path, ...], seen: set[Path]) -> bool:
    if file in seen:
        return True
    seen.add(file)
    tree = parsed(file)
    if tree is None:
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _HIDING:
            return False
        if isinstance(node, ast.Attribute) and node.attr in _HIDING:
            return False
        if isinstance(node, ast.Import | ast.ImportFrom) and not all(
            _is_harmless(name, folders, seen) for name in imported(node)
        ):
            return False
    return True


def _is_harmless(name: Imported, folders: tuple[Path, ...], seen: set[Path]) -> bool:
    if name.level:
        return False
    if name.outermost in _PLAIN or name.outermost == "mlops":
        return True
    for folder in folders:
        file = _module(folder, name.module.split("."))
        if file is not None:
            return all(_is(each, folders, seen) for each in file)
    return False


def _module(folder: Path, parts: list[str]) -> list[Path] | None:
    """The files that run where it is imported; the last part may be a name inside of one. None where it is not here."""
    files: list[Path] = []
    for part in parts:
        module, package = folder / f"{part}.py", folder / part
        if module.is_file():
            return [*files, module]
        if not package.is_dir():
            return files or None
        if (package / "__init__.py").is_file():
            files.append(package / "__init__.py")
        folder = package
    return files or None
