"""Any definition becomes Python that compiles to the same JSON value."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.check.programs import compile_program
from mlops.cli import main
from mlops.emit.targets.definition_json import document
from mlops.emit.targets.python import emit
from mlops.ir import Definition
from mlops.ir.reader import read

FILES = sorted((Path(__file__).parent / "definitions").glob("*.json"))


def definition(text: str, name: str = "pipeline") -> Definition:
    found, findings = read(text)
    assert found is not None and not findings
    return replace(found, name=name)


def value(raw: Any) -> str:
    return json.dumps(raw, sort_keys=True)


def survives(text: str) -> str:
    program = emit(definition(text), compile_program)
    compiled, mistakes = compile_program(program)
    assert compiled is not None, (mistakes, program)
    assert value(document(compiled)) == value(json.loads(text)), program
    return program


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_definition_survives(file: Path) -> None:
    text = file.read_text()
    assert value(document(definition(text))) == value(json.loads(text))
    survives(text)


def test_programs_are_formatted_and_type_checked(tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / f"{file.stem}.py").write_text(emit(definition(file.read_text()), compile_program))
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--diff", str(tmp_path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")]
    checked = subprocess.run([*mypy, str(tmp_path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_it_reads_as_a_colleague_would_write_it() -> None:
    program = survives((Path(__file__).parent / "definitions" / "sdk3_abalone.json").read_text())
    for line in (
        '    input_data = pipeline.string("InputData", "s3://b/raw")',
        '        channels={"train": Channel(preprocess_data.outputs["train"], content_type="text/csv", mode=None)},',
        '        hyperparameters={"objective": "reg:linear", "num_round": 50, "eta": 0.2, "quoted": \'"x"\'},',
        '        evaluate_model.reports["Report"]["regression_metrics"]["mse"]["value"] <= threshold,',
        '        Fail("TooBad", join("MSE >", threshold, on=" "))',
    ):
        assert line in program.splitlines(), program
    assert "as_written" not in program and "keep_order" not in program


def test_services_have_their_own_constructors() -> None:
    program = survives((Path(__file__).parent / "definitions" / "tuning_and_services.json").read_text())
    for line in (
        '        ranges={"depth": IntegerRange(1, 5)},',
        '        objective=Minimize("loss"),',
        "        max_jobs=jobs,",
        '    serve = Endpoint("Serve", config=configure.config_name, endpoint="ep")',
        '    Job("Job", category="AgentRFT", config="{}")',
        '    Cleanup("Clean", sources=[tune], after=[tune])',
    ):
        assert line in program.splitlines(), program
    assert "OtherStep" not in program and "as_written" not in program


def test_import_writes_a_file_that_compiles_to_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parent / "definitions" / "sdk2_abalone.json"
    target = tmp_path / "pipeline.py"
    assert main(["import", str(file), "--name", "abalone", "-o", str(target)]) == 0
    capsys.readouterr()
    assert main(["compile", str(target), "-o", "-"]) == 0
    assert value(json.loads(capsys.readouterr().out)) == value(json.loads(file.read_text()))


@pytest.mark.parametrize(
    ("text", "said"), [("{", "not JSON"), ("[]", "a definition is a JSON object"), ('{"Steps": 1}', "Steps should be")]
)
def test_what_is_no_definition_is_refused(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_text(text)
    assert main(["import", str(tmp_path / "x.json")]) == 1
    assert said in capsys.readouterr().err


names = st.sampled_from(["A", "Train", "when", "x y", "é", "0", "A.B", "it's"])
references = st.one_of(
    st.builds(
        lambda name, path: {"Get": f"Steps.{name}.{path}"}, names, st.sampled_from(["ModelName", "A['k'].B", "x"])
    ),
    st.builds(lambda name: {"Get": f"Parameters.{name}"}, names),
    st.sampled_from([{"Get": "Execution.PipelineName"}, {"Get": "odd"}, {"Get": 1}, {"Std:JsonGet": {}}]),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(-2, 2), st.text(max_size=6).filter(str.isprintable), names
)
values = st.recursive(
    st.one_of(scalars, references),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["InstanceType", "Get", "S3Uri", "a"]), inner, max_size=3),
        st.builds(
            lambda on, parts: {"Std:Join": {"On": on, "Values": parts}}, st.sampled_from(["", "/"]), st.lists(inner)
        ),
        st.builds(lambda uri, path: {"Std:JsonGet": {"S3Uri": uri, "Path": path}}, inner, inner),
    ),
    max_leaves=6,
)
members = st.sampled_from(
    [
        "AppSpecification",
        "RoleArn",
        "ProcessingInputs",
        "HyperParameters",
        "Conditions",
        "ErrorMessage",
        "ModelName",
        "Tags",
    ]
)
steps = st.deferred(
    lambda: st.fixed_dictionaries(
        {
            "Name": names,
            "Type": st.sampled_from(["Processing", "Training", "Condition", "Fail", "Lambda", "Model", "Unheard"]),
        },
        optional={
            "Arguments": st.one_of(
                values,
                st.dictionaries(members, values, max_size=3),
                st.builds(
                    lambda asked, then, other: {"Conditions": asked, "IfSteps": then, "ElseSteps": other},
                    st.lists(values, max_size=2),
                    st.lists(steps, max_size=1),
                    st.lists(steps, max_size=1),
                ),
            ),
            "DependsOn": st.one_of(st.lists(names, max_size=2), values),
            "CacheConfig": values,
            "FunctionArn": values,
            "Description": values,
        },
    )
)
documents = st.fixed_dictionaries(
    {"Version": st.just("2020-12-01"), "Steps": st.lists(steps, max_size=3)},
    optional={
        "Metadata": values,
        "PipelineExperimentConfig": values,
        "Parameters": st.lists(
            st.fixed_dictionaries(
                {"Name": names},
                optional={"Type": st.sampled_from(["String", "Integer", "Float", "Other"]), "DefaultValue": values},
            ),
            max_size=2,
        ),
    },
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents)
def test_any_definition_survives_read_import_and_compile(raw: dict[str, Any]) -> None:
    survives(json.dumps(raw))
