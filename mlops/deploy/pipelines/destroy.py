"""Take away what upserts made: the pipeline, what starts it, and the record. Code and data that others may share stay;
``mlops assets prune`` finds what nobody needs any more."""

from __future__ import annotations

from mlops.account import Account, answers, confirm_account, confirm_identity
from mlops.deploy import calls, removed
from mlops.deploy.conditional_object import BucketMissing
from mlops.deploy.owners import Owner, owner_of
from mlops.deploy.pipelines import record as records
from mlops.deploy.pipelines.state import Present, describe, judge_name
from mlops.deploy.resources import resource_types
from mlops.deploy.resources.pipeline import RESOURCE_TYPE as PIPELINE
from mlops.deploy.resources.tags import RESOURCE_TYPE as TAGS
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes, in this order; ``companions`` are types and names of resources that belong to the pipeline.
    ``foreign``: it is not what we last wrote."""

    name: str
    present: Present | None
    companions: tuple[tuple[str, str], ...]
    has_record: bool
    foreign: bool
    owner: Owner | None = None

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
        except BucketMissing:
            stored = None
    last = stored.record if stored is not None else None
    pairs = [key.partition(" ") for key in sorted(last.companions)] if last is not None else []
    companions = tuple((kind, companion) for kind, _, companion in pairs)
    ours = last is not None and (
        present is None or present.state.fingerprint(environment.uri("assets")) in (last.wrote, last.over)
    )
    tags = {} if present is None or account.here is not None else calls.see(account, TAGS, present.arn) or {}
    foreign = present is not None and not ours
    its = None if present is None else owner_of(account, environment, "pipeline", name, tags)
    return Removal(name, present, companions, stored is not None, foreign, its)


def destroy(account: Account, environment: Environment, removal: Removal, *, force: bool = False) -> None:
    """The record goes last, so that a run that was cut off can be repeated. Raises Refusal, also where something
    belongs to the pipeline that is not known here."""
    if removal.owner is not None:
        raise Refusal(f"{removal.owner.refuses(f'the pipeline {removal.name}')}; nothing was removed")
    if removal.foreign and not force:
        raise Refusal(
            f"{removal.name} is not what mlops last wrote; nothing was removed",
            hint="see `mlops plan`; --force removes it all the same",
        )
    unknown = [f"{kind} {name}" for kind, name in removal.companions if kind not in resource_types()]
    if unknown:
        raise Refusal(
            f"{', '.join(unknown)} of {removal.name} is of a type that this mlops does not know; nothing was removed",
            hint="remove it with the version, or the plug-in, that made it",
        )
    gone = [*removal.companions, *([("pipeline", removal.name)] if removal.present is not None else [])]
    with answers():
        by = confirm_identity(account, environment).arn if gone else ""
        for kind, name in gone:
            removed.note(account, environment, kind, name, why="destroyed", by=by)
            calls.remove(account, PIPELINE if kind == "pipeline" else resource_types()[kind], name)
        if removal.has_record:
            records.remove(account, environment, removal.name)
