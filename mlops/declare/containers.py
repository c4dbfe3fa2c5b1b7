"""Containers that serve a model, for Model and for RegisterModel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mlops.declare.members import as_given, record_of, with_values
from mlops.declare.records import record
from mlops.declare.references import ModelReference
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    Data,
    Environment,
    Flag,
    Image,
    Text,
    Trained,
    inference_environment,
)
from mlops.ir import Unknown, Value
from mlops.ir.fields import FLAG, MAP, REQUIRED, TEXT, TRAINED, Field, Given, Record, Said, Spoken, choice, hidden, made

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Container", "ModelData"]

MODEL_ARCHIVE = "model.tar.gz"


@record
class ModelData:
    """A model that is no single ``model.tar.gz``: a prefix with its files as they are (``kind`` S3Prefix, no
    compression), or one of a hub."""

    source: Data | ModelReference
    kind: Literal["S3Prefix", "S3Object"] = "S3Prefix"
    compression: Literal["None", "Gzip"] = "None"
    accept_eula: Flag | None = None
    hub_content: Text | None = None


Artifact: TypeAlias = Trained | ModelData


@record
class Container:
    """One container of a model, in the order in which requests pass through them.

    ``inference_code`` names the handler in ``code/`` of ``model.tar.gz``. ``multi_model`` serves many models below
    one prefix. ``package`` takes image, model and environment from a version in the registry. ``framework``,
    ``framework_version``, ``nearest_model`` and ``data_input`` describe a registered one; ``arguments`` is merged into
    the container: whatever SageMaker accepts and we do not name. An empty ``environment`` is written as it is.
    """

    image: Image | None = None
    model: Artifact | None = None
    inference_code: str | None = None
    environment: Environment | None = None
    hostname: Text | None = None
    package: Text | None = None
    multi_model: bool = False
    framework: Text | None = None
    framework_version: Text | None = None
    nearest_model: Text | None = None
    data_input: Text | None = None
    arguments: Mapping[str, Any] | None = None


MODEL_DATA = Record(
    ModelData,
    (
        Field("source", "S3DataSource.S3Uri", TRAINED, REQUIRED),
        Field("kind", "S3DataSource.S3DataType", choice("S3Prefix", "S3Object"), "S3Prefix"),
        Field("compression", "S3DataSource.CompressionType", choice("None", "Gzip"), "None"),
        Field("accept_eula", "S3DataSource.ModelAccessConfig.AcceptEula", FLAG),
        Field("hub_content", "S3DataSource.HubAccessConfig.HubContentArn", TEXT),
    ),
)


def _environment(given: Container, lowering: Lowering, _: Step) -> Value:
    served = inference_environment(lowering, given.inference_code, given.environment or {})
    return served if served or given.environment is not None else None


def _archive(given: Container, lowering: Lowering, step: Step) -> Value:
    """A local folder is packed into the one archive that ModelDataUrl wants, unless many models lie in it."""
    if given.model is None or isinstance(given.model, ModelData):
        return None
    local = given.model.as_posix() if isinstance(given.model, Path) else given.model
    if isinstance(local, str) and "://" not in local and not given.multi_model:
        source = lowering.source(local, step=step, what="data")
        if source is None:
            return Unknown()
        if source.is_dir():
            asset = lowering.asset(source, step=step, archive=MODEL_ARCHIVE)
            return asset.uri if asset else Unknown()
    return lowering.data(given.model, step=step)


def _files(given: Container, lowering: Lowering, step: Step) -> Value:
    return record_of(given.model, MODEL_DATA, lowering, step) if isinstance(given.model, ModelData) else None


def _said_multi_model(given: Given) -> Spoken | None:
    return Said(True) if given.at("Mode") == "MultiModel" else None


IMAGE = Field("image", "Image", TEXT, to=as_given("image"))
ENVIRONMENT = Field("environment", "Environment", MAP, keeps="empty", to=_environment)
ARCHIVE = Field("model", "ModelDataUrl", TRAINED, to=_archive)
FILES = Field("model", "ModelDataSource", made(MODEL_DATA), to=_files)
CONTAINER = Record(
    Container,
    (
        Field("hostname", "ContainerHostname", TEXT),
        IMAGE,
        Field(
            "multi_model",
            "Mode",
            FLAG,
            False,
            to=lambda given, *_: "MultiModel" if given.multi_model else None,
            said=_said_multi_model,
        ),
        hidden("inference_code"),
        ENVIRONMENT,
        ARCHIVE,
        FILES,
        Field("package", "ModelPackageName", TEXT),
        Field("framework", "Framework", TEXT),
        Field("framework_version", "FrameworkVersion", TEXT),
        Field("nearest_model", "NearestModelName", TEXT),
        Field("data_input", "ModelInput.DataInputConfig", TEXT),
    ),
    positional=0,
    rest=True,
)


def container(lowering: Lowering, step: Step, given: Container, instance: Value) -> dict[str, Value]:
    """As a request has it. ``instance`` chooses between a framework's images."""
    image = None
    if given.image is not None:
        image = lowering.image(given.image, scope="inference", instance=instance, step=step)
    return record_of(with_values(given, image=image), CONTAINER, lowering, step)
