"""The embedded account, number 000000000000: the operations of SageMaker, S3, STS and CloudWatch Logs that a pipeline
needs, answered from one folder.

:mod:`~mlops.account.local.clients` gives boto3 clients; :mod:`~mlops.account.local.answering` finds who answers; one
module per area answers. Executions and endpoints live in processes of their own
(:mod:`~mlops.account.local.process.runner`), which work on the same folder.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.account.answers import Refused
from mlops.account.delivery import Delivery, Flow
from mlops.account.local.clock import wake_again
from mlops.account.local.events import KeptEvents
from mlops.account.local.refusal import Refusal
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.account.run_options import RunOptions
from mlops.account.shadow_pairs import NewPairs, ShadowPair
from mlops.ir.s3_uri import split_uri
from mlops.knowledge.image_need import Need

if TYPE_CHECKING:
    from mlops.account.local.clients import Clients
    from mlops.account.local.feedback import KeptLoops
    from mlops.account.local.images.shelf import Shelf
    from mlops.account.local.upkeep.cache_reasons import Explanation
    from mlops.account.local.upkeep.pruning import Pruning
    from mlops.account.local.upkeep.repeated_versions import Repeated

_GLANCE_SECONDS = 0.005

__all__ = ["ACCOUNT_ID", "LocalAccount"]


class LocalAccount:
    """Its methods beyond clients load what they need when they are asked: most commands need none of them.

    ``folder`` is made when absent. Any number of processes may use it at once. With ``directly`` clients answer what
    a run asks without loading boto3."""

    def __init__(self, folder: Path, region: str, user: str | None = None) -> None:
        self.region = region
        self.state = State(folder, region, user)
        wake_again(self.state)
        self.directly = False

    @property
    def events(self) -> KeptEvents:
        return KeptEvents(self.state.store)

    @property
    def loops(self) -> KeptLoops:
        from mlops.account.local.feedback import KeptLoops

        return KeptLoops(self.state)

    def client(self, service: str) -> Any:
        if self.directly:
            from mlops.account.local.direct import DirectClient

            return DirectClient(self.state, service, lambda: self._clients.client(service))
        return self._clients.client(service)

    @cached_property
    def _clients(self) -> Clients:
        from mlops.account.local.clients import Clients

        return Clients(self.state)

    @property
    def here(self) -> LocalAccount:
        return self

    def at_once(self) -> AbstractContextManager[object]:
        return self.state.store.transaction()

    def expect_run(self) -> None:
        self.directly = True

    def start(self, request: Mapping[str, Any], options: RunOptions) -> Mapping[str, Any]:
        from mlops.account.local.services.sagemaker.executions import start
        from mlops.account.local.shapes import obey

        operation = "StartPipelineExecution"
        try:
            return start(self.state, obey("sagemaker", operation, request), options)
        except Refusal as refusal:
            raise Refused(operation, refusal.code, refusal.message) from None

    def parameters(self, executions: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        from mlops.account.local.services.sagemaker.executions import parameters

        return parameters(self.state, executions)

    def stubbed(self, execution: str) -> Mapping[str, str]:
        from mlops.account.local import step_records

        return step_records.stubbed(self.state, execution)

    def holds(self, uri: str) -> bool:
        from mlops.account.local import mounts

        bucket, key = split_uri(uri)
        if self.state.objects.list(bucket, key, limit=1):
            return True
        return any(found.uri.startswith(uri) or uri.startswith(found.uri) for found in mounts.mounts(self.state))

    def has_secret(self, name_or_arn: str) -> bool:
        from mlops.account.local.process.ports import local_secret

        return local_secret(self.state, name_or_arn) is not None

    def has_one(self, kind: str, name: str) -> bool:
        from mlops.account.local.answering import answer_fitting

        try:
            answer_fitting(self.state, "sagemaker", f"Describe{kind}", {f"{kind}Name": name})
        except Refusal:
            return False
        return True

    def is_built(self, need: Need) -> bool:
        return self._shelf.find(need) is not None

    def want_image(self, need: Need) -> None:
        self._shelf.want(need)

    @cached_property
    def _shelf(self) -> Shelf:
        from mlops.account.local.images.shelf import Shelf

        return Shelf(self.state.folder)

    def read_code(self, uri: str, name: str) -> bytes | None:
        from mlops.account.local.images.code import read_code

        return read_code(self.state, uri, name)

    def latest_approved(self, group: str) -> Mapping[str, Any] | None:
        from mlops.account.local.services.sagemaker import registry
        from mlops.knowledge.baselines import NoGroup

        try:
            return registry.latest_approved(self.state, group)
        except Refusal as refusal:
            raise NoGroup(refusal.message) from None

    def mount(self, uri: str, folder: Path) -> tuple[int, int]:
        from mlops.account.local import mounts

        try:
            done = mounts.mount(self.state, uri, folder)
        except Refusal as refusal:
            raise Refused("PutObject", refusal.code, refusal.message) from None
        return done.stored, done.removed

    def unmount(self, uri: str) -> int | None:
        from mlops.account.local import mounts

        return mounts.unmount(self.state, uri)

    def mounts(self) -> Mapping[str, Path]:
        from mlops.account.local import mounts

        return {found.uri: found.folder for found in mounts.mounts(self.state)}

    def has_tables(self, database: str) -> bool:
        from mlops.account.local.catalog_tables import has_database

        return has_database(self.state, database)

    def declare_datasets(self, places: Mapping[str, Path]) -> None:
        from mlops.account.local import datasets

        datasets.declare(self.state, places)

    def explain_cache(self, execution: str, step: str) -> Explanation:
        from mlops.account.local.upkeep.cache_reasons import explain

        return explain(self.state, execution, step)

    def repeated_versions(self, execution: str) -> tuple[Repeated, ...]:
        from mlops.account.local.upkeep.repeated_versions import repeated_versions

        return repeated_versions(self.state, execution)

    def open_step(
        self,
        execution: str,
        step: str,
        command: Sequence[str],
        say: Callable[[str], None],
        *,
        debug: bool = False,
    ) -> int:
        from mlops.account.local.upkeep.opening import open_step

        return open_step(self.state, execution, step, command, say, debug=debug)

    def address(self, endpoint: str) -> str | None:
        from mlops.account.local.services.sagemaker.endpoints import address

        return address(self.state, endpoint)

    def shadow_pairs(self, endpoint: str) -> tuple[Iterator[ShadowPair], int]:
        from mlops.account.local.process.capture import pairs
        from mlops.account.local.process.router import records

        folder = self.state.endpoint_folder(endpoint) / pairs.FOLDER
        rows = records.rows_between(folder, 0.0, math.inf)
        # Older versions wrote fewer columns.
        return (ShadowPair(*row) for row in rows), records.lost(folder)

    def new_shadow_pairs(self, endpoint: str, since: float, after: object = None) -> NewPairs:
        from mlops.account.local.process.capture import pairs
        from mlops.account.local.process.router import records

        at = after if isinstance(after, records.Position) else None
        rows, at = records.rows_after(self.state.endpoint_folder(endpoint) / pairs.FOLDER, at)
        found = [ShadowPair(*row) for row in rows if isinstance(row, list) and row[0] >= since]
        lost = [row for row in rows if isinstance(row, dict) and "lost" in row and row.get("time", 0.0) >= since]
        return NewPairs(tuple(found), sum(int(row["lost"]) for row in lost), at)

    def flow(self, stream: str) -> Flow | None:
        from mlops.account.local.services.firehose import streams

        return streams.flow(self.state, stream)

    def delivery(self, stream: str) -> Delivery | None:
        from mlops.account.local.services.firehose import streams

        return streams.delivery(self.state, stream)

    def plan_pruning(self, keep: int, older_than: timedelta | None = None) -> Pruning:
        from mlops.account.local.upkeep.pruning import plan

        return plan(self.state, keep=keep, older_than=older_than)

    def prune(self, planned: Pruning) -> Pruning:
        from mlops.account.local.upkeep.pruning import prune

        return prune(self.state, planned)

    def credentials(self) -> Any:
        return None

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
