"""Streams of Data Firehose: what the service says of a request, which the schema does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Template, Told
from mlops.ir import Severity
from mlops.knowledge.streams import pairing

FINDINGS: Mapping[str, Told] = {
    "T071": Told(
        "stream-members-apart",
        Severity.ERROR,
        """Members of a stream do not go together, or one lacks another: a destination too many, a prefix with
expressions and no ErrorOutputPrefix, a conversion with a small buffer. It is what a declared stream is judged by, too.

Bad:  Prefix: "!{timestamp:yyyy}/"
Good: Prefix: "!{timestamp:yyyy}/"  ErrorOutputPrefix: failed/""",
    ),
}
_TYPE = "AWS::KinesisFirehose::DeliveryStream"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        properties = resource.properties
        if resource.type == _TYPE and isinstance(properties.value, dict):
            for fault in pairing.of_request(properties.plain(_told)):
                yield Fault("T071", _place(properties), f"{resource.label}: {fault}", "see docs/streams.md")


def _place(properties: Spot) -> str:
    """The destination, where there is one."""
    found = [spot.at for name, spot in properties.members.items() if name.endswith("DestinationConfiguration")]
    return found[0] if len(found) == 1 else properties.at


def _told(name: str, value: Any) -> Any:
    """A template may write a switch as a text."""
    return value.lower() == "true" if name == "Enabled" and isinstance(value, str) else value
