"""What a script is and takes, against the step that runs it: its name, its language, its channels, its options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops.check import check
from mlops.ir import Asset, Definition, Finding, JsonGet, Ref, Severity, Step

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
URI, FOLDER = "s3://acme/code/sourcedir.tar.gz", "s3://acme/code/abc"
CODE = "/opt/ml/processing/input/code"


def asset(folder: Path, files: Mapping[str, str], uri: str) -> Asset:
    for name, text in files.items():
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text(text)
    return Asset("0", uri, tuple((name, folder / name) for name in files), archive=uri == URI)


def of(step: Step, code: Asset) -> list[Finding]:
    found = check(Definition("churn", steps=(step,), assets=(code,))).findings
    return [item for item in found if item.code.startswith("X92")]


def training(
    folder: Path, files: Mapping[str, str], program: str = "train.py", channels: tuple[str, ...] = (), **values: Any
) -> list[Finding]:
    request: dict[str, Any] = {
        "AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": f'"{program}"',
            "sagemaker_submit_directory": f'"{URI}"',
            **{name.replace("_", "-"): value for name, value in values.items()},
        },
    }
    if channels:
        request["InputDataConfig"] = tuple({"ChannelName": name} for name in channels)
    return of(Step("Train", "Training", request), asset(folder, files, URI))


def processing(folder: Path, files: Mapping[str, str], *command: str, words: tuple[Any, ...] = ()) -> list[Finding]:
    request: dict[str, Any] = {
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": command, "ContainerArguments": words},
        "ProcessingInputs": ({"InputName": "code", "S3Input": {"S3Uri": f"{FOLDER}/", "LocalPath": CODE}},),
    }
    return of(Step("Prepare", "Processing", request), asset(folder, files, FOLDER))


def test_a_script_that_does_not_parse(tmp_path: Path) -> None:
    """What could not be read was not looked at. Nobody knows which Python is in an image of one's own."""
    for image, severity in (
        (SKLEARN, Severity.ERROR),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1", Severity.WARNING),
    ):
        request: dict[str, Any] = {
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "HyperParameters": {"sagemaker_program": "train.py", "sagemaker_submit_directory": URI},
        }
        code = asset(tmp_path, {"train.py": "import json\ndef main(:\n    pass\n"}, URI)
        found = check(Definition("churn", steps=(Step("Train", "Training", request),), assets=(code,))).findings
        (told,) = [item for item in found if item.code == "X937"]
        assert (told.severity, told.message.partition(":")[0]) == (severity, "train.py")


def parser(*lines: str, parse: str = "parse_args") -> str:
    body = "".join(f"p.add_argument({line})\n" for line in lines)
    return f"import argparse\np = argparse.ArgumentParser()\n{body}args = p.{parse}()\n"


@pytest.mark.parametrize(
    ("program", "others", "module"),
    [
        ("src/train.py", ("setup.py",), "src/train"),
        ("train.v2.py", ("setup.py",), "train.v2"),
        ("src/deep/train.py", ("setup.py", "requirements.txt"), "src/deep/train"),
        ("src/train.py", (), None),
        ("train.py", ("setup.py",), None),
        ("src/train.sh", ("setup.py",), None),
        ("src/train.py", ("src/setup.py",), None),
    ],
)
def test_a_program_beside_a_setup(tmp_path: Path, program: str, others: tuple[str, ...], module: str | None) -> None:
    """sagemaker-training-toolkit#54: python -m src/train."""
    found = training(tmp_path, {program: "", **dict.fromkeys(others, "")}, program)
    assert [item.code for item in found] == ([] if module is None else ["X922"])
    assert module is None or f"python -m {module}," in found[0].message


@pytest.mark.parametrize(
    ("first", "program", "told"),
    [("#!/bin/bash\n", "python3", True), ("#!/usr/bin/env python3\n", "bash", True), ("#!/bin/sh\n", "bash", False)],
)
def test_a_script_whose_first_line_tells_its_language(tmp_path: Path, first: str, program: str, told: bool) -> None:
    found = processing(tmp_path, {"go": first}, program, f"{CODE}/go")
    assert [item.code for item in found] == (["X921"] if told else [])


READS = [
    ('import os\nopen(os.environ["SM_CHANNEL_TEST"])', "train.py:2 reads SM_CHANNEL_TEST, and the job has train"),
    ('from os import environ\nx = environ["SM_HP_DEPTH"]', "train.py:2 reads SM_HP_DEPTH, and the job has no such"),
    ('import pandas\npandas.read_csv("/opt/ml/input/data/test/a.csv")', "train.py:2 reads /opt/ml/input/data/test"),
    (
        'import os\np.add_argument("--t", default=os.environ["SM_CHANNEL_VALIDATION"])',
        "train.py:2 reads SM_CHANNEL_VAL",
    ),
]
HARMLESS = [
    'import os\nopen(os.environ["SM_CHANNEL_TRAIN"] + os.environ["SM_MODEL_DIR"] + os.environ["SM_HP_LR"])',
    'import os\nos.environ.get("SM_CHANNEL_TEST")\nos.getenv("SM_CHANNEL_TEST", "/opt/ml/input/data/test")',
    'import os\ntry:\n    x = os.environ["SM_CHANNEL_TEST"]\nexcept KeyError:\n    x = None',
    'import os\nif "SM_CHANNEL_TEST" in os.environ:\n    x = os.environ["SM_CHANNEL_TEST"]',
    'x = "/opt/ml/input/data/" + name + f"/opt/ml/input/data/{name}"\ny = "/opt/ml/input/data/train/a.csv"',
    'import os\nos.environ["SM_CHANNEL_TEST"] = "here"',
    'p.add_argument("--test", default="/opt/ml/input/data/test")\ndef read(path="/opt/ml/input/data/test"):\n    pass',
    'import os\nif os.path.isdir("/opt/ml/input/data/test"):\n    x = open("/opt/ml/input/data/test/a.csv")',
    "this is no Python",
]


@pytest.mark.parametrize(("text", "message"), READS)
def test_what_a_script_reads_and_its_job_lacks(tmp_path: Path, text: str, message: str) -> None:
    (found,) = training(tmp_path, {"train.py": text}, channels=("train",), lr="0.1")
    assert found.code == "X923"
    assert found.message.startswith(message)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_a_script_reads_and_its_job_has(tmp_path: Path, text: str) -> None:
    assert training(tmp_path, {"train.py": text}, channels=("train",), lr="0.1") == []


KNOWN = """import argparse
p = argparse.ArgumentParser()
p.add_argument("--depth", type=int)
{} = p.parse_known_args()
"""
LR, N = '"--learning-rate", type=float', '"-n", "--rounds", type=int, required=True'


@pytest.mark.parametrize(
    ("script", "values", "messages"),
    [
        (parser(LR), {"learning_rte": "0.1"}, ["train.py has no option --learning-rte"]),
        (parser(LR, N), {"learning_rate": "0.1"}, ["train.py requires --rounds"]),
        (parser(LR), {"learning_rate": "high"}, ["--learning-rate of train.py takes a number, and gets high"]),
        (parser(N), {"rounds": "5.0"}, ["--rounds of train.py takes an integer, and gets 5.0"]),
        (parser('"--kind", choices=["a", "b"]'), {"kind": '"c"'}, ["--kind of train.py does not take c"]),
        (parser('"--fast", action="store_true"'), {"fast": "true"}, ["--fast is a flag in train.py"]),
        (parser(LR, N), {"learning_rate": "1e-3", "n": "5"}, []),
        (parser(LR), {"learning": "0.1"}, []),
        (parser(LR, parse="parse_known_args"), {"other": "1"}, []),
        (KNOWN.format("a, _"), {"max_depth": "5"}, ["train.py passes over --max-depth: its parser has no such option"]),
        (KNOWN.format("args, _"), {"other": "1"}, []),
        (KNOWN.format("args, _"), {"depth": "5", "max_depth": "5"}, []),
        (KNOWN.format("args, rest"), {"max_depth": "5"}, []),
        (parser('*names'), {"other": "1"}, []),
        ("p.add_argument('--a')", {"other": "1"}, []),
        ("import sys\nprint(sys.argv)", {"other": "1"}, []),
        (parser(LR) + "s = p.add_subparsers()\n", {"other": "1"}, []),
        (parser('"--kind", choices=KINDS'), {"kind": "c"}, []),
    ],
)  # fmt: skip
def test_hyperparameters_against_a_parser(
    tmp_path: Path, script: str, values: Mapping[str, str], messages: list[str]
) -> None:
    found = training(tmp_path, {"train.py": script}, **values)
    assert [item.message.partition(",")[0] if "requires" in item.message else item.message for item in found] == [
        message if "flag" not in message else found[0].message for message in messages
    ]
    assert all(item.code == "X924" for item in found)


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (("--ratio", "0.1"), []),
        (("--ratio=0.1", "--more"), ["prepare.py has no option --more"]),
        (
            ("--ration", "0.1"),
            ["prepare.py has no option --ration", "prepare.py requires --ratio, and the step does not give it"],
        ),
        (("-5",), ["prepare.py requires --ratio, and the step does not give it"]),
        (("--ratio", "some"), ["--ratio of prepare.py takes a number, and gets some"]),
        (("--ratio=some",), ["--ratio of prepare.py takes a number, and gets some"]),
        (("--ratio", "1", "--kind", "c"), ["--kind of prepare.py does not take c"]),
        (("--ratio", "1", "--kind", "a", "rest"), []),
        (
            ("--fast", "rest", "--ratio", "1"),
            ["--fast is a flag in prepare.py, which takes no value, and rest follows it"],
        ),
    ],
)  # fmt: skip
def test_arguments_against_a_parser(tmp_path: Path, words: tuple[str, ...], messages: list[str]) -> None:
    options = ('"--ratio", type=float, required=True', '"--kind", choices=["a", "b"]', '"--fast", action="store_true"')
    files = {"prepare.py": parser(*options)}
    found = processing(tmp_path, files, "python3", f"{CODE}/prepare.py", words=words)
    assert [item.message for item in found] == messages


RAW, OUT = "/opt/ml/processing/input/raw", "/opt/ml/processing/output/report"


def reading(folder: Path, text: str, **more: Any) -> list[Finding]:
    """A processing job with one input and one output, whose report is ``<output>/evaluation.json``."""
    request: dict[str, Any] = {
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ("python3", f"{CODE}/prepare.py")},
        "ProcessingInputs": (
            {"InputName": "code", "S3Input": {"S3Uri": f"{FOLDER}/", "LocalPath": CODE}},
            {"InputName": "raw", "S3Input": {"S3Uri": "s3://acme/raw", "LocalPath": RAW}},
        ),
        "ProcessingOutputConfig": {
            "Outputs": ({"OutputName": "report", "S3Output": {"S3Uri": "s3://acme/out", "LocalPath": OUT}},)
        },
        **more,
    }
    report = {"PropertyFileName": "q", "OutputName": "report", "FilePath": "evaluation.json"}
    step = Step("Prepare", "Processing", request, members={"PropertyFiles": (report,)})
    return of(step, asset(folder, {"prepare.py": text}, FOLDER))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('open("/opt/ml/processing/input/data/x.csv")', "X925"),
        ('open("/opt/ml/processing/report/x.csv", "w")', "X925"),
        ('open("/opt/ml/processing/output/report/metrics.json", "w")', "X926"),
        (f'open("{RAW}/x.csv"); open("{OUT}/evaluation.json", "w")', None),
        (f'open("{OUT}/metrics.json", "w"); name = "evaluation" + ".json"', None),
        (f'open("{OUT}/plot.png", "w")', None),
        ('import os\nos.makedirs("/opt/ml/processing/tmp")\nopen("/opt/ml/processing/tmp/x", "w")', None),
        ('import os\nfor name in os.listdir("/opt/ml/processing/input"):\n    pass', None),
        ('p.add_argument("--data", default="/opt/ml/processing/data")', None),
        ('def read(path="/opt/ml/processing/data"):\n    pass', None),
        ('import os\nif os.path.exists("/opt/ml/processing/data"):\n    pass', None),
        ('path = given or "/opt/ml/processing/data"', None),
        ('try:\n    open("/opt/ml/processing/data/x")\nexcept OSError:\n    pass', None),
    ],
)
def test_paths_of_a_processing_script(tmp_path: Path, text: str, code: str | None) -> None:
    assert [item.code for item in reading(tmp_path, text)] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f'out = Path("{OUT}")\nout.mkdir(exist_ok=True)\n(out / "metrics.json").write_text("")', "X926"),
        (f'import os\nD = "{OUT}"\nopen(os.path.join(D, "metrics.json"), "w")', "X926"),
        ('B = "/opt/ml/processing"\nopen(f"{B}/input/data/x.csv")', "X925"),
        ('B = "/opt/ml/processing"\nopen(B + "/output/x.csv", "w")', "X925"),
        (f'out = Path("{OUT}")\n(out / "evaluation.json").write_text("")', None),
        ('for p in ("report", "trian"):\n    open(f"/opt/ml/processing/output/{p}/{p}.csv", "w")', "X925"),
        ('for p, v in {"raw": 1, "row": 2}.items():\n    open(f"/opt/ml/processing/input/{p}")', "X925"),
        ('for p in ("report", "report/a"):\n    open(f"/opt/ml/processing/output/{p}/x.csv", "w")', None),
        ('for p in ("x", name):\n    open(f"/opt/ml/processing/output/{p}/x.csv", "w")', None),
        ('t = Path("/opt/ml/processing/tmp")\nt.mkdir()\n(t / "x").write_text("")', None),
        (f'for D in ("{OUT}", "{RAW}"):\n    open(os.path.join(D, "metrics.json"), "w")', "X926"),
        (f'D = "{OUT}"\nD = other\nopen(D + "/metrics.json", "w")', None),
        (f'x = ",".join(["{OUT}", "metrics.json"])', None),
        ('t = "/opt/ml/processing/tmp"\ntry:\n    os.mkdir(t)\nexcept OSError:\n    pass\nopen(t + "/x", "w")', None),
        ('p = "/opt/ml/processing/data"\nif os.path.exists(p):\n    open(p + "/x")', None),
        ('p = Path("/opt/ml/processing") / "data"\nif p.is_dir():\n    open(p / "x")', None),
        pytest.param("x = " + " + ".join(["a"] * 900), None, id="a long sum"),
        pytest.param(
            "\n".join(["a0 = 'xxxxxxxx'", *(f"a{n + 1} = a{n} + a{n}" for n in range(40))]), None, id="doubled"
        ),
    ],
)
def test_paths_that_are_put_together(tmp_path: Path, text: str, code: str | None) -> None:
    assert [item.code for item in reading(tmp_path, text)] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("text", "environment", "code"),
    [
        ('import os\nx = os.environ["REGION_NAME"]', {}, "X928"),
        ('import os\nx = os.environ["STAGE"]', {"STAG": "dev"}, "X928"),
        ('import os\nx = os.environ["SM_CHANNEL_TRAIN"]', {}, "X928"),
        ('import os\nx = os.environ.get("SM_CHANNEL_TRAIN")', {}, None),
        ('import os\nx = os.environ["STAGE"]', {"STAGE": "dev"}, None),
        ('import os\nx = os.environ["STAGE"]', {"STAGE": Ref("Parameters.Stage")}, None),
        ('import os\nx = os.environ.get("STAGE", "dev")', {}, None),
        ('import os\nx = os.environ["AWS_REGION"] + os.environ["HOME"] + os.environ["SM_MODEL_DIR"]', {}, None),
        ('import os\nos.environ["STAGE"] = "dev"\nx = os.environ["STAGE"]', {}, None),
        ('import os\nfrom dotenv import load_dotenv\nload_dotenv()\nx = os.environ["STAGE"]', {}, None),
        ('import os\nx = os.environ["STAGE"]', {"MLOPS_SECRETS": "{}"}, None),
        ('import os\nos.environ.setdefault("STAGE", "dev")\nx = os.environ["STAGE"]', {}, None),
        ('import os\nif os.environ.get("STAGE"):\n    x = os.environ["STAGE"]', {}, None),
        ('from os import environ, getenv\nif getenv("STAGE"):\n    x = environ["STAGE"]', {}, None),
        ('import os\nos.environ |= read()\nx = os.environ["STAGE"]', {}, None),
        ('import os\ntry:\n    load_dotenv()\nexcept OSError:\n    pass\nx = os.environ["STAGE"]', {}, None),
    ],
)
def test_variables_that_a_step_does_not_give(
    tmp_path: Path, text: str, environment: dict[str, Any], code: str | None
) -> None:
    assert [item.code for item in reading(tmp_path, text, Environment=environment)] == ([] if code is None else [code])


REPORT = f"{OUT}/evaluation.json"


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        (f'json.dump({{"accuracy": a}}, open("{REPORT}", "w"))', "precision", True),
        (f'r = {{"a": {{"auc": x}}}}\nopen("{REPORT}", "w").write(json.dumps(r))', "a.mse", True),
        (f'r = {{"a": {{"auc": x}}}}\nopen("{REPORT}", "w").write(json.dumps(r))', "a.auc.value", False),
        (f'r = {{"a": {{"auc": x}}}}\nr["b"] = 1\nopen("{REPORT}", "w").write(json.dumps(r))', "b", False),
        (f'r = {{**more, "a": 1}}\nopen("{REPORT}", "w").write(json.dumps(r))', "b", False),
        (f'print(json.dumps({{"x": 1}}))\njson.dump(r, open("{REPORT}", "w"))', "b", False),
        (f'json.dump(report, open("{REPORT}", "w"))', "b", False),
        (f'json.dump({{"accuracy": a}}, open("{REPORT}", "w"))', "$.accuracy", False),
        (f'r = {{"a": {{"auc": x}}}}\nr["a"]["mse"] = 1\njson.dump(r, open("{REPORT}", "w"))', "a.mse", False),
        (f'r = {{"a": {{"auc": x}}}}\nr["a"].update(more)\njson.dump(r, open("{REPORT}", "w"))', "a.mse", False),
        (f'r = {{"a": {{"auc": x}}}}\nm = r["a"]\nm["mse"] = 1\njson.dump(r, open("{REPORT}", "w"))', "a.mse", False),
        (f'r = {{"auc": x}}\nadd(r)\njson.dump(r, open("{REPORT}", "w"))', "mse", False),
        (f'r = {{"auc": x}}\ntry:\n    r["mse"] = 1\nfinally:\n    json.dump(r, open("{REPORT}", "w"))', "mse", False),
        (f'r = {{"auc": x}}\nprint(r)\njson.dump(r, open("{REPORT}", "w"))', "mse", True),
        (f'pickle.dump({{"auc": x}}, f)\ntable.save("{REPORT}")', "mse", False),
        (f'json.dump({{"seed": 1}}, f)\ntable.to_json("{REPORT}")', "mse", False),
        (f'text = json.dumps({{"auc": x}}, indent=2)\nPath("{REPORT}").write_text(text)', "mse", True),
    ],
)
def test_what_is_read_of_a_report(tmp_path: Path, text: str, path: str, told: bool) -> None:
    request = {
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ("python3", f"{CODE}/prepare.py")},
        "ProcessingInputs": ({"InputName": "code", "S3Input": {"S3Uri": f"{FOLDER}/", "LocalPath": CODE}},),
        "ProcessingOutputConfig": {
            "Outputs": ({"OutputName": "report", "S3Output": {"S3Uri": "s3://acme/out", "LocalPath": OUT}},)
        },
    }
    report = {"PropertyFileName": "q", "OutputName": "report", "FilePath": "evaluation.json"}
    step = Step("Prepare", "Processing", request, members={"PropertyFiles": (report,)})
    value = JsonGet(path, property_file=Ref("Steps.Prepare.PropertyFiles.q"))
    reader = Step("Fit", "Training", {"HyperParameters": {"x": value}})
    code = asset(tmp_path, {"prepare.py": f"import json\n{text}"}, FOLDER)
    found = check(Definition("churn", steps=(step, reader), assets=(code,))).findings
    assert [item.code for item in found if item.code.startswith("X92")] == (["X929"] if told else [])


def test_an_image_of_ones_own_may_have_any_variable(tmp_path: Path) -> None:
    own = {"ImageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"}
    command = {"ContainerEntrypoint": ("python3", f"{CODE}/prepare.py")}
    assert reading(tmp_path, 'import os\nx = os.environ["STAGE"]', AppSpecification={**own, **command}) == []


BIAS = {"label": "y", "facet": [{"name_or_index": "age"}], "headers": ["y", "age"]}


@pytest.mark.parametrize(
    ("kind", "config", "messages"),
    [
        ("DATA_BIAS", {**BIAS, "methods": {"pre_training_bias": {}}}, []),
        ("DATA_BIAS", {**BIAS, "methods": {"post_training_bias": {}}}, ["has no method pre_training_bias"]),
        ("MODEL_BIAS", {"facet": [{}], "methods": {"post_training_bias": {}}}, ["says no label"]),
        ("MODEL_BIAS", {"label": 0, "methods": {"post_training_bias": {}}}, ["says no facet"]),
        ("MODEL_EXPLAINABILITY", {"methods": {"report": {}}}, ["has no method shap or pdp"]),
        ("MODEL_EXPLAINABILITY", {"methods": {"pdp": {}}}, []),
        ("DATA_BIAS", {**BIAS, "label": "Y", "methods": {"pre_training_bias": {}}}, ["has 'Y' for the label"]),
        (
            "DATA_BIAS",
            {**BIAS, "label": "row.y", "dataset_type": "application/jsonlines", "methods": {"pre_training_bias": {}}},
            [],
        ),
        ("DATA_BIAS", [BIAS], ["is no JSON object"]),
        ("DATA_BIAS", "{'label': 'y'}", ["is no JSON"]),
    ],
)
def test_the_analysis_of_a_clarify_check(tmp_path: Path, kind: str, config: Any, messages: list[str]) -> None:
    text = config if isinstance(config, str) else json.dumps(config)
    given = {"InputName": "analysis_config", "S3Input": {"S3Uri": f"{FOLDER}/a.json", "LocalPath": "/opt/ml/x"}}
    step = Step("Bias", "ClarifyCheck", {"ProcessingInputs": (given,)}, members={"CheckType": kind})
    found = check(Definition("churn", steps=(step,), assets=(asset(tmp_path, {"a.json": text}, FOLDER),))).findings
    told = [item.message for item in found if item.code == "X886"]
    assert len(told) == len(messages)
    assert all(f"a.json {message}" in said for message, said in zip(messages, told, strict=True))


PRINTED = [
    ('print(f"accuracy={score:.3f}")', "X927"),
    ('print("Final accuracy =", score)', "X927"),
    ('log.info("ACCURACY: %.3f", score)', "X927"),
    ('print("accuracy is {}".format(score))', "X927"),
    ('print(f"on train, the accuracy is {score}")', "X927"),
    ('print(f"accuracy: {score}")', None),
    ('print("accuracy:", score)', None),
    ('print("accuracy: %f" % score)', None),
    ('print("loss", score)', None),
    ('print(f"accuracy={score}")\nopen("done", "w").write("x")', "X927"),
    ("print(report)", None),
    ('import torch\nprint(f"accuracy={score}")', None),
    ('from .own import fit\nprint(f"accuracy={score}")', None),
    ('from beside import fit\nprint(f"accuracy={score}")', None),
    pytest.param(f"print('accuracy=' + {' + '.join(['a'] * 2000)})", None, id="a long sum"),
]


@pytest.mark.parametrize(("text", "code"), PRINTED)
def test_a_metric_that_is_printed_in_another_form(tmp_path: Path, text: str, code: str | None) -> None:
    metrics = ({"Name": "acc", "Regex": r"accuracy: ([0-9.]+)"},)
    request = {
        "AlgorithmSpecification": {"TrainingImage": SKLEARN, "MetricDefinitions": metrics},
        "HyperParameters": {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{URI}"'},
    }
    found = of(Step("Train", "Training", request), asset(tmp_path, {"train.py": text, "beside.py": ""}, URI))
    assert [item.code for item in found] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("expression", "code"), [("AE-at-50th-percentile: ([0-9.]+).*$", None), ("AE-at-50th-percentile=([0-9.]+)", "X927")]
)
def test_a_number_that_the_run_knows_may_stand_in_a_name(tmp_path: Path, expression: str, code: str | None) -> None:
    request = {
        "AlgorithmSpecification": {
            "TrainingImage": SKLEARN,
            "MetricDefinitions": ({"Name": "m", "Regex": expression},),
        },
        "HyperParameters": {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{URI}"'},
    }
    text = 'for q in (10, 50):\n    print(f"AE-at-{q}th-percentile: {error}")'
    found = of(Step("Train", "Training", request), asset(tmp_path, {"train.py": text}, URI))
    assert [item.code for item in found] == ([] if code is None else [code])


TABLES = [
    ('frame.to_csv("/opt/ml/processing/output/train/train.csv")', "a header and its index"),
    ('frame.to_csv(base / "output" / "train" / "train.csv", index=False)', "a header"),
    ('out = Path("/opt/ml/processing/output/train")\nframe.to_csv(out / "a.csv", header=False)', "its index"),
    ('frame.to_csv("/opt/ml/processing/output/train/train.csv", header=False, index=False)', None),
    ('frame.to_csv("/opt/ml/processing/output/train/train.csv", header=None, index=None)', None),
    ('frame.to_csv("/opt/ml/processing/output/test/test.csv")', None),
    ("frame.to_csv(place, **how)", None),
    ('frame.to_csv("/opt/ml/processing/output/train/train.csv", header=first, index=False)', None),
]


@pytest.mark.parametrize(("text", "what"), TABLES)
def test_a_table_with_a_header_for_an_algorithm(tmp_path: Path, text: str, what: str | None) -> None:
    place = {"S3Uri": "s3://acme/train", "LocalPath": "/opt/ml/processing/output/train"}
    prepare = {
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ("python3", f"{CODE}/prepare.py")},
        "ProcessingInputs": ({"InputName": "code", "S3Input": {"S3Uri": FOLDER, "LocalPath": CODE}},),
        "ProcessingOutputConfig": {"Outputs": ({"OutputName": "train", "S3Output": place},)},
    }
    source = {"S3DataSource": {"S3Uri": Ref("Steps.P.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")}}
    fit = {
        "AlgorithmSpecification": {"TrainingImage": SKLEARN.replace("scikit-learn:1.2-1-cpu-py3", "xgboost:1.7-1")},
        "InputDataConfig": ({"ChannelName": "train", "ContentType": "text/csv", "DataSource": source},),
    }
    steps = (Step("P", "Processing", prepare), Step("Train", "Training", fit))
    found = check(Definition("churn", steps=steps, assets=(asset(tmp_path, {"prepare.py": text}, FOLDER),))).findings
    told = [item.message for item in found if item.code == "X849"]
    assert [what in message for message in told] == ([True] if what else []) if what else told == []


@pytest.mark.parametrize("expression", ["accuracy: (", "accuracy{99999999999}", "accuracy: ((.*)"])
def test_an_expression_that_does_not_compile_is_told_as_that(tmp_path: Path, expression: str) -> None:
    request = {
        "AlgorithmSpecification": {
            "TrainingImage": SKLEARN,
            "MetricDefinitions": ({"Name": "a", "Regex": expression},),
        },
        "HyperParameters": {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{URI}"'},
    }
    assert of(Step("Train", "Training", request), asset(tmp_path, {"train.py": 'print("accuracy", 1)'}, URI)) == []


def test_paths_are_not_judged_where_a_folder_is_not_known(tmp_path: Path) -> None:
    unknown = {"InputName": "raw", "S3Input": {"S3Uri": "s3://acme/raw", "LocalPath": Ref("Parameters.Where")}}
    assert reading(tmp_path, 'open("/opt/ml/processing/data/x.csv")', ProcessingInputs=(unknown,)) == []


def test_an_edited_script_is_read_again(tmp_path: Path) -> None:
    assert training(tmp_path, {"train.py": parser(LR)}, other="1") != []
    assert training(tmp_path, {"train.py": parser(LR, '"--other"')}, other="1") == []
