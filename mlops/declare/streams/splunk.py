"""Splunk as the destination of a stream, by its HTTP event collector."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.declare.streams.destination import About, known, retrying, secret
from mlops.ir import Value
from mlops.ir.fields import COUNT, FLAG, REQUIRED, TEXT, Field, Record, choice

MEMBER = "SplunkDestinationConfiguration"
Kind: TypeAlias = Literal["Raw", "Event"]


@record
class Splunk:
    """Events go to the collector at ``url``, by the token that a ``secret`` of Secrets Manager holds (its ARN);
    ``kind`` is what the collector takes. It is waited ``acknowledged`` seconds for its acknowledgment, and what was not
    taken for ``retry`` seconds is written to S3, or ``all`` of it is."""

    url: Text
    secret: Text
    kind: Kind = "Raw"
    acknowledged: Count | None = None
    retry: Count | None = None
    all: bool = False


RECORD = Record(
    Splunk,
    (
        Field("url", "HECEndpoint", TEXT, REQUIRED),
        Field("kind", "HECEndpointType", choice(*get_args(Kind)), "Raw"),
        Field("acknowledged", "HECAcknowledgmentTimeoutInSeconds", COUNT),
        Field("retry", "RetryOptions.DurationInSeconds", COUNT),
        Field("all", "S3BackupMode", FLAG, False),
        Field("secret", "SecretsManagerConfiguration.SecretARN", TEXT, REQUIRED),
    ),
    positional=1,
)


def destination(splunk: Splunk, about: About) -> dict[str, Value]:
    return known(
        {
            "HECEndpoint": lower(splunk.url),
            "HECEndpointType": lower(splunk.kind),
            "HECAcknowledgmentTimeoutInSeconds": lower(splunk.acknowledged),
            "RetryOptions": retrying(lower(splunk.retry)),
            "S3BackupMode": "AllEvents" if splunk.all else None,
            "SecretsManagerConfiguration": secret(lower(splunk.secret), about.role),
            "BufferingHints": about.hints,
            "ProcessingConfiguration": about.processing,
            "S3Configuration": about.place,
        }
    )
