"""A model: which containers with which data serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mlops.declare.containers import Artifact, Container, ModelData
from mlops.declare.misuse import misuse
from mlops.declare.references import ModelNameReference, StringReference
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps import model as step
from mlops.declare.steps.shared_arguments import Environment, Flag, Image, Network, Text
from mlops.ir import Value
from mlops.ir.fields import STRING, Constructor, Yielded
from mlops.ir.resource import newest_approved

__all__ = ["Container", "Model", "ModelData", "Network"]

STEP_TYPE = step.STEP_TYPE


class _NewestApproved(StringReference):
    """The ARN of the newest approved version of a group: known when an account was asked."""

    noun = "the newest approved version"

    def __init__(self, group: str) -> None:
        self._group = group

    def lower(self) -> Value:
        return newest_approved(self._group)


class Model(DeclaredResource):
    """A model of one container, or of several (``containers``): a request passes through all of them (``Serial``), or
    names one (``execution="Direct"``).

    One container is ``image`` and ``model``, or a version in the registry: ``package`` is its ARN, ``group`` a model
    package group, of which the newest approved version is taken. ``multi_model`` serves many models below one prefix.
    The rest is as for the step of that name.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        tuple(field for field in step.FIELDS if field.path != "Tags"),
        yields={"ModelName": Yielded("model_name", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        model: Artifact | None = None,
        image: Image | None = None,
        inference_code: str | None = None,
        environment: Environment | None = None,
        containers: Sequence[Container] = (),
        execution: Literal["Serial", "Direct"] | None = None,
        group: str | None = None,
        package: str | None = None,
        multi_model: Flag = False,
        instance: str | None = None,
        role: Text | None = None,
        network: Network | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.group = group
        self.containers = tuple(containers)
        self.execution = execution
        self.instance = instance
        self.role = role
        self.network = network
        kinds = {"containers=": bool(containers), "image=": image is not None, "group=": group, "package=": package}
        given = [kind for kind, there in kinds.items() if there]
        if len(given) != 1:
            found = " and ".join(given) if given else "none of them is given"
            help = "give image= and model=, or containers=, or group=, or package="
            misuse("D064", f"{self.label}: what serves is said once; here: {found}", help=help, step=self.name)
            self.poisoned = True
        elif image is None and model is not None:
            message = f"{self.label}: model= goes with image=, and {given[0]} has a model of its own"
            misuse("D064", message, help="leave model= out", step=self.name)
            self.poisoned = True
        self.container = Container(
            image=image,
            model=model,
            inference_code=inference_code,
            environment=environment,
            package=package if group is None else _NewestApproved(group),
            multi_model=bool(multi_model),
        )

    @property
    def model_name(self) -> ModelNameReference:
        """Its name in the account, for an EndpointConfig."""
        return ModelNameReference(self.name)
