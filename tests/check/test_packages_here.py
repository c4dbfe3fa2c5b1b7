"""What a requirements.txt asks for and nothing here has: told of what the image would install, and of no other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops.check import bind
from mlops.check.image_needs import image_needs
from mlops.check.packages_here import Packages, packages
from mlops.ir import Asset, Definition, Step, Value
from mlops.ir.values import from_json

SKLEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARCHIVE, FOLDER = "s3://acme/code/sourcedir.tar.gz", "s3://acme/code/folder"
RUNPROC = "tar -xzf sourcedir.tar.gz\npip install -r requirements.txt\npython3 main.py\n"
LACKING = "no-such-thing-at-all==1\npackaging>=1\n"


def training(*, entrypoint: bool = False, uri: str = ARCHIVE, image: str = SKLEARN) -> Value:
    own = {"ContainerEntrypoint": ["python3", "x.py"]} if entrypoint else {}
    values = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(uri)}
    return from_json({"AlgorithmSpecification": {"TrainingImage": image, **own}, "HyperParameters": values})


def processing(word: str, *uris: str) -> Value:
    inputs = [
        {"InputName": f"i{number}", "S3Input": {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/input/{number}"}}
        for number, uri in enumerate(uris)
    ]
    return from_json(
        {
            "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["/bin/bash", word]},
            "ProcessingInputs": inputs,
        }
    )


def found(folder: Path, arguments: Value, files: Mapping[str, str], *, kind: str, is_built: bool = False) -> Packages:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    listed = tuple((name, folder / name) for name in files)
    packed = Asset("0", ARCHIVE, listed, archive=True)
    plain = Asset("1", FOLDER, listed, archive=False, packed=(("sourcedir.tar.gz", listed),))
    step = Step("S", kind, arguments)
    return packages(bind(Definition("churn", steps=(step,), assets=(packed, plain))), lambda need: is_built)


SHELL, SCRIPT = "/opt/ml/processing/input/0/runproc.sh", "/opt/ml/processing/input/0/main.py"


@pytest.mark.parametrize(
    ("kind", "arguments", "files", "missing"),
    [
        ("Training", training(), {"train.py": "", "requirements.txt": LACKING}, True),
        ("Training", training(), {"train.py": "", "requirements.txt": "packaging>=1\n"}, False),
        ("Training", training(), {"train.py": ""}, False),
        ("Training", training(entrypoint=True), {"requirements.txt": LACKING}, False),
        ("Training", training(uri="s3://acme/other.tar.gz"), {"requirements.txt": LACKING}, False),
        ("Processing", processing(SHELL, FOLDER), {"runproc.sh": RUNPROC, "requirements.txt": LACKING}, True),
        ("Processing", processing(SHELL, FOLDER), {"runproc.sh": "python3 x", "requirements.txt": LACKING}, False),
        ("Processing", processing(SCRIPT, FOLDER), {"main.py": "", "requirements.txt": LACKING}, False),
    ],
    ids=["missing", "met", "none", "own entrypoint", "other code", "installed by a script", "not by it", "no script"],
)
def test_what_is_missing_is_told(
    tmp_path: Path, kind: str, arguments: Value, files: Mapping[str, str], missing: bool
) -> None:
    told = found(tmp_path, arguments, files, kind=kind)
    assert (bool(told.missing), bool(told.needs), told.others) == (missing, missing, ())
    for item in told.missing:
        assert item.code == "A032" and "asks for no-such-thing-at-all==1, which" in item.message
        assert item.help is not None and "`mlops local images build`" in item.help
    built = found(tmp_path, arguments, files, kind=kind, is_built=True)
    assert built == Packages((), (), ())


def test_another_version_stands_in(tmp_path: Path) -> None:
    told = found(tmp_path, training(), {"requirements.txt": "packaging==0.1\n"}, kind="Training")
    assert told.missing == () and len(told.needs) == 1
    assert "asks for packaging==0.1 (found " in told.others[0].message


def test_a_password_of_an_index_is_not_told(tmp_path: Path) -> None:
    text = "no-such-thing-at-all\n--extra-index-url https://me:hunter2@pypi.acme.org/simple\n"
    (told,) = found(tmp_path, training(), {"requirements.txt": text}, kind="Training").missing
    assert "hunter2" not in str(told)


@pytest.mark.parametrize(
    ("kind", "arguments", "own", "title"),
    [
        ("Training", training(image=XGBOOST), None, "XGBoost 1.7-1"),
        ("Training", from_json({"AlgorithmSpecification": {"TrainingImage": XGBOOST}}), "XGBoost of mlops", None),
        ("Training", training(image="111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1"), None, None),
        ("Model", from_json({"PrimaryContainer": {"Image": SKLEARN}}), None, "scikit-learn 1.2-1"),
        ("Model", from_json({"PrimaryContainer": {"Image": XGBOOST}}), "XGBoost of mlops", None),
    ],
)
def test_what_stands_for_an_image(kind: str, arguments: Value, own: str | None, title: str | None) -> None:
    (item,) = image_needs(bind(Definition("churn", steps=(Step("S", kind, arguments),))))
    assert item.own == own and (item.need.title if item.need is not None else None) == title


@pytest.mark.parametrize(
    ("requirements", "told"),
    [
        ("scikit-learn==1.2.1\n", None),
        ("scikit-learn==1.5\n", "requirements.txt asks for scikit-learn==1.5 (found 1.2.1); the job has no network"),
        ("packaging==0.1\n", None),
        ("no-such-thing\n", "requirements.txt asks for no-such-thing (missing); the job has no network"),
    ],
)
def test_a_job_without_a_network_installs_nothing(tmp_path: Path, requirements: str, told: str | None) -> None:
    request = training()
    assert isinstance(request, Mapping)
    isolated = {**request, "EnableNetworkIsolation": True}
    said = found(tmp_path, isolated, {"requirements.txt": requirements}, kind="Training")
    assert (said.others, said.needs) == ((), ())
    assert [item.message.startswith(told or "?") for item in said.missing] == ([] if told is None else [True])
