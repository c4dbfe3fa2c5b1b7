"""Tuning steps: training jobs with other hyperparameters each, the best of them, and searches that are cut off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ports_for_tests import EXECUTION, Account, step, tar_gz

from mlops.account.local.answering import answer_fitting
from mlops.ir import Step
from mlops.run.tuning.memory import Memory

SCRIPT = """
import sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
X = given["--rate"]
for epoch in range(int(given.get("--epochs", 1))):
    print("cost=%s" % ((float(X) - 3) ** 2 + 1 / (1 + epoch)), flush=True)
open(__import__("os").environ["SM_MODEL_DIR"] + "/rate", "w").write(X)
"""
METRICS = [{"Name": "cost", "Regex": "cost=([0-9.]+)"}]
NUMBERS = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "10"}]}
CHOICES = {"CategoricalParameterRanges": [{"Name": "rate", "Values": ["9", "2", "5", "3"]}]}


def tuning(
    account: Account,
    *,
    script: str = SCRIPT,
    strategy: str = "Random",
    ranges: Mapping[str, Any] = NUMBERS,
    jobs: int | None = 4,
    parallel: int = 1,
    config: Mapping[str, Any] | None = None,
    definition: Mapping[str, Any] | None = None,
    **request: Any,
) -> Step:
    code = account.objects.write("s3://bucket/code/sourcedir.tar.gz", tar_gz({"train.py": script}))
    limits = {"MaxParallelTrainingJobs": parallel, **({} if jobs is None else {"MaxNumberOfTrainingJobs": jobs})}
    return step(
        "Tuning",
        "Tune",
        {
            "HyperParameterTuningJobConfig": {
                "Strategy": strategy,
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "cost"},
                "ResourceLimits": limits,
                "ParameterRanges": ranges,
                "RandomSeed": 7,
                **(config or {}),
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"sagemaker_program": "train.py", "sagemaker_submit_directory": code},
                "AlgorithmSpecification": {
                    "TrainingImage": "i",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": METRICS,
                },
                "RoleArn": "arn:aws:iam::000000000000:role/r",
                "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
                "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
                **(definition or {}),
            },
            **request,
        },
    )


def asked(account: Account, operation: str, **request: Any) -> Any:
    return answer_fitting(account.state, "sagemaker", operation, request)


def test_a_grid_its_best_job_and_what_the_account_tells(account: Account) -> None:
    assert account.run(tuning(account, strategy="Grid", ranges=CHOICES, jobs=None)) == "Succeeded"
    response = account.journal.last("Tune").response
    name = response["HyperParameterTuningJobName"]
    assert name.startswith(f"{EXECUTION}-Tune-") and len(name) <= 32
    told = asked(account, "DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert told["TrainingJobStatusCounters"]["Completed"] == told["ObjectiveStatusCounters"]["Succeeded"] == 4
    best = told["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"rate": "3"} and best["TrainingJobName"].startswith(f"{name}-004-")
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Minimize",
        "MetricName": "cost",
        "Value": 1.0,
    }
    summaries = response["TrainingJobSummaries"]
    assert [item["TunedHyperParameters"]["rate"] for item in summaries] == ["3", "2", "5", "9"]
    for item in summaries:  # where the SDK's get_top_model_s3_uri looks
        assert account.objects.read(f"s3://bucket/models/{item['TrainingJobName']}/output/model.tar.gz")
    listed = asked(
        account,
        "ListTrainingJobsForHyperParameterTuningJob",
        HyperParameterTuningJobName=name,
        SortBy="FinalObjectiveMetricValue",
    )["TrainingJobSummaries"]
    assert [item["TunedHyperParameters"]["rate"] for item in listed] == ["3", "2", "5", "9"]
    child = asked(account, "DescribeTrainingJob", TrainingJobName=best["TrainingJobName"])
    assert child["HyperParameters"]["rate"] == "3" and child["HyperParameters"]["_tuning_objective_metric"] == "cost"
    assert child["TuningJobArn"] == told["HyperParameterTuningJobArn"]
    streams = asked_logs(account, f"{name}-")
    assert len(streams) == 4


def asked_logs(account: Account, prefix: str) -> list[str]:
    group = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": prefix}
    found = answer_fitting(account.state, "logs", "DescribeLogStreams", group)
    return [str(item["logStreamName"]) for item in found["logStreams"]]


class Cut(Exception):
    """The process is killed here."""


def test_a_search_that_was_killed_goes_on_behind_what_had_ended(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    step_ = tuning(account, jobs=4)
    ended: list[int] = []
    whole = Memory.trial_ended

    def second_is_the_last(memory: Memory, trial: Any) -> None:
        whole(memory, trial)
        ended.append(trial.number)
        if len(ended) == 2:
            raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "trial_ended", second_is_the_last)
        with pytest.raises(SystemExit):
            account.run(step_)
    begun = [path.name for path in (account.attempt("Tune") / "jobs").iterdir()]
    assert len(begun) == 2
    assert account.run(step_) == "Succeeded"
    again = sorted(path.name for path in (account.attempt("Tune", 2) / "jobs").iterdir())
    response = account.journal.last("Tune").response
    names = sorted(item["TrainingJobName"] for item in response["TrainingJobSummaries"])
    assert names == sorted([*begun, *again]) and len(again) == 2
    assert response["TrainingJobStatusCounters"]["Completed"] == 4
    name = response["HyperParameterTuningJobName"]
    listed = asked(account, "ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name)
    assert [item["TrainingJobName"] for item in listed["TrainingJobSummaries"]] == names


@pytest.mark.parametrize(
    ("given", "ended", "why"),
    [
        ({"script": "raise SystemExit(3)", "jobs": 9}, "Failed", "No training job succeeded after 5 attempts"),
        (
            {"script": "print('loss=1')", "jobs": 2},
            "Failed",
            "No objective metrics found after running 2 training jobs",
        ),
        ({"ranges": {}, "jobs": 2}, "Failed", "there is nothing to tune"),
        ({"strategy": "Hyperband"}, "Failed", "MaxResource parameter is not provided and could not be inferred"),
    ],
    ids=["all fail", "no objective", "no ranges", "no resource"],
)
def test_searches_that_fail(account: Account, given: dict[str, Any], ended: str, why: str) -> None:
    assert account.run(tuning(account, **given)) == ended
    assert why in (account.journal.last("Tune").failure or "")


@pytest.mark.parametrize(
    ("criteria", "tried"),
    [
        ({"TargetObjectiveMetricValue": 2.0}, ["9", "2"]),
        ({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 1}}, ["9", "2", "5"]),
    ],
    ids=["target", "patience"],
)
def test_criteria_of_completion(account: Account, criteria: Any, tried: list[str]) -> None:
    config = {"TuningJobCompletionCriteria": criteria}
    assert account.run(tuning(account, strategy="Grid", ranges=CHOICES, jobs=None, config=config)) == "Succeeded"
    summaries = account.journal.last("Tune").response["TrainingJobSummaries"]
    assert sorted(item["TunedHyperParameters"]["rate"] for item in summaries) == sorted(tried)


LEARNS = """
import signal, sys, time, os
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
open(os.environ["SM_MODEL_DIR"] + "/m", "w").write("m")
rate, epochs = float(given["--rate"]), 3
for epoch in range(epochs):
    print("cost=%s" % rate, flush=True)
if rate > 8:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("strategy", "values", "config"),
    [
        ("Grid", ["2", "3", "5", "9"], {"TrainingJobEarlyStoppingType": "Auto"}),
        (
            "Hyperband",
            ["1", "2", "9"],
            {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 3}}},
        ),
    ],
)
def test_a_job_that_leads_nowhere_is_stopped_and_keeps_its_model(
    account: Account, strategy: str, values: list[str], config: dict[str, Any]
) -> None:
    """It would last a minute."""
    ranges = {"CategoricalParameterRanges": [{"Name": "rate", "Values": values}]}
    assert account.run(tuning(account, script=LEARNS, strategy=strategy, ranges=ranges, config=config)) == "Succeeded"
    summaries = account.journal.last("Tune").response["TrainingJobSummaries"]
    worst = summaries[-1]
    assert (worst["TunedHyperParameters"]["rate"], worst["TrainingJobStatus"]) == ("9", "Stopped")
    assert worst["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 9.0
    assert account.objects.read(worst["ModelArtifacts"]["S3ModelArtifacts"])


def test_a_job_that_is_begun_again_has_the_values_of_its_last_try_alone(account: Account) -> None:
    script = "import os; print('cost=1', flush=True); os.kill(os.getpid(), 9)"
    request: dict[str, Any] = {
        "config": {"TrainingJobEarlyStoppingType": "Auto"},
        "definition": {"RetryStrategy": {"MaximumRetryAttempts": 1}},
    }
    assert account.run(tuning(account, script=script, jobs=1, **request)) == "Failed"
    lines = (account.attempt("Tune").parent / "search.jsonl").read_text(encoding="utf-8").splitlines()
    [ended] = [line for line in map(json.loads, lines) if "ended" in line]
    assert ended["costs"] == [1.0]
    [log] = account.attempt("Tune").glob("jobs/*/log.txt")
    assert log.read_text(encoding="utf-8").count("\ncost=1\n") == 2


def test_an_earlier_search_is_learnt_from_and_definitions_take_turns(account: Account) -> None:
    first = tuning(account, strategy="Random", ranges=CHOICES, jobs=2)
    assert account.run(first) == "Succeeded"
    parent = account.journal.last("Tune").response
    names = {"HyperParameterTuningJobName": parent["HyperParameterTuningJobName"]}
    warm = {"ParentHyperParameterTuningJobs": [names], "WarmStartType": "IdenticalDataAndAlgorithm"}
    second = tuning(account, strategy="Random", ranges=CHOICES, jobs=2, WarmStartConfig=warm)
    assert account.run(second) == "Succeeded"
    response = account.journal.last("Tune").response
    tried = [
        item["TunedHyperParameters"]["rate"]
        for item in (*parent["TrainingJobSummaries"], *response["TrainingJobSummaries"])
    ]
    assert sorted(tried) == ["2", "3", "5", "9"]
    assert response["OverallBestTrainingJob"]["TunedHyperParameters"] == {"rate": "3"}
    one = second.arguments["TrainingJobDefinition"]  # type: ignore[index, call-overload]
    own = {"TuningObjective": {"Type": "Minimize", "MetricName": "cost"}}
    listed = [{**one, **own, "DefinitionName": name, "HyperParameterRanges": CHOICES} for name in ("a", "b")]
    several = tuning(account, ranges=CHOICES, jobs=3, TrainingJobDefinitions=listed)
    several.arguments.pop("TrainingJobDefinition")  # type: ignore[union-attr]
    assert account.run(several) == "Succeeded"
    summaries = account.journal.last("Tune").response["TrainingJobSummaries"]
    assert sorted(item["TrainingJobDefinitionName"] for item in summaries) == ["a", "a", "b"]
