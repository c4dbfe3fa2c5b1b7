"""A domain of SageMaker Studio: where people have JupyterLab and Code Editor, in a network and with a role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.studio import user_settings
from mlops.declare.steps.shared_arguments import Count, Flag, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import COUNT, FLAG, PLAIN, REQUIRED, STRING, TEXT, TEXTS, Constructor, Field, Yielded, choice

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["StudioDomain"]

STEP_TYPE = StepType(
    type="StudioDomain",
    request="CreateDomainRequest",
    response="DescribeDomainResponse",
    permissions=(),
)
_USERS, _SPACES = "DefaultUserSettings", "DefaultSpaceSettings"
_SHARED = ("ExecutionRole", "SecurityGroups", "JupyterLabAppSettings")


def _settings(domain: StudioDomain, lowering: Lowering, *_: object) -> dict[str, Value]:
    return user_settings(
        lowering,
        role=domain.role,
        security_groups=domain.security_groups,
        idle=domain.idle,
        repositories=domain.repositories,
    )


def _users(domain: StudioDomain, lowering: Lowering, *_: object) -> Value:
    return {**_settings(domain, lowering), "DefaultLandingUri": "studio::", "StudioWebPortal": "ENABLED"}


def _spaces(domain: StudioDomain, lowering: Lowering, *_: object) -> Value:
    """Of spaces that people share."""
    told = _settings(domain, lowering)
    return {member: told[member] for member in _SHARED if member in told}


def _subnets(domain: StudioDomain, lowering: Lowering, *_: object) -> Value:
    if domain.subnets is not None:
        return lower(tuple(domain.subnets))
    return tuple(lowering.environment.subnets) or None


class StudioDomain(DeclaredResource):
    """People work in ``subnets`` of the network ``vpc``, the environment's where none are given, and have a way to
    the internet through these alone; ``internet`` gives them one of its own. They have the ``role``. An application in
    which nothing was done for ``idle`` minutes is stopped; None leaves it running. ``repositories`` are offered to be
    cloned. Files lie on volumes that are encrypted with ``kms_key``, the environment's without one. ``name`` is its
    name in the account.
    """

    named_by: ClassVar[str | None] = "DomainName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("auth", "AuthMode", choice("IAM", "SSO"), "IAM"),
            Field("role", _USERS, TEXT, to=_users),
            Field("security_groups", _USERS, TEXTS, to=lambda *_: None),
            Field("idle", _USERS, COUNT, 60, to=lambda *_: None),
            Field("repositories", _USERS, TEXTS, (), to=lambda *_: None),
            Field("subnets", "SubnetIds", TEXTS, to=_subnets),
            Field("vpc", "VpcId", TEXT, REQUIRED),
            Field(
                "internet",
                "AppNetworkAccessType",
                FLAG,
                False,
                to=lambda domain, *_: "PublicInternetOnly" if lower(domain.internet) else "VpcOnly",
            ),
            Field("kms_key", "KmsKeyId", TEXT, otherwise="kms_key"),
            Field("", _SPACES, PLAIN, to=_spaces),
        ),
        yields={"DomainName": Yielded("domain_name", STRING), "DomainId": Yielded("domain_id", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        vpc: Text,
        subnets: Sequence[Text] | None = None,
        security_groups: Sequence[Text] | None = None,
        internet: Flag = False,
        auth: Literal["IAM", "SSO"] = "IAM",
        idle: Count | None = 60,
        repositories: Sequence[Text] = (),
        role: Text | None = None,
        kms_key: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.vpc, self.internet, self.auth, self.idle = vpc, internet, auth, idle
        self.subnets = None if subnets is None else tuple(subnets)
        self.security_groups = None if security_groups is None else tuple(security_groups)
        self.repositories, self.role, self.kms_key = tuple(repositories), role, kms_key

    @property
    def domain_name(self) -> StringProperty:
        return StringProperty(self.name, "DomainName")

    @property
    def domain_id(self) -> StringProperty:
        """For its users and spaces."""
        return StringProperty(self.name, "DomainId")
