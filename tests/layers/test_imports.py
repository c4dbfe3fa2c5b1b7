"""What import-linter does not see: cycles through imports inside of functions, and modules named by a string."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

import mlops
from mlops.check.ports import COMPOSER, Composer
from mlops.declare.ports import NOTEBOOK, Notebook
from tests.layers.sources import nodes_of, parsed

pytestmark = pytest.mark.xdist_group("layers")

ROOT = Path(mlops.__file__).parents[1]

BY_STRING = {"mlops/__init__.py"}
"""Where a string may name any module: the public names and what fills the ports."""


def modules(root: Path) -> Mapping[str, Path]:
    """By name; templates are text."""
    files = [file.relative_to(root) for file in (root / "mlops").rglob("*.py")]
    named = {".".join(file.with_suffix("").parts): file for file in files if "templates" not in file.parts}
    return {name.removesuffix(".__init__"): root / file for name, file in named.items()}


def imported(node: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    """Modules of ours that are imported anywhere below, except for a type checker."""
    waiting = [node]
    while waiting:
        child = waiting.pop()
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        waiting.extend(ast.iter_child_nodes(child))
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name in known)
        elif isinstance(child, ast.ImportFrom) and child.module in known:
            for alias in child.names:
                inner = f"{child.module}.{alias.name}"
                yield inner if inner in known else child.module


def cycles(root: Path) -> list[list[str]]:
    """Each as the sorted names of what imports each other."""
    known = modules(root)
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name, file in known.items():
        graph.add_edges_from((name, other) for other in imported(parsed(file), known) if other != name)
    return sorted(sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1)


def written(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in {"mlops/__init__.py": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_no_modules_import_each_other() -> None:
    assert cycles(ROOT) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from mlops.b import x\n", True),
        ("def late():\n    from mlops import b\n", True),
        ("def late():\n    import mlops.b\n", True),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mlops.b import x\n", False),
        ("import json\n", False),
    ],
)
def test_a_cycle_is_seen_wherever_the_import_stands(tmp_path: Path, text: str, found: bool) -> None:
    root = written(tmp_path, {"mlops/a.py": text, "mlops/b.py": "import mlops.a\nx = 1\n"})
    assert cycles(root) == ([["mlops.a", "mlops.b"]] if found else [])


@cache
def layers() -> Mapping[str, int]:
    """Height by package, as import-linter is told."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = next(contract["layers"] for contract in contracts if contract["name"] == "Layers")
    return {name.strip(): -height for height, row in enumerate(listed) for name in row.split("|")}


def height(module: str) -> int | None:
    return next((at for name, at in layers().items() if f"{module}.".startswith(f"{name}.")), None)


def docstrings(nodes: Iterable[ast.AST]) -> set[ast.AST]:
    """Strings that stand alone."""
    return {node.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def named(nodes: Sequence[ast.AST], known: Mapping[str, Path]) -> Iterator[tuple[int, str]]:
    """Line and module of every string that names one: alone, before a colon, or as a program for ``-m``."""
    told = docstrings(nodes)
    strings = [node for node in nodes if isinstance(node, ast.Constant) and node not in told]
    programs = any(node.value == "-m" for node in strings)
    for node in strings:
        name = re.split(r"[:\s]", node.value)[0] if isinstance(node.value, str) else ""
        if name in known and (name != "mlops" or programs):
            yield node.lineno, name if name != "mlops" else "mlops.cli"


def reaching_up(root: Path) -> list[str]:
    known = modules(root)
    found: list[str] = []
    for name, file in known.items():
        if file.relative_to(root).as_posix() in BY_STRING:
            continue
        for line, other in named(nodes_of(file), known):
            own, theirs = height(name), height(other)
            if own is not None and (theirs is None or theirs > own):
                found.append(f"{file.relative_to(root)}:{line} names {other}")
    return found


def test_no_string_names_a_module_of_a_higher_layer() -> None:
    assert reaching_up(ROOT) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('import importlib\nimportlib.import_module("mlops.deploy")\n', True),
        ('COMMAND = ("python", "-m", "mlops.deploy")\n', True),
        ('COMMAND = ("python", "-m", "mlops", "check")\n', True),
        ('HOME = "mlops.deploy:plan"\n', True),
        ('"""Of mlops.deploy."""\n"mlops.deploy"\n', False),
        ('HOME = "mlops.ir"\n', False),
        ('NAME = "mlops"\n', False),
    ],
)
def test_a_string_that_reaches_up_is_seen(tmp_path: Path, text: str, found: bool) -> None:
    files = {"mlops/deploy/__init__.py": "", "mlops/ir/__init__.py": "", "mlops/check/__init__.py": text}
    assert bool(reaching_up(written(tmp_path, files))) is found


@pytest.mark.parametrize(
    ("said", "done"),
    [
        *((method, getattr(NOTEBOOK.get(), method.__name__)) for method in (Notebook.html, Notebook.svg)),
        *((method, getattr(NOTEBOOK.get(), method.__name__)) for method in (Notebook.text, Notebook.run)),
        (Composer.__call__, COMPOSER.get()),
    ],
)
def test_what_fills_a_port_takes_what_the_port_says(said: Callable[..., object], done: Callable[..., object]) -> None:
    _, *wanted = inspect.signature(said).parameters.values()
    taken = list(inspect.signature(done).parameters.values())
    assert [item.name for item in taken[: len(wanted)]] == [item.name for item in wanted]
    assert all(item.default is not item.empty for item in taken[len(wanted) :])


ALONE = (
    "client.py",
    "mypy_plugin.py",
    "ports.py",
    "monitor/",
    "run/algorithms/",
    "run/sandbox/",
    "run/serving/handlers.py",
    "statistics/",
)
"""What runs without the rest of the package, or loads nothing of it."""


def test_dataclasses_are_made_by_our_own_decorator() -> None:
    """It is the standard library's in all but the time that it takes at start-up: a third."""
    own = ROOT / "mlops" / "ir" / "dataclass.py"
    slow = [
        file.relative_to(ROOT / "mlops").as_posix()
        for file in modules(ROOT).values()
        if file != own
        for node in nodes_of(file)
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if "dataclass" in {name.name for name in node.names}
    ]
    assert [file for file in slow if not file.startswith(ALONE)] == []
