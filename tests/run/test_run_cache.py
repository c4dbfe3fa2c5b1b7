"""Which steps an earlier result serves, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cached_runs import RAN, SERVED, Pipeline, job, output_of
from ports_for_tests import step, tar_gz

from mlops.account.local.upkeep.cache_reasons import explain
from mlops.ir import UsageError


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    made = Pipeline(tmp_path)
    made.write("s3://bucket/data/a.csv", "1,2")
    return made


DATA = {"data": "s3://bucket/data"}
SAME = "echo same > /opt/ml/processing/output/out/stamp"


def reasons(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    return explain(pipeline.state, pipeline.last, name).reasons


def test_a_second_run_is_served_and_tells_by_whom(pipeline: Pipeline) -> None:
    assert pipeline.run(job("Prepare", inputs=DATA)) == {"Prepare": RAN}
    assert reasons(pipeline, "Prepare") == ("there is no earlier success",)
    first, ran = pipeline.last, pipeline.record("Prepare")
    for _ in range(2):
        assert pipeline.run(job("Prepare", inputs=DATA)) == {"Prepare": SERVED}
        record = pipeline.record("Prepare")
        assert record.cache_source is not None
        assert record.cache_source.endswith(f"/{first}")
        assert (record.response, record.metadata) == (ran.response, ran.metadata)
        assert explain(pipeline.state, pipeline.last, "Prepare").source == first


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("an argument", {"command": "true"}, {"command": "true "}, "AppSpecification.ContainerEntrypoint[2] changed: true"),
    ("the image", {}, {"request": {"AppSpecification": {"ImageUri": "b", "ContainerEntrypoint": ["date"]}}}, "Image"),
    ("a new variable", {}, {"request": {"Environment": {"A": "hidden"}}}, "Environment.A is new"),
    (
        "a variable",
        {"request": {"Environment": {"A": "hidden"}}},
        {"request": {"Environment": {"A": "secret"}}},
        "Environment.A changed",
    ),
    ("one input less", {"inputs": DATA}, {}, "ProcessingInputs"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "told"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_change_runs_it_again(pipeline: Pipeline, first: Any, second: Any, told: str) -> None:
    pipeline.run(job("Prepare", **first))
    assert pipeline.run(job("Prepare", **second)) == {"Prepare": RAN}
    text = "; ".join(reasons(pipeline, "Prepare"))
    assert told in text
    assert not {"hidden", "secret"} & set(text.split())


@pytest.mark.parametrize(
    "request_",
    [
        {"ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge"}}},
        {"RoleArn": "arn:aws:iam::000000000000:role/other"},
        {"StoppingCondition": {"MaxRuntimeInSeconds": 60}},
    ],
)
def test_what_cannot_change_the_result_does_not_run_it_again(pipeline: Pipeline, request_: Any) -> None:
    pipeline.run(job("Prepare"))
    assert pipeline.run(job("Prepare", request=request_)) == {"Prepare": SERVED}


def test_the_content_of_an_input_counts(pipeline: Pipeline) -> None:
    pipeline.run(job("Prepare", inputs=DATA))
    pipeline.write("s3://bucket/data/a.csv", "1,2")
    assert pipeline.run(job("Prepare", inputs=DATA)) == {"Prepare": SERVED}
    pipeline.write("s3://bucket/elsewhere/a.csv", "1,2")
    assert pipeline.run(job("Prepare", inputs={"data": "s3://bucket/elsewhere/"})) == {"Prepare": SERVED}
    pipeline.write("s3://bucket/data/a.csv", "1,3")
    pipeline.write("s3://bucket/data/b.csv", "")
    assert pipeline.run(job("Prepare", inputs=DATA)) == {"Prepare": RAN}
    assert reasons(pipeline, "Prepare") == ("input data changed: a.csv, b.csv",)
    (pipeline.state.folder / "objects/bucket/data/a.csv").write_text("by hand")
    assert pipeline.run(job("Prepare", inputs=DATA)) == {"Prepare": RAN}


def test_equal_output_upstream_stops_the_avalanche(pipeline: Pipeline) -> None:
    def steps(command: str) -> tuple[Any, ...]:
        return job("Prepare", command), job("Use", inputs={"data": output_of("Prepare")})

    pipeline.run(*steps(SAME))
    assert pipeline.run(*steps(f"true; {SAME}")) == {"Prepare": RAN, "Use": SERVED}
    assert pipeline.run(*steps("echo other > /opt/ml/processing/output/out/stamp")) == {"Prepare": RAN, "Use": RAN}
    assert reasons(pipeline, "Use") == ("input data changed: stamp (because Prepare ran again)",)
    assert pipeline.run(*steps(SAME)) == {"Prepare": SERVED, "Use": SERVED}


def test_a_place_named_after_the_execution_is_the_same_place(pipeline: Pipeline) -> None:
    def use() -> Any:
        entry = ["/bin/sh", "-c", 'echo "$0"', output_of("Prepare")]
        return job("Use", request={"AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": entry}})

    pipeline.run(job("Prepare", SAME), use())
    assert pipeline.run(job("Prepare", SAME), use()) == {"Prepare": SERVED, "Use": SERVED}
    assert pipeline.run(job("Prepare", f"true; {SAME}"), use()) == {"Prepare": RAN, "Use": SERVED}


def lose(pipeline: Pipeline, uri: str) -> None:
    pipeline.state.objects.delete("bucket", uri.removeprefix("s3://bucket/"))


def overwrite(pipeline: Pipeline, uri: str) -> None:
    pipeline.write(uri, "other")


@pytest.mark.parametrize(("harm", "told"), [(lose, "are gone"), (overwrite, "were changed since")])
def test_lost_outputs_run_it_again(pipeline: Pipeline, harm: Callable[[Pipeline, str], None], told: str) -> None:
    there = "s3://bucket/fixed"
    pipeline.run(job("Prepare", to=there))
    first = pipeline.last
    harm(pipeline, f"{there}/stamp")
    assert pipeline.run(job("Prepare", to=there)) == {"Prepare": RAN}
    assert reasons(pipeline, "Prepare") == (f"the outputs of execution {first} {told}: {there}/",)
    assert pipeline.run(job("Prepare", to=there)) == {"Prepare": SERVED}


@pytest.mark.parametrize(
    ("config", "expected", "told"),
    [
        ({"Enabled": True, "ExpireAfter": "P30D"}, SERVED, None),
        ({"Enabled": True, "ExpireAfter": "T12H"}, SERVED, None),
        ({"Enabled": True}, SERVED, None),
        ({"Enabled": True, "ExpireAfter": "PT0S"}, RAN, "older than ExpireAfter (PT0S)"),
        ({"Enabled": True, "ExpireAfter": "P"}, RAN, "ExpireAfter 'P' is no duration"),
        ({"Enabled": False, "ExpireAfter": "P30D"}, RAN, "switched off by CacheConfig"),
    ],
)
def test_cache_config_is_obeyed(pipeline: Pipeline, config: Any, expected: str, told: str | None) -> None:
    pipeline.run(job("Prepare"))
    assert pipeline.run(job("Prepare", CacheConfig=config)) == {"Prepare": expected}
    assert told is None or told in "; ".join(reasons(pipeline, "Prepare"))


def test_without_the_cache_everything_runs_and_serves_later(pipeline: Pipeline) -> None:
    pipeline.run(job("Prepare"))
    assert pipeline.run(job("Prepare"), use_cache=False) == {"Prepare": RAN}
    assert reasons(pipeline, "Prepare") == ("it was run without the cache",)
    newest = pipeline.last
    assert pipeline.run(job("Prepare")) == {"Prepare": SERVED}
    assert explain(pipeline.state, pipeline.last, "Prepare").source == newest


def test_one_of_many_results_serves_however_many_newer_ones_are_lost(pipeline: Pipeline) -> None:
    there = "s3://bucket/fixed"
    pipeline.run(job("Prepare", to=there))
    first, store = pipeline.last, pipeline.state.store
    for number in range(25):
        execution, later = f"{number:012x}", f"2999-01-01T00:00:{number:02d}.000000+00:00"
        for table, key in (("execution", "id"), ("step", "execution")):
            row = dict(store.all(f"SELECT * FROM {table} WHERE {key} = ?", first)[0])
            row[key] = execution
            if table == "step":
                row |= {"ended": later, "cache": row["cache"].replace(there, "s3://bucket/lost")}
            store.write(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", *row.values())
    assert pipeline.run(job("Prepare", to=there)) == {"Prepare": SERVED}
    assert explain(pipeline.state, pipeline.last, "Prepare").source == first


def test_only_a_success_of_the_same_pipeline_and_step_serves(pipeline: Pipeline) -> None:
    assert pipeline.run(job("Prepare", "exit 3")) == {"Prepare": "Failed"}
    assert pipeline.run(job("Prepare", "exit 3")) == {"Prepare": "Failed"}
    pipeline.run(job("Prepare"))
    assert pipeline.run(job("Prepare"), name="other") == {"Prepare": RAN}
    assert pipeline.run(job("Other")) == {"Other": RAN}


def test_a_training_is_served_until_its_code_changes(pipeline: Pipeline) -> None:
    def train(text: str, trees: int) -> Any:
        address = f"s3://bucket/code/{len(text)}/sourcedir.tar.gz"
        if not pipeline.objects.keys(address):  # as an upsert does it
            pipeline.objects.put([tar_gz({"train.py": text, "constant.py": ""})], address)
        return step(
            "Training",
            "Train",
            {
                "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
                "HyperParameters": {
                    "sagemaker_program": "train.py",
                    "sagemaker_submit_directory": address,
                    "trees": trees,
                },
                "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            },
        )

    script = "import os; open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('m')\n"
    use = job("Use", inputs={"model": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}})
    assert pipeline.run(train(script, 100), use) == {"Train": RAN, "Use": RAN}
    assert pipeline.run(train(script, 100), use) == {"Train": SERVED, "Use": SERVED}
    assert pipeline.run(train(script, 200), use) == {"Train": RAN, "Use": SERVED}
    assert reasons(pipeline, "Train") == ("HyperParameters.trees changed: 100 -> 200",)
    assert pipeline.run(train(f"{script}# more", 200), use) == {"Train": RAN, "Use": SERVED}
    assert reasons(pipeline, "Train") == ("code of Train changed: train.py",)


def test_what_has_no_key_is_told(pipeline: Pipeline) -> None:
    pipeline.run(step("Fail", "Stop", {"ErrorMessage": "as planned"}))
    assert reasons(pipeline, "Stop") == ("steps of type Fail are never cached",)
    with pytest.raises(UsageError, match="started no step 'Nothing'; it started Stop"):
        explain(pipeline.state, pipeline.last, "Nothing")
