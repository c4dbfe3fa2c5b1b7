"""Code, data and large definitions in an account's bucket."""

from __future__ import annotations

from mlops.deploy.pipelines import prune as pruning
from mlops.deploy.pipelines.prune import StoredAsset
from mlops.ir.counted import counted
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import connect_here


def listed(environment: str) -> tuple[StoredAsset, ...]:
    connected = connect_here(environment)
    return tuple(pruning.inventory(connected.account, connected.environment).assets)


def prune(environment: str, days: float, consent: Consent = NOBODY, *, deleting: bool) -> tuple[StoredAsset, ...]:
    """What no pipeline refers to and is older than that; with ``deleting`` it is gone."""
    connected = connect_here(environment)
    found = pruning.prunable(pruning.inventory(connected.account, connected.environment), days)
    if deleting and found:
        need_consent(connected, f"delete {counted(len(found), 'object')}", consent)
        pruning.prune(connected.account, connected.environment, found)
    return tuple(found)
