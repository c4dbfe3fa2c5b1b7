"""A pipeline definition as a value, and the local files that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path

from mlops.ir.dataclass import dataclass
from mlops.ir.values import Value, pointer
from mlops.ir.where import NOWHERE, Where


@dataclass(frozen=True, slots=True)
class Parameter:
    """``type`` is String, Integer, Float or Boolean. ``members`` holds what else was written: DefaultValue,
    EnumValues, Description, or a member that we have never heard of; absent and null stay apart. A document may leave
    the type out, which means String."""

    name: str
    type: str
    members: Mapping[str, Value] = field(default_factory=dict)
    where: Where = NOWHERE
    has_type: bool = True

    @property
    def has_default(self) -> bool:
        return "DefaultValue" in self.members

    @property
    def default(self) -> Value:
        return self.members.get("DefaultValue")


@dataclass(frozen=True, slots=True)
class Block:
    """Steps inside a step: ``member`` is the argument that holds them, e.g. IfSteps, ElseSteps or ForEachBody."""

    member: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``arguments`` is without its nested steps, which are in ``blocks``; ``members`` is the envelope
    without Name, Type and Arguments (DependsOn, CacheConfig, PropertyFiles, unknown members…)."""

    name: str
    type: str
    arguments: Value = None
    members: Mapping[str, Value] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    where: Where = NOWHERE
    has_arguments: bool = True

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Names in DependsOn, plain or as ``{"Step": …, "Trigger": …}``; what is neither is left to the checker."""
        listed = self.members.get("DependsOn")
        if not isinstance(listed, tuple):
            return ()
        named = (item.get("Step") if isinstance(item, Mapping) else item for item in listed)
        return tuple(item for item in named if isinstance(item, str))


@dataclass(frozen=True, slots=True)
class Placed:
    """A step and its place. ``branches`` lists the enclosing (container step, block member), outermost first."""

    step: Step
    pointer: str
    branches: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Asset:
    """Local content that the pipeline needs in the account, addressed by content.

    ``address`` is a SHA-256 over sorted (relative path, executable bit, content hash), never over an archive.
    ``files`` pairs a POSIX path inside the asset with the local file. An ``archive`` is one object at ``uri``, a
    gzipped tar of all files; otherwise each file is an object of its own at ``<uri>/<path>``. ``in_place``: the URI
    says nothing of the content, so what lies there may be another. ``digests`` are SHA-256 of the files, in their
    order, as they were when the address was made; who sends a file sends that content or none. ``packed`` are the
    scripts inside of files that somebody else packed, by the file's path.
    """

    address: str
    uri: str
    files: tuple[tuple[str, Path], ...]
    archive: bool
    where: Where = NOWHERE
    in_place: bool = False
    digests: tuple[str, ...] = ()
    packed: tuple[tuple[str, tuple[tuple[str, Path], ...]], ...] = field(default=(), compare=False)

    @property
    def objects(self) -> int:
        """How many there are of it in the account."""
        return 1 if self.archive else len(self.files)


@dataclass(frozen=True, slots=True)
class Definition:
    """``members`` is the document without Parameters and Steps, as written (Version, Metadata, …).

    ``name``, ``description``, ``display_name``, ``tags`` and ``parallelism`` (how many steps run at once, None for no
    limit) are not part of the document: they belong to the pipeline resource.

    ``of_resources``: no pipeline, but what a file declares beside its pipelines, each resource as a step whose
    Arguments are the request that makes it; ``name`` is then the file's.
    """

    name: str | None
    parameters: tuple[Parameter, ...] = ()
    steps: tuple[Step, ...] = ()
    members: Mapping[str, Value] = field(default_factory=dict)
    description: str | None = None
    display_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    parallelism: int | None = None
    assets: tuple[Asset, ...] = ()
    where: Where = NOWHERE
    has_parameters: bool = True
    of_resources: bool = False
    feedback: tuple[Step, ...] = ()
    """What else its file declares for accounts that do it beside the pipeline: names of other resources are known."""
    reads: tuple[Path, ...] = field(default=(), compare=False)
    """What was read to make it, where that was watched: files, and folders that were listed."""

    def placed(self) -> Iterator[Placed]:
        """Every step with its JSON pointer, in document order, a container before what is inside it."""
        stack = [Placed(step, pointer("Steps", index)) for index, step in reversed(list(enumerate(self.steps)))]
        while stack:
            current = stack.pop()
            yield current
            inner = [
                Placed(
                    step,
                    f"{current.pointer}/Arguments{pointer(block.member, index)}",
                    (*current.branches, (current.step.name, block.member)),
                )
                for block in current.step.blocks
                for index, step in enumerate(block.steps)
            ]
            stack.extend(reversed(inner))

    def parameter(self, name: str) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def step(self, name: str) -> Step | None:
        return next((placed.step for placed in self.placed() if placed.step.name == name), None)
