"""Any definition becomes Python that compiles to the same JSON value."""

from __future__ import annotations

import ast
import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import mlops
from mlops.check.programs import compile_program
from mlops.cli import main
from mlops.emit.targets.python import emit, emit_for_all
from mlops.ir.document import document
from mlops.ir.placeholders import LOCAL_BUCKET
from mlops.ir.reader import read
from tests.emit.odd_definitions import ODD
from tests.emit.programs import CONSTRUCTORS, FILES, definition, programs
from tests.laws import examples


def value(raw: Any) -> str:
    return json.dumps(raw, sort_keys=True)


def survives(text: str) -> str:
    program = emit(definition(text), compile_program, CONSTRUCTORS)
    compiled, mistakes = compile_program(program)
    assert compiled is not None, (mistakes, program)
    assert value(document(compiled)) == value(json.loads(text)), program
    return program


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_definition_survives(file: Path) -> None:
    text = file.read_text()
    assert value(document(definition(text))) == value(json.loads(text))
    survives(text)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_definition_survives(name: str) -> None:
    assert value(document(definition(json.dumps(ODD[name])))) == value(ODD[name])
    survives(json.dumps(ODD[name]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_definition_survives_with_the_environments_bucket(file: Path) -> None:
    """Whatever member names it, a program for all environments compiles to the same in this one."""
    text = re.sub(r"s3://[a-z0-9.\-]+", f"s3://{LOCAL_BUCKET}", file.read_text())
    program = emit_for_all(definition(text), compile_program, CONSTRUCTORS, LOCAL_BUCKET)
    compiled, mistakes = compile_program(program)
    assert compiled is not None, (mistakes, program)
    assert value(document(compiled)) == value(json.loads(text)), program
    of_texts_alone = rf'join\("s3://{LOCAL_BUCKET}", "[^"]*", on="/"\)'
    assert f"s3://{LOCAL_BUCKET}" not in re.sub(of_texts_alone, "", program)


NAME = {"Get": "Execution.PipelineName"}
PLACES: dict[str, tuple[Any, str]] = {
    "a place": ("s3://mlops-local/x", 'join("s3://", environment.bucket, "/x")'),
    "the bucket alone": ("s3://mlops-local", 'join("s3://", environment.bucket)'),
    "inside of a text": ('"s3://mlops-local/x"', """join('"s3://', environment.bucket, '/x"')"""),
    "two": ("s3://mlops-local/x,s3://mlops-local/y",
            'join("s3://", environment.bucket, "/x,s3://", environment.bucket, "/y")'),
    "a join": ({"Std:Join": {"On": "/", "Values": ["s3:/", "mlops-local", NAME]}},
               'join("s3:/", environment.bucket, execution.pipeline_name, on="/")'),
    "a place in a join": ({"Std:Join": {"On": "/", "Values": ["s3://mlops-local/x", NAME]}},
                          'join(join("s3://", environment.bucket, "/x"), execution.pipeline_name, on="/")'),
    "a join of texts stays": ({"Std:Join": {"On": "/", "Values": ["s3:/", "mlops-local", "x"]}},
                              'join("s3:/", "mlops-local", "x", on="/")'),
    "another bucket": ("s3://mlops-local-data/x", '"s3://mlops-local-data/x"'),
    "no place": ("mlops-local", '"mlops-local"'),
    "what is sent": ("s3://mlops-local/sent/s.tar.gz", '"s3://mlops-local/sent/s.tar.gz"'),
}  # fmt: skip


@pytest.mark.parametrize("row", PLACES)
def test_a_place_in_the_environments_bucket(row: str) -> None:
    said, written = PLACES[row]
    step = {"Name": "S", "Type": "Fail", "Arguments": {"ErrorMessage": said}}
    text = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]})
    program = emit_for_all(definition(text), compile_program, CONSTRUCTORS, LOCAL_BUCKET, ["s3://mlops-local/sent"])
    assert written in program
    compiled, _ = compile_program(program)
    assert compiled is not None and document(compiled)["Steps"] == [step]


def test_programs_are_formatted(tmp_path: Path) -> None:
    """And type-checked, in tests/typing."""
    for index, program in enumerate(programs()):
        (tmp_path / f"p{index}.py").write_text(program)
    for judge in (
        ["format", "--line-length", "120", "--diff"],
        ["check", "--line-length", "120", "--select", "I,F", "--diff"],
    ):
        ruff = [sys.executable, "-m", "ruff", judge[0], "--isolated", *judge[1:], str(tmp_path)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_it_reads_as_a_colleague_would_write_it() -> None:
    program = survives((Path(__file__).parent / "definitions" / "sdk3_abalone.json").read_text())
    for line in (
        '    input_data = pipeline.string("InputData", "s3://b/raw")',
        '        channels={"train": Channel(preprocess_data.outputs["train"], content_type="text/csv", mode=None)},',
        '        hyperparameters={"objective": "reg:linear", "num_round": 50, "eta": 0.2, "_quoted": \'"x"\'},',
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


def calls(program: str) -> set[str]:
    return {
        call.func.id
        for call in ast.walk(ast.parse(program))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }


STEPS = {
    name
    for name in mlops.__all__
    if isinstance(found := getattr(mlops, name), type) and issubclass(found, mlops.Step) and found is not mlops.Step
}
"""All constructors of steps; what a file or a function of the author brings, no definition tells of."""


def test_every_constructor_is_written() -> None:
    programs = [emit(definition(file.read_text()), compile_program, CONSTRUCTORS) for file in FILES]
    assert STEPS - {name for program in programs for name in calls(program)} == {"PackModel"}
    types = {getattr(mlops, name).step_type.type for name in STEPS - {"OtherStep"}}
    assert types - {item.type for item in CONSTRUCTORS} == set()


def test_every_member_is_said_by_an_argument() -> None:
    program = survives((Path(__file__).parent / "definitions" / "every_member.json").read_text())
    assert program.count("OtherStep(") == 1 and "as_written" not in program
    raw = [
        call.func.id
        for call in ast.walk(ast.parse(program))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in STEPS - {"OtherStep"}
        if any(keyword.arg in ("arguments", "members") for keyword in call.keywords)
    ]
    assert raw == []


def test_import_writes_a_file_that_compiles_to_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parent / "definitions" / "sdk2_abalone.json"
    target = tmp_path / "pipeline.py"
    assert main(["import", str(file), "--name", "abalone", "-o", str(target)]) == 0
    capsys.readouterr()
    assert main(["compile", str(target), "-o", "-"]) == 0
    assert value(json.loads(capsys.readouterr().out)) == value(json.loads(file.read_text()))


REPLY = {"PipelineName": "churn", "PipelineArn": "arn", "PipelineStatus": "Active", "ResponseMetadata": {}}


def test_what_the_aws_cli_prints_of_a_pipeline_is_imported_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parent / "definitions" / "sdk2_abalone.json").read_text()
    more = {
        "PipelineDescription": "who goes",
        "PipelineDisplayName": "Churn",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
    }
    (tmp_path / "described.json").write_text(json.dumps({**REPLY, **more, "PipelineDefinition": text}))
    assert main(["import", str(tmp_path / "described.json"), "-o", str(tmp_path / "pipeline.py")]) == 0
    program = (tmp_path / "pipeline.py").read_text()
    assert (
        'Pipeline(\n    "churn"' in program
        and 'description="who goes"' in program
        and 'display_name="Churn"' in program
        and "parallelism=3" in program
    )
    capsys.readouterr()
    assert main(["compile", str(tmp_path / "pipeline.py"), "-o", "-"]) == 0
    assert value(json.loads(capsys.readouterr().out)) == value(json.loads(text))


def test_a_program_that_was_edited_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, target = Path(__file__).parent / "definitions" / "sdk2_abalone.json", tmp_path / "pipeline.py"
    command = ["import", str(file), "-o", str(target)]
    assert [main(command), main(command)] == [0, 0]
    target.write_text(target.read_text() + "# mine\n")
    assert main(command) == 1
    assert "--force" in capsys.readouterr().err and target.read_text().endswith("# mine\n")
    assert main([*command, "--force"]) == 0
    assert not target.read_text().endswith("# mine\n")
    target.write_text("# another\n")
    assert main(["emit", "python", str(file), "-o", str(target)]) == 1


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("{", 1, "not JSON"),
        ("[]", 1, "a definition is a JSON object"),
        ('{"Steps": 1}', 1, "Steps should be"),
        ('{"a": 1}', 2, "neither Version nor Steps"),
        ('{"PipelineDefinition": "{}"}', 2, "neither Version nor Steps"),
        ('{"PipelineDefinition": "{"}', 1, "not JSON"),
    ],
)
def test_what_is_no_definition_is_refused(
    text: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_text(text)
    assert main(["import", str(tmp_path / "x.json")]) == code
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


def every_step(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in listed:
        yield step
        for block in ("IfSteps", "ElseSteps", "ForEachBody"):
            yield from every_step(step["Arguments"].get(block, []))


REAL = [
    step
    for name in ("every_member", "services", "sdk2_abalone", "sdk3_abalone", "conditions")
    for step in every_step(json.loads((Path(__file__).parent / "definitions" / f"{name}.json").read_text())["Steps"])
]
"""Steps of every type."""


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A real step with a few things in it changed."""
    step: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(0, 4))):
        places = list(containers(step))
        place = draw(st.sampled_from(places))
        if isinstance(place, list):
            match draw(st.sampled_from(["drop", "twice", "replace", "backwards"])):
                case "drop":
                    place[:1] = []
                case "twice":
                    place.extend(copy.deepcopy(place))
                case "replace":
                    place[:1] = [copy.deepcopy(draw(values))]
                case "backwards":
                    place.reverse()
            continue
        key = draw(st.sampled_from(sorted(place) or ["New"]))
        match draw(st.sampled_from(["drop", "replace", "rename", "wrap"])):
            case _ if place is step and key in ("Name", "Type"):
                continue
            case "drop":
                place.pop(key, None)
            case "replace":
                place[key] = copy.deepcopy(draw(values))
            case "rename":
                place[draw(st.sampled_from(["New", "Name", "Tags", "Image"]))] = place.pop(key, None)
            case "wrap":
                place[key] = {"Std:Join": {"On": "", "Values": [place.get(key)]}}
    if not isinstance(step.get("Type"), str) or not isinstance(step.get("Name"), str):
        step |= {"Type": "Training", "Name": "T"}
    return step


def containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


steps: st.SearchStrategy[dict[str, Any]] = st.deferred(
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
                    st.lists(st.one_of(steps, spoilt()), max_size=1),
                    st.lists(st.one_of(steps, spoilt()), max_size=1),
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
    {"Version": st.just("2020-12-01"), "Steps": st.lists(st.one_of(steps, spoilt()), max_size=3)},
    optional={
        "Metadata": values,
        "PipelineExperimentConfig": values,
        "Parameters": st.lists(
            st.fixed_dictionaries(
                {"Name": st.one_of(names, st.sampled_from(["Source", "N", "Rate", "On"]))},
                optional={"Type": st.sampled_from(["String", "Integer", "Float", "Other"]), "DefaultValue": values},
            ),
            max_size=2,
        ),
    },
)


@pytest.mark.deeper("laws")
@settings(
    max_examples=examples(30) if examples(1) == 1 else 1500,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(documents)
def test_any_definition_survives_read_import_and_compile(raw: dict[str, Any]) -> None:
    text = json.dumps(raw)
    # What the reader has something to say of, such as a step that is none, import refuses.
    assume(not read(text)[1])
    survives(text)
