"""Jobs of several instances: each host has its own folders, name, address and share of the data, and all meet."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest
from ports_for_tests import Account, processing, training

from mlops.run.cluster import cluster
from mlops.run.outcome import StepFailed
from mlops.run.sandbox import probe

TELL = """
import json, os, pathlib
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
host = os.environ["SM_CURRENT_HOST"]
data = sorted(path.name for path in (base / "input/data").rglob("*") if path.is_file())
told = {
    "config": json.loads((base / "input/config/resourceconfig.json").read_text()),
    "hosts": json.loads(os.environ["SM_HOSTS"]),
    "group": os.environ["SM_CURRENT_INSTANCE_GROUP"],
    "channels": json.loads(os.environ["SM_CHANNELS"]),
    "data": data,
}
(base / "model" / f"{host}.json").write_text(json.dumps(told))
(base / "model" / "shared").write_text(host)
(base / "output/data" / host).write_text("")
print(f"loss={host[-1]};")
"""
METRICS = [{"Name": "loss", "Regex": "loss=([0-9]+);"}]


def members(account: Account, uri: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(account.objects.read(uri))) as tar:
        return {item.name: tar.extractfile(item).read() for item in tar if item.isfile()}


def source(uri: str, **more: Any) -> dict[str, Any]:
    return {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **more}}


def test_what_each_host_of_a_training_sees(account: Account, sandbox_mode: str) -> None:
    for name in "abcde":
        account.objects.write(f"s3://bucket/data/{name}", name)
    account.objects.write("s3://bucket/all/x", "x")
    request = {
        "ResourceConfig": {"InstanceCount": 3, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "InputDataConfig": [
            {
                "ChannelName": "part",
                "DataSource": source("s3://bucket/data/", S3DataDistributionType="ShardedByS3Key"),
            },
            {"ChannelName": "all", "DataSource": source("s3://bucket/all/")},
        ],
    }
    step = training(account, "Train", {"train.py": TELL}, algorithm={"MetricDefinitions": METRICS}, **request)
    assert account.run(step) == "Succeeded", account.journal.last("Train").failure
    response = account.journal.last("Train").response
    packed = members(account, response["ModelArtifacts"]["S3ModelArtifacts"])
    names = ["algo-1", "algo-2", "algo-3"]
    assert sorted(packed) == [*(f"{name}.json" for name in names), "shared"]
    assert packed["shared"] == b"algo-3"
    told = {name: json.loads(packed[f"{name}.json"]) for name in names}
    group = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": names}
    for name in names:
        assert told[name]["hosts"] == names and told[name]["channels"] == ["all", "part"]
        assert told[name]["config"] == {
            "current_host": name,
            "current_instance_type": "ml.m5.large",
            "current_group_name": "homogeneousCluster",
            "hosts": names,
            "instance_groups": [group],
            "network_interface_name": "lo",
        }
    assert [told[name]["data"] for name in names] == [["a", "d", "x"], ["b", "e", "x"], ["c", "x"]]
    output = f"s3://bucket/models/{response['TrainingJobName']}/output/output.tar.gz"
    assert sorted(members(account, output)) == names
    assert [(item["MetricName"], item["Value"]) for item in response["FinalMetricDataList"]] == [("loss", 1.0)]
    log = account.journal.last("Train").log
    assert log is not None
    assert "loss=2" in log.with_name("log-algo-2.txt").read_text() and "loss=2" not in log.read_text()


def test_instance_groups(account: Account) -> None:
    account.objects.write("s3://bucket/cpu/1", "")
    account.objects.write("s3://bucket/cpu/2", "")
    account.objects.write("s3://bucket/gpu/1", "")
    groups = [("cpu", "ml.m5.large", 2), ("gpu", "ml.g5.xlarge", 1)]
    request = {
        "ResourceConfig": {
            "InstanceGroups": [
                {"InstanceGroupName": name, "InstanceType": instance, "InstanceCount": count}
                for name, instance, count in groups
            ],
            "VolumeSizeInGB": 1,
        },
        "InputDataConfig": [
            {
                "ChannelName": name,
                "DataSource": source(
                    f"s3://bucket/{name}/", InstanceGroupNames=[name], S3DataDistributionType="ShardedByS3Key"
                ),
            }
            for name, _, _ in groups
        ],
    }
    assert account.run(training(account, "Train", {"train.py": TELL}, **request)) == "Succeeded"
    packed = members(account, account.journal.last("Train").response["ModelArtifacts"]["S3ModelArtifacts"])
    told = [json.loads(packed[f"algo-{number}.json"]) for number in (1, 2, 3)]
    assert [item["group"] for item in told] == ["cpu", "cpu", "gpu"]
    assert [item["channels"] for item in told] == [["cpu"], ["cpu"], ["gpu"]]
    assert [item["data"] for item in told] == [["1"], ["2"], ["1"]]
    assert told[2]["config"]["current_instance_type"] == "ml.g5.xlarge"
    assert [item["hosts"] for item in told[0]["config"]["instance_groups"]] == [["algo-1", "algo-2"], ["algo-3"]]


MEET = """
import json, socket, sys, time
config = json.load(open("/opt/ml/config/resourceconfig.json"))
host = config["current_host"]
assert config["hosts"] == ["algo-1", "algo-2"] and socket.gethostname() == host
assert json.load(open("/opt/ml/config/processingjobconfig.json"))["ProcessingResources"]
if host == "algo-1":
    with socket.create_server((host, 5000)) as server:
        there, _ = server.accept()
        said = there.recv(99).decode()
else:
    for _ in range(500):
        try:
            with socket.create_connection(("algo-1", 5000)) as there:
                there.sendall(b"hello from algo-2")
            break
        except ConnectionRefusedError:
            time.sleep(0.02)
    said = ""
open("/opt/ml/processing/output/out/" + host, "w").write(said)
open("/opt/ml/output/message", "w").write(host + " is done. ")
"""


@pytest.mark.parametrize("isolated", [False, True])
def test_hosts_of_a_processing_meet(account: Account, isolated: bool) -> None:
    if probe().mode != "namespaces":
        pytest.skip(probe().reason)
    step = processing(
        account,
        "P",
        MEET,
        outputs=("out",),
        NetworkConfig={"EnableNetworkIsolation": isolated},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"}},
    )
    assert account.run(step) == "Succeeded", account.journal.last("P").failure
    assert account.objects.read("s3://bucket/out/P/out/algo-1") == b"hello from algo-2"
    assert account.objects.read("s3://bucket/out/P/out/algo-2") == b""
    assert account.journal.last("P").response["ExitMessage"] == "algo-1 is done. algo-2 is done. "


def test_one_host_that_fails_ends_the_job(account: Account) -> None:
    script = """
import os, sys, time
if os.environ["SM_CURRENT_HOST"] == "algo-2":
    sys.exit("no more")
time.sleep(60)
"""
    config = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    assert account.run(training(account, "Train", {"train.py": script}, ResourceConfig=config)) == "Failed"
    assert account.journal.last("Train").failure == "algo-2: exit code 1: no more"


@pytest.mark.parametrize("count", [0, -1, 251, "2", 1.5])
def test_counts_that_make_no_sense(count: Any) -> None:
    with pytest.raises(StepFailed, match="InstanceCount is"):
        cluster("job", {"InstanceCount": count, "InstanceType": "ml.m5.large"})


def test_names_and_addresses() -> None:
    many = cluster("job", {"InstanceCount": 11, "InstanceType": "ml.m5.large"})
    assert many.names[:3] == ["algo-1", "algo-10", "algo-11"]
    assert len(set(many.addresses.values())) == 11
    assert all(address.startswith("127.") for address in many.addresses.values())
    assert many.addresses != cluster("other", {"InstanceCount": 11}).addresses
    assert cluster("job", {"InstanceType": "ml.m5.large"}).addresses == {"algo-1": "127.0.0.1"}
