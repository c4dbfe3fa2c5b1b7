"""What a plan of a pipeline is made of: one record for each thing that is done to an account. Showing a plan, approving
it and doing it walk the same list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from mlops.deploy.pipelines.assets import AssetObject
from mlops.deploy.pipelines.record import Stored
from mlops.deploy.pipelines.state import PipelineState
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import Resource


@dataclass(frozen=True, slots=True)
class Upload:
    item: AssetObject

    @property
    def label(self) -> str:
        return f"upload {self.item.uri}"


@dataclass(frozen=True, slots=True)
class UploadDefinition:
    """A definition that is too large to be sent inline, at a place named by its content."""

    uri: str
    text: str

    @property
    def label(self) -> str:
        return f"upload the definition to {self.uri}"


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """``wrote`` and ``over`` as in :class:`~mlops.deploy.pipelines.record.Record`; ``replaces`` is the one that the
    plan has seen, None where there was none."""

    state: PipelineState
    wrote: str
    over: str | None
    over_modified: str | None
    replaces: Stored | None
    companions: Mapping[str, str]
    tags: Mapping[str, str]
    origin: str

    @property
    def label(self) -> str:
        return "write the record of this upsert"


@dataclass(frozen=True, slots=True)
class CreatePipeline:
    state: PipelineState
    tags: Mapping[str, str]
    definition_uri: str | None
    aliases: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"create the pipeline {self.state.name}"


@dataclass(frozen=True, slots=True)
class UpdatePipeline:
    """``over`` is what is replaced: something else there means that somebody was faster. ``sends_definition`` is False
    where role, description, display name or parallelism alone change."""

    state: PipelineState
    over: PipelineState
    sends_definition: bool
    definition_uri: str | None
    aliases: tuple[str, ...]
    clear_description: bool

    @property
    def label(self) -> str:
        return f"update the pipeline {self.state.name}"


@dataclass(frozen=True, slots=True)
class SetTags:
    arn: str
    tags: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"set the tags {', '.join(sorted(self.tags))}"


@dataclass(frozen=True, slots=True)
class RemoveTags:
    """Of tags that we set and that are declared no more."""

    arn: str
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"remove the tags {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class PutResource:
    """ARNs of other resources in it are still references: some are known only when those were made."""

    resource: Resource
    exists: bool

    @property
    def label(self) -> str:
        return f"{'update' if self.exists else 'create'} the {self.resource.type} {self.resource.name}"


@dataclass(frozen=True, slots=True)
class RemoveResource:
    """``type`` is a resource type's."""

    type: str
    name: str

    @property
    def label(self) -> str:
        return f"remove the {self.type} {self.name}"


Write: TypeAlias = (
    UploadDefinition
    | WriteRecord
    | CreatePipeline
    | UpdatePipeline
    | SetTags
    | RemoveTags
    | PutResource
    | RemoveResource
)
"""One after the other, in the order of the plan."""
Action: TypeAlias = Upload | Write
"""Uploads come first, and several at once."""
