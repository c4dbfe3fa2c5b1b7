"""What happens in the account, told to open pages: one look at its events for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

from anyio.to_thread import run_sync

from mlops.account import Account
from mlops.ir import Event, MlopsError
from mlops.ir.dataclass import dataclass

_LOOK_SECONDS = 0.25
_BLIND_SECONDS = 5.0
"""Between two looks at a page of an account that keeps no events."""
_ANYHOW_SECONDS = 20.0
"""A page is looked at again though nothing was told: a process may have died without a word."""
MOST = 100


@dataclass(slots=True)
class _Listening:
    ids: Mapping[str, str]
    happened: asyncio.Event


class Live:
    """Looks at the account only while somebody listens."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._listening: list[_Listening] = []
        self._looking: asyncio.Task[None] | None = None
        self._began = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return len(self._listening) >= MOST

    async def changes(self, ids: Mapping[str, str], behind: int | None = None) -> AsyncIterator[None]:
        """Comes whenever something has happened to what the ids name, behind that number of an event too, and now and
        then."""
        mine = _Listening(ids, asyncio.Event())
        self._listening.append(mine)
        if self._looking is None or self._looking.done():
            self._began = asyncio.Event()
            self._looking = asyncio.create_task(self._look(self._began))
        try:
            events = self._account.events
            if behind is not None and events is not None:
                # What happened since the page was made may have been told already, to others. From here on it is told.
                await self._began.wait()
                since = await run_sync(partial(events.read, behind, ids=ids, limit=1))
                if since:
                    mine.happened.set()
            while True:
                try:
                    async with asyncio.timeout(_ANYHOW_SECONDS if self._account.events else _BLIND_SECONDS):
                        await mine.happened.wait()
                except TimeoutError:
                    pass
                mine.happened.clear()
                yield None
        finally:
            self._listening.remove(mine)

    async def _look(self, began: asyncio.Event) -> None:
        """From what is newest: no page's place in what happened is that of the others."""
        events, seen = self._account.events, None
        if events is None:
            return
        try:
            while self._listening:
                try:
                    if seen is None:
                        seen = await run_sync(events.newest)
                    found: Sequence[Event] = await run_sync(events.read, seen)
                except MlopsError:  # whoever looks at a page is told of it there
                    found = ()
                began.set()
                for event in found:
                    seen = event.sequence or seen
                    for one in self._listening:
                        if all(event.ids.get(name) == value for name, value in one.ids.items()):
                            one.happened.set()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            began.set()
