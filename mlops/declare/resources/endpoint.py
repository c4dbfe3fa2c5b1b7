"""An endpoint: where requests go, and how what serves there is scaled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from mlops.declare.references import StringProperty
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.scaling import SCALED, Scaling, scaled
from mlops.declare.steps import endpoint as step
from mlops.declare.steps.endpoint_config import VARIANT
from mlops.declare.steps.shared_arguments import Text
from mlops.ir.fields import PLAIN, REQUIRED, STRING, TEXT, Constructor, Field, Yielded
from mlops.ir.shape_notation import structure

__all__ = ["Endpoint"]

STEP_TYPE = replace(
    step.STEP_TYPE,
    request=None,
    omits=frozenset(),
    arguments=structure(
        ("EndpointName", "EndpointConfigName"),
        EndpointName={"shape": "EndpointName"},
        EndpointConfigName={"shape": "EndpointConfigName"},
        DeploymentConfig={"shape": "DeploymentConfig"},
        Scaling=SCALED,
        Tags={"shape": "TagList"},
    ),
)


class Endpoint(DeclaredResource):
    """Serves the configuration ``config`` (``configuration.config_name``) under ``name``, which is its name in the
    account. Where another configuration serves, traffic goes by the strategy of the environment. ``scaling`` is of its
    one variant, or of each by name; without any whoever scales it goes on to."""

    named_by: ClassVar[str | None] = "EndpointName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("config", "EndpointConfigName", TEXT, REQUIRED),
            Field(
                "scaling",
                "Scaling",
                PLAIN,
                to=lambda endpoint, *_: scaled(endpoint.scaling, endpoint.declared_name, VARIANT),
            ),
        ),
        yields={"EndpointName": Yielded("endpoint_name", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        config: Text,
        scaling: Scaling | Mapping[str, Scaling] | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.config = config
        self.scaling = dict(scaling) if isinstance(scaling, Mapping) else scaling

    @property
    def endpoint_name(self) -> StringProperty:
        return StringProperty(self.name, "EndpointName")
