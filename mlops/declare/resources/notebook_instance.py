"""A notebook instance: Jupyter on a machine of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import ROLE, Count, Flag, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import (
    BOOLEAN,
    COUNT,
    FLAG,
    REQUIRED,
    STRING,
    TEXT,
    TEXTS,
    Constructor,
    Field,
    Given,
    Said,
    Spoken,
    Yielded,
    choice,
)

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["NotebookInstance"]

STEP_TYPE = StepType(
    type="NotebookInstance",
    service="sagemaker",
    request="CreateNotebookInstanceInput",
    response="DescribeNotebookInstanceOutput",
    permissions=(),
)
Platform: TypeAlias = Literal[
    "notebook-al1-v1",
    "notebook-al2-v1",
    "notebook-al2-v2",
    "notebook-al2-v3",
    "notebook-al2023-v1",
    "notebook-al2023-v2",
]
_INTERNET, _ROOT = "DirectInternetAccess", "RootAccess"
_LOCAL_SUBNET = "subnet-local"
"""In the local account there is no network."""


def _allowed(argument: str) -> Any:
    def to(notebook: NotebookInstance, *_: object) -> Value:
        told = lower(getattr(notebook, argument))
        return ("Enabled" if told else "Disabled") if isinstance(told, bool) else told

    return to


def _is_allowed(path: str) -> Callable[[Given], Spoken | None]:
    def said(given: Given) -> Spoken | None:
        return Said(True, (BOOLEAN,)) if given.at(path) == "Enabled" else None

    return said


def _subnet(notebook: NotebookInstance, lowering: Lowering, *_: object) -> Value:
    environment = lowering.environment
    if notebook.subnet is not None:
        return lower(notebook.subnet)
    if environment.subnets:
        return environment.subnets[0]
    return _LOCAL_SUBNET if environment.is_local and notebook.internet is False else None


def _groups(notebook: NotebookInstance, lowering: Lowering, *_: object) -> Value:
    if notebook.security_groups is not None:
        return lower(tuple(notebook.security_groups))
    # Those of the environment stand in the network of its subnets.
    return tuple(lowering.environment.security_groups) or None if notebook.subnet is None else None


class NotebookInstance(DeclaredResource):
    """Jupyter on an ``instance`` with ``volume`` GB. It stands in ``subnet``, the environment's first where none is
    given, and has a way to the internet through that alone; ``internet`` gives it one of its own. Who uses it is not
    ``root`` there. ``lifecycle`` is what it runs at its starts, ``repository`` what it clones and opens in,
    ``repositories`` up to three more. ``metadata`` is the least version of the instance's metadata service. ``name`` is
    its name in the account.
    """

    named_by: ClassVar[str | None] = "NotebookInstanceName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("instance", "InstanceType", TEXT, REQUIRED),
            Field("subnet", "SubnetId", TEXT, to=_subnet),
            Field("security_groups", "SecurityGroupIds", TEXTS, to=_groups),
            ROLE,
            Field("kms_key", "KmsKeyId", TEXT, otherwise="kms_key"),
            Field("lifecycle", "LifecycleConfigName", TEXT),
            Field("internet", _INTERNET, FLAG, False, to=_allowed("internet"), said=_is_allowed(_INTERNET)),
            Field("volume", "VolumeSizeInGB", COUNT, 5),
            Field("repository", "DefaultCodeRepository", TEXT),
            Field("repositories", "AdditionalCodeRepositories", TEXTS, ()),
            Field("root", _ROOT, FLAG, False, to=_allowed("root"), said=_is_allowed(_ROOT)),
            Field("platform", "PlatformIdentifier", choice(*get_args(Platform)), "notebook-al2023-v1"),
            Field(
                "metadata",
                "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion",
                choice("1", "2"),
                "2",
            ),
        ),
        yields={
            "NotebookInstanceName": Yielded("notebook_name", STRING),
            "NotebookInstanceArn": Yielded("notebook_arn", STRING),
        },
    )

    def __init__(
        self,
        name: str,
        *,
        instance: Text,
        subnet: Text | None = None,
        security_groups: Sequence[Text] | None = None,
        internet: Flag = False,
        root: Flag = False,
        lifecycle: Text | None = None,
        repository: Text | None = None,
        repositories: Sequence[Text] = (),
        volume: Count = 5,
        platform: Platform = "notebook-al2023-v1",
        metadata: Literal["1", "2"] = "2",
        role: Text | None = None,
        kms_key: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.instance, self.volume, self.role, self.kms_key = instance, volume, role, kms_key
        self.subnet, self.internet, self.root = subnet, internet, root
        self.security_groups = None if security_groups is None else tuple(security_groups)
        self.lifecycle, self.repository, self.repositories = lifecycle, repository, tuple(repositories)
        self.platform, self.metadata = platform, metadata

    @property
    def notebook_name(self) -> StringProperty:
        return StringProperty(self.name, "NotebookInstanceName")

    @property
    def notebook_arn(self) -> StringProperty:
        return StringProperty(self.name, "NotebookInstanceArn")
