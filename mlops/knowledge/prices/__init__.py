"""What SageMaker bills by: the uses of an instance, as AWS's offer files call them in ``usagetype``; what Data Firehose
and OpenSearch Service bill by; a sample of prices.

``sample.toml`` is for trying: its figures are a handful, dated, marked as a sample and no offer of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

OFFERED: Mapping[str, str] = {
    "Train": "training",
    "Processing": "processing",
    "Tsform": "transform",
    "Host": "endpoint",
    "AsyncInf": "asynchronous",
    "Notebk": "notebook",
}
"""Our word for a use by the offer file's, e.g. ``USE1-Train:ml.m5.xlarge``."""
STUDIO, STREAM, DOMAIN = "studio", "stream", "domain"
USES = (*OFFERED.values(), "serverless", STUDIO, STREAM, DOMAIN)

VOLUME = "volume-gb-month"
"""The key of a use's storage, beside its instances."""
SERVERLESS = "gb-second"
INGESTED, KAFKA, CONVERTED, TO_VPC, IN_VPC = "gb", "kafka-gb", "conversion-gb", "vpc-gb", "vpc-hour"
"""Of a stream: a GiB that is put or read from Kinesis, or from Kafka, one that is converted, one that goes into a VPC;
an hour of a stream in a zone of one."""
KEYS: Mapping[str, tuple[str, ...]] = {STREAM: (INGESTED, KAFKA, CONVERTED, TO_VPC, IN_VPC)}
"""All keys of a use that has no instances."""
RECORD_BYTES = 5120
"""Data Firehose's prices: each record counts by its size, rounded up to the next 5 KB (5,120 bytes); of Kafka it does
not."""
GIB = 2**30
WARM = "warm-gb-month"
"""Of a domain: what UltraWarm nodes keep in S3."""
WARM_GIB: Mapping[str, int] = {"ultrawarm1.medium.search": 1536, "ultrawarm1.large.search": 20480}
"""What a node keeps at most, by the developer guide's page on UltraWarm storage quotas."""
HOURS_OF_A_MONTH = 730
SPOT_LEAST = 0.1
"""The guide on managed spot training: up to 90 % less than on demand."""

_USAGE = re.compile(rf"(?:[A-Z0-9]+-)?({'|'.join(OFFERED)}):(ml\.[a-z0-9-]+\.[a-z0-9]+|VolumeUsage\.gp[23])")
_STUDIO_USAGE = re.compile(
    r"(?:[A-Z0-9]+-)?Studio:(?:(?:JupyterLab|CodeEditor)-(ml\.[a-z0-9-]+\.[a-z0-9]+)|VolumeUsage\.gp[23])"
)
_SERVERLESS_USAGE = re.compile(r"(?:[A-Z0-9]+-)?ServerlessInf:Mem-(\d+)GB")


def billed(usage: str) -> tuple[str, str, int] | None:
    """The use, the key of a price and of how many units the offered price is; None for what is neither an instance nor
    its storage nor serverless: a second of an endpoint with several GB is offered, and a GB's is kept.

    >>> billed("USE1-Train:ml.m5.xlarge"), billed("EU-Host:VolumeUsage.gp2")
    (('training', 'ml.m5.xlarge', 1), ('endpoint', 'volume-gb-month', 1))
    >>> billed("USE1-ServerlessInf:Mem-3GB")
    ('serverless', 'gb-second', 3)
    >>> billed("USE1-Studio:JupyterLab-ml.m5.xlarge")
    ('studio', 'ml.m5.xlarge', 1)
    >>> billed("USE1-Studio:ml.m5.xlarge")
    """
    serverless = _SERVERLESS_USAGE.fullmatch(usage)
    if serverless is not None:
        return "serverless", SERVERLESS, int(serverless[1])
    studio = _STUDIO_USAGE.fullmatch(usage)
    if studio is not None:
        return STUDIO, studio[1] or VOLUME, 1
    found = _USAGE.fullmatch(usage)
    if found is None:
        return None
    return OFFERED[found[1]], VOLUME if found[2].startswith("Volume") else found[2], 1


def sample() -> str:
    return files(__name__).joinpath("sample.toml").read_text(encoding="utf-8")
