"""Streams of Data Firehose: what the service says of a request, which the schema does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Template, Told, speaks_of
from mlops.ir import Severity
from mlops.knowledge.streams import elsewhere, pairing

FINDINGS: Mapping[str, Told] = {
    "T071": Told(
        "stream-members-apart",
        Severity.ERROR,
        """Members of a stream do not go together, or one lacks another: a destination too many, a prefix with
expressions and no ErrorOutputPrefix, a conversion with a small buffer. It is what a declared stream is judged by, too.

Bad:  Prefix: "!{timestamp:yyyy}/"
Good: Prefix: "!{timestamp:yyyy}/"  ErrorOutputPrefix: failed/""",
    ),
    "T078": Told(
        "stream-better-otherwise",
        Severity.WARNING,
        """A stream is taken as it is, and is better otherwise: what is put lies there unencrypted, or what it names
is of two regions, or of another account than its role.

Bad:  DeliveryStreamType: DirectPut
Good: DeliveryStreamType: DirectPut  DeliveryStreamEncryptionConfigurationInput: {KeyType: AWS_OWNED_CMK}""",
    ),
}
_TYPE = "AWS::KinesisFirehose::DeliveryStream"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        properties = resource.properties
        if resource.type == _TYPE and isinstance(properties.value, dict):
            told = properties.plain(_told)
            for remark in _remarks(told):
                yield Fault("T078", _place(properties, remark), f"{resource.label}: {remark}")
            for fault in pairing.of_request(told):
                yield Fault("T071", _place(properties, fault), f"{resource.label}: {fault}", "see docs/streams.md")


def _remarks(told: Any) -> Iterator[str]:
    if told.get("DeliveryStreamType") in (None, "DirectPut") and told.get(pairing.ENCRYPTED) is None:
        yield f"what is put is not encrypted: give {pairing.ENCRYPTED}"
    regions = sorted({item.region for item in elsewhere.named(told)})
    if len(regions) > 1:
        yield f"what it names is in {' and '.join(regions)}, and it reaches but its own"
    yield from elsewhere.of_other_accounts(told)


def _place(properties: Spot, said: str) -> str:
    """The destination, where there is one and nothing in it is named."""
    named = speaks_of(properties, said)
    found = [spot.at for name, spot in properties.members.items() if name.endswith("DestinationConfiguration")]
    return found[0] if named == properties.at and len(found) == 1 else named


def _told(name: str, value: Any) -> Any:
    """A template may write a switch as a text."""
    return value.lower() == "true" if name == "Enabled" and isinstance(value, str) else value
