"""HTTP endpoints of services that take streams: their URLs by site, as their guides to Data Firehose have them. The key
is a secret of Secrets Manager (``{"api_key": …}``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.resources.stream import HttpEndpoint
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir.choices import instead

__all__ = ["datadog", "new_relic"]

_DATADOG: Mapping[str, str] = {
    "us1": "datadoghq.com",
    "us3": "us3.datadoghq.com",
    "us5": "us5.datadoghq.com",
    "ap1": "ap1.datadoghq.com",
    "eu1": "datadoghq.eu",
    "us1-fed": "ddog-gov.com",
}
_NEW_RELIC: Mapping[tuple[str, str], str] = {
    ("us", "logs"): "aws-api.newrelic.com/firehose/v1",
    ("us", "metrics"): "aws-api.newrelic.com/cloudwatch-metrics/v1",
    ("eu", "logs"): "aws-api.eu.newrelic.com/firehose/v1",
    ("eu", "metrics"): "aws-api.eu01.nr-data.net/cloudwatch-metrics/v1",
}
_INTAKES = {"logs": "aws-kinesis-http-intake.logs", "metrics": "awsmetrics-intake"}
Kind: TypeAlias = Literal["logs", "metrics"]
_RETRY = 60
"""Seconds: what both advise."""


def datadog(
    secret: Text,
    *,
    site: str = "us1",
    kind: Kind = "logs",
    attributes: Mapping[str, Text] | None = None,
    retry: Count = _RETRY,
    all: bool = False,
) -> HttpEndpoint:
    """Datadog's intake of a ``site``; ``attributes`` are tags of all that is sent."""
    _need("datadog", "site", site, _DATADOG)
    _need("datadog", "kind", kind, _INTAKES)
    url = f"https://{_INTAKES.get(kind)}.{_DATADOG.get(site)}/v1/input"
    return HttpEndpoint(url, secret=secret, name="Datadog", gzip=True, attributes=attributes, retry=retry, all=all)


def new_relic(
    secret: Text,
    *,
    site: str = "us",
    kind: Kind = "logs",
    attributes: Mapping[str, Text] | None = None,
    retry: Count = _RETRY,
    all: bool = False,
) -> HttpEndpoint:
    """New Relic's intake of a ``site``; ``attributes`` come with all that is sent."""
    _need("new_relic", "site", site, dict.fromkeys(known for known, _ in _NEW_RELIC))
    _need("new_relic", "kind", kind, _INTAKES)
    url = f"https://{_NEW_RELIC.get((site, kind))}"
    return HttpEndpoint(url, secret=secret, name="New Relic", gzip=True, attributes=attributes, retry=retry, all=all)


def _need(service: str, argument: str, given: str, known: Iterable[str]) -> None:
    choices = list(known)
    if given not in choices:
        said = f"{service} has no {argument} {given!r}{instead(given, choices)}"
        misuse("D042", said, help=f"there are {', '.join(choices)}")
