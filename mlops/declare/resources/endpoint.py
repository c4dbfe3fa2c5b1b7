"""An endpoint: where requests go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mlops.declare.references import StringProperty
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps import endpoint as step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir.fields import REQUIRED, STRING, TEXT, Constructor, Field, Yielded

if TYPE_CHECKING:
    pass

__all__ = ["Endpoint"]

STEP_TYPE = step.STEP_TYPE


class Endpoint(DeclaredResource):
    """Serves the configuration ``config`` (``configuration.config_name``) under ``name``, which is its name in the
    account. Where another configuration serves, traffic goes by the strategy of the environment."""

    named_by: ClassVar[str | None] = "EndpointName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (Field("config", "EndpointConfigName", TEXT, REQUIRED),),
        yields={"EndpointName": Yielded("endpoint_name", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        config: Text,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.config = config

    @property
    def endpoint_name(self) -> StringProperty:
        return StringProperty(self.name, "EndpointName")
