"""Streams: what there is, what is put into them, and what they could not deliver, put again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops.account.delivery import Flow
from mlops.deploy.streams import described, replay, tuning
from mlops.deploy.streams.described import Stream
from mlops.deploy.streams.publisher import Published, Publisher, published
from mlops.deploy.streams.replay import Part
from mlops.deploy.streams.tuning import Tuning
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_text
from mlops.observe.search.documents import document
from mlops.use_cases.approval import Consent, need_consent
from mlops.use_cases.connecting import Where, connect_here
from mlops.use_cases.events_since import events_since, origin
from mlops.use_cases.moments import moment

if TYPE_CHECKING:
    from mlops.use_cases.stream_measuring import Measured

ALL = Part()


def listed(environment: Where) -> list[Stream]:
    return list(described.streams(connect_here(environment).account))


def shown(environment: Where, name: str) -> Stream:
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
        "dropped": delivery.dropped,
        "trouble": hide_text(delivery.trouble) or None,
    }


def put(environment: str, name: str, lines: Iterable[bytes], consent: Consent) -> Published:
    """Each line is a record, with its end."""
    connected = connect_here(environment)
    described.need(connected.account, name)
    need_consent(connected, f"put records into the stream {name}", consent)
    return published(connected.account.client("firehose"), name, lines)


def put_events(environment: str, name: str, since: str | None, kinds: Sequence[str], consent: Consent) -> Published:
    """What happened in the account, a document each, as the index of events has it: its id is the same whenever it is
    put, so that readers know what they have. ``kinds`` are whole or the beginning up to a point (``promotion``)."""
    connected = connect_here(environment)
    described.need(connected.account, name)
    need_consent(connected, f"put events into the stream {name}", consent)
    whose = origin(connected)
    with Publisher(connected.account.client("firehose"), name) as publisher:
        for event in events_since(connected, moment(since, "--since")):
            if not kinds or event.kind in kinds or event.kind.partition(".")[0] in kinds:
                told = document(event, whose)
                publisher.put({"id": told.id, **told.body})
        return publisher.flush()


def tune(
    environment: str,
    name: str,
    delay: float | None = None,
    rate: float | None = None,
    size: float | None = None,
    tolerance: int | None = None,
) -> Tuning:
    """``rate`` in records a second and ``size`` in bytes stand for what was observed. Changes nothing."""
    account = connect_here(environment).account
    described.need(account, name)
    given = None
    if rate is not None and size is not None:
        if not math.isfinite(rate * 3600 * size):
            raise UsageError("--rate and --bytes give no number of bytes an hour")
        given = Flow(max(round(rate * 3600), 1), max(round(rate * 3600 * size), 1), 3600.0, max(round(rate * 3600), 1))
    elif (rate is None) != (size is None):
        raise UsageError("give --rate and --bytes, or neither")
    flow = given or tuning.observed(account, name)
    if flow is None:
        raise UsageError(f"nothing was put into {name} of late, so nothing is known", hint="give --rate and --bytes")
    kind, destination = described.destination(account, name)
    return tuning.tuned(destination, kind, flow, delay, tolerance)


def measure(flow: Flow, failing: float) -> Iterator[Measured]:
    """For records of its size, on this machine."""
    from mlops.use_cases.stream_measuring import measured  # few ask for it

    return measured(max(round(flow.bytes / flow.records), 1), failing)


def part_of(since: str | None, until: str | None, prefix: str, ids: Iterable[str]) -> Part:
    """As people write it. Raises UsageError."""
    return Part(moment(since, "--since"), moment(until, "--until"), prefix, frozenset(ids))


@dataclass(frozen=True, slots=True)
class Replayed:
    """``objects`` held ``records``; ``removed`` says whether they are gone."""

    objects: int
    records: int
    removed: bool


def replayed(
    environment: str,
    name: str,
    consent: Consent,
    *,
    part: Part = ALL,
    keep: bool = False,
    dry: bool = False,
) -> Replayed:
    """Each object is removed when the stream has taken all that it holds, unless it is to be kept; of one of which a
    ``part`` was taken the rest stays. Whoever is interrupted goes on with the others, and puts one object twice at
    most."""
    connected = connect_here(environment)
    account = connected.account
    stream = described.need(account, name)
    found = [item for item in replay.failed_objects(account, stream) if item.key.startswith(part.prefix)]
    if found and not dry:
        counted = f"{len(found)} object{'s' if len(found) != 1 else ''}"
        need_consent(connected, f"put again what {counted} of the stream {name} hold", consent)
    count = objects = 0
    for item in found:
        held = list(replay.lines(account, stream, item, part))
        chosen = [line.record for line in held if line.chosen]
        rest = [line for line in held if not line.chosen]
        count += len(chosen)
        objects += bool(chosen) or not rest
        if dry or (rest and not chosen):
            continue
        published(account.client("firehose"), name, chosen)
        if not keep and rest:
            replay.leave(account, stream, item, rest)
        elif not keep:
            replay.remove(account, stream, item)
    return Replayed(objects, count, not keep and not dry)
