"""The one module that writes what a file declares into an account: the plan's actions, in their order.

Every action can be done again. What was cut off is found by the next one, which plans anew: what is made is named by
its content, and a shift of traffic has a journal that is gone on with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import field, replace
from typing import assert_never

from mlops.account import Account, answers
from mlops.deploy import calls
from mlops.deploy.declared import scaling
from mlops.deploy.declared.deciding import decide_endpoint
from mlops.deploy.declared.plan import Action, Bring, Make, Plan, Put, Scale
from mlops.deploy.declared.seeing import SeenEndpoint, SeenKept, see_endpoint, see_kept, versions_in
from mlops.deploy.declared.wanting import CONTENT, HALTED, RESOURCE, Content
from mlops.deploy.endpoints import begun, history
from mlops.deploy.endpoints.begun import Overtaken
from mlops.deploy.endpoints.conductor import Conductor, need_left
from mlops.deploy.endpoints.history import DECLARED, Entry
from mlops.deploy.endpoints.promotion import Promotion, Shift
from mlops.deploy.endpoints.sampling import NO_SAMPLES, Samples, samples_of
from mlops.deploy.endpoints.writer import Writer
from mlops.deploy.models import registry
from mlops.deploy.models.registry import APPROVED, Version
from mlops.deploy.pipelines.actions import Upload
from mlops.deploy.pipelines.upload import Progress, upload
from mlops.deploy.resources import resource_types
from mlops.deploy.shifting import scaling as shifting
from mlops.deploy.shifting.lost_answers import made
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.tag_lists import listed
from mlops.deploy.waiting import Clock, until
from mlops.ir import MlopsError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import Resource
from mlops.project.environments import Environment

TIMEOUT_SECONDS = 1800.0
"""For an endpoint to come up, as for a promotion."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, in words. ``uploaded`` are the URIs of objects."""

    name: str
    done: tuple[str, ...]
    uploaded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears of each action when it is done, of what is done to an endpoint, and of an upload while it goes on."""

    done: Callable[[Action], None] = lambda action: None
    say: Callable[[str], None] = lambda text: None
    progress: Progress = lambda uri, sent, size: None


@dataclass(slots=True)
class _Work:
    account: Account
    plan: Plan
    settings: PromotionSettings
    listener: Listener
    clock: Clock
    timeout: float
    force: bool
    done: list[str] = field(default_factory=list)
    uploaded: list[str] = field(default_factory=list)

    @property
    def environment(self) -> Environment:
        return self.plan.wanted.environment


def apply(
    account: Account,
    plan: Plan,
    settings: PromotionSettings,
    *,
    force: bool = False,
    listener: Listener | None = None,
    sent: Collection[str] = (),
    clock: Clock | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Applied:
    """``sent`` are URIs of objects that were sent since the plan was made. Raises Refusal before any write where a gate
    refuses, or where somebody else made or changed an endpoint, unless ``force``; and where a shift of traffic does not
    come to its end. An error tells what was done and what was not."""
    _permit(plan, force=force)
    work = _Work(account, plan, settings, listener or Listener(), clock or Clock(), timeout, force)
    left = list(plan.actions)
    try:
        for action in plan.actions:
            with answers():
                _do(work, action, sent)
            left.remove(action)
            work.done.append(action.label)
            work.listener.done(action)
    except MlopsError as error:
        told = [f"done: {'; '.join(work.done) or 'nothing'}", f"not done: {'; '.join(item.label for item in left)}"]
        error.message = "\n  ".join([error.message, *told])
        raise
    except KeyboardInterrupt as error:
        error.add_note(f"{plan.name}: done: {'; '.join(work.done) or 'nothing'}; run it again: it goes on from there")
        raise
    return Applied(plan.name, tuple(work.done), tuple(work.uploaded))


_ANSWERED_BY_FORCE = "--force"


def _permit(plan: Plan, *, force: bool) -> None:
    if not plan.actions and not plan.refused:
        return
    if plan.wanted.environment.is_local and plan.secrets:
        raise Refusal(
            f"{plan.name} would put a secret into .mlops/ in plain text: {plan.secrets[0]}; nothing was written",
            hint="give it by reference, or allow it: `# mlops: allow X840 REASON`",
        )
    stops = [item for item in plan.obstacles if not (force and _ANSWERED_BY_FORCE in item)]
    if not force and plan.actions:
        stops += plan.drift
    if stops:
        raise Refusal(f"{plan.name}: {'; '.join(stops)}; nothing was written", hint="see `mlops plan`")


def _do(work: _Work, action: Action, sent: Collection[str]) -> None:
    match action:
        case Upload(item):
            if item.uri in sent and not item.in_place:
                return
            upload(work.account, work.environment, item, work.listener.progress)
            work.uploaded.append(item.uri)
        case Make(content):
            make(work.account, content)
        case Put(content):
            put(work.account, content, work.clock, work.timeout)
        case Bring():
            _bring(work, action)
        case Scale(endpoint):
            _scale(work, endpoint)
        case _:
            assert_never(action)


def make(account: Account, content: Content) -> None:
    """Two may make it at once: it is named by its content."""
    kind = resource_types()[content.resource.type]
    request = {**content.request, "Tags": listed(content.tags)}
    made(
        lambda: calls.make(account, kind, kind.create(content.name, request)),
        lambda: calls.make(account, kind, kind.describe(content.name)),
    )


def put(account: Account, content: Content, clock: Clock, timeout: float) -> None:
    """Made, or changed where it stands; what it is busy with is waited for, before and after."""
    kind = resource_types()[content.resource.type]
    kept = kind.kept
    if kept is None:
        raise LookupError(f"the {kind.type} {content.name} is not called by its own name")

    def settled() -> SeenKept:
        seen, ended = until(
            lambda: see_kept(account, kind, content.name, content.arn),
            lambda state: kept.busy(state.reply) is None,
            clock,
            clock.now() + timeout,
        )
        if not ended:
            raise Refusal(f"the {kind.type} {content.name} is still {kept.busy(seen.reply)}", hint="upsert it again")
        return seen

    there = settled()
    made_now = there.properties is None
    if made_now:
        # Until all of it is there, nothing says that it is as declared.
        tags = {key: value for key, value in content.tags.items() if not kept.in_parts or key != CONTENT}
        try:
            calls.make(account, kind, kind.create(content.name, {**content.request, "Tags": listed(tags)}))
        except Exception:
            # An answer that was lost, or somebody else makes the same at this moment: then it is gone on with.
            made_now = False
            if settled().tags.get(RESOURCE) != content.tags[RESOURCE]:
                raise
        there = settled()
    if not made_now or kept.in_parts:
        pause, halted = kept.pause, HALTED in there.tags
        if there.properties != kept.form(content.request):
            if pause is not None and pause.runs(there.reply):
                # First the tag: what is cut off behind it is started by the next upsert.
                calls.make(account, kind, (kept.tag(content.arn, content.name, listed({HALTED: "yes"})),))
                calls.make(account, kind, (pause.stop(content.name),))
                there, halted = settled(), True
            calls.make(account, kind, kept.change(content.name, content.request, there.reply), there.reply)
            settled()
        # What was cut off before this one is an update that has only it to do.
        tags = {**(there.tags if kept.replaces_tags else {}), **content.tags}
        calls.make(account, kind, (kept.tag(content.arn, content.name, listed(tags)),), there.reply)
        if pause is not None and halted:
            if not pause.runs(settled().reply):
                calls.make(account, kind, (pause.start(content.name),))
                settled()
            calls.make(account, kind, (pause.untag(content.arn, [HALTED]),))
    failed = kept.failed(settled().reply)
    if failed is not None:
        raise Refusal(f"the {kind.type} {content.name} failed: {failed}", hint="mend what it says, and upsert it again")


def _bring(work: _Work, action: Bring) -> None:
    """What was under way is waited for, and what was cut off is ended; then it is decided again."""
    account, wanted, endpoint = work.account, work.plan.wanted, action.endpoint
    config, models = _content(work, action)
    what = Version(config.name, DECLARED, "", APPROVED, None)
    samples = _samples(work, models)
    conductor = Conductor(
        account,
        work.environment,
        work.settings,
        by=work.plan.caller,
        timeout=work.timeout,
        say=work.listener.say,
        clock=work.clock,
    )
    writer = Writer(
        account,
        work.environment,
        account,
        what,
        samples,
        conductor,
        timeout=work.timeout,
        say=work.listener.say,
        clock=work.clock,
    )
    seen = see_endpoint(account, wanted, endpoint)
    if seen.left is not None:
        need_left(seen.left, work.environment, take_over=False)
        conductor.go_on(seen.left, samples if seen.left.journal.group == config.name else NO_SAMPLES)
        seen = see_endpoint(account, wanted, endpoint)
    overtaken: tuple[Promotion, Overtaken] | None = None
    while True:
        road = decide_endpoint(seen, wanted, endpoint, config, work.settings)
        if overtaken is not None and road.verb not in (None, "unchanged") and road.finishes is None:
            if writer.doing:
                writer.hear_of_failure(*overtaken)
            raise overtaken[1]
        try:
            entry = _begun(work, endpoint.name, road, config, seen)
            writer.doing = entry.id if entry is not None else ""
            _walk(writer, endpoint.name, road, entry)
        except Overtaken as error:
            # What they did may be all that was left to do here.
            overtaken = road, error
            seen = see_endpoint(account, wanted, endpoint)
            continue
        if road.verb is not None:
            break
        seen = see_endpoint(account, wanted, endpoint)
    if entry is not None:
        history.append(account, work.environment, endpoint.name, entry)


def _walk(writer: Writer, endpoint: str, road: Promotion, entry: Entry | None) -> None:
    try:
        for step in road.actions:
            writer.do(step)
    except Overtaken:
        raise
    except MlopsError as error:
        writer.note_if_taken_back(endpoint, entry, error)
        writer.hear_of_failure(road, error)
        raise


def _scale(work: _Work, endpoint: Resource) -> None:
    """What serves now may be called otherwise than when it was planned."""
    seen = see_endpoint(work.account, work.plan.wanted, endpoint)
    declared = scaling.declared(endpoint)
    if declared is None or seen.endpoint is None or seen.endpoint.serving is None:
        return
    wanted = scaling.on(declared, seen.endpoint.serving.names)
    shifting.bring(work.account, endpoint.name, seen.scaling, wanted, work.listener.say)


def _content(work: _Work, action: Bring) -> tuple[Content, tuple[Content, ...]]:
    """What the plan was made of: the account may have another version by now."""
    contents = {item.resource.key: item for item in action.contents}
    wanted = work.plan.wanted
    config = next(contents[item.key] for item in wanted.named(action.endpoint))
    models = tuple(contents[item.key] for item in wanted.named(config.resource))
    return config, models


def _samples(work: _Work, models: tuple[Content, ...]) -> Samples:
    """Those of the one registered version that it serves."""
    arns = [arn for model in models for arn in versions_in(model)]
    if len(arns) != 1 or len(models) != 1:
        return NO_SAMPLES
    return samples_of(work.account, registry.described(work.account, arns[0]))


def _begun(work: _Work, name: str, road: Promotion, config: Content, seen: SeenEndpoint) -> Entry | None:
    """The end of what is begun now or gone on with, for the endpoint's history; a shift writes its own."""
    if road.verb not in ("created", "updated"):
        return None
    if road.finishes is not None:
        return replace(road.finishes, by=work.plan.caller)
    was = seen.endpoint.config if seen.endpoint is not None and road.verb == "updated" else None
    if was is not None:
        begun.overtake(work.account, work.environment, name, seen.begun, was)
    if any(isinstance(step, Shift) for step in road.actions):
        return None
    entry = Entry(road.verb, config.name, DECLARED, road.config, was, work.plan.caller, None, "at once", DECLARED)
    return begun.begin(work.account, work.environment, name, entry, seen.begun)
