"""Who serves what: the configuration that an Endpoint step reads, the models that its variants serve, by reference or
by a name that both write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlops.check.expressions import literal
from mlops.check.jobs import Machine
from mlops.check.members import entries
from mlops.ir import Placed, Ref, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get

if TYPE_CHECKING:
    from mlops.check.subject import Subject


@dataclass(frozen=True, slots=True)
class Variant:
    """``at`` is its pointer; ``model`` the step that makes what it serves, None where that is not of this pipeline."""

    at: str
    settings: Mapping[str, Value]
    placed: Placed
    shadow: bool = False
    model: Placed | None = None

    @property
    def is_serverless(self) -> bool:
        return self.settings.get("ServerlessConfig") is not None

    @property
    def name(self) -> str:
        name = self.settings.get("VariantName")
        return repr(name) if isinstance(name, str) else "a variant"


@dataclass(frozen=True, slots=True)
class Configuration:
    """An EndpointConfig step; its production variants stand before its shadows."""

    at: str
    settings: Mapping[str, Value]
    placed: Placed
    variants: tuple[Variant, ...]

    @property
    def production(self) -> tuple[Variant, ...]:
        return tuple(variant for variant in self.variants if not variant.shadow)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An Endpoint step; ``configuration`` is None where this pipeline does not make it."""

    at: str
    settings: Mapping[str, Value]
    placed: Placed
    configuration: Configuration | None


def training_of(subject: Subject, value: Value) -> Placed | None:
    """The Training step whose model is read; None where it is something else."""
    path = value.path if isinstance(value, Ref) else None
    if path is None or path.root != "Steps" or path.segments != ("ModelArtifacts", "S3ModelArtifacts"):
        return None
    producer = subject.by_name.get(path.name)
    return producer if producer is not None and producer.step.type == "Training" else None


def packs_its_model(subject: Subject, training: Placed) -> bool | None:
    """None where that is known to the execution alone."""
    kind = get(training.step.arguments, "OutputDataConfig", "CompressionType")
    written = "GZIP" if kind is None else literal(subject, kind)
    return {"GZIP": True, "NONE": False}.get(written) if isinstance(written, str) else None


def configurations(subject: Subject) -> Iterator[Configuration]:
    for placed, settings in subject.of_type("EndpointConfig"):
        at = f"{placed.pointer}/Arguments"
        variants = [
            Variant(at + where, item, placed, shadow, made(subject, item.get("ModelName"), "Model", "ModelName"))
            for member, shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True))
            for where, item in entries(settings, member)
        ]
        yield Configuration(at, settings, placed, tuple(variants))


def endpoints(subject: Subject) -> Iterator[Endpoint]:
    known = {item.placed.pointer: item for item in configurations(subject)}
    for placed, settings in subject.of_type("Endpoint"):
        step = made(subject, settings.get("EndpointConfigName"), "EndpointConfig", "EndpointConfigName")
        found = known.get(step.pointer) if step is not None else None
        yield Endpoint(f"{placed.pointer}/Arguments", settings, placed, found)


def made(subject: Subject, value: Value, kind: str, member: str) -> Placed | None:
    """The step of type ``kind`` whose output a value reads, or that names what it makes so in ``member``."""
    if value is None:
        return None
    path = value.path if isinstance(value, Ref) else None
    if path is not None and path.root == "Steps":
        placed = subject.by_name.get(path.name)
        return placed if placed is not None and placed.step.type == kind else None
    text = literal(subject, value)
    for placed, settings in subject.of_type(kind):
        name = settings.get(member)
        if name is not None and (name == value or (isinstance(text, str) and literal(subject, name) == text)):
            return placed
    return None


def containers(model: Placed) -> list[tuple[str, Mapping[str, Value]]]:
    """A model's containers, each with its place in the Arguments."""
    primary = get(model.step.arguments, "PrimaryContainer")
    listed = list(entries(model.step.arguments, "Containers"))
    return [("/PrimaryContainer", primary), *listed] if isinstance(primary, Mapping) else listed


def machines_of(subject: Subject, model: Placed) -> list[Machine]:
    """The instances that jobs and variants ask for to run what that Model step makes."""
    return [machine for machine in subject.machines if _reads(machine.model, model.step.name)]


def _reads(value: Value, name: str) -> bool:
    path = value.path if isinstance(value, Ref) else None
    return path is not None and path.root == "Steps" and path.name == name
