"""Steps whose image brings an algorithm run it; no script is there."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from ports_for_tests import ROLE, Account, step

from mlops.ir import Step
from mlops.ir.values import to_json
from mlops.knowledge.algorithms import algorithm

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def training(values: dict[str, str], channels: dict[str, str], image: str = XGBOOST, **more: Any) -> Step:
    listed = [
        {
            "ChannelName": name,
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
        }
        for name, uri in channels.items()
    ]
    request: dict[str, Any] = {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "HyperParameters": values,
        "InputDataConfig": listed,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "RoleArn": ROLE,
        **more,
    }
    return step("Training", "Train", request)


def once(name: str) -> str:
    """Jobs of one name have one port, and the kernel keeps it for a minute behind the last one."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def rows(count: int, seed: int) -> str:
    random_ = random.Random(seed)
    pairs = [(random_.random(), random_.random()) for _ in range(count)]
    return "".join(f"{3 * x - y:.4f},{x:.4f},{y:.4f}\n" for x, y in pairs)


def test_xgboost(account: Account) -> None:
    account.objects.write("s3://bucket/train/a.csv", rows(100, 1))
    account.objects.write("s3://bucket/validation/b.csv", rows(40, 2))
    values = {"objective": "reg:squarederror", "num_round": "3"}
    channels = {"train": "s3://bucket/train", "validation": "s3://bucket/validation"}
    assert account.run(training(values, channels)) == "Succeeded", account.journal.log("Train")
    response = account.journal.last("Train").response
    known = algorithm("xgboost")
    assert known is not None
    assert response["AlgorithmSpecification"]["MetricDefinitions"] == known.metric_definitions
    found = {item["MetricName"]: item["Value"] for item in response["FinalMetricDataList"]}
    assert sorted(found) == ["train:rmse", "validation:rmse"]
    assert f"validation-rmse:{found['validation:rmse']:.5f}" in account.journal.log("Train").splitlines()[-2]


def test_what_the_container_refuses_is_why_the_step_failed(account: Account) -> None:
    account.objects.write("s3://bucket/train/a.csv", rows(1, 1))
    assert account.run(training({"eta": "2", "num_round": "3"}, {"train": "s3://bucket/train"})) == "Failed"
    assert account.journal.last("Train").failure == "Hyperparameter eta: 2.0 is not in [0, 1]"


@pytest.mark.proof("algorithms")
def test_in_each_mode_of_the_sandbox(account: Account, every_mode: str) -> None:
    """With checkpoints, which it finds by the path that it is told; then its model answers in the same mode."""
    account.objects.write("s3://bucket/train/a.csv", rows(50, 1))
    values = {"objective": "reg:squarederror", "num_round": "2"}
    train = training(values, {"train": "s3://bucket/train"}, CheckpointConfig={"S3Uri": "s3://bucket/checkpoints"})
    assert account.run(train) == "Succeeded", account.journal.log("Train")
    assert "s3://bucket/checkpoints/xgboost-checkpoint.1" in account.objects.keys("s3://bucket/checkpoints/")
    uri = account.journal.last("Train").response["ModelArtifacts"]["S3ModelArtifacts"]
    account.registry.model("m", PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": uri})
    account.objects.write("s3://bucket/in/rows.csv", "0.5,0.5\n0.1,0.9\n")
    given = {
        "DataSource": {"S3DataSource": {"S3Uri": "s3://bucket/in"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    }
    output = {"S3OutputPath": "s3://bucket/out", "AssembleWith": "Line"}
    asked = step("Transform", "Ask", {"ModelName": "m", "TransformInput": given, "TransformOutput": output})
    assert account.run(asked) == "Succeeded", account.journal.last("Ask").failure
    assert len([float(line) for line in account.objects.read("s3://bucket/out/rows.csv.out").split()]) == 2


@pytest.mark.proof("algorithms")
def test_two_hosts_train_one_model(account: Account, sandbox_mode: str) -> None:
    for number in range(4):
        account.objects.write(f"s3://bucket/train/{number}.csv", rows(50, number))
    values = {"objective": "reg:squarederror", "num_round": "2", "nthread": "1"}
    two = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    sharded = to_json(training(values, {"train": "s3://bucket/train"}, ResourceConfig=two).arguments)
    sharded["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    name = once("Train")
    assert account.run(step("Training", name, sharded)) == "Succeeded", account.journal.log(name)
    log = account.journal.log(name)
    assert "Train matrix has 100 rows and 2 columns" in log and "\ttrain-rmse:" in log


@pytest.mark.proof("algorithms")
def test_a_host_without_data(account: Account) -> None:
    account.objects.write("s3://bucket/train/0.csv", rows(50, 1))
    two = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    sharded = to_json(training({"num_round": "2"}, {"train": "s3://bucket/train"}, ResourceConfig=two).arguments)
    sharded["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    name = once("Lone")
    assert account.run(step("Training", name, sharded)) == "Failed"
    assert "Host algo-2 does not have training data" in (account.journal.last(name).failure or "")


def test_records() -> None:
    """By protobuf's own reader and writer, with the schema of sagemaker-containers (record_pb2.py)."""
    protobuf = pytest.importorskip("google.protobuf")
    assert protobuf is not None
    import numpy
    from records_for_tests import Record

    from mlops.run.algorithms.recordio import records, written

    theirs = []
    for kind, values, keys in (
        ("float32_tensor", [0.5, -1.25], []),
        ("float64_tensor", [1e-9], [3]),
        ("int32_tensor", [-7, 300], [0, 200]),
    ):
        one = Record()
        tensor = getattr(one.features["values"], kind)
        tensor.values.extend(values)
        tensor.keys.extend(keys)
        tensor.shape.extend([500] if keys else [])
        one.label["values"].float32_tensor.values.extend([2.0])
        one.metadata = "{}"
        theirs.append((one, values, keys))
    read = list(records(b"".join(framed(one.SerializeToString()) for one, _, _ in theirs)))
    for record, (_, values, keys) in zip(read, theirs, strict=True):
        tensor = record.features["values"]
        assert tensor is not None
        assert numpy.array_equal(tensor.values, numpy.array(values, dtype=tensor.values.dtype))
        assert (tensor.keys is None) == (not keys) and tensor.shape == ((500,) if keys else ())
        label = record.label["values"]
        assert label is not None and label.values.tolist() == [2.0]
    answer = written([{"score": [0.25], "empty": []}, {"scores": [1.0, 2.0]}])
    back = Record.FromString(answer[8 : 8 + int.from_bytes(answer[4:8], "little")])
    assert list(back.label["score"].float32_tensor.values) == [0.25]
    assert back.label["empty"].HasField("float32_tensor")


def framed(body: bytes) -> bytes:
    return (0xCED7230A).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body + b"\0" * (-len(body) % 4)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"nothing of it", "Invalid RecordIO magic at offset 0"),
        (framed(b"\x0a\x05ab"), "Error parsing message"),
        (framed(b"\xff" * 12), "Error parsing message"),
        (framed(b"x")[:9], "Truncated record at offset 8"),
        # A number where a message, a name or a tensor belongs, which may be as large as it likes.
        (framed(b"\x08\x01"), "Error parsing message"),
        (framed(b"\x0a\x07\x08\xff\xff\xff\xff\xff\x7f"), "Error parsing message"),
        (framed(b"\x0a\x04\x12\x02\x10\x01"), "Error parsing message"),
        (framed(b"\x0a\x0b\x12\x09\x12\x07\x08\xff\xff\xff\xff\xff\x7f"), "Error parsing message"),
        (framed(b"\x0a\x0b\x12\x09\x3a\x07\x08\xff\xff\xff\xff\xff\x7f"), "Error parsing message"),
    ],
)
def test_what_is_no_record(data: bytes, told: str) -> None:
    from mlops.run.algorithms.recordio import records

    with pytest.raises(ValueError, match=told):
        list(records(data))
