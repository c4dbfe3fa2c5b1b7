"""The pipelines of a template, as whoever takes them over wants them."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.check.templates.reading import read
from mlops.check.templates.template import Resource, Template
from mlops.ir.dataclass import dataclass

_PIPELINE = "AWS::SageMaker::Pipeline"


@dataclass(frozen=True, slots=True)
class TemplatePipeline:
    """``body`` is None where it stands elsewhere, or the account alone knows parts of it. ``others`` are resources that
    serve, by their names."""

    logical_id: str
    name: str | None
    body: str | None
    description: str | None
    tags: Mapping[str, str]
    others: tuple[str, ...]


def pipelines_of(content: bytes, file: str) -> tuple[TemplatePipeline, ...]:
    """As they are with the parameters' defaults. Raises Unreadable."""
    template = Template(read(content, file))
    resources = tuple(template.resources(template.scenarios[0]))
    served = ("Model", "EndpointConfig", "Endpoint", "NotebookInstance")
    others = tuple(item.label for item in resources if item.type in {f"AWS::SageMaker::{name}" for name in served})
    return tuple(_pipeline(item, others) for item in resources if item.type == _PIPELINE)


def _pipeline(resource: Resource, others: tuple[str, ...]) -> TemplatePipeline:
    properties = resource.properties
    listed = properties.get("Tags")
    pairs = ((item.text("Key"), item.text("Value")) for item in (listed.items if listed is not None else ()))
    return TemplatePipeline(
        resource.name,
        properties.text("PipelineName"),
        properties.text("PipelineDefinition", "PipelineDefinitionBody"),
        properties.text("PipelineDescription"),
        {key: value for key, value in pairs if key is not None and value is not None},
        others,
    )
