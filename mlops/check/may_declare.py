"""Whether a Python file that somebody names can declare a pipeline at all: a step's script must not be run as one."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mlops.project.python_files import imported, parsed

_DECLARE = ("mlops", "sagemaker")


def may_declare(file: Path, root: Path) -> bool:
    """It imports mlops or the official SDK, itself or by a module of the project, or an installed package that needs
    one of them. What cannot be read may, too: loading tells why."""
    waiting, seen = [file], {file}
    while waiting:
        source = waiting.pop()
        tree = parsed(source)
        if tree is None:
            return True
        for module in _modules(tree):
            name = module.partition(".")[0]
            if name in _DECLARE:
                return True
            path = module.replace(".", "/")
            beside = [
                found
                for folder in dict.fromkeys((source.parent, file.parent, root))
                for found in (folder / f"{path}.py", folder / path / "__init__.py")
                if found.is_file()
            ]
            waiting += [found for found in beside if found not in seen]
            seen.update(beside)
            if not beside and name not in sys.stdlib_module_names and _needs_one(name):
                return True
    return False


def _modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from (name.module for name in imported(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called in ("import_module", "__import__", "exec", "eval", "run_path"):
                yield "mlops"  # nobody knows


@cache
def _needs_one(name: str) -> bool:
    """Of an installed package that no distribution has, nothing is known."""
    from importlib import metadata  # longer to load than a check of a definition takes

    owners = metadata.packages_distributions().get(name)
    if not owners:
        return True
    wanted = [line for owner in owners for line in metadata.requires(owner) or ()]
    return any(line.lower().startswith(_DECLARE) for line in wanted)
