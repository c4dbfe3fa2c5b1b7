"""How long a run waits for what, in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """``grace`` is from SIGTERM to SIGKILL, as the service does it. ``uploads`` is how often what is to be stored
    continuously is looked at; ``interrupting`` the same for a spot job that is to be interrupted behind its first
    checkpoint, ``blind`` how long one without checkpoints keeps its instances. ``server_grace`` is for the server of a
    Transform, for which polling waits; ``asking`` is how often it is looked whether somebody stops the execution. By
    ``clock`` a spot job counts how long it had its instances."""

    grace: float = 120.0
    uploads: float = 1.0
    interrupting: float = 0.05
    blind: float = 1.0
    server_grace: float = 2.0
    asking: float = 0.2
    clock: Callable[[], float] = time.monotonic


SERVICE = Pace()
