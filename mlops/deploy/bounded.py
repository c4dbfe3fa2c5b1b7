"""Whoever is only told of an execution may take some time and no more: the execution is over, and people wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TookTooLong(Exception):
    """The text says how long it was waited."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` gives or raises. Raises TookTooLong where it does neither in time: it is left behind then, in a
    thread that ends with the process."""
    done: list[T] = []
    failed: list[BaseException] = []

    def working() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=working, name="a bounded wait", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TookTooLong(f"nothing was heard for {seconds:g} s")
    return done[0]
