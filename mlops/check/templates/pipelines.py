"""The pipelines of a template, as whoever takes them over wants them."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.check.templates.resolving import Scenario
from mlops.check.templates.template import Resource, Template
from mlops.ir.dataclass import dataclass

_PIPELINE = "AWS::SageMaker::Pipeline"


@dataclass(frozen=True, slots=True)
class TemplatePipeline:
    """``body`` is None where it stands elsewhere, or the account alone knows parts of it."""

    logical_id: str
    name: str | None
    body: str | None
    description: str | None
    display_name: str | None
    tags: Mapping[str, str]


def pipelines_in(template: Template, scenario: Scenario) -> tuple[TemplatePipeline, ...]:
    return tuple(_pipeline(item) for item in template.resources(scenario) if item.type == _PIPELINE)


def _pipeline(resource: Resource) -> TemplatePipeline:
    properties = resource.properties
    listed = properties.get("Tags")
    pairs = ((item.text("Key"), item.text("Value")) for item in (listed.items if listed is not None else ()))
    return TemplatePipeline(
        resource.name,
        properties.text("PipelineName"),
        properties.text("PipelineDefinition", "PipelineDefinitionBody"),
        properties.text("PipelineDescription"),
        properties.text("PipelineDisplayName"),
        {key: value for key, value in pairs if key is not None and value is not None},
    )
