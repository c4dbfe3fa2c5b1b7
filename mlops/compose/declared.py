"""Pipelines of our own language that a file declares where it is closed in, to the process that asked: as documents,
with the lines of their steps and the files that they ship."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mlops.check.lowering import lowered, lowered_resources
from mlops.check.ports import AnyImage, ImageUse, Lowered
from mlops.compose.execution import Ran
from mlops.compose.findings import read_finding, read_where, written_finding, written_where
from mlops.compose.order import Order
from mlops.emit.targets.definition_json import emit
from mlops.ir import Asset, Block, Definition, Join, JsonGet, Step, Unknown, Value, Where
from mlops.ir.reader import read
from mlops.project import lock
from mlops.project.content_address import is_executable
from mlops.project.environments import Environment
from mlops.project.images import ImageRequest
from mlops.project.private import FILE
from mlops.project.root import LOCK

_BEGUN = time.time() - 2
"""What was changed since may be the file's own doing, which is seen in this process alone."""
_PACKAGE = Path(__file__).resolve().parent.parent


def declared_answer(order: Order, ran: Ran, any_image: AnyImage) -> list[dict[str, Any]]:
    """As JSON has it; :func:`declared_pipelines` is the inverse."""
    given = dict(order.environment)
    given["state"] = None if given["state"] is None else Path(given["state"])
    environment = Environment(**given)
    images = any_image if order.any_image else lock.read(order.root / LOCK)
    told = []
    folders = (order.file.parent, order.root)
    made = [lowered(pipeline, environment, images, folders) for pipeline in ran.declared]
    if ran.resources:
        made.append(lowered_resources(ran.resources, order.file, environment, images, folders))
    for definition, misuses in made:
        told.append(
            {
                "name": definition.name,
                "document": emit(_with_values(definition, _marked)),
                "description": definition.description,
                "display_name": definition.display_name,
                "tags": dict(definition.tags),
                "parallelism": definition.parallelism,
                "of_resources": definition.of_resources,
                "where": written_where(definition.where),
                "parameters": [written_where(parameter.where) for parameter in definition.parameters],
                "steps": [written_where(placed.step.where) for placed in definition.placed()],
                "assets": [_written(asset, order.store) for asset in definition.assets],
                "findings": [written_finding(item) for item in misuses],
            }
        )
    return told


def written_images(uses: Sequence[ImageUse]) -> list[dict[str, Any]]:
    """:func:`read_images` is the inverse."""
    return [asdict(use) for use in uses]


def read_images(given: Sequence[Mapping[str, Any]]) -> tuple[ImageUse, ...]:
    return tuple(ImageUse(**{**use, "request": ImageRequest(**use["request"])}) for use in given)


def _with_values(definition: Definition, change: Callable[[Value], Value]) -> Definition:
    """``change`` is asked for every expression and every object; what it leaves as it is, is looked into."""

    def walked(value: Value) -> Value:
        value = change(value)
        match value:
            case Mapping():
                return {key: walked(item) for key, item in value.items()}
            case tuple():
                return tuple(walked(item) for item in value)
            case Join():
                return Join(value.on, tuple(walked(item) for item in value.values))
            case JsonGet():
                return JsonGet(walked(value.path), walked(value.property_file), walked(value.s3_uri))
        return value

    def members(given: Mapping[str, Value]) -> dict[str, Value]:
        return {key: walked(item) for key, item in given.items()}

    def step(given: Step) -> Step:
        blocks = tuple(Block(block.member, tuple(step(inner) for inner in block.steps)) for block in given.blocks)
        return replace(given, arguments=walked(given.arguments), members=members(given.members), blocks=blocks)

    return replace(
        definition,
        parameters=tuple(replace(item, members=members(item.members)) for item in definition.parameters),
        steps=tuple(step(item) for item in definition.steps),
        members=members(definition.members),
    )


_MISTAKE = "mlops: a mistake was told"


def _marked(value: Value) -> Value:
    """What stands for a mistake that was told is in no document."""
    return {_MISTAKE: True} if isinstance(value, Unknown) else value


def _unmarked(value: Value) -> Value:
    return Unknown() if isinstance(value, Mapping) and value.keys() == {_MISTAKE} else value


def _written(asset: Asset, store: Path) -> dict[str, Any]:
    digests = asset.digests or tuple(_digest(path) for _, path in asset.files)
    for (_, path), content in zip(asset.files, digests, strict=True):
        if path.stat().st_ctime >= _BEGUN:
            store.mkdir(exist_ok=True)
            (store / content).write_bytes(path.read_bytes())
            (store / content).chmod(0o700 if is_executable(path) else FILE)
    return {
        "address": asset.address,
        "uri": asset.uri,
        "files": [[name, str(path), content] for (name, path), content in zip(asset.files, digests, strict=True)],
        "archive": asset.archive,
        "where": written_where(asset.where),
        "in_place": asset.in_place,
        "digested": bool(asset.digests),
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kept_contents(answer: Sequence[Mapping[str, Any]], root: Path) -> Iterator[str]:
    """What has to be taken from the closed process: the files that are not the same outside of it."""
    for item in answer:
        for asset in item["assets"]:
            for _, path, content in asset["files"]:
                if not _is_outside(Path(path), content, root):
                    yield content


def _is_outside(path: Path, content: str, root: Path) -> bool:
    """In the project, or one of the files that this package ships."""
    try:
        whole = path.resolve()
        places = (root, _PACKAGE)
        return any(map(whole.is_relative_to, places)) and path.is_file() and _digest(path) == content
    except OSError:
        return False


def declared_pipelines(answer: Sequence[Mapping[str, Any]], file: Path, root: Path, store: Path) -> list[Lowered]:
    """Each with what was found when it was lowered."""
    found = []
    for item in answer:
        definition, _ = read(item["document"], str(file))
        if definition is None:
            continue
        definition = _with_values(definition, _unmarked)
        lines = iter([read_where(where) for where in item["steps"]])
        made = replace(
            definition,
            name=item["name"],
            description=item["description"],
            display_name=item["display_name"],
            tags=item["tags"],
            parallelism=item["parallelism"],
            of_resources=item["of_resources"] is True,
            where=read_where(item["where"]),
            parameters=tuple(
                replace(parameter, where=read_where(where))
                for parameter, where in zip(definition.parameters, item["parameters"], strict=True)
            ),
            steps=tuple(_at(step, lines) for step in definition.steps),
            assets=tuple(_asset(asset, root, store) for asset in item["assets"]),
        )
        found.append(Lowered(made, tuple(map(read_finding, item["findings"]))))
    return found


def _at(step: Step, lines: Iterator[Where]) -> Step:
    """In the order of :meth:`Definition.placed`: a step before what is inside it."""
    where = next(lines)
    blocks = tuple(Block(block.member, tuple(_at(inner, lines) for inner in block.steps)) for block in step.blocks)
    return replace(step, where=where, blocks=blocks)


def _asset(given: Mapping[str, Any], root: Path, store: Path) -> Asset:
    files = tuple(
        (name, Path(path) if _is_outside(Path(path), content, root) else store / content)
        for name, path, content in given["files"]
    )
    digests = tuple(content for _, _, content in given["files"]) if given["digested"] else ()
    where = read_where(given["where"])
    return Asset(given["address"], given["uri"], files, given["archive"], where, given["in_place"], digests)
