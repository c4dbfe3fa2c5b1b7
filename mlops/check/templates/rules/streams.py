"""Streams of Data Firehose: what the service says of a request, which the schema does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import UNKNOWN, Scenario, Spot
from mlops.check.templates.template import Fault, Template, Told
from mlops.ir import Severity, Unknown
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
            for fault in pairing.of_request(_plain(properties)):
                yield Fault("T071", _place(properties), f"{resource.label}: {fault}", "see docs/streams.md")


def _place(properties: Spot) -> str:
    """The destination, where there is one."""
    found = [spot.at for name, spot in properties.members.items() if name.endswith("DestinationConfiguration")]
    return found[0] if len(found) == 1 else properties.at


def _plain(spot: Spot) -> Any:
    if spot.value is UNKNOWN:
        return Unknown()
    if isinstance(spot.value, dict):
        told = {name: _plain(item) for name, item in spot.members.items()}
        # A template may write it as a text.
        if isinstance(told.get("Enabled"), str):
            told["Enabled"] = told["Enabled"].lower() == "true"
        return told
    if isinstance(spot.value, tuple):
        return tuple(_plain(item) for item in spot.items)
    return spot.value
