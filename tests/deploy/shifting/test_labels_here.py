"""Late labels on the local account: real models on real servers under load, whose answers are wrong, or better."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from mlops import client
from mlops.deploy.endpoints import shift_records
from mlops.ir import Refusal
from mlops.use_cases import verdict

from ..conftest import World
from .test_shift_here import live, promoted, registered

pytestmark = pytest.mark.proof("verdicts")
HANDLER = """
import json, math
MODEL = json.loads('''{model}''')
def model_fn(d): return MODEL
def transform_fn(m, body, t, a):
    row = [float(cell) for cell in body.split(",")]
    z = m["intercept"] + sum(c * ((row[i] if i < len(row) else at) - at) / wide for i, c, at, wide in m["columns"])
    return "%.4f" % (1 / (1 + math.exp(-max(-30, min(30, z))))), a
"""
DATA = load_breast_cancer()
TOML = """
[env.local]
"""
TOUCHED = {"interval": "1s", "within": "9s"}


def model(columns: Sequence[int], *, turned: bool = False) -> str:
    """A regression over some of the columns, as its handler; ``turned`` was trained with labels that are the wrong way
    round, as a join gone wrong makes them."""
    rows = DATA.data[:, columns]
    at, wide = rows.mean(axis=0), rows.std(axis=0)
    found = LogisticRegression(max_iter=500).fit((rows - at) / wide, 1 - DATA.target if turned else DATA.target)
    told = [
        [int(i), float(c), float(a), float(w)] for i, c, a, w in zip(columns, found.coef_[0], at, wide, strict=True)
    ]
    return HANDLER.replace("{model}", json.dumps({"intercept": float(found.intercept_[0]), "columns": told}))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Version 1 looks at two columns of thirty and is right nine times of ten, 2 is wrong, 3 looks at all."""
    folder = tmp_path_factory.mktemp("labels")
    yield from registered(
        folder, TOML, model([4, 9]), model(list(range(30)), turned=True), model(list(range(30))), model([4, 9])
    )


class Callers:
    """Who ask for patients, one after another, and hear two seconds later what was right. ``split`` gives each patient
    a version by a test of this name."""

    def __init__(self, world: World, endpoint: str, split: Mapping[str, float] | None = None) -> None:
        self._world, self._endpoint, self._split = world, endpoint, split
        # Of each its own ids: one that comes again is a request that was tried again.
        self._prefix, self._numbers = f"{time.time():.0f}", itertools.count()
        self._waiting: list[tuple[float, str, int]] = []
        self.over = threading.Event()
        self.failed: list[str] = []

    def ask(self) -> None:
        runtime = self._world.account.client("sagemaker-runtime")
        chances = np.random.default_rng(threading.get_ident())
        while not self.over.wait(0.005):
            number = f"{self._prefix}-{next(self._numbers)}"
            row = int(chances.integers(len(DATA.target)))
            body = ",".join(f"{cell:g}" for cell in DATA.data[row]).encode()
            more: dict[str, Any] = {}
            if self._split is not None:
                given = client.assign(f"patient-{number}", "split", self._split, {"ward": "ab"[row % 2]})
                more = given.arguments
            try:
                runtime.invoke_endpoint(
                    EndpointName=self._endpoint,
                    Body=body,
                    ContentType="text/csv",
                    InferenceId=number,
                    **more,
                )
            except Exception as error:
                self.failed.append(str(error))
                continue
            self._waiting.append((time.monotonic() + 2, number, int(DATA.target[row])))

    def tell(self) -> None:
        while not self.over.wait(0.5):
            due = [item for item in self._waiting if item[0] <= time.monotonic()]
            self._waiting = [item for item in self._waiting if item not in set(due)]
            if due:
                client.outcomes([(name, "label", label) for _, name, label in due], endpoint=self._endpoint)


@contextmanager
def callers(world: World, endpoint: str, split: Mapping[str, float] | None = None) -> Iterator[Callers]:
    found = Callers(world, endpoint, split)
    threads = [threading.Thread(target=found.ask) for _ in range(3)] + [threading.Thread(target=found.tell)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.over.set()
        for thread in threads:
            thread.join()


def captured(world: World, endpoint: str) -> None:
    """Version 1, with data capture, as its owner has set it up."""
    sagemaker = world.account.client("sagemaker")
    promoted(world, 1, endpoint)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=live(world, endpoint)["EndpointConfigName"])
    sagemaker.create_endpoint_config(
        EndpointConfigName=f"{endpoint}-captured",
        ProductionVariants=config["ProductionVariants"],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{world.environment.bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-captured")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1})


def declared(world: World, **of_promote: Any) -> World:
    """With other rules than ``mlops.toml`` has."""
    promote = {**world.environment.promote, **of_promote}
    return World(world.folder, replace(world.environment, promote=promote), world.account)


@pytest.fixture(autouse=True)
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)


def test_a_version_whose_answers_are_wrong_is_taken_back(world: World) -> None:
    captured(world, "wrong")
    strategy = {"stepped": {"shares": [50, 100], "bake": ["20s", 0]}}
    judge = {"wrong": {**TOUCHED, "compare": {"times": 1.5, "enough": 20}}}
    with callers(world, "wrong") as asked, pytest.raises(Refusal) as told:
        promoted(declared(world, strategy=strategy, judge=judge, patience="20s"), 2, "wrong")
    assert "wrong: " in told.value.message and "by what serves: worse by more than 1.5 times" in told.value.message
    assert live(world, "wrong")["EndpointConfigName"] == "wrong-captured" and asked.failed == []
    found = verdict.explain("local", "wrong")
    assert found.is_same and found.first_red is not None


def test_a_version_that_is_better_wins_its_test(world: World) -> None:
    captured(world, "better")
    judge = {"wrong": {**TOUCHED, "compare": {"wanted": "better", "enough": 20}}, "errors": {"at_most": "1%"}}
    judge["errors"]["interval"] = "1s"
    strategy = {"ab": {"share": 50, "lasts": "60s"}}
    said: list[str] = []
    with callers(world, "better") as asked:
        done = promoted(declared(world, strategy=strategy, judge=judge), 3, "better", said)
    assert done.action == "updated" and asked.failed == []
    assert [line for line in said if "stage 1 is decided: " in line and ": better, with a doubt of" in line]
    samples = shift_records.latest(world.account, world.environment, "better")
    assert samples is not None and samples.looks[-1].now - samples.looks[-1].since < 58
    assert verdict.explain("local", "better").is_same


def test_an_equal_version_is_undecided_and_a_forced_split_is_told(world: World) -> None:
    """Callers who share patients by 80 to 20, where 90 to 10 is declared."""
    captured(world, "equal")
    strategy = {"ab": {"share": 10, "lasts": "6s"}}
    judge = {"wrong": {**TOUCHED, "compare": {"wanted": "better", "slices": {"ward": ["a", "b"]}}}}
    shares = {"AllTraffic": 80.0, "blue": 20.0}
    with callers(world, "equal"), pytest.raises(Refusal) as told:
        promoted(declared(world, strategy=strategy, judge=judge), 4, "equal")
    assert "stage 1 (10 %) has no verdict: wrong: " in told.value.message
    assert "not proven to be better" in told.value.message and "ward=a: " in told.value.message
    strategy = {"ab": {"share": 10, "lasts": "12s"}}
    # The equal one again: a better one may be proven so before the split is seen.
    with callers(world, "equal", shares), pytest.raises(Refusal) as told:
        promoted(declared(world, strategy=strategy, judge=judge), 4, "equal")
    assert "of the requests went to the new version, and 10 % was asked: nothing can be compared" in told.value.message
    assert any("nothing can be compared" in item.now.why for item in verdict.explain("local", "equal").looks)


def test_nothing_is_changed_where_nothing_is_captured(world: World) -> None:
    promoted(world, 1, "blind")
    before = live(world, "blind")
    with pytest.raises(Refusal, match="wrong is measured by what blind captures, and it captures nothing"):
        promoted(declared(world, strategy="ab", judge={"wrong": {"compare": {"wanted": "better"}}}), 3, "blind")
    assert live(world, "blind")["EndpointConfigName"] == before["EndpointConfigName"]
