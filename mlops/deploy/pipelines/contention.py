"""Of two updates at once the first stays and the other is told.

UpdatePipeline takes no condition: between looking and writing there is a moment in which somebody else can write. So
what an update has really replaced is looked at afterwards, in the versions that the account keeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from mlops.account import Account
from mlops.deploy.pages import items
from mlops.deploy.pipelines.record import Beaten
from mlops.deploy.pipelines.state import PipelineState, describe, differing

_A_PAGE = 10
"""Versions. Those between ours and what it was to replace came within one call's time."""
_SETTLES_AFTER = 0.5
"""Seconds; longer than another upsert takes from looking to writing."""


def judge(
    account: Account, ours: PipelineState, over: PipelineState, version: int | None, put_back: Callable[[str], None]
) -> None:
    """After an update from ``over`` to ``ours`` that became ``version``; None where the account keeps none (moto).

    Raises Beaten where somebody else wrote since ``over`` was seen: their definition is given to ``put_back``. Without
    versions it cannot be told what was overwritten: there the last one stays, and who was first sees that after a
    pause.
    """
    if ours.document == over.document:
        # The record alone decides on role, description and parallelism; such an update may be no version.
        return
    if version is not None:
        replaced = _replaced(account, ours, over, version)
        if replaced is not None and replaced.document != over.document:
            put_back(replaced.definition)
            raise Beaten(
                f"{ours.name}: somebody else wrote it at the same time, and was faster; theirs is in place again",
                hint="run `mlops plan` to see what it left, then upsert again",
            )
        return
    time.sleep(_SETTLES_AFTER)
    there = describe(account, ours.name)
    if there is None or there.state.fingerprint() != ours.fingerprint():
        told = "it is gone" if there is None else ", ".join(differing(there.state, ours))
        raise Beaten(
            f"{ours.name} is not what was sent half a second ago: {told}; somebody else wrote it at the same time, and "
            "theirs is in place",
            hint="run `mlops plan` to see what it left, then upsert again",
        )


def _replaced(account: Account, ours: PipelineState, over: PipelineState, version: int) -> PipelineState | None:
    """What stood before ``version``. An attempt of ours whose answer was lost, and that was repeated, does not count.
    Of a version only its definition is its own in every account."""
    for number in _before(account, ours.name, version):
        found = describe(account, ours.name, number)
        if found is None:
            continue
        if found.state.document == over.document or found.state.document != ours.document:
            return found.state
    return None


def _before(account: Account, name: str, version: int) -> Iterator[int]:
    """The newest first; further pages only where none of the first decides."""
    sagemaker = account.client("sagemaker")
    chosen = {"PipelineName": name, "SortOrder": "Descending", "MaxResults": _A_PAGE}
    for summary in items(sagemaker, "list_pipeline_versions", "PipelineVersionSummaries", **chosen):
        if summary["PipelineVersionId"] < version:
            yield int(summary["PipelineVersionId"])
