"""An identity provider of IAM: a service whose tokens, by OpenID Connect, roles may trust in place of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mlops.declare.references import StringProperty
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType
from mlops.ir.fields import STRING, TEXTS, Constructor, Field, Yielded
from mlops.ir.shape_notation import STRING_SHAPE, list_of, structure

__all__ = ["IdentityProvider"]

STEP_TYPE = StepType(
    type="IdentityProvider",
    service="iam",
    arguments=structure(
        ("Host", "ClientIDList"),
        Host={"type": "string", "pattern": r"[a-z0-9.\-]+(/[\w.\-/]+)?"},
        ClientIDList=list_of(STRING_SHAPE, min=1, max=100),
        Tags={"shape": "TagList"},
    ),
    extra_response={"Host": None, "ProviderArn": None},
    permissions=(),
)


class IdentityProvider(DeclaredResource):
    """Trusts tokens that ``https://NAME`` signed for one of the ``audiences``. An account has one of a name."""

    named_by: ClassVar[str | None] = "Host"
    step_type = STEP_TYPE
    constructor = Constructor(
        (Field("audiences", "ClientIDList", TEXTS, ("sts.amazonaws.com",)),),
        yields={"Host": Yielded("host", STRING), "ProviderArn": Yielded("provider_arn", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        audiences: Sequence[Text] = ("sts.amazonaws.com",),
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.audiences = tuple(audiences)

    @property
    def host(self) -> StringProperty:
        return StringProperty(self.name, "Host")

    @property
    def provider_arn(self) -> StringProperty:
        """For the trust of a role: ``{"Federated": …}``."""
        return StringProperty(self.name, "ProviderArn")
