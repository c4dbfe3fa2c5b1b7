"""The embedded account, number 000000000000: the operations of SageMaker, S3, STS and CloudWatch Logs that a pipeline
needs, answered from one folder.

:mod:`~mlops.account.local.clients` gives boto3 clients; :mod:`~mlops.account.local.answering` finds who answers; one
module per area answers. Executions and endpoints live in processes of their own
(:mod:`~mlops.account.local.process.runner`), which work on the same folder.
"""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.account.local.events import KeptEvents
from mlops.account.local.state import ACCOUNT_ID, State

if TYPE_CHECKING:
    from mlops.account.local.clients import Clients

_GLANCE_SECONDS = 0.005

__all__ = ["ACCOUNT_ID", "LocalAccount"]


class LocalAccount:
    """``folder`` is made when absent. Any number of processes may use it at once. With ``directly`` clients answer what
    a run asks without loading boto3."""

    def __init__(self, folder: Path, region: str) -> None:
        self.region = region
        self.state = State(folder, region)
        self.directly = False

    @property
    def events(self) -> KeptEvents:
        return KeptEvents(self.state.store)

    def client(self, service: str) -> Any:
        if self.directly:
            from mlops.account.local.direct import DirectClient

            return DirectClient(self.state, service, lambda: self._clients.client(service))
        return self._clients.client(service)

    @cached_property
    def _clients(self) -> Clients:
        from mlops.account.local.clients import Clients

        return Clients(self.state)

    def rest(self, execution: str, seconds: float) -> None:
        """Looks at its row again and again, which costs next to nothing; most often at the beginning, for what the
        cache serves is over in a moment."""
        from mlops.account.local.settling import RUNNING

        deadline, pause = time.monotonic() + seconds, _GLANCE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, pause))
            pause *= 1.1
            row = self.state.store.one("SELECT status FROM execution WHERE id = ?", execution.rpartition("/")[2])
            if row is None or row["status"] not in RUNNING:
                return

    def ensure_bucket(self, name: str) -> None:
        self.state.objects.ensure_bucket(name)
