"""A plan tells what differs, writes nothing, and what it tells is what is then done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from mlops.check import check
from mlops.deploy.pipelines import plan_report
from mlops.deploy.pipelines.apply import apply
from mlops.deploy.pipelines.cache_effect import losses
from mlops.deploy.pipelines.definition_diff import changes, readable
from mlops.deploy.pipelines.plan import plan, plan_all
from mlops.deploy.pipelines.saved_plan import hold, read, save
from mlops.deploy.pipelines.state import describe
from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import Refusal, UsageError
from mlops.ir.hiding import hide
from mlops.ir.reader import read as read_definition

from .conftest import World
from .test_upsert import WRITES, calls

ASSET = "s3://b/mlops/assets/{}/step.py"


def planned(world: World, **given: Any) -> Any:
    return plan(world.account, world.environment, world.compiled(**given))


def test_a_plan_writes_nothing_and_applying_it_does_what_it_says(world: World) -> None:
    with calls(world) as made:
        found = planned(world)
    assert not [name for name in made if name.startswith(WRITES)]
    assert (found.verb, len(found.uploads)) == ("create", 2)
    done = apply(world.account, world.environment, found)
    assert (done.action, len(done.uploaded)) == ("created", 2)
    again = planned(world)
    assert (again.verb, again.actions, again.changes) == ("nothing", (), ())


def test_one_changed_line_names_the_step_its_code_and_its_cache(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    found = planned(world, code="print(2)\n")
    assert found.steps == {"Train": "changed"}
    (change,) = found.changes
    assert change.is_code and change.at.endswith("/sagemaker_submit_directory")
    assert [(loss.step, loss.because) for loss in found.losses] == (
        [("Train", ("HyperParameters",))] if world.environment.is_local else []
    )
    assert len(found.uploads) == 1 and found.assets_there == 1


def test_settings_and_tags_are_told(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    world.account.client("sagemaker").add_tags(
        ResourceArn=planned(world).present.arn, Tags=[{"Key": "team", "Value": "other"}, {"Key": "mine", "Value": "1"}]
    )
    role = world.environment.role + "-two"
    found = plan(world.account, replace(world.environment, role=role), world.compiled("Who stays?"))
    told = {item.member: (item.old, item.new) for item in found.settings}
    assert told["description"] == ("Who leaves?", "Who stays?")
    assert told["role"] == (world.environment.role, role)
    assert told["tag team"] == ("other", "growth")
    assert "tag mine" not in told


def test_another_environment_or_suffix_does_not_take_the_name(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    other = replace(world.environment, name="prod")
    found = plan(world.account, other, world.compiled("Of prod"))
    taken = f"churn in {world.environment.name}"
    assert found.taken == taken and taken in plan_report.text(found)
    with pytest.raises(Refusal, match=f"is in the account as {taken}, and this is churn in prod"):
        apply(world.account, other, found)
    assert plan(world.account, other, world.compiled()).actions == ()
    # churn-ada with the suffix bob is churn with the suffix ada-bob.
    upsert(world.account, world.environment, world.compiled(), suffix="ada-bob")
    checked = world.compiled("Of ada")
    ada = replace(checked, definition=replace(checked.definition, name="churn-ada"))
    with pytest.raises(Refusal, match=r"churn in .* with the suffix ada-bob"):
        upsert(world.account, world.environment, ada, suffix="bob")
    assert upsert(world.account, world.environment, ada, suffix="bob", force=True).action == "updated"
    assert plan(world.account, world.environment, ada, suffix="bob").taken is None


@pytest.mark.parametrize(
    ("name", "suffix", "fits"),
    [("a" * 256, None, True), ("a" * 257, None, False), ("a" * 252, "ada", True), ("a" * 253, "ada", False),
     ("a_b", None, False), ("a.v2", None, False), ("../a", None, False), ("", "a", False), ("a-", None, False)],
    ids=["longest", "too long", "longest with a suffix", "too long with a suffix", "underscore", "dot", "path", "empty",
         "dash at the end"],
)  # fmt: skip
def test_names_at_the_limit(world: World, name: str, suffix: str | None, fits: bool) -> None:
    checked = world.compiled()
    named = replace(checked, definition=replace(checked.definition, name=name))
    with calls(world) as made:
        if fits:
            assert apply(world.account, world.environment, plan(world.account, world.environment, named, suffix=suffix))
            return
        with pytest.raises(UsageError, match="cannot be the name of a pipeline"):
            plan(world.account, world.environment, named, suffix=suffix)
    assert made == ["GetCallerIdentity"]


def test_many_pipelines_share_what_is_asked_for_and_sent(world: World) -> None:
    checked = world.compiled()
    many = [replace(checked, definition=replace(checked.definition, name=f"churn-{number}")) for number in range(25)]
    with calls(world) as made:
        plans = plan_all(world.account, world.environment, many)
    assert [item.name for item in plans] == [f"churn-{number}" for number in range(25)]
    assert "plan: 25 to create, 2 objects to upload" == plan_report.summary(plans)
    # One listing of pipelines in place of a Describe for each, one head for each asset, one record for each pipeline.
    counts = {name: made.count(name) for name in made}
    assert counts == {"GetCallerIdentity": 1, "ListPipelines": 1, "HeadObject": 2, "GetObject": 25}
    first = apply(world.account, world.environment, plans[0])
    with calls(world) as made:
        second = apply(world.account, world.environment, plans[1], sent=set(first.uploaded))
    assert (len(first.uploaded), second.action, second.uploaded) == (2, "created", ())
    assert made.count("PutObject") == 1  # its record


def tagged(world: World, **tags: str) -> Any:
    checked = world.compiled()
    return replace(checked, definition=replace(checked.definition, tags=tags))


def tags_of(world: World) -> dict[str, str]:
    sagemaker = world.account.client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName="churn")["PipelineArn"]
    return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def test_tags_that_are_declared_no_more_go_and_those_of_others_stay(world: World) -> None:
    upsert(world.account, world.environment, tagged(world, team="growth", cost="7", phase="one"))
    sagemaker = world.account.client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName="churn")["PipelineArn"]
    theirs = [{"Key": "theirs", "Value": "1"}, {"Key": "phase", "Value": "two"}]
    sagemaker.add_tags(ResourceArn=arn, Tags=theirs)
    found = plan(world.account, world.environment, tagged(world, team="growth"))
    assert [(item.member, item.old, item.new) for item in found.settings] == [("tag cost", "7", None)]
    assert found.verb == "update" and '- tag cost: "7"' in plan_report.text(found)
    with calls(world) as made:
        assert apply(world.account, world.environment, found).action == "updated"
    assert [name for name in made if name.startswith(WRITES)] == ["PutObject", "DeleteTags"]
    assert tags_of(world) == {"team": "growth", "theirs": "1", "phase": "two"}
    with calls(world) as made:
        assert upsert(world.account, world.environment, tagged(world, team="growth")).action == "unchanged"
    assert not [name for name in made if name.startswith(WRITES)]
    upsert(world.account, world.environment, tagged(world))
    assert tags_of(world) == {"theirs": "1", "phase": "two"}


def test_a_tag_whose_removal_was_cut_off_is_still_known_to_be_ours(world: World) -> None:
    upsert(world.account, world.environment, tagged(world, team="growth", cost="7"))
    found = plan(world.account, world.environment, tagged(world, team="growth"))
    cut = replace(found, actions=found.actions[:1])
    apply(world.account, world.environment, cut)
    assert tags_of(world)["cost"] == "7"
    assert upsert(world.account, world.environment, tagged(world, team="growth")).action == "updated"
    assert tags_of(world) == {"team": "growth"}


@pytest.mark.parametrize("world", ["moto"], indirect=True)  # into plain files here it is not put at all
def test_a_secret_in_a_tag_is_hidden_and_set(world: World) -> None:
    upsert(world.account, world.environment, tagged(world, API_KEY=SECRET))
    found = plan(world.account, world.environment, tagged(world, API_KEY=SECRET[::-1]))
    told = plan_report.text(found) + json.dumps(plan_report.as_dictionary(found)) + plan_report.markdown([found])
    assert "tag API_KEY" in told and SECRET not in told and SECRET[::-1] not in told
    apply(world.account, world.environment, found)
    assert tags_of(world) == {"API_KEY": SECRET[::-1]}


def test_drift_is_shown_refused_and_healed_by_force(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    behind(world, lambda document: document["Steps"][0]["Arguments"]["ResourceConfig"].update(InstanceCount=7))
    found = planned(world)
    assert found.drift is not None and not found.drift.foreign
    (change,) = found.drift.changes
    assert (change.step, change.at, change.old, change.new) == (
        "Train",
        "/Arguments/ResourceConfig/InstanceCount",
        1,
        7,
    )
    assert "drift" in plan_report.text(found)
    with calls(world) as made, pytest.raises(Refusal, match="since the last upsert"):
        upsert(world.account, world.environment, world.compiled(code="print(3)\n"))
    assert not [name for name in made if name.startswith(WRITES)]
    assert upsert(world.account, world.environment, world.compiled(), force=True).action == "updated"
    assert planned(world).drift is None and planned(world).verb == "nothing"


def test_what_somebody_else_made_is_not_taken_over(world: World) -> None:
    document = json.dumps({"Version": "2020-12-01", "Steps": [fail("Theirs")]})
    world.account.client("sagemaker").create_pipeline(
        PipelineName="churn", PipelineDefinition=document, RoleArn=world.environment.role
    )
    found = planned(world)
    assert found.drift is not None and found.drift.foreign
    with pytest.raises(Refusal, match="was not written by mlops"):
        upsert(world.account, world.environment, world.compiled())
    assert upsert(world.account, world.environment, world.compiled(), force=True).action == "updated"
    assert upsert(world.account, world.environment, world.compiled()).action == "unchanged"


def test_a_pipeline_that_is_gone_is_made_again(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    world.account.client("sagemaker").delete_pipeline(PipelineName="churn", ClientRequestToken="t" * 32)
    assert upsert(world.account, world.environment, world.compiled()).action == "created"


def test_a_suffix_is_a_pipeline_of_its_own(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    done = upsert(world.account, world.environment, world.compiled("Mine"), suffix="ada")
    assert (done.action, done.name) == ("created", "churn-ada")
    assert planned(world).verb == "nothing"


@pytest.mark.parametrize("size", [150_000, 1_200_000], ids=["150 KB", "1.2 MB"])
def test_a_large_definition_goes_through_s3(world: World, size: int) -> None:
    message = "x" * 900
    steps = [fail(f"Step{number}", message) for number in range(size // 1000)]
    text = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})
    definition, _ = read_definition(text)
    assert definition is not None
    checked = check(replace(definition, name="large"))
    done = upsert(world.account, world.environment, checked)
    assert done.action == "created"
    with calls(world) as made:
        assert upsert(world.account, world.environment, checked).action == "unchanged"
    assert not [name for name in made if name.startswith(WRITES)]
    stored = describe(world.account, "large")
    assert stored is not None and stored.state.document == json.loads(text)


def test_a_saved_plan_holds_until_the_account_or_the_source_moves(world: World, tmp_path: Any) -> None:
    upsert(world.account, world.environment, world.compiled())
    file = tmp_path / "plan.json"
    save(file, ["pipeline.py"], world.environment.name, None, (), [planned(world, code="print(5)\n")])
    saved = read(file)
    hold(saved, [planned(world, code="print(5)\n")])
    with pytest.raises(Refusal, match="the source has changed"):
        hold(saved, [planned(world, code="print(6)\n")])
    behind(world, lambda document: document.update(Metadata={"by": "hand"}))
    with pytest.raises(Refusal, match="the account has moved"):
        hold(saved, [planned(world, code="print(5)\n")])


GOOD: dict[str, Any] = {
    "version": 1,
    "targets": ["p.py"],
    "environment": "prod",
    "suffix": None,
    "aliases": [],
    "promises": [{"pipeline": "p", "basis": "b", "goal": "g", "action": "update"}],
}


@pytest.mark.parametrize(
    "changed",
    [
        None,
        {"version": 2},
        {"targets": "p.py"},
        {"targets": [1]},
        {"environment": 5},
        {"suffix": []},
        {"aliases": None},
        {"promises": [{"pipeline": "p"}]},
        {"promises": [{"pipeline": 1, "basis": "b", "goal": "g", "action": "update"}]},
        {"promises": "p"},
    ],
    ids=str,
)
def test_what_is_no_saved_plan_is_told(tmp_path: Any, changed: dict[str, Any] | None) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({**GOOD, **(changed or {})}))
    if changed is None:
        assert read(file).promises[0].pipeline == "p"
        return
    with pytest.raises(UsageError, match="is no saved plan"):
        read(file)


def behind(world: World, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the pipeline as somebody with another tool would."""
    sagemaker = world.account.client("sagemaker")
    document = json.loads(sagemaker.describe_pipeline(PipelineName="churn")["PipelineDefinition"])
    change(document)
    sagemaker.update_pipeline(PipelineName="churn", PipelineDefinition=json.dumps(document))


def fail(name: str, message: str = "no") -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def processing(name: str, *, reads: object = "s3://b/data", code: str = "a", cache: bool = True) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Processing",
        "CacheConfig": {"Enabled": cache, "ExpireAfter": "P30D"},
        "Arguments": {
            "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"},
            "ProcessingInputs": [
                {"InputName": "code", "S3Input": {"S3Uri": ASSET.format(code * 64)}},
                {"InputName": "data", "S3Input": {"S3Uri": reads}},
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "own",
                        "S3Output": {"S3Uri": join("s3://b", {"Get": "Execution.PipelineExecutionId"})},
                    },
                    {"OutputName": "fixed", "S3Output": {"S3Uri": "s3://b/fixed"}},
                ]
            },
        },
    }


def join(*values: object) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": list(values)}}


def output(step: str, name: str = "own") -> dict[str, Any]:
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def document(*steps: Mapping[str, Any], default: object = 1) -> dict[str, Any]:
    parameters = [{"Name": "P", "Type": "Integer", "DefaultValue": default}]
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": list(steps)}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    old: dict[str, Any]
    new: dict[str, Any]
    told: tuple[str, ...]
    lost: tuple[str, ...] = ()


CASES = (
    Case("nothing", document(processing("A")), document(processing("A")), ()),
    Case(
        "an input of a cached step and the step behind it",
        document(processing("A"), processing("B", reads=output("A"))),
        document(processing("A", code="b"), processing("B", reads=output("A"))),
        ("A /Arguments/ProcessingInputs/code/S3Input/S3Uri",),
        ("A", "B"),
    ),
    Case(
        "a step behind a fixed place keeps its cache",
        document(processing("A"), processing("B", reads=output("A", "fixed"))),
        document(processing("A", code="b"), processing("B", reads=output("A", "fixed"))),
        ("A /Arguments/ProcessingInputs/code/S3Input/S3Uri",),
        ("A",),
    ),
    Case(
        "a dependency alone keeps the cache",
        document(processing("A"), {**processing("B"), "DependsOn": ["A"]}),
        document(processing("A", code="b"), {**processing("B"), "DependsOn": ["A"]}),
        ("A /Arguments/ProcessingInputs/code/S3Input/S3Uri",),
        ("A",),
    ),
    Case(
        "a member that is not in the key",
        document(processing("A")),
        document({**processing("A"), "DisplayName": "first"}),
        ("A /DisplayName",),
    ),
    Case(
        "without a cache there is none to lose",
        document(processing("A", cache=False)),
        document(processing("A", cache=False, code="b")),
        ("A /Arguments/ProcessingInputs/code/S3Input/S3Uri",),
    ),
    Case(
        "a parameter's default and who reads it",
        document(processing("A", reads=join("s3://b", {"Get": "Parameters.P"})), processing("B")),
        document(processing("A", reads=join("s3://b", {"Get": "Parameters.P"})), processing("B"), default=2),
        ("None /Parameters/P/DefaultValue",),
        ("A",),
    ),
    Case(
        "steps that come and go",
        document(processing("A"), fail("Old")),
        document(processing("A"), fail("New")),
        ("New ", "Old "),
    ),
    Case(
        "a number is not its text",
        document(processing("A"), default=1),
        document(processing("A"), default=1.0),
        ("None /Parameters/P/DefaultValue",),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_difference_is(case: Case) -> None:
    definition, _ = read_definition(json.dumps(case.new))
    assert definition is not None
    assert tuple(f"{item.step} {item.at}" for item in changes(case.old, case.new)) == case.told
    found = losses(case.old, case.new, check(definition), always_on=False)
    assert tuple(item.step for item in found) == case.lost


SECRET = "hunter2-hunter2-hunter2"


@pytest.mark.parametrize(
    "hidden",
    [
        {"Environment": {"API_KEY": SECRET}},
        {"Parameters": [{"Name": "DbPassword", "DefaultValue": SECRET}]},
        {"Environment": [{"Name": "DB_PASSWORD", "Value": SECRET}]},
        {"ContainerArguments": ["--password", SECRET]},
        {"ContainerArguments": [f"--api-key={SECRET}"]},
        {"Url": f"https://user:{SECRET}@host/"},
    ],
    ids=["variable", "parameter", "named value", "flag", "flag with value", "url"],
)
def test_a_secret_is_hidden_and_its_change_told(hidden: dict[str, Any]) -> None:
    assert SECRET not in json.dumps(hide(hidden))
    other = json.loads(json.dumps(hidden).replace(SECRET, SECRET[::-1]))
    told = list(changes(hidden, other))
    assert told
    assert SECRET not in repr(told) and SECRET[::-1] not in repr(told)


def test_what_is_no_secret_stays() -> None:
    plain = {"Environment": {"API_KEY": "none", "KEY": "value-of-a-key"}, "Args": ["--password-file", "/run/x"]}
    assert hide(plain) == plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("true", '"true"'),
        ("", '""'),
        ("1.5", '"1.5"'),
        (1.5, "1.5"),
        (None, "null"),
        ("a b", "a b"),
        ("a\nb", '"a\\nb"'),
    ],
    ids=["a text that reads as true", "an empty text", "a text of digits", "a number", "null", "words", "two lines"],
)
def test_kinds_of_values_stay_apart_when_shown(value: object, shown: str) -> None:
    assert readable(value) == shown
