"""Run a small pipeline in an account for real, under a cap of its cost, take everything away again, and write down what
was proved. Nobody has run this on AWS yet; see docs/deploy.md."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.executions.following import ExecutionState, describe, start, stop
from mlops.deploy.fencing import new_token
from mlops.deploy.pages import items
from mlops.deploy.pipelines.apply import apply
from mlops.deploy.pipelines.destroy import destroy, plan_removal
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.prune import StoredAsset, inventory, prune
from mlops.deploy.waiting import Clock, until
from mlops.ir import AccountError, Checked, MlopsError
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment

_POLL_SECONDS = 5.0
_STOP_SECONDS = 900.0
"""How long an execution may take to stop: a job of it has two minutes to end by itself, and its machine some more."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was tried; ``detail`` says what came of it."""

    name: str
    ok: bool
    detail: str
    seconds: float


def selftest(
    account: Account,
    environment: Environment,
    checked: Checked,
    *,
    seconds: float,
    say: Callable[[str], None],
) -> tuple[Proof, ...]:
    """``checked`` runs one instance at a time and has a name that nobody else uses. An execution that takes longer than
    ``seconds`` is stopped. Everything that was made is removed, also where something fails."""
    proofs: list[Proof] = []
    name = checked.definition.name or ""

    def prove(what: str, act: Callable[[], str]) -> bool:
        say(what)
        began = time.monotonic()
        try:
            detail, ok = act(), True
        except MlopsError as error:
            detail, ok = error.message, False
        proofs.append(Proof(what, ok, detail, time.monotonic() - began))
        return ok

    def upsert() -> str:
        return apply(account, environment, plan(account, environment, checked)).action

    def again() -> str:
        found = plan(account, environment, checked)
        if found.actions:
            raise MlopsError(f"there is still something to do: {', '.join(item.label for item in found.actions)}")
        return "nothing to do"

    def run() -> str:
        state = _run(account, environment, name, seconds)
        told = ", ".join(f"{step.name} {step.status}" for step in state.steps)
        if state.status != "Succeeded":
            cut = f"at the cap of {seconds:.0f} s, " if state.status == "Stopped" else ""
            raise MlopsError(f"{state.status}: {cut}{state.failure or told}")
        return told

    try:
        if prove("create the pipeline", upsert) and prove("upsert again", again):
            prove("run it", run)
    finally:
        prove("remove it all", lambda: _remove(account, environment, checked))
    return tuple(proofs)


def _run(account: Account, environment: Environment, name: str, seconds: float) -> ExecutionState:
    arn = start(account, environment, name, {})
    clock, pause = Clock(), min(_POLL_SECONDS, max(0.2, seconds / 100))

    def wait(seconds: float) -> tuple[ExecutionState, bool]:
        deadline = clock.now() + seconds
        return until(
            lambda: describe(account, arn), lambda state: state.ended, clock, deadline, first=pause, longest=pause
        )

    try:
        state, ended = wait(seconds)
        if not ended:
            stop(account, arn)
            state, ended = wait(_STOP_SECONDS)
        if not ended:
            raise AccountError(
                f"execution {state.id} was stopped and is still {state.status} after {_STOP_SECONDS:g} s"
            )
        return state
    except BaseException as error:
        try:
            stop(account, arn)
        except MlopsError as refused:
            # What went wrong first says more.
            error.add_note(f"it could not be stopped: {refused.message}")
        raise


def _remove(account: Account, environment: Environment, checked: Checked) -> str:
    """Each kind of thing for itself: what the account refuses of one leaves nothing of the others behind."""
    name = checked.definition.name or ""
    parts: list[Callable[[], str]] = [
        lambda: _remove_pipeline(account, environment, name),
        lambda: counted(_remove_group(account.client("sagemaker"), name), "version"),
        lambda: f"{_remove_objects(account, environment, name)} outputs",
        lambda: f"{counted(_remove_code(account, environment, checked), 'object')} of code",
    ]
    done, refused = [], []
    for part in parts:
        try:
            done.append(part())
        except MlopsError as error:
            refused.append(error.message)
    if refused:
        raise MlopsError(f"{'; '.join(refused)}; removed: {', '.join(done) or 'nothing'}")
    return ", ".join(done)


def _remove_pipeline(account: Account, environment: Environment, name: str) -> str:
    removal = plan_removal(account, environment, name)
    destroy(account, environment, removal, force=True)
    return ", ".join(removal.labels) or "no pipeline"


def _remove_code(account: Account, environment: Environment, checked: Checked) -> int:
    addresses = {asset.address for asset in checked.definition.assets}
    left: tuple[StoredAsset, ...] = tuple(
        item
        for item in inventory(account, environment).assets
        if not item.referenced and any(address in item.key for address in addresses)
    )
    prune(account, environment, left)
    return len(left)


def _remove_group(sagemaker: Any, group: str) -> int:
    def removed() -> int:
        listed = list(items(sagemaker, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group))
        for item in listed:
            sagemaker.delete_model_package(ModelPackageName=item["ModelPackageArn"])
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
        return len(listed)

    with answers():
        return unless_missing(removed) or 0


def _remove_objects(account: Account, environment: Environment, name: str) -> int:
    """What the executions wrote: below the pipeline's own prefix."""
    s3 = account.client("s3")
    prefix = "/".join(filter(None, (environment.prefix, name))) + "/"
    with answers():
        keys = [
            {"Key": item["Key"]}
            for item in items(s3, "list_objects_v2", "Contents", Bucket=environment.bucket, Prefix=prefix)
        ]
        for first in range(0, len(keys), 1000):
            chosen = keys[first : first + 1000]
            reply = s3.delete_objects(Bucket=environment.bucket, Delete={"Objects": chosen, "Quiet": True})
            if reply.get("Errors"):
                told = reply["Errors"][0]
                raise AccountError(f"DeleteObjects: {told.get('Code')}: {told.get('Key')}")
    return len(keys)


def unique_name() -> str:
    return f"mlops-selftest-{new_token()[:8]}"
