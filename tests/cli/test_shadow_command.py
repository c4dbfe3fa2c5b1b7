"""``mlops endpoints shadow`` as a user types it, over pairs that an endpoint's process kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.account import ShadowPair
from mlops.account.local import LocalAccount
from mlops.account.local.process.capture import pairs
from mlops.account.local.process.router.records import Recorder
from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import endpoints, resources
from mlops.cli import main

TOLD = """\
door: S beside A in new, 100 requests, 7 not shown to it or not kept
  disagree     3 (3 %)
  distance     0 at the median, 0.5 at p99, 0.5 at most
  time         1 ms at the median, 1 ms at p99: A
  time         2 ms at the median, 2 ms at p99: S
  failed       only S 1, only A 0 of 100: undecided
  wrong        only S 3, only A 0 of 100: undecided
INFERENCE ID  EVENT  A    S    INPUT
i20           e20    0.9  0.4  1,20 x
i40           e40    0.9  424  1,40 x
"""


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalAccount:
    (tmp_path / "mlops.toml").write_text("[env.local]\n")
    monkeypatch.chdir(tmp_path)
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    body = {"EndpointName": "door", "EndpointConfigName": "new"}
    taken = invalid("taken")
    resources.insert(account.state, endpoints.KIND, "door", body, taken=taken, status="Failed")
    return account


def pair(number: int) -> ShadowPair:
    differs, failed = number % 20 == 0 and number <= 40, number == 40
    answers = "0.9", None if failed else "0.4" if differs else "0.9"
    return ShadowPair(
        float(number), "new", "A", "S", f"e{number}", f"i{number}", 200, 424 if failed else 200, 1000, 2000,
        not differs, None if failed else 0.5 * differs, f"1,{number}\x1bx", *answers,
    )  # fmt: skip


def test_a_shadow_is_held_against_production(local: LocalAccount, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["endpoints", "shadow", "door"]) == 2
    assert "no shadow variant of door has answered yet" in capsys.readouterr().err
    local.state.endpoint_folder("door").mkdir(parents=True)
    recorder = Recorder(local.state.endpoint_folder("door") / pairs.FOLDER, columns=ShadowPair._fields)
    for number in range(100):
        recorder.add(pair(number))
    recorder.lose(7)
    recorder.close()
    Path("labels.csv").write_text("inference_id,label\n" + "".join(f"i{number},1\n" for number in range(200)))
    assert main(["endpoints", "shadow", "door", "--labels", "labels.csv", "--limit", "2"]) == 0
    told = capsys.readouterr()
    assert told.out == TOLD
    assert told.err == "the last 2 of 3; --limit shows more\n"
    assert main(["endpoints", "shadow", "door", "--within", "0.5", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["disagreements"], found["unknown"], found["labels"]) == (1, 7, None)
    assert [item["event_id"] for item in found["disagreeing"]] == ["e40"]


def test_labels_that_cannot_be_read_are_told(local: LocalAccount, capsys: pytest.CaptureFixture[str]) -> None:
    Path("labels.csv").write_text("id,label\n1,1\n")
    assert main(["endpoints", "shadow", "door", "--labels", "labels.csv"]) == 2
    assert "labels.csv:2 has no inference_id and label" in capsys.readouterr().err
    assert main(["endpoints", "shadow", "dor"]) == 2
