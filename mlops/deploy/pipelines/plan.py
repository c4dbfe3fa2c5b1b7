"""A plan of a pipeline: what is wanted, what the account has, and what follows from the two. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from mlops.account import Account, Identity, answers, confirm_identity
from mlops.deploy.pages import items
from mlops.deploy.pipelines.assets import AssetObject, Missing, absent
from mlops.deploy.pipelines.deciding import Plan, decide, want
from mlops.deploy.pipelines.seeing import see
from mlops.ir import Asset, Checked
from mlops.project.environments import Environment

__all__ = ["Plan", "plan", "plan_all"]

_MANY = 20
"""From so many pipelines on, one listing (a call per hundred) saves the Describe of those that are not there."""
_AT_ONCE = 8


def plan(
    account: Account,
    environment: Environment,
    checked: Checked,
    *,
    suffix: str | None = None,
    aliases: Sequence[str] = (),
    identity: Identity | None = None,
    known: frozenset[str] | None = None,
    missing: Missing | None = None,
) -> Plan:
    """``checked`` has no errors. ``known`` are the pipelines that the account has, where somebody listed them, and
    ``missing`` has what somebody found to be absent of each asset."""
    identity = identity or confirm_identity(account, environment)
    wanted = want(environment, checked, suffix=suffix, aliases=aliases)
    seen = see(
        account,
        environment,
        wanted.state.name,
        checked.definition,
        wanted.resources,
        identity,
        known=known,
        missing=missing,
    )
    return decide(seen, wanted)


def plan_all(
    account: Account,
    environment: Environment,
    pipelines: Sequence[Checked],
    *,
    suffix: str | None = None,
    aliases: Sequence[str] = (),
) -> tuple[Plan, ...]:
    """In the order of ``pipelines``."""
    identity = confirm_identity(account, environment)
    known: frozenset[str] | None = None
    if len(pipelines) >= _MANY:
        with answers():
            listed = items(account.client("sagemaker"), "list_pipelines", "PipelineSummaries", MaxResults=100)
            known = frozenset(str(item["PipelineName"]) for item in listed)

    # Pipelines share code, which is asked for once.
    assets = {(asset.uri, asset.address): asset for checked in pipelines for asset in checked.definition.assets}
    missing: dict[tuple[str, str], tuple[AssetObject, ...]] = {}

    def asked(asset: Asset) -> Missing:
        with answers():
            return absent(account, [asset])

    def one(checked: Checked) -> Plan:
        return plan(
            account,
            environment,
            checked,
            suffix=suffix,
            aliases=aliases,
            identity=identity,
            known=known,
            missing=missing,
        )

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(asked, assets.values()):
            missing.update(found)
        return tuple(pool.map(one, pipelines))
