"""The embedded account, number 000000000000: the operations of SageMaker, S3, STS and CloudWatch Logs that a pipeline
needs, answered from one folder.

:mod:`~mlops.account.local.clients` gives boto3 clients; :mod:`~mlops.account.local.answering` finds who answers; one
module per area answers. Executions and endpoints live in processes of their own
(:mod:`~mlops.account.local.runner`), which work on the same folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops.account.local.state import ACCOUNT_ID, State

__all__ = ["ACCOUNT_ID", "LocalAccount"]


class LocalAccount:
    """``folder`` is made when absent. Any number of processes may use it at once."""

    def __init__(self, folder: Path, region: str) -> None:
        from mlops.account.local.clients import Clients

        self.region = region
        self.state = State(folder, region)
        self._clients = Clients(self.state)

    def client(self, service: str) -> Any:
        return self._clients.client(service)

    def ensure_bucket(self, name: str) -> None:
        self.state.objects.ensure_bucket(name)
