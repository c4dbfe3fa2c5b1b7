"""Containers that serve a model, for Model and for RegisterModel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mlops.declare.members import merge, without_none
from mlops.declare.records import record
from mlops.declare.references import ModelReference, lower
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
from mlops.ir import Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Container", "ModelData"]


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


def container(lowering: Lowering, step: Step, given: Container, instance: Value) -> dict[str, Value]:
    """As a request has it. ``instance`` chooses between a framework's images."""
    environment = inference_environment(lowering, given.inference_code, given.environment or {})
    image = None
    if given.image is not None:
        image = lowering.image(given.image, scope="inference", instance=instance, step=step)
    members = without_none(
        {
            "ContainerHostname": lower(given.hostname),
            "Image": image,
            "Mode": "MultiModel" if given.multi_model else None,
            "Environment": environment if environment or given.environment is not None else None,
            **artifact(lowering, step, given.model),
            "ModelPackageName": lower(given.package),
            "Framework": lower(given.framework),
            "FrameworkVersion": lower(given.framework_version),
            "NearestModelName": lower(given.nearest_model),
            "ModelInput": None if given.data_input is None else {"DataInputConfig": lower(given.data_input)},
        }
    )
    return merge(members, given.arguments or {})


def artifact(lowering: Lowering, step: Step, model: Artifact | None) -> dict[str, Value]:
    """The member that says where the model lies."""
    if model is None:
        return {}
    if not isinstance(model, ModelData):
        return {"ModelDataUrl": lowering.data(model, step=step)}
    source = {
        "S3Uri": lowering.data(model.source, step=step),
        "S3DataType": model.kind,
        "CompressionType": model.compression,
        "ModelAccessConfig": None if model.accept_eula is None else {"AcceptEula": lower(model.accept_eula)},
        "HubAccessConfig": None if model.hub_content is None else {"HubContentArn": lower(model.hub_content)},
    }
    return {"ModelDataSource": {"S3DataSource": without_none(source)}}
