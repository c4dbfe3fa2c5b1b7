"""A file of any author, to definitions: one that is written with the official SDK, a notebook, or one of ours that does
more than declare.

It runs in a process of its own (:mod:`mlops.compose.composing`), closed before, because nobody knows what it does, and
the SDK keeps sessions, threads and settings for the whole process. mlops' own pipelines pay nothing for it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

from mlops.check.ports import Composed, Lowered
from mlops.compose.closed_process import run, secret_files, take
from mlops.compose.declared import declared_pipelines, kept_contents, read_images
from mlops.compose.driver_starts import start_findings
from mlops.compose.findings import read_finding
from mlops.compose.looking_up import MOST_ROUNDS, looked_up
from mlops.compose.order import Order
from mlops.compose.packed_scripts import packed_scripts
from mlops.declare.mistakes import MISTAKES
from mlops.declare.pipeline import NAME
from mlops.ir import Asset, Block, Definition, Finding, Step, Where
from mlops.ir.reader import read
from mlops.project.bytecode import keep_bytecode
from mlops.project.environments import Environment, read_project
from mlops.project.root import STATE
from mlops.project.sdk_source import named_lines

STORE = "composed"
"""The folder below ``.mlops/`` that keeps what the SDK uploaded, by content."""


def compose(file: Path, name: str | None, environment: Environment, root: Path, *, any_image: bool = False) -> Composed:
    """Run ``file`` for ``environment``. ``name`` chooses a pipeline, or the function that builds it. With ``any_image``
    our own pipelines are lowered without a lock, and what they ask for is told."""
    store = root / STATE / STORE
    with tempfile.TemporaryDirectory(prefix="mlops-", ignore_cleanup_errors=True) as folder:
        facts = {
            "region": environment.region,
            "account": environment.account or environment.role.partition("::")[2].partition(":")[0],
            "role": environment.role,
            "bucket": environment.bucket,
            "project": file.parent.name,
        }
        order = Order(
            file=file,
            root=root,
            name=name,
            any_image=any_image,
            environment=_plain(environment),
            seconds=read_project(root).time_limit,
            private=Path(folder).resolve(),
            secret=secret_files(),
            facts=facts,
            answers=environment.answers,
        )
        try:
            order, answer, code = _run(order, environment)
            if answer is not None:
                return _believed(answer, order, store)
            message = f"running the file ended the process (exit code {code})"
        except TimeoutExpired:
            message = f"running the file was given up: it did not end within {order.seconds} s"
            help = "`time_limit` of [project] in mlops.toml gives it more seconds"
            return Composed((), (_finding("D107", message, Where(str(file), 1), help),))
        except (AttributeError, LookupError, OSError, StopIteration, TypeError, ValueError) as error:
            # The file has had its hands on it, or the disk is full.
            message = f"the process that ran the file left no answer that can be used ({type(error).__name__}: {error})"
        return Composed((), (_finding("D102", message, Where(str(file), 1)),))


def _run(order: Order, environment: Environment) -> tuple[Order, dict[str, Any] | None, int]:
    """Once more for each question that an account on this machine could answer: in a folder of its own each time, since
    the file has had its hands on the one before."""
    folder, known = order.private, dict[str, Mapping[str, Any]]()
    for number in range(MOST_ROUNDS):
        order = replace(order, private=folder / str(number), looked_up=known)
        order.private.mkdir()
        answer, code = run(order)
        asked = answer.get("questions") if answer is not None else None
        found = looked_up(asked, environment, known) if isinstance(asked, list) else {}
        if not found:
            break
        known |= found
    return order, answer, code


def _believed(answer: Mapping[str, Any], order: Order, store: Path) -> Composed:
    """Raises whatever for what is no answer of ours."""
    file, root = order.file, order.root
    keep_bytecode(answer["compiled"])
    findings = [read_finding(item) for item in answer["findings"]]
    declared = answer["declared"]
    if declared is not None:
        take(order, kept_contents(declared, root), store)
        lowered = declared_pipelines(declared, file, root, store)
        findings += [_change(change) for change in answer["changes"]]
        return Composed(tuple(lowered), tuple(findings), declared=True, images=read_images(answer["images"]))
    take(order, (item["content"] for item in answer["uploads"]), store)
    lines = named_lines(file)
    findings = [
        item if item.where.line or item.step is None else item.at(replace(item.where, line=lines.get(item.step)))
        for item in findings
    ]
    findings += [_change(change) for change in answer["changes"]]
    if not answer["pipelines"] and not answer["findings"]:
        help = "leave it in a variable, or give it from a function get_pipeline()"
        findings.append(_finding("D103", "no pipeline is made here", Where(str(file), 1), help))
    assets = tuple(_assets(answer["uploads"], store))
    definitions = []
    for item in answer["pipelines"]:
        definition, said = read(item["definition"], str(file))
        if definition is not None:
            placed = _placed(definition, item["name"], assets, lines, file)
            if not NAME.fullmatch(item["name"]):
                message = f"{item['name']!r} is no name for a pipeline"
                findings.append(_finding("D005", message, placed.where, "use letters, digits and dashes in between"))
            definitions.append(Lowered(replace(placed, reads=tuple(map(Path, answer["reads"]))), said))
    findings += start_findings(answer["starts"], [item.definition for item in definitions])
    return Composed(tuple(definitions), tuple(findings))


def _plain(environment: Environment) -> dict[str, Any]:
    """What lowering needs of it, as JSON has it: schedules, triggers, feedback and notices belong to an upsert."""
    values = {item.name: getattr(environment, item.name) for item in fields(environment)}
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | list | dict)} | {
        "schedules": {},
        "triggers": {},
        "feedback": {},
        "state": None if environment.state is None else str(environment.state),
    }


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
        packed = tuple((name, packed_scripts(path, store)) for name, path in listed if name.endswith(".tar.gz"))
        yield Asset(address, uri, listed, archive=False, in_place=in_place, digests=each, packed=packed)


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


def _change(change: Mapping[str, Any]) -> Finding:
    return Finding(
        "D106",
        MISTAKES["D106"].name,
        MISTAKES["D106"].severity,
        f"the SDK would do this while it composes, here it is not done: {change['change']}",
        where=Where(change["file"], change["line"]),
    )


def _finding(code: str, message: str, where: Where, help: str | None = None) -> Finding:
    return Finding(code, MISTAKES[code].name, MISTAKES[code].severity, message, help=help, where=where)
