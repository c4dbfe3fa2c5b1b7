"""A stream whose records the test delivers, by a clock of its own."""

from __future__ import annotations

import gzip
import io
import json
import random
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlops.account.local import LocalAccount, ownership
from mlops.account.local.delivery.deliverer import Deliverer, Ports
from mlops.account.local.process import delivering
from mlops.account.local.services.firehose import streams

ROLE = "arn:aws:iam::000000000000:role/delivery"
BUCKET = "acme-events"
ARN = f"arn:aws:s3:::{BUCKET}"
FUNCTION = "arn:aws:lambda:eu-west-1:000000000000:function:change"


def s3(**more: Any) -> dict[str, Any]:
    return {"ExtendedS3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": ARN, **more}}


def processors(*given: tuple[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "ProcessingConfiguration": {
            "Enabled": True,
            "Processors": [
                {
                    "Type": kind,
                    "Parameters": [
                        {"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()
                    ],
                }
                for kind, parameters in given
            ],
        }
    }


@dataclass
class Stream:
    """``now`` is in milliseconds."""

    account: LocalAccount
    name: str
    now: int = 1_531_177_445_000
    lock: int | None = None
    ports: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Who holds the lock delivers: no process is started.
        self.lock = ownership.take(streams.folder_of(self.account.state, self.name))
        self.restart()

    def restart(self) -> None:
        """Another process takes over: what the one before had in memory is gone."""
        body = streams.found(self.account.state, self.name)
        found: Ports = replace(delivering.ports(self.account.state, self.name), **self.ports)
        folder = streams.kept_in(self.account.state, self.name, body["Incarnation"])
        self.deliverer = Deliverer(folder, self.account.region, found, random.Random(1))

    def turn(self, seconds: float = 0.0, *, closing: bool = False) -> float | None:
        self.now += int(seconds * 1000)
        state = self.account.state
        settings = streams.settings_of(state, self.name, streams.found(state, self.name))
        return self.deliverer.turn(settings, lambda: self.now, closing=closing)

    def deliver(self) -> None:
        """All that waits."""
        while self.turn(3600.0) is not None:
            pass

    def put(self, *records: bytes) -> None:
        """Accepted now, by the test's clock."""
        self.deliverer.spool.append(records, self.now)

    def ask(self, *records: bytes) -> dict[str, Any]:
        """As a client puts them, by the machine's clock."""
        client = self.account.client("firehose")
        reply: dict[str, Any] = client.put_record_batch(
            DeliveryStreamName=self.name, Records=[{"Data": item} for item in records]
        )
        self.now = max(self.now, int(time.time() * 1000))
        return reply

    def objects(self, prefix: str = "", bucket: str = BUCKET) -> dict[str, bytes]:
        return dict(objects(self.account, prefix, bucket))


def objects(account: LocalAccount, prefix: str = "", bucket: str = BUCKET) -> Iterator[tuple[str, bytes]]:
    client = account.client("s3")
    for item in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        yield item["Key"], client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()


def opened(account: LocalAccount, name: str = "events", **destination: Any) -> Stream:
    account.ensure_bucket(BUCKET)
    account.client("firehose").create_delivery_stream(DeliveryStreamName=name, **(destination or s3()))
    return Stream(account, name)


def unpacked(key: str, content: bytes) -> bytes:
    if key.endswith(".gz"):
        return gzip.decompress(content)
    if key.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read("data")
    return content


def failures(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]
