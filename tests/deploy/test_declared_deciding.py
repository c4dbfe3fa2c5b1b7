"""What follows for declared resources from what was seen, without an account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlops.account import Identity
from mlops.check.sources import open_targets
from mlops.deploy.declared.deciding import decide
from mlops.deploy.declared.plan import Bring, Make, Plan
from mlops.deploy.declared.seeing import Seen, SeenEndpoint
from mlops.deploy.declared.wanting import CONTENT, INSTANCES, RESOURCE, Wanted, want
from mlops.deploy.endpoints.gating import Gated
from mlops.deploy.endpoints.promotion import Settle, Shift, UpdateEndpoint
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.journal import Journal, Stored
from mlops.deploy.shifting.seeing import Endpoint
from mlops.deploy.shifting.settings import PromotionSettings, read
from mlops.ir.shift import MakeConfig, PointTo, Serving, Variant
from mlops.project.environments import read_project

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
TOML = """
[env.production]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
[env.production.promote]
"""
IDENTITY = Identity("123456789012", "arn:aws:iam::123456789012:user/ada")
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/{}"
AT_ONCE = 'strategy = "all-at-once"'
STEPPED = 'strategy = { stepped = { shares = [5, 25, 50, 100], bake = "5m" } }'
CANARY = 'strategy = { canary = { share = 50, bake = "10m" } }\nalarms = ["churn-5xx"]'


@dataclass
class House:
    """A project whose file declares the endpoint ``churn``."""

    folder: Path
    promote: str = AT_ONCE

    def wanted(self, model: str = "", config: str = "", more: str = "") -> Wanted:
        (self.folder / "mlops.toml").write_text(TOML + self.promote + "\n")
        (self.folder / "serving.py").write_text(
            f"""
from mlops import resources
m = resources.Model("churn", {model or f'image="{IMAGE}"'})
c = resources.EndpointConfig("churn", {config or 'model=m.model_name, instance="ml.m5.large"'})
resources.Endpoint("churn", config=c.config_name)
{more}
"""
        )
        opened = open_targets([str(self.folder / "serving.py")], "production")
        assert not opened.findings, opened.findings
        (checked,) = opened.resources
        return want(read_project(self.folder).environment("production"), checked, self.folder)

    @property
    def settings(self) -> PromotionSettings:
        return read(read_project(self.folder).environment("production"), self.folder)

    def plan(self, seen: Seen, wanted: Wanted) -> Plan:
        return decide(seen, wanted, self.settings)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def nothing(**more: Any) -> Seen:
    return Seen(IDENTITY, "us-east-1", endpoints={"churn": SeenEndpoint(None)}, **more)


def serving(wanted: Wanted, *, count: int = 1, versions: dict[str, Version] | None = None) -> Seen:
    """As it is when ``wanted`` was brought, and scaled to ``count`` since."""
    versions = versions or {}
    contents = wanted.contents({group: version.arn for group, version in versions.items()})
    config = contents["endpoint-config churn"]
    variants = tuple(
        Variant(item["VariantName"], item, 1.0, count if "InitialInstanceCount" in item else None)
        for item in config.request["ProductionVariants"]
    )
    members = {member: value for member, value in config.request.items() if member != "ProductionVariants"}
    endpoint = Endpoint("InService", config.name, None, None, Serving(config.name, variants), members)
    models = frozenset(contents[model.key].name for model in wanted.of("model"))
    seen = SeenEndpoint(endpoint, {RESOURCE: "endpoint churn"}, config.tags, known=True, models=models)
    there = {(item.resource.type, item.name): item.request for item in contents.values()}
    return Seen(IDENTITY, "us-east-1", versions=versions, there=there, endpoints={"churn": seen})


def seen_with(seen: Seen, **changes: Any) -> Seen:
    return replace(seen, endpoints={"churn": replace(seen.endpoints["churn"], **changes)})


def version(number: int) -> Version:
    return Version("churn", number, ARN.format(number), "Approved", None)


def brought(plan: Plan) -> Any:
    (action,) = (item for item in plan.actions if isinstance(item, Bring))
    return action.promotion


def test_what_is_not_there_is_made(house: House) -> None:
    plan = house.plan(nothing(), house.wanted())
    assert [type(action) for action in plan.actions] == [Make, Bring]
    assert [type(step).__name__ for step in brought(plan).actions] == [
        "CreateEndpointConfig",
        "CreateEndpoint",
        "Wait",
    ]
    assert plan.verb == "create"


def test_what_is_there_is_left_alone(house: House) -> None:
    wanted = house.wanted()
    plan = house.plan(serving(wanted), wanted)
    assert (plan.actions, plan.verb, plan.drift, plan.obstacles) == ((), "nothing", (), ())


def test_a_model_that_no_endpoint_serves_is_made_alone(house: House) -> None:
    wanted = house.wanted(more=f'resources.Model("other", image="{IMAGE}", environment={{"A": "1"}})')
    plan = house.plan(serving(house.wanted()), wanted)
    assert [action.label.partition("-")[0] for action in plan.actions] == ["create the model other"]


@pytest.mark.parametrize(("strategy", "engine"), [(AT_ONCE, None), (STEPPED, "weights"), (CANARY, "guardrails")])
def test_another_content_goes_by_the_strategy_of_the_environment(
    house: House, strategy: str, engine: str | None
) -> None:
    before = serving(house.wanted(), count=2)
    house.promote = strategy
    plan = house.plan(before, house.wanted(model=f'image="{IMAGE}", environment={{"A": "2"}}'))
    assert [type(action) for action in plan.actions] == [Make, Bring]
    first = brought(plan).actions[-2] if engine is None else brought(plan).actions[0]
    if engine is None:
        assert isinstance(first, UpdateEndpoint)
        assert not first.recount
        return
    assert isinstance(first, Shift)
    assert first.engine.value == engine
    made = [move for move in first.moves if isinstance(move, MakeConfig)]
    assert all(any(tag["Key"] == CONTENT for tag in move.request["Tags"]) for move in made)
    last = [move for move in first.moves if isinstance(move, PointTo)][-1]
    assert [item.count for item in last.serving.variants] == [2]


COUNTS = {
    "another one is declared": ("count=4", 3, 4),
    "the same one is declared, and it was scaled": ("count=1", 3, 3),
    "serverless": ("serverless=resources.Serverless(1024, 2)", 3, None),
}


@pytest.mark.parametrize("case", COUNTS)
def test_instances_stay_unless_others_are_declared(house: House, case: str) -> None:
    told, live, wanted_count = COUNTS[case]
    before = serving(house.wanted(config='model=m.model_name, instance="ml.m5.large", count=1'), count=live)
    if wanted_count is not None:
        house.promote = STEPPED
        told = f'instance="ml.m5.large", {told}'
    plan = house.plan(before, house.wanted(f'image="{IMAGE}", environment={{"A": "2"}}', f"model=m.model_name, {told}"))
    assert not plan.obstacles
    if wanted_count is None:
        assert isinstance(brought(plan).actions[-2], UpdateEndpoint)
        return
    (shift,) = brought(plan).actions
    assert [move for move in shift.moves if isinstance(move, PointTo)][-1].serving.variants[0].count == wanted_count


def test_capture_that_changes_is_not_kept_from_before(house: House) -> None:
    """An endpoint that retains its variants' properties retains its capture too."""
    before = serving(house.wanted())
    captured = 'model=m.model_name, instance="ml.m5.large", capture=resources.Capture("s3://acme-ml/kept")'
    update = brought(house.plan(before, house.wanted(config=captured))).actions[-2]
    assert update.anew == ("DataCaptureConfig",)
    house.promote = STEPPED
    refused = house.plan(before, house.wanted(config=captured))
    assert "data capture" in refused.obstacles[0] and refused.refused == refused.obstacles


SEVERAL = (
    'variants={"a": resources.Variant(m.model_name, "ml.m5.large", weight=1), '
    '"b": resources.Variant(m.model_name, "ml.m5.large", weight=3)}'
)


def test_several_variants_go_at_once_or_not_at_all(house: House) -> None:
    before = serving(house.wanted())
    update = brought(house.plan(before, house.wanted(config=SEVERAL))).actions[-2]
    assert (update.recount, update.anew) == (True, ("DesiredWeight",))
    house.promote = STEPPED
    assert "several variants" in house.plan(before, house.wanted(config=SEVERAL)).obstacles[0]


STATES = {
    "made by somebody else": ({"tags": {}, "config_tags": {}, "known": False}, "was not made by mlops"),
    "brought elsewhere by somebody else": ({"config_tags": {}, "known": False}, "by somebody else"),
    "ours, of another declaration": ({"config_tags": {RESOURCE: "endpoint-config churn", CONTENT: "x"}}, None),
    "promoted": ({"config_tags": {}, "known": True}, None),
}


@pytest.mark.parametrize("case", STATES)
def test_what_others_did_is_drift(house: House, case: str) -> None:
    changes, told = STATES[case]
    wanted = house.wanted()
    plan = house.plan(seen_with(serving(wanted), **changes), wanted)
    assert told in plan.drift[0] if told is not None else not plan.drift


def test_what_is_under_way_is_waited_for(house: House) -> None:
    wanted = house.wanted()
    seen = serving(wanted)
    there = seen.endpoints["churn"].endpoint
    assert there is not None
    plan = house.plan(seen_with(seen, endpoint=replace(there, status="Updating")), wanted)
    assert [type(step) for step in brought(plan).actions] == [Settle]


def test_a_shift_that_was_cut_off_comes_first(house: House) -> None:
    house.promote = STEPPED
    wanted = house.wanted()
    seen = serving(wanted)
    there = seen.endpoints["churn"].endpoint
    assert there is not None
    assert there.serving is not None
    journal = Journal("churn", "churn", 2, "weights", there.serving, (), 1, "w", "ada", "")
    plan = house.plan(seen_with(seen, left=Stored(journal, "e", 1.0, True)), wanted)
    assert [type(action) for action in plan.actions] == [Bring]
    assert "has not ended" in plan.notes[0]
    # In the middle of it two variants serve, which is no reason to refuse what comes then.
    old = there.serving.variants[0]
    both = replace(there.serving, variants=(old, replace(old, name="blue", weight=0.0)))
    cut = seen_with(seen, endpoint=replace(there, serving=both), left=Stored(journal, "e", 1.0, True))
    plan = house.plan(cut, wanted)
    assert [type(action) for action in plan.actions] == [Bring] and not plan.obstacles
    assert [type(step) for step in brought(plan).actions] == [Settle]


def test_a_failed_endpoint_is_made_anew(house: House) -> None:
    wanted = house.wanted()
    seen = serving(wanted)
    there = seen.endpoints["churn"].endpoint
    assert there is not None
    failed = replace(there, status="Failed", serving=None)
    names = [type(step).__name__ for step in brought(house.plan(seen_with(seen, endpoint=failed), wanted)).actions]
    assert names == ["CreateEndpointConfig", "DeleteEndpoint", "CreateEndpoint", "Wait"]


GROUP = 'group="churn"'


def test_which_version_serves_is_a_promotions_business(house: House) -> None:
    wanted = house.wanted(model=GROUP)
    first, second = version(1), version(2)
    seen = replace(serving(wanted, versions={"churn": first}), newest={"churn": second})
    plan = house.plan(seen, wanted)
    assert not plan.actions
    assert "mlops promote churn --to production --endpoint churn" in plan.notes[0]
    config = serving(wanted, versions={"churn": second})
    promoted = replace(config, versions={"churn": second})
    assert not house.plan(promoted, wanted).actions


def test_a_group_without_an_approved_version_is_told(house: House) -> None:
    plan = house.plan(nothing(), house.wanted(model=GROUP))
    assert plan.obstacles == ("the model churn: churn has no approved version",)
    assert not plan.refused  # nothing is to be done, and an upsert does nothing


def test_gates_stand_before_an_upsert_too(house: House) -> None:
    house.promote = f"{AT_ONCE}\n[env.production.promote.gates]\napprovals = {{ count = 2 }}"
    wanted = house.wanted(model=GROUP)
    gates = ((version(1), (Gated("approvals", False, "1 of 2"),)),)
    seen = seen_with(nothing(versions={"churn": version(1)}), gates=gates)
    assert "gate approvals refuses: 1 of 2" in house.plan(seen, wanted).obstacles[0]
    bare = house.wanted()
    assert "no registered version" in house.plan(nothing(), bare).obstacles[0]
    assert not house.plan(serving(bare), bare).obstacles


def test_what_was_taken_back_is_not_brought_again(house: House) -> None:
    before, wanted = house.wanted(), house.wanted(model=f'image="{IMAGE}", environment={{"A": "2"}}')
    name = wanted.contents({})["endpoint-config churn"].name
    plan = house.plan(seen_with(serving(before), bad=frozenset({name})), wanted)
    assert "taken or rolled back" in plan.obstacles[0]
    assert not house.plan(serving(before), wanted).obstacles


def test_a_name_with_another_content_is_told(house: House) -> None:
    wanted = house.wanted()
    content = wanted.contents({})["model churn"]
    for there, told in (({"PrimaryContainer": {"Image": "other"}}, True), (dict(content.request), False)):
        plan = house.plan(nothing(there={("model", content.name): there}), wanted)
        assert bool(plan.obstacles) is told


def test_the_count_that_is_declared_is_kept_in_a_tag(house: House) -> None:
    content = house.wanted(config='model=m.model_name, instance="ml.m5.large", count=3').contents({})
    assert content["endpoint-config churn"].tags[INSTANCES] == "3"
