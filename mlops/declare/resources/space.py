"""A space of a domain of Studio: an application with a volume, of one user or shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.studio import EDITOR, LAB, cloned_settings
from mlops.declare.resources.user_profile import UserProfile
from mlops.declare.steps.shared_arguments import Count, Flag, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import COUNT, FLAG, PLAIN, REQUIRED, STRING, TEXT, TEXTS, Constructor, Field, Yielded, choice
from mlops.ir.shape_notation import STRING_SHAPE, structure

__all__ = ["Space"]

STEP_TYPE = StepType(
    type="Space",
    arguments=structure(
        ("Space", "DomainId"),
        Space={"type": "string", "pattern": r"[^/]+/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
        DomainId=STRING_SHAPE,
        SpaceSettings={"shape": "SpaceSettings"},
        OwnershipSettings={"shape": "OwnershipSettings"},
        SpaceSharingSettings={"shape": "SpaceSharingSettings"},
        SpaceDisplayName={"shape": "NonEmptyString64"},
        Tags={"shape": "TagList"},
    ),
    extra_response={"SpaceName": None},
    permissions=(),
)


def _settings(space: Space, *_: object) -> Value:
    application: dict[str, Value] = {}
    if space.instance is not None:
        application["DefaultResourceSpec"] = {"InstanceType": lower(space.instance)}
    if space.application == "JupyterLab":
        application |= cloned_settings(space.repositories)
    if space.idle is not None:
        application["AppLifecycleManagement"] = {"IdleSettings": {"IdleTimeoutInMinutes": lower(space.idle)}}
    told: dict[str, Value] = {"AppType": space.application}
    if application:
        told[LAB if space.application == "JupyterLab" else EDITOR] = application
    return {**told, "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": lower(space.volume)}}}


class Space(DeclaredResource):
    """An ``application`` of the user ``owner`` with ``volume`` GB, on an ``instance``, which is stopped after ``idle``
    minutes, the domain's where none are given. Others of the domain reach it where it is ``shared``. ``repositories``
    are offered in JupyterLab."""

    named_by: ClassVar[str | None] = "Space"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("", "DomainId", PLAIN, to=lambda space, *_: lower(space.owner.domain.domain_id)),
            Field(
                "owner",
                "OwnershipSettings.OwnerUserProfileName",
                PLAIN,
                REQUIRED,
                to=lambda space, *_: space.owner.user,
            ),
            Field("application", "SpaceSettings", choice("JupyterLab", "CodeEditor"), "JupyterLab", to=_settings),
            Field("instance", "SpaceSettings", TEXT, to=lambda *_: None),
            Field("volume", "SpaceSettings", COUNT, 5, to=lambda *_: None),
            Field("idle", "SpaceSettings", COUNT, to=lambda *_: None),
            Field("repositories", "SpaceSettings", TEXTS, (), to=lambda *_: None),
            Field(
                "shared",
                "SpaceSharingSettings.SharingType",
                FLAG,
                False,
                to=lambda space, *_: "Shared" if lower(space.shared) else "Private",
            ),
            Field("display_name", "SpaceDisplayName", TEXT, to=lambda space, *_: lower(space.shown_as)),
        ),
        yields={"SpaceName": Yielded("space_name", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        owner: UserProfile,
        application: Literal["JupyterLab", "CodeEditor"] = "JupyterLab",
        instance: Text | None = None,
        volume: Count = 5,
        idle: Count | None = None,
        repositories: Sequence[Text] = (),
        shared: Flag = False,
        display_name: Text | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(f"{owner.domain.declared_name}/{name}", tags, arguments)
        self.owner, self.application, self.shared, self.shown_as = owner, application, shared, display_name
        self.instance, self.volume, self.idle, self.repositories = instance, volume, idle, tuple(repositories)

    @property
    def space_name(self) -> StringProperty:
        return StringProperty(self.name, "SpaceName")
