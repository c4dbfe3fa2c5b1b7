"""A pipeline file that is written with the official SDK, to definitions.

The file runs in a process of its own (:mod:`mlops.compose.composing`), because the SDK keeps sessions, threads and
settings for the whole process. mlops' own pipelines pay nothing for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.check.ports import Composed
from mlops.compose.order import Order
from mlops.declare.mistakes import MISTAKES
from mlops.ir import Asset, Block, Definition, Finding, Severity, Step, Where
from mlops.ir.reader import read
from mlops.project.environments import Environment, read_project
from mlops.project.root import STATE
from mlops.project.sdk_source import named_lines

COMPOSER = "mlops.compose.composing"
STORE = "composed"
"""The folder below ``.mlops/`` that keeps what the SDK uploaded, by content."""


def compose(file: Path, name: str | None, environment: Environment, root: Path) -> Composed:
    """Run ``file`` for ``environment``. ``name`` chooses a pipeline, or the function that builds it."""
    store = root / STATE / STORE
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        result = Path(folder) / "result.json"
        facts = {
            "region": environment.region,
            "account": environment.account or environment.role.split(":")[4],
            "role": environment.role,
            "bucket": environment.bucket,
            "project": file.parent.name,
        }
        order = Order(file, root, name, store, result, facts)
        seconds = read_project(root).time_limit
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", COMPOSER],
                input=json.dumps(order.written()),
                text=True,
                env=_variables(),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"running the file was given up: it did not end within {seconds} s"
            help = "`time_limit` of [project] in mlops.toml gives it more seconds"
            return Composed((), (_finding("D107", message, Where(str(file), 1), help),))
        if not result.is_file():
            message = f"running the file ended the process (exit code {done.returncode})"
            return Composed((), (_finding("D102", message, Where(str(file), 1)),))
        answer = json.loads(result.read_text(encoding="utf-8"))
    lines = named_lines(file)
    findings = [
        _finding(
            item["code"], item["message"], Where(item["file"], item["line"] or lines.get(item["about"])), item["help"]
        )
        for item in answer["findings"]
    ]
    findings += [_change(change, file) for change in answer["changes"]]
    if not answer["pipelines"] and not answer["findings"]:
        help = "leave it in a variable, or give it from a function get_pipeline()"
        findings.append(_finding("D103", "no pipeline is made here", Where(str(file), 1), help))
    assets = tuple(_assets(answer["uploads"], store))
    definitions = []
    for item in answer["pipelines"]:
        definition, said = read(item["definition"], str(file))
        if definition is not None:
            placed = _placed(definition, item["name"], assets, lines, file)
            definitions.append((replace(placed, reads=tuple(map(Path, answer["reads"]))), said))
    return Composed(tuple(definitions), tuple(findings))


def _variables() -> dict[str, str]:
    """The author's own, so that a file may read them; the composer takes those of AWS away."""
    return {**os.environ, "PYTHONHASHSEED": "0"}


def _assets(uploads: Sequence[Mapping[str, Any]], store: Path) -> Iterator[Asset]:
    """One for each folder of the bucket."""
    folders: dict[tuple[str, bool], dict[str, str]] = {}
    for item in uploads:
        folder, _, name = item["key"].rpartition("/")
        uri = f"s3://{item['bucket']}/{folder}" if folder else f"s3://{item['bucket']}"
        folders.setdefault((uri, item["in_place"]), {})[name] = item["content"]
    for (uri, in_place), contents in folders.items():
        listed = tuple((name, store / content) for name, content in sorted(contents.items()))
        told = json.dumps(sorted(contents.items()))
        address = hashlib.sha256(told.encode()).hexdigest()
        each = tuple(content for _, content in sorted(contents.items()))
        yield Asset(address, uri, listed, archive=False, in_place=in_place, digests=each)


def _placed(
    definition: Definition, name: str, assets: tuple[Asset, ...], lines: Mapping[str, int], file: Path
) -> Definition:
    """With the lines of the file where its steps and parameters are named."""
    where = Where(str(file), lines.get(name, 1))
    return replace(
        definition,
        name=name,
        assets=assets,
        where=where,
        parameters=tuple(
            replace(parameter, where=_where(parameter.name, lines, where)) for parameter in definition.parameters
        ),
        steps=tuple(_located(step, lines, where) for step in definition.steps),
    )


def _located(step: Step, lines: Mapping[str, int], where: Where) -> Step:
    blocks = tuple(
        Block(block.member, tuple(_located(inner, lines, where) for inner in block.steps)) for block in step.blocks
    )
    return replace(step, blocks=blocks, where=_where(step.name, lines, where))


def _where(name: str, lines: Mapping[str, int], otherwise: Where) -> Where:
    """The SDK makes ``Train-RegisterModel`` of a step that the author called ``Train``."""
    known = [given for given in lines if name == given or name.startswith(f"{given}-")]
    return replace(otherwise, line=lines[max(known, key=len)]) if known else otherwise


def _change(change: str, file: Path) -> Finding:
    return Finding(
        "D106",
        MISTAKES["D106"].name,
        Severity.INFO,
        f"the SDK would do this while it composes, here it is not done: {change}",
        where=Where(str(file), 1),
    )


def _finding(code: str, message: str, where: Where, help: str | None = None) -> Finding:
    return Finding(code, MISTAKES[code].name, Severity.ERROR, message, help=help, where=where)
