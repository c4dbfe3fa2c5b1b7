"""The documents' blocks on shifting traffic: each runs as it is written, byte for byte, or it is shown why not; and its
corrected twin beside it does what was meant. Against the local account and moto, which has no UpdateEndpoint."""

from __future__ import annotations

import io
import json
import re
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mlops.account import Account, connect
from mlops.check.machines.judging import judge
from mlops.project.environments import read_project

SEEDS = Path(__file__).with_name("seeds") / "shifting"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/pipelines"
ENDPOINT = "my-production-endpoint"
HANDLER = "def model_fn(d): return 0\ndef transform_fn(m, body, t, a): return '{name}', a\n"


def archive(handler: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(handler)
        tar.addfile(member, io.BytesIO(handler.encode()))
    return target.getvalue()


def prepared(client: Callable[[str], Any], bucket: str) -> None:
    """What the blocks take for granted: two models, and an endpoint that serves the first of them."""
    s3, sagemaker = client("s3"), client("sagemaker")
    for name in ("existing-model", "new-model"):
        s3.put_object(Bucket=bucket, Key=f"{name}.tar.gz", Body=archive(HANDLER.format(name=name)))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{name}.tar.gz"}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "ExistingModel", "ModelName": "existing-model", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName="before", ProductionVariants=[{**variant, "InstanceType": "ml.c5.xlarge"}]
    )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="before")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The local one."""
    environment = read_project(tmp_path_factory.mktemp("seeds")).environment("local")
    found = connect(environment)
    prepared(found.client, environment.bucket)
    in_service(found.client("sagemaker"))
    yield found
    found.client("sagemaker").delete_endpoint(EndpointName=ENDPOINT)


def in_service(client: Any) -> None:
    client.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def run(name: str, make: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, /, **names: Any) -> dict[str, Any]:
    """A block as it stands, with what blocks before it have left."""
    monkeypatch.setattr(boto3, "client", make)
    namespace = dict(names)
    exec(compile((SEEDS / name).read_text(encoding="utf-8"), name, "exec"), namespace)
    return namespace


def weights(client: Any) -> dict[str, tuple[float, int]]:
    found = client.describe_endpoint(EndpointName=ENDPOINT)["ProductionVariants"]
    return {item["VariantName"]: (item["DesiredWeight"], item["DesiredInstanceCount"]) for item in found}


def test_the_blocks_shift_as_written_where_somebody_waits_between_them(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first goes straight to 5 %, and without a wait the second is refused: the endpoint is still updating."""
    made = run("two_variants.py", account.client, monkeypatch)
    with pytest.raises(ClientError, match="Updating"):
        run("a_quarter.py", account.client, monkeypatch, client=made["client"])
    in_service(made["client"])
    assert weights(made["client"]) == {"ExistingModel": (0.95, 2), "NewModel": (0.05, 1)}
    run("a_quarter.py", account.client, monkeypatch, client=made["client"])
    in_service(made["client"])
    assert weights(made["client"]) == {"ExistingModel": (0.75, 2), "NewModel": (0.25, 1)}
    run("all_of_it.py", account.client, monkeypatch, client=made["client"])
    in_service(made["client"])
    # One instance has what two had, and the two stay billed.
    assert weights(made["client"]) == {"ExistingModel": (0.0, 2), "NewModel": (1.0, 1)}
    asked = run("error_rates.py", account.client, monkeypatch)
    assert [item["Values"] for item in asked["response"]["MetricDataResults"]] == [[], []]
    rates = run("error_rates_corrected.py", account.client, monkeypatch)
    assert [item["StatusCode"] for item in rates["response"]["MetricDataResults"]] == ["Complete", "Complete"]


@pytest.mark.proof("shift")
def test_the_corrected_ones_bring_capacity_first_and_take_the_old_version_out(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = account.client("sagemaker")
    in_service(sagemaker)
    sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="before")
    in_service(sagemaker)
    judged: list[tuple[int, dict[str, tuple[float, int]]]] = []

    def judge(share: int) -> None:
        judged.append((share, weights(sagemaker)))

    made = run("two_variants_corrected.py", account.client, monkeypatch)
    assert weights(sagemaker)["NewModel"] == (0.0, 1)
    steps = {"client": made["client"], "wait": made["wait"], "judge": judge}
    run("a_quarter_corrected.py", account.client, monkeypatch, **steps)
    run("all_of_it_corrected.py", account.client, monkeypatch, **steps)
    assert [share for share, _ in judged] == [5, 25, 50, 100]
    for share, found in judged:
        assert found["NewModel"][1] / 2 >= share / 100  # two served all of it before
    assert weights(sagemaker) == {"NewModel": (1.0, 2)}


def test_moto_takes_every_call_but_the_one_that_it_has_not(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    session = boto3.Session(region_name="us-east-1")

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=moto_url)

    client("s3").create_bucket(Bucket="acme-ml")
    prepared(client, "acme-ml")
    for name in ("two_variants.py", "two_variants_corrected.py"):
        with pytest.raises(ClientError):
            run(name, client, monkeypatch)
        config = "dual-variant-config" + ("-corrected" if "corrected" in name else "")
        found = client("sagemaker").describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        assert [item["VariantName"] for item in found] == ["ExistingModel", "NewModel"]
    for name in ("error_rates.py", "error_rates_corrected.py"):
        assert len(run(name, client, monkeypatch)["response"]["MetricDataResults"]) == 2


def machine(text: str) -> tuple[dict[str, Any], set[str]]:
    """A state machine, and the states that are named and are not there."""
    found = json.loads(text)
    states = found["States"]
    named = {found["StartAt"], *re.findall(r'"(?:Next|Default)":\s*"([^"]+)"', text)}
    return found, named - states.keys()


def test_the_state_machine_is_no_json_and_has_no_end() -> None:
    text = (SEEDS / "state_machine.txt").read_text(encoding="utf-8")
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    bare = re.sub(r"^\s*(#|//).*$", "", text, flags=re.MULTILINE)
    bare = re.sub(r",(\s*[}\]])", r"\1", bare)
    found, lacking = machine(bare)
    assert lacking == {"IncreaseTo25Percent", "Rollback"}
    assert not [state for state in found["States"].values() if state["Type"] in ("Succeed", "Fail") or state.get("End")]
    called = found["States"]["Check5PercentMetrics"]["Resource"]
    assert not re.fullmatch(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:.+", called)


def test_a_check_tells_all_of_it_and_of_the_corrected_one_nothing() -> None:
    written = judge((SEEDS / "state_machine.txt").read_bytes(), "machine.asl")
    assert [(finding.where.line, finding.code) for finding in written] == [
        (1, "M001"),
        (4, "M004"),
        (8, "M020"),
        (22, "M010"),
        (31, "M002"),
        (34, "M002"),
        (36, "M001"),
    ]
    assert judge((SEEDS / "state_machine_corrected.json").read_bytes(), "machine.asl") == ()


def test_the_corrected_state_machine_goes_through_all_stages_and_back() -> None:
    text = (SEEDS / "state_machine_corrected.json").read_text(encoding="utf-8")
    found, lacking = machine(text)
    states = found["States"]
    assert not lacking
    shares = [
        state["Parameters"]["DesiredWeightsAndCapacities"][1]["DesiredWeight"]
        for name, state in states.items()
        if name.startswith("ShiftTo")
    ]
    assert shares == [5, 25, 50, 100]
    for name, state in states.items():
        if state["Type"] == "Task":
            assert name == "RollBack" or state["Catch"][0]["Next"] == "RollBack"
            assert re.fullmatch(r"arn:aws:states:::(aws-sdk:sagemaker:\w+|lambda:invoke)", state["Resource"])
    reached, waiting = set[str](), [found["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += re.findall(r'"(?:Next|Default)": "([^"]+)"', json.dumps(states[name]))
    assert reached == states.keys()
