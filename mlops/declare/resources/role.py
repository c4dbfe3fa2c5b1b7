"""A role of IAM: who may take it on, and what it may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.policy_documents import document
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir import StepType
from mlops.ir.fields import (
    ANY_MAP,
    COUNT,
    PLAIN,
    REQUIRED,
    STRING,
    TEXT,
    TEXTS,
    Constructor,
    Field,
    Yielded,
    said_at,
)
from mlops.ir.shape_notation import ANY_SHAPE, structure

__all__ = ["Role"]

STEP_TYPE = StepType(
    type="Role",
    service="iam",
    arguments=structure(
        ("RoleName", "AssumeRolePolicyDocument"),
        RoleName={"type": "string", "pattern": r"([\w+=,.@\-]+/)*[\w+=,.@\-]{1,64}"},
        AssumeRolePolicyDocument=ANY_SHAPE,
        Policy=ANY_SHAPE,
        ManagedPolicyArns={"type": "list", "member": {"shape": "arnType", "service": "iam"}, "max": 20},
        PermissionsBoundary={"shape": "arnType", "service": "iam"},
        Description={"shape": "roleDescriptionType", "service": "iam"},
        MaxSessionDuration={"shape": "roleMaxSessionDurationType", "service": "iam"},
        Tags={"shape": "TagList"},
    ),
    extra_response={"RoleName": None, "RoleArn": None},
    permissions=(),
)


class Role(DeclaredResource):
    """Whoever ``trust`` names, a policy document, may take it on, for ``session`` seconds at most. It may what
    ``policy`` says, a document that becomes its own, and what the policies with the ARNs ``managed`` say, within
    ``boundary``. ``name`` may begin with a path: ``"team/pipelines"``."""

    named_by: ClassVar[str | None] = "RoleName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field(
                "trust",
                "AssumeRolePolicyDocument",
                PLAIN,
                REQUIRED,
                to=lambda role, *_: document(role, "trust", role.trust),
                said=said_at("AssumeRolePolicyDocument", ANY_MAP),
            ),
            Field(
                "policy",
                "Policy",
                PLAIN,
                to=lambda role, *_: document(role, "policy", role.policy),
                said=said_at("Policy", ANY_MAP),
            ),
            Field("managed", "ManagedPolicyArns", TEXTS, ()),
            Field("boundary", "PermissionsBoundary", TEXT),
            Field("description", "Description", TEXT, to=lambda role, *_: lower(role.about)),
            Field("session", "MaxSessionDuration", COUNT, 3600),
        ),
        yields={"RoleName": Yielded("role_name", STRING), "RoleArn": Yielded("role_arn", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        trust: Mapping[str, Any],
        policy: Mapping[str, Any] | None = None,
        managed: Sequence[Text] = (),
        boundary: Text | None = None,
        description: Text | None = None,
        session: Count = 3600,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.trust, self.policy, self.boundary = trust, policy, boundary
        self.managed, self.about, self.session = tuple(managed), description, session

    @property
    def role_name(self) -> StringProperty:
        return StringProperty(self.name, "RoleName")

    @property
    def role_arn(self) -> StringProperty:
        """For whatever takes it on: role=."""
        return StringProperty(self.name, "RoleArn")
