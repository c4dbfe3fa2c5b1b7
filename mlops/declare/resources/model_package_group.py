"""A group of the model registry: what its versions are, and which other accounts take them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.policy_documents import statement
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Value
from mlops.ir.fields import PLAIN, STRING, TEXT, Constructor, Field, Given, Said, Spoken, Yielded, objects
from mlops.ir.shape_notation import ANY_SHAPE, structure
from mlops.ir.surroundings import partition_of

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["ModelPackageGroup"]

STEP_TYPE = StepType(
    type="ModelPackageGroup",
    arguments=structure(
        ("ModelPackageGroupName",),
        ModelPackageGroupName={"shape": "EntityName"},
        ModelPackageGroupDescription={"shape": "EntityDescription"},
        ModelPackageGroupPolicy=ANY_SHAPE,
        Tags={"shape": "TagList"},
    ),
    extra_response={"ModelPackageGroupName": None, "ModelPackageGroupArn": None},
    permissions=(),
)
_SEES = ("sagemaker:DescribeModelPackageGroup",)
_TAKES = ("sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages")
"""What another account deploys a version with (guide: Deploy a Model Version from a Different Account); to approve one
there, UpdateModelPackage, is a statement of ``access``."""


def _policy(group: ModelPackageGroup, lowering: Lowering, *_: object) -> Value:
    statements = (*_readers(group, lowering), *(statement(group, "access", item) for item in group.access))
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def _readers(group: ModelPackageGroup, lowering: Lowering) -> Iterator[Value]:
    numbers = tuple(str(lower(item)) for item in group.readers)
    if not numbers:
        return
    for number in numbers:
        if not re.fullmatch(r"\d{12}", number):
            with speaking_of(group.where):
                misuse("D042", f"{group.label}: {number!r} is no account", help="readers are numbers of 12 digits")
    around = lowering.environment
    partition = partition_of(around.role)
    begin = f"arn:{partition}:sagemaker:{around.region}:{around.account_id}"
    # SageMaker tells the names in its ARNs in small letters, or as they are.
    names = tuple(dict.fromkeys((group.declared_name, group.declared_name.lower())))
    whom = {"AWS": tuple(f"arn:{partition}:iam::{number}:root" for number in numbers)}
    for sid, actions, places in (
        ("SeeTheGroup", _SEES, tuple(f"{begin}:model-package-group/{name}" for name in names)),
        ("TakeItsVersions", _TAKES, tuple(f"{begin}:model-package/{name}/*" for name in names)),
    ):
        yield {"Sid": sid, "Effect": "Allow", "Principal": whom, "Action": actions, "Resource": places}


def _said_access(given: Given) -> Spoken | None:
    """Whose accounts those are is not known where one is told; all of the policy is said as it stands."""
    statements = objects(given.at("ModelPackageGroupPolicy.Statement"))
    return Said(tuple(statements)) if statements else None


class ModelPackageGroup(DeclaredResource):
    """A group whose name in the account is ``name``. Steps that register make the groups that they name by themselves;
    one is declared that has a ``description``, tags, or ``readers``: numbers of accounts that may see its versions and
    make models of them. ``access`` are further statements of its policy. What encrypts the versions' archives, their
    bucket and their images let the readers in by policies of their own.

    The service changes no description, and a group that has versions is not removed.
    """

    named_by: ClassVar[str | None] = "ModelPackageGroupName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("description", "ModelPackageGroupDescription", TEXT, to=lambda group, *_: lower(group.about)),
            Field("readers", "ModelPackageGroupPolicy", PLAIN, (), to=lambda *_: None, said=lambda given: None),
            Field("access", "ModelPackageGroupPolicy", PLAIN, (), to=_policy, said=_said_access),
        ),
        yields={
            "ModelPackageGroupName": Yielded("group_name", STRING),
            "ModelPackageGroupArn": Yielded("group_arn", STRING),
        },
    )

    def __init__(
        self,
        name: str,
        *,
        description: Text | None = None,
        readers: Sequence[Text] = (),
        access: Sequence[Mapping[str, Any]] = (),
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.about, self.readers, self.access = description, tuple(readers), tuple(access)

    @property
    def group_name(self) -> StringProperty:
        return StringProperty(self.name, "ModelPackageGroupName")

    @property
    def group_arn(self) -> StringProperty:
        return StringProperty(self.name, "ModelPackageGroupArn")
