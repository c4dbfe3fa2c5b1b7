"""Small records into S3 by a stream of the local account, beside moto's put of the same.

    python benchmarks/streams.py [--records N] [--rounds N] [--backlog MIB] [--cpu]

Both are asked by boto3, 500 records at a time: the local account in this process and by `mlops local serve`, moto by
its server, every other round the other way round. Ours accepts, and delivers in a process of its own: it is told after
how long all were in S3, too; moto writes an object for each request at once. What is wanted is told by CPU seconds of
this process, since a machine that others use too makes seconds of any length. `--backlog` puts so much while nobody
delivers, and tells the most memory that whoever delivers it then had. `--cpu` tells the CPU seconds that accepting and
delivering take for 100,000 records, each by itself.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
from wire import motos, ours

from mlops.account.local import LocalAccount, ownership
from mlops.account.local.delivery.deliverer import Deliverer
from mlops.account.local.process import delivering
from mlops.account.local.services.firehose import streams

AT_LEAST = 20_000
MOST_MIB = 250
BATCH = 500
BUCKET = "bench-streams"
PLACE = {
    "RoleARN": "arn:aws:iam::123456789012:role/delivery",
    "BucketARN": f"arn:aws:s3:::{BUCKET}",
    "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 0},
}


def put(client: Any, stream: str, records: int) -> float:
    """Seconds until all were accepted."""
    batches = [
        [
            {"Data": b'{"id": %d, "user": "ada", "score": 0.93, "more": "%s"}\n' % (at + n, b"x" * 40)}
            for n in range(BATCH)
        ]
        for at in range(0, records, BATCH)
    ]
    began = time.perf_counter()
    for batch in batches:
        reply = client.put_record_batch(DeliveryStreamName=stream, Records=batch)
        assert not reply["FailedPutCount"]
    return time.perf_counter() - began


def arrived(s3: Any, prefix: str, records: int) -> float:
    """When all of them were in S3."""
    known: dict[str, int] = {}
    while sum(known.values()) < records:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
            for item in page.get("Contents", ()):
                if item["Key"] not in known:
                    content = s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
                    plain = gzip.decompress(content) if item["Key"].endswith(".gz") else content
                    known[item["Key"]] = plain.count(b"\n")
        time.sleep(0.02)
    return time.perf_counter()


def clients(url: str) -> tuple[Any, Any]:
    keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "us-east-1"}
    make: Any = boto3.client
    return make("firehose", endpoint_url=url, **keys), make("s3", endpoint_url=url, **keys)


def backlog(mebibytes: int) -> float:
    """The most memory, in MiB, of a process that begins to deliver so much."""
    with tempfile.TemporaryDirectory() as folder:
        account = LocalAccount(Path(folder) / ".mlops", "us-east-1")
        account.ensure_bucket(BUCKET)
        firehose = account.client("firehose")
        firehose.create_delivery_stream(
            DeliveryStreamName="deep", ExtendedS3DestinationConfiguration={**PLACE, "CompressionFormat": "GZIP"}
        )
        assert ownership.take(streams.folder_of(account.state, "deep")) is not None
        rows = [{"Data": b"%07d" % number + b"x" * 8000} for number in range(BATCH)]
        for _ in range(mebibytes * 1024 * 1024 // (BATCH * 8007)):
            firehose.put_record_batch(DeliveryStreamName="deep", Records=rows)
        read, write = os.pipe()
        if not os.fork():
            body = streams.found(account.state, "deep")
            held = streams.kept_in(account.state, "deep", body["Incarnation"])
            deliverer = Deliverer(held, account.region, delivering.ports(account.state, "deep"))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            settings = streams.settings_of(account.state, "deep", body)
            while deliverer.turn(settings, lambda: int(time.time() * 1000) + 10**6) is not None:
                pass
            os.write(write, f"{before} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}".encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as told:
            before, most = map(int, told.read().split())
        os.wait()
    print(f"{mebibytes} MiB waited: {most / 1024:.0f} MiB at most, {before / 1024:.0f} of them before it began")
    return most / 1024


def spent(records: int = 100_000) -> None:
    """In this process, by its own client; the first requests, which load what all need, are not counted."""
    with tempfile.TemporaryDirectory() as folder:
        account = LocalAccount(Path(folder) / ".mlops", "us-east-1")
        account.ensure_bucket(BUCKET)
        firehose = account.client("firehose")
        firehose.create_delivery_stream(DeliveryStreamName="spent", ExtendedS3DestinationConfiguration=PLACE)
        assert ownership.take(streams.folder_of(account.state, "spent")) is not None
        body = streams.found(account.state, "spent")
        held = streams.kept_in(account.state, "spent", body["Incarnation"])
        deliverer = Deliverer(held, account.region, delivering.ports(account.state, "spent"))
        settings = streams.settings_of(account.state, "spent", body)

        def deliver() -> None:
            while deliverer.turn(settings, lambda: int(time.time() * 1000) + 10**6) is not None:
                pass

        put(firehose, "spent", 4 * BATCH)
        deliver()
        began = time.process_time()
        put(firehose, "spent", records)
        accepted = time.process_time()
        deliver()
        delivered = time.process_time()
    print(f"{records} records: {accepted - began:.2f} CPU-s to accept, {delivered - accepted:.2f} CPU-s to deliver")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backlog", type=int, default=0)
    parser.add_argument("--cpu", action="store_true")
    asked = parser.parse_args()
    if asked.cpu:
        spent()
        return 0
    if asked.backlog:
        return 0 if backlog(asked.backlog) <= MOST_MIB else 1
    with tempfile.TemporaryDirectory() as folder, ours() as here, motos() as there:
        account = LocalAccount(Path(folder) / ".mlops", "us-east-1")
        sides = {
            "here, in the process": (account.client("firehose"), account.client("s3")),
            "here, by HTTP": clients(here),
            "moto, by HTTP": clients(there),
        }
        cpu: list[float] = []
        rates: dict[str, list[float]] = {name: [] for name in sides}
        whole: dict[str, list[float]] = {name: [] for name in sides}
        for firehose, s3 in sides.values():
            s3.create_bucket(Bucket=BUCKET)
            firehose.create_delivery_stream(DeliveryStreamName="warm", ExtendedS3DestinationConfiguration=PLACE)
            put(firehose, "warm", BATCH)
        for number in range(asked.rounds):
            for name in sides if number % 2 else reversed(sides):
                firehose, s3 = sides[name]
                stream = f"events-{number}"
                firehose.create_delivery_stream(
                    DeliveryStreamName=stream,
                    ExtendedS3DestinationConfiguration={**PLACE, "Prefix": f"{stream}/"},
                )
                began, used = time.perf_counter(), time.process_time()
                rates[name].append(asked.records / put(firehose, stream, asked.records))
                if name == "here, in the process":
                    cpu.append(asked.records / (time.process_time() - used))
                whole[name].append(asked.records / (arrived(s3, f"{stream}/", asked.records) - began))
        for name in sides:
            print(
                f"{name:<22} {statistics.median(rates[name]):9.0f} records/s accepted"
                f" {statistics.median(whole[name]):9.0f} records/s until in S3"
            )
        ratio = statistics.median(rates["here, by HTTP"]) / statistics.median(rates["moto, by HTTP"])
        print(f"accepted by HTTP, here / moto: {ratio:.2f}")
        for firehose, _ in sides.values():
            for name in ("warm", *(f"events-{number}" for number in range(asked.rounds))):
                firehose.delete_delivery_stream(DeliveryStreamName=name)
    best = statistics.median(cpu)
    print(f"accepted in the process: {best:.0f} records a CPU second, wanted at least {AT_LEAST}")
    return 0 if best >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
