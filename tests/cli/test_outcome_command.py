"""What became of requests, published by the command and by a program."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops import client
from mlops.account.local import LocalAccount
from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import endpoints, resources
from mlops.cli import main
from mlops.ir import UsageError


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalAccount:
    (tmp_path / "mlops.toml").write_text("[env.local]\n")
    monkeypatch.chdir(tmp_path)
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    body = {"EndpointName": "door", "EndpointConfigName": "new"}
    resources.insert(account.state, endpoints.KIND, "door", body, taken=invalid("taken"), status="Failed")
    return account


def published(account: LocalAccount) -> list[str]:
    """Folders by outcome, and how many lines each has."""
    s3 = account.client("s3")
    found = []
    for item in s3.list_objects_v2(Bucket="mlops-local").get("Contents", ()):
        content = s3.get_object(Bucket="mlops-local", Key=item["Key"])["Body"].read()
        found.append(f"{item['Key'].partition('outcomes/')[2].rpartition('/')[0]}: {content.count(b'eventId')}")
    return sorted(found)


def test_by_the_command_from_a_file_and_by_a_program(local: LocalAccount, capsys: pytest.CaptureFixture[str]) -> None:
    Path("labels.csv").write_text("inference_id,label,rating\na,1,4\nb,0,\n")
    assert main(["endpoints", "outcome", "door", "labels.csv"]) == 0
    assert capsys.readouterr().out == "3 outcomes of door published\n"
    at = datetime(2025, 11, 29, 10, tzinfo=UTC)
    client.outcome("a", "bought", True, endpoint="door", at=at)
    client.outcome("a", "bought", True, endpoint="door", at=at)
    assert client.outcomes([("a", "label", 0), ("b", "label", 1)], endpoint="door", at=at) == 2
    told = published(local)
    assert [line for line in told if "2025/11/29/10" in line] == [
        "door/bought/2025/11/29/10: 1",
        "door/label/2025/11/29/10: 2",
    ]
    assert len(told) == 4


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("door", "", "labels.csv has no outcome"),
        ("door", "inference_id,label\n,1\n", "labels.csv:2 has no inference_id"),
        ("dor", "inference_id,label\na,1\n", "there is no endpoint 'dor'"),
    ],
)
def test_what_cannot_be_published_is_told(
    local: LocalAccount, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str
) -> None:
    Path("labels.csv").write_text(text)
    assert main(["endpoints", "outcome", name, "labels.csv"]) == 2
    assert said in capsys.readouterr().err
    with pytest.raises(UsageError, match="no name of an outcome"):
        client.outcome("a", "a/b", 1, endpoint="door")
    s3 = local.client("s3")
    assert [s3.list_objects_v2(Bucket=item["Name"])["KeyCount"] for item in s3.list_buckets()["Buckets"]] in ([], [0])


def test_a_user_gets_one_version_and_shares_are_kept() -> None:
    users = [f"user-{number}" for number in range(4000)]

    def given(test: str, **shares: float) -> dict[str, str]:
        return {user: client.assign(user, test, shares).variant for user in users}

    first = given("t", blue=90, green=10)
    assert first == given("t", blue=9, green=1)
    assert 0.08 < Counter(first.values())["green"] / 4000 < 0.12
    later = given("t", blue=50, green=50)
    assert all(later[user] == "green" for user in users if first[user] == "green")
    other = given("u", blue=90, green=10)
    both = sum(first[user] == other[user] == "green" for user in users)
    assert 0.003 < both / 4000 < 0.02
    assert set(given("t", blue=0, green=1).values()) == set(given("t", green=1, blue=0).values()) == {"green"}
    assert set(given("t", blue=1, green=1, red=2).values()) == {"blue", "green", "red"}


@pytest.mark.parametrize(
    ("shares", "segments", "said"),
    [
        ({"blue": 0.0}, {}, "none below 0, and one above"),
        ({"blue": 2.0, "green": -1.0}, {}, "none below 0, and one above"),
        ({}, {}, "none below 0, and one above"),
        ({"blue": 1.0}, {"plan": "a b"}, "plan = 'a b': a name and a text of ASCII"),
        ({"blue": 1.0}, {"plan": ""}, "plan = '': a name"),
        ({"blue": 1.0}, {"plan": "é"}, "a text of ASCII"),
        ({"blue": 1.0}, {"plan": "x" * 1024}, "1024 may be"),
    ],
)
def test_what_cannot_be_assigned_is_refused(shares: dict[str, float], segments: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        client.assign("ada", "t", shares, segments)


def test_to_choose_loads_nothing() -> None:
    code = "import sys, mlops.client as c; c.assign('a', 't', {'b': 1}); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"boto3", "botocore", "pydantic", "click", "numpy"} & set(loaded)
    assert [name for name in loaded if name.startswith("mlops.")] == ["mlops.ports", "mlops.client"]
