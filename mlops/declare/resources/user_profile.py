"""A user of a domain of Studio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.studio import user_settings
from mlops.declare.resources.studio_domain import StudioDomain
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import COUNT, PLAIN, REQUIRED, STRING, TEXT, TEXTS, Constructor, Field, Yielded
from mlops.ir.shape_notation import STRING_SHAPE, structure

__all__ = ["UserProfile"]

STEP_TYPE = StepType(
    type="UserProfile",
    arguments=structure(
        ("UserProfile", "DomainId"),
        UserProfile={"type": "string", "pattern": r"[^/]+/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
        DomainId=STRING_SHAPE,
        SingleSignOnUserIdentifier={"shape": "SingleSignOnUserIdentifier"},
        SingleSignOnUserValue={"shape": "String256"},
        UserSettings={"shape": "UserSettings"},
        Tags={"shape": "TagList"},
    ),
    extra_response={"UserProfileName": None},
    permissions=(),
)


def _settings(profile: UserProfile, *_: object) -> Value:
    told = user_settings(
        None,
        role=profile.role,
        security_groups=profile.security_groups,
        idle=profile.idle,
        repositories=profile.repositories,
    )
    return told or None


class UserProfile(DeclaredResource):
    """``user`` of a ``domain``, with what the domain gives to all but what is said here. Where people log in by
    IAM Identity Center, ``sso`` is the user's name there."""

    named_by: ClassVar[str | None] = "UserProfile"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("domain", "DomainId", PLAIN, REQUIRED, to=lambda profile, *_: lower(profile.domain.domain_id)),
            Field(
                "",
                "SingleSignOnUserIdentifier",
                PLAIN,
                to=lambda profile, *_: None if profile.sso is None else "UserName",
            ),
            Field("sso", "SingleSignOnUserValue", TEXT),
            Field("role", "UserSettings", TEXT, to=_settings),
            Field("security_groups", "UserSettings", TEXTS, to=lambda *_: None),
            Field("idle", "UserSettings", COUNT, to=lambda *_: None),
            Field("repositories", "UserSettings", TEXTS, (), to=lambda *_: None),
        ),
        yields={"UserProfileName": Yielded("profile_name", STRING)},
    )

    def __init__(
        self,
        user: str,
        *,
        domain: StudioDomain,
        sso: Text | None = None,
        security_groups: Sequence[Text] | None = None,
        idle: Count | None = None,
        repositories: Sequence[Text] = (),
        role: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(f"{domain.declared_name}/{user}", tags, arguments)
        self.user, self.domain, self.sso, self.role, self.idle = user, domain, sso, role, idle
        self.security_groups = None if security_groups is None else tuple(security_groups)
        self.repositories = tuple(repositories)

    @property
    def profile_name(self) -> StringProperty:
        return StringProperty(self.name, "UserProfileName")
