"""Streams: what there is, what is put into them, and what they could not deliver, put again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlops.deploy.streams import described, replay
from mlops.deploy.streams.described import Stream
from mlops.deploy.streams.publisher import Published, published
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_text
from mlops.use_cases.approval import Consent, need_consent
from mlops.use_cases.connecting import connect_here


def listed(environment: str) -> list[Stream]:
    return list(described.streams(connect_here(environment).account))


def shown(environment: str, name: str) -> Stream:
    return described.need(connect_here(environment).account, name)


def as_dictionary(stream: Stream) -> Mapping[str, Any]:
    """Its keys as ``--format json`` has them; what looks like a secret is hidden."""
    told = {
        "name": stream.name,
        "arn": stream.arn,
        "status": stream.status,
        "version": stream.version,
        "created": stream.created.isoformat(),
        "destination": stream.destination,
        "to": hide_text(stream.to),
        "bucket": stream.bucket,
        "prefix": hide_text(stream.prefix),
        "error_prefix": hide_text(stream.error_prefix),
    }
    if stream.delivery is None:
        return told
    delivery = stream.delivery
    return {
        **told,
        "waiting_bytes": delivery.waiting,
        "delivered": delivery.delivered,
        "failed": delivery.failed,
        "trouble": hide_text(delivery.trouble) or None,
    }


def put(environment: str, name: str, lines: Iterable[bytes], consent: Consent) -> Published:
    """Each line is a record, with its end."""
    connected = connect_here(environment)
    described.need(connected.account, name)
    need_consent(connected, f"put records into the stream {name}", consent)
    return published(connected.account.client("firehose"), name, lines)


@dataclass(frozen=True, slots=True)
class Replayed:
    """``objects`` held ``records``; ``removed`` says whether they are gone."""

    objects: int
    records: int
    removed: bool


def replayed(environment: str, name: str, consent: Consent, *, keep: bool = False, dry: bool = False) -> Replayed:
    """Each object is removed when the stream has taken all that it holds, unless it is to be kept: whoever is
    interrupted goes on with the others, and puts one object twice at most."""
    connected = connect_here(environment)
    account = connected.account
    stream = described.need(account, name)
    found = replay.failed_objects(account, stream)
    if found and not dry:
        counted = f"{len(found)} object{'s' if len(found) != 1 else ''}"
        need_consent(connected, f"put again what {counted} of the stream {name} hold", consent)
    count = 0
    for item in found:
        held = list(replay.records(account, stream, item))
        count += len(held)
        if dry:
            continue
        published(account.client("firehose"), name, held)
        if not keep:
            replay.remove(account, stream, item)
    return Replayed(len(found), count, not keep and not dry)
