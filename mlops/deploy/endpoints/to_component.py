"""Take a version to an inference component, or say what that would do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from mlops.account import Account, answers, confirm_identity
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import begun, components, history
from mlops.deploy.endpoints.asked import Asked
from mlops.deploy.endpoints.components import Component, ComponentPlan, Replacing
from mlops.deploy.endpoints.conductor import Conductor
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.people import People
from mlops.deploy.endpoints.planning import need_own
from mlops.deploy.endpoints.promotion import AT_ONCE, Target, Wanted, want
from mlops.deploy.endpoints.sampling import Answer, Samples
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.controller import Happened
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.ir import MlopsError, Refusal, UsageError
from mlops.ir.hiding import hide_text
from mlops.ir.hook import Coming
from mlops.ir.saying import Say
from mlops.project.environments import Environment


def to_component(
    asked: Asked, conductor: Conductor, samples: Samples
) -> tuple[Literal["updated", "unchanged"], tuple[Answer, ...]]:
    """Raises Refusal where another version serves in the end; that stands in its history then."""
    account, environment, name = asked.account, asked.environment, str(asked.settings.component)
    replacing = Replacing(account, environment, timeout=asked.wanted.target.timeout, say=asked.say, clock=asked.clock)
    there = replacing.settled(name)
    with answers():
        left = begun.read(account, environment, name)
    plan = _component_plan(account, there, asked.wanted, asked.settings, left)
    if plan.told:
        asked.permit_after(plan.told, f"the inference component {name}")
    entry = _entry(asked, plan, there, left)
    engine = "update" if asked.settings.course(None) == AT_ONCE else "rolling"
    version = asked.version
    coming = Coming(name, version.group, version.number, asked.wanted.model, entry.before, engine, asked.by)
    people = People(account, environment, asked.settings.notify, asked.settings.root)
    try:
        with _around(plan, coming, entry.id, conductor, people, asked.say):
            verb, answered = replacing.do(plan, samples)
    except Refusal as refusal:
        reason, config = hide_text(refusal.message), entry.before or ""
        taken = replace(entry, verb="taken back", config=config, before=None, reason=reason, serves=None)
        with answers():
            history.append(account, environment, name, taken)
        raise
    if verb == "updated":
        with answers():
            history.append(account, environment, name, entry)
    return verb, tuple(answered)


def _entry(asked: Asked, plan: ComponentPlan, there: Component, left: Entry | None) -> Entry:
    """The end of what is begun now, noted before anything is done, or of what was begun and cut off."""
    if plan.came and left is not None:
        return replace(left, by=asked.by, reason=asked.reason or left.reason)
    entry = asked.entry("updated", asked.wanted.model, before=there.model, way="in batches")
    if plan.update is None:
        return entry
    with answers():
        return begun.begin(asked.account, asked.environment, there.name, entry, left)


@contextmanager
def _around(
    plan: ComponentPlan, coming: Coming, of: str, conductor: Conductor, people: People, say: Say
) -> Iterator[None]:
    """Hooks are called and people told where something is replaced."""
    if plan.update is None:
        yield
        return
    what = history.what(coming.group, coming.version)
    key = f"{coming.before}-{coming.config}"
    about = {"group": coming.group, "version": coming.version, "by": coming.by}

    def tell(happened: Happened, text: str) -> None:
        people.tell_of(coming.endpoint, happened, text, {**about, "key": f"{key}-{happened}"})

    tell("start", f"the promotion of {what} begins, by {coming.by}")
    try:
        if not plan.came:
            conductor.call_hooks("before", coming, of=of)
        yield
        conductor.call_hooks("after", coming, of=of)
        tell("end", f"serves {what}")
    except MlopsError as error:
        conductor.call_hooks("rollback", coming, hide_text(error.message), of=of)
        tell("rollback", f"{what} does not serve: {error.message}")
        tell("end", f"does not serve {what}: {error.message}")
        raise
    finally:
        people.close(say)


def _component_plan(
    account: Account, there: Component, wanted: Wanted, settings: PromotionSettings, left: Entry | None
) -> ComponentPlan:
    sagemaker = account.client("sagemaker")
    with answers():
        has_model = unless_missing(lambda: sagemaker.describe_model(ModelName=wanted.model)) is not None
    return components.decide(there, has_model, wanted, settings, left)


def planned_component(
    account: Account, environment: Environment, version: Version, target: Target, settings: PromotionSettings
) -> ComponentPlan:
    """What would be done to the environment's inference component, by what is seen now."""
    wanted = want(environment, version, target)
    with answers():
        identity = confirm_identity(account, environment)
        need_own(environment, identity.account, version, wanted)
        there = components.see(account.client("sagemaker"), str(settings.component))
        left = begun.read(account, environment, str(settings.component))
    if there is None:
        raise UsageError(f"there is no inference component {settings.component!r}")
    return _component_plan(account, there, wanted, settings, left)
