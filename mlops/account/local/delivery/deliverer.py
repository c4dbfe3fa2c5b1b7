"""When what is delivered: a buffer is a part of the spool, from where delivery stands on, that is large or old enough.

What was begun is written down with its end, and where delivery stands only when all of it has arrived. Whoever is
killed between the two delivers the same again, under the same names and ids.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mlops.account.local.delivery import conversion, http_endpoint
from mlops.account.local.delivery.objects import Objects, Put, Unwritten
from mlops.account.local.delivery.opensearch import Documents
from mlops.account.local.delivery.processing import Invoke, Work, processed
from mlops.account.local.delivery.record import Failed, Record
from mlops.account.local.delivery.sending import Post, Sender, pause
from mlops.account.local.delivery.settings import Settings
from mlops.ir.dataclass import dataclass
from mlops.project.private import opener, private_folder
from mlops.project.spool import BEGINNING, Damage, Place, Spool, place_of

SPOOL, WORK, STANDS = "spool", "work", "stands.json"
RETENTION_SECONDS = 86_400
"""So long the service keeps what cannot be written to S3."""
LAST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Ports:
    """``secret`` gives the access key that a secret holds, ``columns`` those of a table of a database; ``say`` hears of
    what went wrong, without what records hold."""

    put: Put
    invoke: Invoke
    post: Post
    secret: Callable[[str], str | None]
    columns: Callable[[str, str], Sequence[Mapping[str, Any]]]
    say: Callable[[str, Mapping[str, Any]], None]


@dataclass(slots=True)
class _Buffer:
    """What is known of the part of the spool that is delivered next."""

    begin: Place
    end: Place
    size: int = 0
    count: int = 0
    oldest: int = 0
    seen: int = 0
    """When it was begun to be one, by the clock of who delivers."""


@dataclass(slots=True)
class _Sending:
    """The requests that a buffer became. ``failed`` are records that went wrong before."""

    requests: list[list[Record]]
    failed: list[Failed]
    next: int = 0
    attempts: int = 0
    since: int = 0
    delivered: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Stands:
    """As it is on disk. ``until`` is the end of what was begun, ``since`` when that was first tried."""

    place: Place = BEGINNING
    until: Place | None = None
    since: int = 0
    delivered: int = 0
    failed: int = 0
    told: str = ""
    dropped: int = 0
    """Of those that failed: they lie nowhere."""

    @classmethod
    def read(cls, folder: Path, tell: Callable[[str], None] = lambda why: None) -> Stands:
        """Where it is damaged ``tell`` hears why, and all that still lies in the spool is delivered once more."""
        try:
            told = json.loads((folder / STANDS).read_bytes())
            until = place_of(told["until"]) if told["until"] else None
            since, delivered, failed = (int(told[name]) for name in ("since", "delivered", "failed"))
            dropped = int(told.get("dropped", 0))  # files of earlier versions have none
            return cls(place_of(told["place"]), until, since, delivered, failed, str(told["told"]), dropped)
        except FileNotFoundError:
            return cls()
        except (ValueError, TypeError, KeyError) as error:
            tell(f"{STANDS} is damaged ({type(error).__name__}): all that lies in the spool is delivered once more")
            return cls()

    def write(self, folder: Path) -> None:
        told = {name: getattr(self, name) for name in self.__slots__}
        new = folder / f"{STANDS}.new"
        with open(new, "w", opener=opener) as file:
            json.dump(told, file)
        new.replace(folder / STANDS)


class Deliverer:
    """Of one stream, in its ``folder``. Whoever calls it is the only one."""

    def __init__(self, folder: Path, region: str, ports: Ports, chance: random.Random | None = None) -> None:
        self._folder = private_folder(folder)
        self._work = private_folder(folder / WORK)
        self._region = region
        self._ports = ports
        self._chance = chance or random.Random()  # noqa: S311 - spreads attempts, hides nothing
        self.spool = Spool(folder / SPOOL, tell=self._damaged)
        self.stands = Stands.read(folder, lambda why: ports.say("damaged", {"reason": why}))
        self._buffer = _Buffer(self.stands.place, self.stands.place)
        self._sending: _Sending | None = None
        self._tries = 0
        self._due = 0
        self._now: Callable[[], int] = lambda: 0
        self._first = 0

    def turn(self, settings: Settings, now: Callable[[], int], *, closing: bool = False) -> float | None:
        """Does what is due, by a clock that nobody sets. In how many seconds something is, as far as it is known; None
        where nothing waits.
        ``closing``: all that waits is due, and nothing is tried again."""
        self._now = now
        self._first = self._first or now()
        if now() < self._due and not closing:
            return (self._due - now()) / 1000
        self._look(settings, closing=closing)
        buffer = self._buffer
        if not buffer.count:
            return None
        # The clock of who put may have been ahead of this one.
        age = max(now() - buffer.oldest, now() - buffer.seen)
        wait = settings.interval_seconds * 1000 - age
        begun = self.stands.until is not None
        if not begun and not closing and buffer.size < settings.size and wait > 0:
            return wait / 1000
        if not begun:
            self._stand(until=buffer.end, since=now())
        try:
            done = self._deliver(settings, closing=closing)
        except Unwritten as error:
            self._tries += 1
            self._unwritten(error, closing=closing)
            return max((self._due - now()) / 1000, 0.0)
        if not done:
            return max((self._due - now()) / 1000, 0.0)
        self._tries = 0
        return 0.0

    def idle(self) -> bool:
        """Nothing waits. To be asked while nobody appends."""
        return self.spool.backlog(self.stands.place) == 0

    def _look(self, settings: Settings, *, closing: bool) -> None:
        """How far the buffer reaches by now."""
        buffer, until = self._buffer, self.stands.until
        if until is not None and buffer.end >= until:
            return
        enough = settings.size
        most = http_endpoint.MOST_RECORDS if settings.endpoint is not None else None
        if until is None and (buffer.size >= enough or (most is not None and buffer.count >= most)):
            return
        for block in self.spool.blocks(buffer.end):
            if until is not None and block.place >= until:
                break
            buffer.end = block.end
            buffer.size += block.size
            buffer.count += block.count
            buffer.oldest = buffer.oldest or block.arrived
            buffer.seen = buffer.seen or self._now()
            if until is None and (buffer.size >= enough or (most is not None and buffer.count >= most)):
                break

    def _deliver(self, settings: Settings, *, closing: bool) -> bool:
        sender = self._sender(settings)
        if sender is None:
            delivered, failed, dropped = *self._write(settings), 0
        else:
            told = self._send(settings, sender, closing=closing)
            if told is None:
                return False
            delivered, failed, dropped = told
        buffer = self._buffer
        self._buffer = _Buffer(buffer.end, buffer.end)
        stands = self.stands
        self._stand(
            place=buffer.end, until=None, since=0, delivered=stands.delivered + delivered,
            failed=stands.failed + failed, dropped=stands.dropped + dropped, told="",
        )  # fmt: skip
        self.spool.forget(buffer.end)
        return True

    def _objects(self, settings: Settings) -> Objects:
        if settings.conversion is None:
            return Objects(self._name, self._work, self._ports.put)
        schema = settings.conversion["SchemaConfiguration"]
        columns = self._ports.columns(schema["DatabaseName"], schema["TableName"])
        try:
            found = conversion.format_of(settings.conversion, columns)
        except (conversion.BadSchema, ImportError) as error:
            raise Unwritten(f"DataFormatConversion.InvalidSchema: {error}") from None
        return Objects(self._name, self._work, self._ports.put, partial(conversion.Columns, found, self._work))

    @property
    def _name(self) -> str:
        """Of the buffer, in names of objects and ids of requests. With its end: where two deliver, since somebody has
        removed the lock, neither writes over what the other took more or less of."""
        begin, end = self._buffer.begin, self.stands.until or self._buffer.end
        return f"{begin.file}/{begin.offset}-{end.file}/{end.offset}"

    def _write(self, settings: Settings) -> tuple[int, int]:
        objects = self._objects(settings)
        delivered = failed = 0
        if not settings.processors and settings.conversion is None:
            for block, records in self.spool.read(self._buffer.begin, self._buffer.end):
                if settings.backup is not None:
                    objects.back_up(block.arrived, b"".join(records), settings.backup)
                objects.add_all(block.arrived, records, settings.errors)
                delivered += len(records)
            objects.write()
            return delivered, 0
        table = _table(settings)
        for item in processed(self._records(settings, objects), self._processing(settings)):
            wrong = item if isinstance(item, Failed) else objects.add(item, settings.errors)
            if wrong is None:
                delivered += 1
            else:
                failed += 1
                objects.fail(wrong, settings.errors, table)
        objects.write()
        return delivered, failed

    def _processing(self, settings: Settings) -> Work:
        return Work(settings, self._region, self._ports.invoke, self._now)

    def _records(self, settings: Settings, objects: Objects | None) -> Iterator[Record]:
        begin, incarnation = self._buffer.begin, settings.errors.naming.incarnation.hex
        for block, found in self.spool.read(begin, self._buffer.end):
            place = record_id(incarnation, block.place)
            for number, data in enumerate(found):
                if settings.backup is not None and objects is not None:
                    objects.back_up(block.arrived, data, settings.backup)
                yield Record(f"{place}{number:03x}", block.arrived, data)

    def _sender(self, settings: Settings) -> Sender | None:
        """None where records are written to S3 instead."""
        if settings.cluster is not None:
            return Documents(settings.cluster, self._ports.post)
        endpoint = settings.endpoint
        if endpoint is None:
            return None
        key = self._ports.secret(endpoint.secret) if endpoint.secret else endpoint.access_key
        return http_endpoint.Requests(endpoint, settings.arn, key, self._ports.post)

    def _send(self, settings: Settings, sender: Sender, *, closing: bool) -> tuple[int, int, int] | None:
        """How many were delivered, failed, and of these were dropped. None where it is to be tried again, later."""
        sending = self._sending
        if sending is None:
            sending = self._sending = self._requests(settings, sender)
            sending.since = self.stands.since
        while sending.next < len(sending.requests):
            records = sending.requests[sending.next]
            sending.attempts += 1
            request_id = str(uuid.uuid5(settings.errors.naming.incarnation, f"{self._name}/{sending.next}"))
            told = sender.attempt(records, request_id, sending.attempts, self._now())
            sending.delivered += told.delivered
            sending.failed += told.failed
            if told.dropped:
                sending.dropped += told.dropped
                self._ports.say("dropped", {"reason": told.said or told.reason, "records": told.dropped})
            if told.smaller:
                half = len(told.again) // 2
                sending.requests[sending.next : sending.next + 1] = [list(told.again[:half]), list(told.again[half:])]
                continue
            if told.again:
                late = self._now() - sending.since >= sender.retry_seconds * 1000
                if not late and not closing:
                    sending.requests[sending.next] = list(told.again)
                    self._due = self._now() + int(pause(sending.attempts, self._chance) * 1000)
                    if told.reason != self.stands.told:
                        self._stand(told=told.reason)
                        self._ports.say("unanswered", {"reason": told.said or told.reason})
                    return None
                sending.failed += [
                    sender.given_up(record, told.reason, sending.attempts, self._now()) for record in told.again
                ]
            sending.next += 1
            sending.attempts, sending.since = 0, self._now()
        objects = self._objects(settings)
        if settings.backup is not None:
            for _ in self._records(settings, objects):
                pass
        for item in sending.failed:
            objects.fail(item, settings.errors)
        objects.write()
        self._sending = None
        return sending.delivered, len(sending.failed) + sending.dropped, sending.dropped

    def _requests(self, settings: Settings, sender: Sender) -> _Sending:
        failed = list[Failed]()

        def good() -> Iterator[Record]:
            for item in processed(self._records(settings, None), self._processing(settings)):
                if isinstance(item, Failed):
                    failed.append(item)
                else:
                    yield item

        return _Sending(list(sender.parts(good())), failed)

    def _damaged(self, damage: Damage) -> None:
        """What is left of it is delivered all the same."""
        told = {"file": damage.file.name, "offset": damage.offset, "bytes": damage.size, "records": damage.records}
        self._ports.say("damaged", {"reason": damage.why, **told})

    def _unwritten(self, error: Unwritten, *, closing: bool) -> None:
        """The service tries for a day, and then lets go."""
        # First: where nothing can be noted, as on a full disk, it is tried again later all the same.
        self._due = self._now() + int(pause(self._tries, self._chance) * 1000)
        if str(error) != self.stands.told:
            self._stand(told=str(error))
            self._ports.say("unwritten", {"reason": str(error)})
        begun = self.stands.until is not None
        # Of the time before this process nobody knows how long it was: the machine's clock may have been set.
        tried = self._now() - max(self.stands.since, self._first)
        if closing or (begun and tried >= RETENTION_SECONDS * 1000):
            buffer, self._tries = self._buffer, 0
            self._ports.say("lost", {"reason": str(error), "records": buffer.count})
            self._buffer, self._sending = _Buffer(buffer.end, buffer.end), None
            self._stand(place=buffer.end, until=None, since=0)
            self.spool.forget(buffer.end)

    def _stand(self, **changed: Any) -> None:
        told = {name: getattr(self.stands, name) for name in Stands.__slots__}
        self.stands = Stands(**{**told, **changed})
        self.stands.write(self._folder)

    def put_off(self, error: Exception, *, closing: bool = False) -> None:
        """What was begun is tried again later: something went wrong that nobody thought of. Its text may hold records,
        so it is told in the log of whoever delivers alone. A stream that is to go waits for a few attempts."""
        self._tries += 1
        said = Unwritten(f"{type(error).__name__} in the delivery: runner.log of the stream says where")
        self._unwritten(said, closing=closing and self._tries > LAST_TRIES)


def _table(settings: Settings) -> Mapping[str, Any] | None:
    """As it is told of a record that could not be a row of it."""
    if settings.conversion is None:
        return None
    schema, names = settings.conversion["SchemaConfiguration"], ("catalogId", "databaseName", "tableName", "region")
    told = {name: schema.get(f"{name[0].upper()}{name[1:]}") for name in names}
    return {**told, "versionId": schema.get("VersionId") or "LATEST", "catalogArn": None}


def record_id(incarnation: str, place: Place) -> str:
    """Without the number of the record in its block, three hexadecimal digits."""
    return f"{incarnation}{place.file:012x}{place.offset:012x}"
