"""What Amazon's own processing containers want of the job that runs them: a file for each, by the name of its image's
repository, read when a job names that.

A file has ``title``, ``source`` and ``accounts`` (of the registry, by region), and as far as it is known: ``steps``
that run no other container, ``environment``, ``inputs`` and ``outputs`` by name, ``command = false`` where the job may
give none, ``isolation = false`` where it may not be cut off from the network, or the ``program`` with its ``options``,
``flags``, which of them name ``files``, and forms of ``applications``; ``beside`` a variable one of others; ``rules``
and ``profiler_rules`` are those of Debugger.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment. ``required_for`` are types of checks; ``json`` are the members, one of which its
    JSON has; ``in_input`` says that it is a path to a file that an input brings, ``refused`` that the container ends
    with any other value than those that are ``one_of`` it, ``share`` that it is a number from 0 to 1."""

    name: str
    required: bool = False
    required_for: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    in_input: bool = False
    refused: bool = False
    share: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output, found by its name. What is ``expected`` may be told elsewhere, in a file of the job; ``path``
    is the folder where its documentation has it, ``file`` the name that its file is to have; ``s3`` are the members of
    its S3Input or S3Output that may have one value alone."""

    name: str
    required: bool = False
    expected: bool = False
    ending: str | None = None
    file: str | None = None
    path: str | None = None
    s3: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """What is started, and what its command line takes: options have a value, flags have none."""

    name: str
    options: tuple[str, ...]
    flags: tuple[str, ...]
    files: tuple[str, ...]
    applications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    name: str
    title: str
    source: str
    accounts: Mapping[str, str]
    steps: tuple[str, ...]
    environment: Mapping[str, Variable]
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    takes_command: bool
    takes_isolation: bool
    program: Program | None
    rules: tuple[str, ...]
    profiler_rules: tuple[str, ...]
    beside: Mapping[str, tuple[str, ...]]
    """By a variable: others of which one is to be there beside it."""


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))


def contract(repository: str) -> Contract | None:
    """That of the images in a repository, e.g. ``sagemaker-clarify-processing``; None where it is not known."""
    return _read(repository) if repository in names() else None


@cache
def _read(name: str) -> Contract:
    written: dict[str, Any] = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Contract(
        name,
        written["title"],
        written["source"],
        written["accounts"],
        tuple(written.get("steps", ())),
        {key: Variable(key, **_tuples(said)) for key, said in written.get("environment", {}).items()},
        {key: Port(key, **said) for key, said in written.get("inputs", {}).items()},
        {key: Port(key, **said) for key, said in written.get("outputs", {}).items()},
        written.get("command", True),
        written.get("isolation", True),
        _program(written),
        tuple(written.get("rules", ())),
        tuple(written.get("profiler_rules", ())),
        {variable: tuple(names) for variable, names in written.get("beside", {}).items()},
    )


def _tuples(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}


def _program(written: Mapping[str, Any]) -> Program | None:
    if "program" not in written:
        return None
    lists = (tuple(written[key]) for key in ("options", "flags", "files", "applications"))
    return Program(written["program"], *lists)
