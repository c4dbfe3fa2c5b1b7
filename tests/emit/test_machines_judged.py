"""Machines under judges that we did not write, and in moto's interpreter against the local account."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops.cli import main
from mlops.deploy.endpoints import planning
from mlops.deploy.endpoints.promotion import CreateModel, Promotion, Shift, Target
from mlops.deploy.models.registry import version
from mlops.deploy.shifting.promoted import promoted as declared
from mlops.deploy.shifting.settings import read
from mlops.emit.states.promotion import promotion_machine
from mlops.ir import Checked, MlopsError, Refusal, unheard
from mlops.ir.shift import MakeConfig, PointTo, Scale, Weigh
from mlops.use_cases.emit import emit
from tests.deploy.conftest import World
from tests.deploy.shifting.test_shift_here import FLAKY, SOUND, load, promoted, registered
from tests.emit.foreign import wrong
from tests.emit.machine_judges import faults, invalid
from tests.emit.machines import Ended, Interpreter, interpreting
from tests.emit.stacked import ENVIRONMENT, EXAMPLES, FOUND, ROOT, emitted, project
from tests.emit.test_states import DECLARED, machine_of, promotion_of

pytestmark = pytest.mark.proof("states")
MACHINED = Path(__file__).parent / "machined"
DEFINITIONS = sorted((Path(__file__).parent / "definitions").glob("*.json"))
CORRECTED = ROOT / "tests" / "contract" / "seeds" / "shifting" / "state_machine_corrected.json"
PIPELINES = [name for name, file in EXAMPLES.items() if file.startswith("pipelines/")]
BROKEN = "raise RuntimeError('cannot start')\n"
TOML = """
[env.local.promote]
strategy = { canary = { share = 20, bake = "2s" } }
patience = "1s"

[env.local.promote.judge]
errors = { at_most = "1%", interval = "1s" }

"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("machines"))


@pytest.mark.xdist_group("texts")
def test_all_are_valid_and_ask_what_services_know(there: Path) -> None:
    """Of the examples, of our definitions as far as they can be machines, of promotions, and the documents' own."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, file in EXAMPLES.items():
        if name in PIPELINES:
            found[name] = json.loads(emitted(there / file, "states", "json"))
    for file in [*DEFINITIONS, *MACHINED.glob("[a-z]*.py")]:
        if file.name in ("prepare.py", "evaluate.py", "serve.py"):
            continue
        with contextlib.suppress(MlopsError):
            found[file.stem] = machine_of(file)
    for name, written in DECLARED.items():
        found[f"promotion {name}"] = promotion_of(written)
    found["the documents' own, corrected"] = json.loads(CORRECTED.read_text())
    assert len(found) > 15
    assert invalid(found) == []
    assert {name: told for name, machine in found.items() if (told := faults(machine))} == {}


@pytest.mark.xdist_group("texts")
@pytest.mark.parametrize("name", PIPELINES)
def test_a_template_with_its_role_is_sound(name: str, there: Path) -> None:
    text = emitted(there / EXAMPLES[name], "states", "cloudformation")
    assert list(wrong(text)) == []
    resources = json.loads(text)["Resources"]
    machine = json.loads(resources["Machine"]["Properties"]["DefinitionString"])
    assert machine == json.loads(emitted(there / EXAMPLES[name], "states", "json"))


@pytest.mark.xdist_group("texts")
@pytest.mark.parametrize(("further", "named"), [("", "breast-cancer"), ("promotion", "breast-cancer-promotion")])
def test_a_stack_takes_a_machine_too(further: str, named: str, there: Path) -> None:
    file = str(there / EXAMPLES["breast_cancer"])
    plain, text = (
        emit(FOUND["cloudformation"], file, ENVIRONMENT, unheard, "json", more).text for more in (None, further)
    )
    assert list(wrong(text)) == []
    without, found = json.loads(plain)["Resources"], json.loads(text)["Resources"]
    # The body of a pipeline is an object of its own where a template is large.
    assert {name for name in without if found[name] != without[name]} <= {"Pipeline"}
    assert {*found} - {*without} == {"Machine", "MachineRole"}
    assert found["Machine"]["Properties"]["StateMachineName"] == named


# Pipelines.


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pipelines")
    for file in MACHINED.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    shutil.copy(ROOT / "mlops.lock", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("branches", "loop", "handled", "asks"):
            assert main(["upsert", f"{name}.py"]) == 0
        yield folder


@pytest.fixture(scope="module")
def pipelines(here: Path) -> Iterator[Interpreter]:
    with interpreting(here / ".mlops") as found:
        yield found


RUNS = {
    "good enough": ("branches", {}, "SUCCEEDED", "Succeeded"),
    "not good enough": ("branches", {"Accuracy": 0.5}, "FAILED", "Failed"),
    "a loop": ("loop", {}, "SUCCEEDED", "Succeeded"),
    "a loop of one text": ("loop", {"Accuracies": r'["{\"accuracy\": \"0.5\"}"]'}, "SUCCEEDED", "Succeeded"),
    "a loop with one that fails": (
        "loop",
        {"Accuracies": '[{"accuracy": "0.5"}, {"accuracy": "none"}, {"accuracy": "0.6"}]'},
        "FAILED",
        "Failed",
    ),
    "a failure that is waited for": ("handled", {}, "SUCCEEDED", "CompletedWithFailures"),
    "no failure where one is waited for": ("handled", {"Fails": "no"}, "SUCCEEDED", "Succeeded"),
}


@pytest.mark.xdist_group("pipelines")
@pytest.mark.parametrize(("name", "given", "status", "local"), RUNS.values(), ids=RUNS.keys())
def test_a_pipeline_goes_as_it_goes_here(
    name: str,
    given: Mapping[str, Any],
    status: str,
    local: str,
    here: Path,
    pipelines: Interpreter,
    capsys: pytest.CaptureFixture[str],
) -> None:
    machine = machine_of(here / f"{name}.py")
    ended = pipelines.run(machine, given)
    assert ended.status == status, ended
    parameters = [part for key, value in given.items() for part in ("-p", f"{key}={value}")]
    main(["run", f"{name}.py", "--no-cache", "--format", "json", *parameters])
    out = capsys.readouterr().out
    ran = json.loads(out[out.index("{") :])
    assert ran["status"] == local
    checked = checked_of(here / f"{name}.py")
    steps = [step for step in ended.states if checked.definition.step(step) is not None]
    assert Counter(steps) == Counter(item["name"].rstrip("-0123456789") for item in ran["steps"]), ended
    for step in steps:
        for before in checked.edges[step]:
            assert before not in steps or steps.index(before) < steps.index(step)
    if ended.status == "SUCCEEDED":
        assert ended.output["Status"] == local
    elif local == "Failed":
        assert ended.cause is not None


@pytest.mark.xdist_group("pipelines")
def test_what_fails_beside_others_lets_them_end(here: Path, pipelines: Interpreter) -> None:
    ended = pipelines.run(machine_of(here / "branches.py"), {"Accuracy": 0.95, "Floor": 2.0})
    assert (ended.status, ended.error) == ("FAILED", "StepFailed")
    assert json.loads(str(ended.cause)) == {"NotGoodEnough": {"Error": "Fail", "Cause": "accuracy is below 2"}}
    assert "Again" in ended.states


@pytest.mark.xdist_group("pipelines")
@pytest.mark.parametrize("given", [{"Acuracy": 0.5}, {"Accuracy": "0.5"}, {"Accuracy": None}], ids=str)
def test_a_wrong_input_ends_before_anything(given: Any, here: Path, pipelines: Interpreter) -> None:
    pipelines.told.clear()
    ended = pipelines.run(machine_of(here / "branches.py"), given)
    assert ended.status == "FAILED"
    assert not pipelines.told


ANSWERS: Mapping[str, tuple[Mapping[str, Any], str, str]] = {
    "yes": ({"approved": "true", "score": "1.5"}, "SUCCEEDED", "Goes"),
    "no": ({"approved": False, "score": 1}, "FAILED", "Refused"),
    "half an answer": ({"approved": True}, "FAILED", "Ask"),
}


@pytest.mark.xdist_group("pipelines")
@pytest.mark.parametrize(("answer", "status", "last"), ANSWERS.values(), ids=ANSWERS.keys())
def test_somebody_is_asked_and_heard(
    answer: Mapping[str, Any], status: str, last: str, here: Path, pipelines: Interpreter
) -> None:
    queue = pipelines.client("sqs")
    url = queue.create_queue(QueueName="approvals")["QueueUrl"]
    execution = pipelines.start(machine_of(here / "asks.py"))
    (message,) = queue.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    told = json.loads(message["Body"])
    assert told["arguments"] == {"question": "Go on?"}
    assert sorted(told) == ["arguments", "pipelineExecutionArn", "status", "token"]
    pipelines.answer(told["token"], answer)
    ended = pipelines.ended(execution)
    assert ended.status == status, ended
    assert next(step for step in reversed(ended.states) if step in ("Goes", "Refused", "Ask")) == last


def checked_of(file: Path) -> Checked:
    from mlops.check.sources import open_one

    return open_one(str(file), "local").pipelines[0]


# Promotions.


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Approved versions: 1 and 2 answer, 3 fails at every fifth request, 4 does not start."""
    handlers = (SOUND.format(n=1), SOUND.format(n=2), FLAKY, BROKEN)
    yield from registered(tmp_path_factory.mktemp("promotion"), TOML, *handlers)


@pytest.fixture(scope="module")
def promotions(world: World) -> Iterator[Interpreter]:
    with interpreting(world.folder / ".mlops") as found:
        yield found


def machine_here(world: World) -> Mapping[str, Any]:
    return promotion_machine(declared("churn", world.environment, world.folder), "aws")


def run(world: World, promotions: Interpreter, number: int, *, busy: bool = False) -> Ended:
    promotions.told.clear()
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/churn/{number}"
    with load(world, "churn") if busy else contextlib.nullcontext():
        return promotions.run(machine_here(world), {"ModelPackageArn": arn})


def planned(world: World, number: int) -> Promotion:
    settings = read(world.environment, world.folder)
    chosen = version(world.account, "churn", number)
    return planning.planned(world.account, world.environment, chosen, Target("churn"), settings)


def called(promotion: Promotion) -> list[str]:
    """What the controller changes, call by call."""
    found: list[str] = []
    for action in promotion.actions:
        match action:
            case CreateModel():
                found.append("CreateModel")
            case Shift():
                for move in action.moves:
                    match move:
                        case MakeConfig():
                            found.append("CreateEndpointConfig")
                        case PointTo():
                            found.append("UpdateEndpoint")
                        case Weigh() | Scale():
                            found.append("UpdateEndpointWeightsAndCapacities")
    return found


@pytest.mark.xdist_group("promotions")
def test_a_canary_goes_its_ways(world: World, promotions: Interpreter) -> None:
    """New, good, red, stuck without traffic, and one that does not start: with the controller's calls and ends."""
    ended = run(world, promotions, 1)
    assert (ended.status, ended.output["Outcome"]) == ("SUCCEEDED", "promoted"), ended
    assert promotions.changes == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]

    plan = planned(world, 2)
    ended = run(world, promotions, 2, busy=True)
    assert (ended.status, ended.output["Outcome"]) == ("SUCCEEDED", "promoted"), ended
    assert promotions.changes == called(plan)
    assert ended.output["Model"] == next(action.name for action in plan.actions if isinstance(action, CreateModel))
    serves = world.account.client("sagemaker").describe_endpoint(EndpointName="churn")
    assert serves["EndpointConfigName"] == ended.output["EndpointConfigName"]
    assert [item["CurrentWeight"] for item in serves["ProductionVariants"]] == [1.0]

    ended = run(world, promotions, 2)
    assert (ended.status, ended.output["Outcome"], promotions.changes) == ("SUCCEEDED", "unchanged", [])

    ended = run(world, promotions, 3, busy=True)
    assert (ended.status, ended.error) == ("FAILED", "TakenBack"), ended
    assert "stage 1 (20 %) is red" in str(ended.cause)
    assert promotions.changes[-2:] == ["UpdateEndpointWeightsAndCapacities", "UpdateEndpoint"]
    back = world.account.client("sagemaker").describe_endpoint(EndpointName="churn")
    assert back["EndpointConfigName"] == serves["EndpointConfigName"]
    with load(world, "churn"), pytest.raises(Refusal, match=r"stage 1 \(20 %\).*errors"):
        promoted(world, 3, "churn")

    ended = run(world, promotions, 1)
    assert (ended.status, ended.error) == ("FAILED", "TakenBack"), ended
    assert "stage 1 (20 %) has no verdict" in str(ended.cause)

    ended = run(world, promotions, 4)
    assert (ended.status, ended.error) == ("FAILED", "TakenBack"), ended
    assert f"churn serves {serves['EndpointConfigName']} as before" in str(ended.cause)
    assert promotions.changes == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]


def changed(machine: Mapping[str, Any], label: str, member: str, value: Any) -> Mapping[str, Any]:
    """Its call is tried again once, as that takes minutes otherwise."""
    state = machine["States"][label]
    again = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    there = {**state, "Arguments": {**state["Arguments"], member: value}, "Retry": again}
    return {**machine, "States": {**machine["States"], label: there}}


@pytest.mark.xdist_group("promotions")
def test_a_way_back_that_is_refused_is_gone_again_or_said(world: World, promotions: Interpreter) -> None:
    """Version 1 without traffic has no verdict, behind one that serves."""
    sagemaker = world.account.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName="churn")["EndpointConfigName"]
    given = {"ModelPackageArn": "arn:aws:sagemaker:us-east-1:000000000000:model-package/churn/1"}

    once = "{% $exists($states.input.Backs) ? $states.input.Before : 'not-there' %}"
    ended = promotions.run(changed(machine_here(world), "Old alone", "EndpointConfigName", once), given, seconds=200)
    assert (ended.status, ended.error) == ("FAILED", "TakenBack"), ended
    assert "stage 1 (20 %) has no verdict" in str(ended.cause)
    assert sagemaker.describe_endpoint(EndpointName="churn")["EndpointConfigName"] == before

    never = changed(machine_here(world), "Old alone", "EndpointConfigName", "not-there")
    ended = promotions.run(never, given, seconds=300)
    assert (ended.status, ended.error) == ("FAILED", "Lost"), ended
    assert f"churn does not come back to {before}, look at it" in str(ended.cause)
    assert "stage 1 (20 %) has no verdict" in str(ended.cause)
    assert "On the way back: " in str(ended.cause)
    assert "not-there" in str(ended.cause)
    sagemaker.update_endpoint(EndpointName="churn", EndpointConfigName=before)
    world.account.client("sagemaker").get_waiter("endpoint_in_service").wait(
        EndpointName="churn", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


@pytest.mark.xdist_group("promotions")
def test_versions_that_may_not_go_change_nothing(world: World, promotions: Interpreter) -> None:
    sagemaker = world.account.client("sagemaker")
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model-package/churn/2"
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    ended = run(world, promotions, 2)
    assert (ended.status, ended.error, promotions.changes) == ("FAILED", "NotApproved", [])
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
