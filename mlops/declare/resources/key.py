"""A key of KMS, by an alias: what buckets, volumes and artefacts are encrypted with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.policy_documents import document
from mlops.declare.steps.shared_arguments import Flag, Text
from mlops.ir import StepType
from mlops.ir.fields import ANY_MAP, FLAG, PLAIN, STRING, TEXT, Constructor, Field, Yielded, said_at
from mlops.ir.shape_notation import ANY_SHAPE, structure

__all__ = ["Key"]

STEP_TYPE = StepType(
    type="Key",
    service="kms",
    arguments=structure(
        ("Alias", "EnableKeyRotation"),
        Alias={"type": "string", "pattern": r"(?!aws/)[a-zA-Z0-9][a-zA-Z0-9/_\-]{0,249}"},
        Description={"shape": "DescriptionType", "service": "kms"},
        EnableKeyRotation={"type": "boolean"},
        Policy=ANY_SHAPE,
        Tags={"shape": "TagList"},
    ),
    extra_response={"Alias": None, "KeyArn": None},
    permissions=(),
)


class Key(DeclaredResource):
    """A symmetric key called ``alias/NAME``. It is rotated each year (``rotation``). Without a ``policy`` of its own
    the account's policies of IAM say who uses it. It is never removed: what it encrypted could not be read without it.
    """

    named_by: ClassVar[str | None] = "Alias"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("description", "Description", TEXT, to=lambda key, *_: lower(key.about)),
            Field("rotation", "EnableKeyRotation", FLAG, True, to=lambda key, *_: lower(key.rotation)),
            Field(
                "policy",
                "Policy",
                PLAIN,
                to=lambda key, *_: document(key, "policy", key.policy),
                said=said_at("Policy", ANY_MAP),
            ),
        ),
        yields={"Alias": Yielded("key_alias", STRING), "KeyArn": Yielded("key_arn", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        description: Text | None = None,
        rotation: Flag = True,
        policy: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.about, self.rotation, self.policy = description, rotation, policy

    @property
    def key_arn(self) -> StringProperty:
        """Of its alias, for whatever is encrypted: kms_key=."""
        return StringProperty(self.name, "KeyArn")

    @property
    def key_alias(self) -> StringProperty:
        """``alias/NAME`` without its beginning."""
        return StringProperty(self.name, "Alias")
