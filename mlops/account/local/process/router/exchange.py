"""One request on its way through the router."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlops.account.local.process.router.queues import NOWHERE, Line

if TYPE_CHECKING:
    from mlops.account.local.process.capture.seen import Seen
    from mlops.account.local.process.router.door import Door
    from mlops.account.local.process.router.model_connection import ModelConnection
    from mlops.account.local.process.router.queues import Running


class Exchange:
    """A request, and what has become of it. ``door`` is None for a mirrored one and where its client is gone."""

    __slots__ = (
        "answered",
        "arrived",
        "body",
        "config",
        "connection",
        "deadline",
        "done",
        "door",
        "first",
        "forwarded",
        "head",
        "headers",
        "keep_alive",
        "last",
        "line",
        "method",
        "model_seconds",
        "model_status",
        "old_protocol",
        "parts",
        "received",
        "refused",
        "running",
        "seen",
        "sent",
        "size",
        "stage",
        "started",
        "streaming",
        "target",
        "tried",
        "written",
    )

    def __init__(self, door: Door | None) -> None:
        self.door = door
        self.method = b""
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.keep_alive = True
        self.old_protocol = False
        self.parts: list[bytes] = []
        self.size = 0  # of what is held of the body
        self.received = 0
        self.head = 0  # bytes of its headers
        self.body = b""
        self.forwarded = b""  # the head that its model was sent, where one container answers
        self.refused = 0  # the status of what is refused before it is whole
        self.arrived = 0.0
        self.deadline = 0.0
        self.sent = 0.0  # to the model that has it now; 0 where none has
        self.model_seconds = 0.0
        self.model_status = 0
        self.line: Line = NOWHERE
        self.running: Running | None = None
        self.connection: ModelConnection | None = None
        self.config = ""
        self.stage = self.first = self.last = 0  # containers of the row: where it is, begins and ends
        self.tried: set[str] | None = None
        self.started = False  # the client has the head of the answer
        self.streaming = False
        self.written = 0
        self.seen: Seen | None = None  # whoever wants to see its end
        self.answered: tuple[dict[bytes, bytes], bytes] | None = None  # the whole answer, for them
        self.done = False

    def whole(self) -> None:
        self.body = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        self.parts = []
        self.received = self.size
        self.arrived = time.perf_counter()

    def mirrored(self) -> Exchange:
        """The same request for somebody whose answer nobody waits for."""
        copy = Exchange(None)
        copy.method, copy.target, copy.headers = self.method, self.target, self.headers
        copy.body, copy.size, copy.received, copy.arrived = self.body, self.size, self.size, self.arrived
        copy.forwarded = self.forwarded
        return copy
