"""Take away what upserts made: the pipeline, what starts it, and the record. Code and data that others may share stay;
``mlops assets prune`` finds what nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import unless_missing
from mlops.deploy.pipelines import record as records
from mlops.deploy.pipelines.companions import remove
from mlops.deploy.pipelines.state import Present, describe, judge_name
from mlops.ir import Refusal
from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes, in this order. ``foreign``: it is not what we last wrote."""

    name: str
    present: Present | None
    companions: tuple[tuple[Literal["schedule", "trigger"], str], ...]
    has_record: bool
    foreign: bool

    @property
    def labels(self) -> tuple[str, ...]:
        gone = [f"{kind} {name}" for kind, name in self.companions]
        gone += [f"pipeline {self.name}"] if self.present is not None else []
        return (*gone, *([f"record of {self.name}"] if self.has_record else []))


def plan_removal(account: Account, environment: Environment, name: str) -> Removal:
    judge_name(name)
    confirm_account(account, environment)
    present = describe(account, name)
    with answers():
        try:
            stored = records.read(account, environment, name)
        except records.BucketMissing:
            stored = None
    last = stored.record if stored is not None else None
    pairs = [key.partition(" ") for key in sorted(last.companions)] if last is not None else []
    companions: list[tuple[Literal["schedule", "trigger"], str]] = [
        ("schedule" if kind == "schedule" else "trigger", companion) for kind, _, companion in pairs
    ]
    ours = last is not None and (
        present is None or present.state.fingerprint(environment.uri("assets")) in (last.wrote, last.over)
    )
    return Removal(name, present, tuple(companions), stored is not None, present is not None and not ours)


def destroy(account: Account, environment: Environment, removal: Removal, *, force: bool = False) -> None:
    """The record goes last, so that a run that was cut off can be repeated. Raises Refusal."""
    if removal.foreign and not force:
        raise Refusal(
            f"{removal.name} is not what mlops last wrote; nothing was removed",
            hint="see `mlops plan`; --force removes it all the same",
        )
    with answers():
        for kind, name in removal.companions:
            remove(account, kind, name)
        if removal.present is not None:
            unless_missing(
                lambda: account.client("sagemaker").delete_pipeline(
                    PipelineName=removal.name, ClientRequestToken=records.new_token()
                )
            )
        if removal.has_record:
            records.remove(account, environment, removal.name)
