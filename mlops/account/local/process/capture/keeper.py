"""Writes what was seen, in a thread of its own: files of captured lines, as objects of the account, and pairs."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from typing import TypeAlias

from mlops.account.local.objects import BucketMissing
from mlops.account.local.process.capture.lines import Lines, file_name, folder
from mlops.account.local.process.capture.pairs import paired
from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.seen import Room, Seen, Side, new_event_id
from mlops.account.local.process.router.records import Recorder
from mlops.ir import ConfigurationError
from mlops.ir.dataclass import dataclass
from mlops.run.ports import ObjectMissing

_LOOK_SECONDS = 0.1
_FILE_SECONDS = 5.0
_FILE_BYTES = 4 * 1024 * 1024
_BLOCK = 256 * 1024
_MOST_CAPTURES = 16
"""That are remembered, of the configurations that served."""
_log = logging.getLogger("mlops.runner")
_UNWRITTEN = (OSError, sqlite3.Error, BucketMissing, ObjectMissing, ConfigurationError)


_Place: TypeAlias = tuple[str, str, int]
"""Destination, variant, and hour since 1970: a file has lines of one of each."""


@dataclass(slots=True)
class _File:
    """That is being filled, in a folder; ``begun`` by the clock of the thread, ``first`` is when the first of its
    requests came."""

    place: str
    begun: float
    first: float
    lines: list[str] = field(default_factory=list)
    size: int = 0
    held: int = 0


class Keeper:
    """``put`` writes one object, ``pairs`` keeps how a shadow answered, ``stream`` takes an object's lines, too.
    What was seen is gone from memory when it is written, or could not be."""

    def __init__(
        self,
        endpoint: str,
        put: Callable[[Iterable[bytes], str], None],
        pairs: Recorder | None = None,
        stream: Callable[[Sequence[str]], None] | None = None,
        *,
        room: Room | None = None,
        look_seconds: float = _LOOK_SECONDS,
        file_seconds: float = _FILE_SECONDS,
        file_bytes: int = _FILE_BYTES,
        clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._endpoint = endpoint
        self._put = put
        self._pairs = pairs
        self._stream = stream
        self._told_unshown = 0
        self.room = room or Room()
        self._look_seconds, self._file_seconds, self._file_bytes = look_seconds, file_seconds, file_bytes
        self._clock, self._new_id = clock, new_id
        self._waiting: deque[tuple[Seen, Side]] = deque()
        self._files: dict[_Place, _File] = {}
        self._lines: dict[int, Lines] = {}
        self._told_dropped = 0
        self.lost = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def saw(self, seen: Seen, side: Side) -> None:
        """One answer to ``seen`` more. Never waits."""
        self._waiting.append((seen, side))

    @property
    def dropped(self) -> int:
        """Requests that there was no room for, whose answer came in parts, or whose line could not be written."""
        return self.room.dropped + self.lost

    def close(self) -> None:
        """What was seen is written then."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._look_seconds):
            self._turn()
        self._turn(all_of_it=True)

    def _turn(self, *, all_of_it: bool = False) -> None:
        now = self._clock()
        while self._waiting:
            self._take(*self._waiting.popleft(), now)
        for key, file in list(self._files.items()):
            if all_of_it or now - file.begun >= self._file_seconds:
                self._write(key, file)
        if self._pairs is not None and self.room.unshown > self._told_unshown:
            unshown = self.room.unshown
            self._pairs.lose(unshown - self._told_unshown)
            self._told_unshown = unshown
        if self.dropped > self._told_dropped:
            _log.warning(
                "endpoint %s: %d requests were not captured, %d since its process began: they came faster than they "
                "are written, were answered in parts, or could not be written",
                self._endpoint,
                self.dropped - self._told_dropped,
                self.dropped,
            )
            self._told_dropped = self.dropped

    def _take(self, seen: Seen, side: Side, now: float) -> None:
        last = seen.sides == 1
        if not last:
            seen.told = (*seen.told, side)
            last = len(seen.told) == seen.sides
        if not seen.event_id:
            seen.event_id = new_event_id()
        held = seen.held if last else 0
        if last and seen.sides > 1 and self._pairs is not None:
            try:
                self._pair(self._pairs, seen)
            except Exception:  # whatever is wrong with one, the others are kept
                self._failed()
                self._pairs.lose(1)
        capture = seen.capture
        if capture is None or side.status != 200:
            self.room.give(held)
            return
        if capture.output and side.body is None:
            # The rest of an answer is no answer.
            self.lost += 1
            self.room.give(held)
            return
        key = capture.destination, side.variant, int(seen.time // 3600)
        try:
            text = self._lines_of(capture).line(seen, side)
        except Exception:
            self._failed()
            self.lost += 1
            self.room.give(held)
            return
        file = self._files.get(key)
        if file is None:
            place = folder(capture.destination, self._endpoint, side.variant, seen.time)
            file = self._files[key] = _File(place, now, seen.time)
        file.lines.append(text)
        file.size += len(text)
        file.held += held
        if file.size >= self._file_bytes:
            self._write(key, file)

    def _lines_of(self, capture: Capture) -> Lines:
        found = self._lines.get(id(capture))
        if found is None or found.capture is not capture:
            if len(self._lines) >= _MOST_CAPTURES:
                self._lines.clear()
            found = self._lines[id(capture)] = Lines(capture)
        return found

    def _pair(self, pairs: Recorder, seen: Seen) -> None:
        pair = paired(seen)
        if pair is None:
            pairs.lose(1)
        else:
            pairs.add(pair)

    def _write(self, key: _Place, file: _File) -> None:
        del self._files[key]
        try:
            self._put(_blocks(file.lines), f"{file.place}/{file_name(file.first, self._new_id())}")
        except _UNWRITTEN as error:
            self.lost += len(file.lines)
            _log.warning("endpoint %s: captured requests cannot be written: %s", self._endpoint, error)
        except Exception:
            self.lost += len(file.lines)
            self._failed()
        if self._stream is not None:
            try:
                self._stream(file.lines)
            except Exception:
                self._failed()
        self.room.give(file.held)

    def _failed(self) -> None:
        """For a reason that nobody has foreseen: told whole, and the thread goes on."""
        with suppress(OSError):
            _log.exception("endpoint %s: what was seen cannot be kept", self._endpoint)


def _blocks(lines: Sequence[str]) -> Iterator[bytes]:
    """Many lines at a time: to write and sum up a block takes no interpreter, to begin one does."""
    block: list[str] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= _BLOCK:
            yield "".join(block).encode()
            block, size = [], 0
    yield "".join(block).encode()
