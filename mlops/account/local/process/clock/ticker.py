"""What ticks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Ticker:
    """- ``wanted``: whether there is anything that it waits for.
    - ``tick``: do what is due by a moment, all of it or the next part; gives when it is to be called again where
      nothing is written until then, None for never. Whatever it does may be cut off anywhere, and is gone on with."""

    wanted: Callable[[State], bool]
    tick: Callable[[State, datetime], datetime | None]
