"""What an inference script defines and loads, and where a training script leaves its model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops.check import check
from mlops.ir import Asset, Definition, Finding, Join, Ref, Step, Value

ACCOUNT = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN, XGBOOST = f"{ACCOUNT}/sagemaker-scikit-learn:1.2-1-cpu-py3", f"{ACCOUNT}/sagemaker-xgboost:1.7-1"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3.0-cpu-py311"
SOURCES, MODEL, SERVING = "s3://acme/code/sourcedir.tar.gz", "s3://acme/code/model.tar.gz", "s3://acme/serve/abc"
TRAINED = Ref("Steps.Train.ModelArtifacts.S3ModelArtifacts")
PACKED = Join("/", (Ref("Steps.Pack.ProcessingOutputConfig.Outputs['packed'].S3Output.S3Uri"), "model.tar.gz"))
KEPT = 'import os, joblib\njoblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))\n'
CODES = ("X974", "X975", "X976")


def asset(folder: Path, uri: str, files: Mapping[str, str]) -> Asset:
    place = folder / uri.rpartition("/")[2]
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return Asset("0", uri, tuple((name, place / name) for name in files), archive=uri.endswith(".gz"))


def training(**values: Value) -> Step:
    given = {"sagemaker_program": "train.py", "sagemaker_submit_directory": SOURCES, **values}
    request = {"AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"}}
    return Step("Train", "Training", {**request, "HyperParameters": given})


def packing() -> Step:
    inputs = (("model", TRAINED), ("inference", f"{SERVING}/"))
    listed = tuple({"InputName": name, "S3Input": {"S3Uri": uri}} for name, uri in inputs)
    return Step("Pack", "Processing", {"ProcessingInputs": listed})


def served(data: Value, image: str = SKLEARN, *, registered: bool = False) -> Step:
    container: dict[str, Any] = {"Image": image, "ModelDataUrl": data}
    container["Environment"] = {"SAGEMAKER_PROGRAM": "inference.py"}
    if registered:
        return Step("Register", "RegisterModel", {"InferenceSpecification": {"Containers": (container,)}})
    return Step("Model", "Model", {"PrimaryContainer": container})


def told(steps: tuple[Step, ...], *assets: Asset) -> list[Finding]:
    found = check(Definition("churn", steps=steps, assets=assets)).findings
    return [item for item in found if item.code in CODES]


LOADS = "def model_fn(model_dir):\n    return joblib.load(os.path.join(model_dir, 'model.joblib'))\n"


@pytest.mark.parametrize(
    ("text", "image", "fires"),
    [
        ("def predict_fn(data, model):\n    return model.predict(data)\n", SKLEARN, True),
        ("class Service:\n    def load(self):\n        pass\n", XGBOOST, True),
        ("def load_model(model_dir):\n    pass\n", SKLEARN, True),
        ("def predict_fn(data, model):\n    return model.predict(data)\n", PYTORCH, False),
        ("from own import model_fn\n", SKLEARN, False),
        ("from own import *\n", SKLEARN, False),
        ("from own import load as model_fn\n", XGBOOST, False),
        ("model_fn = load\n", SKLEARN, False),
        ("this is no Python", SKLEARN, False),
        (LOADS, SKLEARN, False),
    ],
)
def test_a_script_without_model_fn(tmp_path: Path, text: str, image: str, fires: bool) -> None:
    """Beside the training script, in a folder that is packed here, and put into the archive by a step."""
    ways: tuple[tuple[tuple[Step, ...], Asset], ...] = (
        (
            (training(), served(TRAINED, image, registered=True)),
            asset(tmp_path, SOURCES, {"train.py": KEPT, "inference.py": text}),
        ),
        ((served(MODEL, image),), asset(tmp_path, MODEL, {"code/inference.py": text, "model.joblib": ""})),
        ((packing(), served(PACKED, image)), asset(tmp_path, SERVING, {"inference.py": text})),
    )
    for steps, code in ways:
        found = told(steps, code)
        assert [item.code for item in found] == (["X974"] if fires else [])
        assert [item.step for item in found] == [steps[-1].name] * fires


def loading(line: str) -> str:
    return f"def model_fn(model_dir):\n    {line}\n"


@pytest.mark.parametrize(
    ("train", "line", "names"),
    [
        (KEPT, 'return joblib.load(os.path.join(model_dir, "model.pkl"))', "loads model.pkl"),
        (KEPT, 'return joblib.load(Path(model_dir) / "clf.joblib")', "loads clf.joblib"),
        (
            'torch.save(net.state_dict(), os.path.join(args.model_dir, "model.pth"))',
            'net.load_state_dict(torch.load(f"{model_dir}/weights.pth"))',
            "saves model.pth",
        ),
        (
            'with open(folder / "model.pkl", "wb") as file:\n    pickle.dump(model, file)',
            'return pickle.load(open(model_dir + "/model.pickle", "rb"))',
            "saves model.pkl",
        ),
        (KEPT, 'return joblib.load(os.path.join(model_dir, "model.joblib"))', None),
        (KEPT + 'copyfile(here, NAME["x"])\nNAME = {"x": "x.pkl"}', 'return load(model_dir + "/x.pkl")', None),
        (KEPT + "joblib.dump(model, args.where)", 'return joblib.load(os.path.join(model_dir, "model.pkl"))', None),
        (KEPT + "model.save_pretrained(folder)", 'return joblib.load(os.path.join(model_dir, "model.pkl"))', None),
        (KEPT, 'return joblib.load(os.path.join(model_dir, os.listdir(model_dir)[0], "a.pkl"))', None),
        (KEPT, 'return load(model_dir + "/a.pkl") if os.path.exists(model_dir + "/a.pkl") else None', None),
        (KEPT, 'return joblib.load("/opt/models/other.pkl")', None),
        (KEPT, "return joblib.load(os.path.join(model_dir, NAME))", None),
        ("trainer.fit()", 'return joblib.load(os.path.join(model_dir, "model.pkl"))', None),
    ],
)  # fmt: skip
def test_a_script_that_loads_another_file(tmp_path: Path, train: str, line: str, names: str | None) -> None:
    """The training script saves what the inference script loads: whichever way they come together."""
    code = asset(tmp_path, SOURCES, {"train.py": train + "\nMODEL = '/opt/ml/model'", "inference.py": loading(line)})
    beside = asset(tmp_path, SERVING, {"inference.py": loading(line)})
    alone = asset(tmp_path, SOURCES, {"train.py": train + "\nMODEL = '/opt/ml/model'"})
    for steps, assets in (
        ((training(), served(TRAINED)), (code,)),
        ((training(), packing(), served(PACKED)), (alone, beside)),
    ):
        found = told(steps, *assets)
        assert [item.code for item in found] == ([] if names is None else ["X975"])
        assert all(names in item.message for item in found if names is not None)


@pytest.mark.parametrize(
    ("text", "values", "fires"),
    [
        ('import joblib\njoblib.dump(model, "model.joblib")', {}, True),
        ('with open("/tmp/model.pkl", "wb") as file:\n    pickle.dump(model, file)', {}, True),
        ('pickle.dump(model, open("out/model.pkl", "wb"))', {}, True),
        ('torch.save(net.state_dict(), "/opt/ml/output/data/model.pth")', {}, True),
        ('booster.save_model("/opt/ml/models/xgboost-model")', {}, True),
        (LOADS + 'joblib.dump(model, "model.joblib")', {}, True),
        (KEPT, {}, False),
        ('joblib.dump(model, "/opt/ml/model/model.joblib")', {}, False),
        ('p.add_argument("--model-dir")\njoblib.dump(model, "model.joblib")', {}, False),
        ('joblib.dump(model, args.out)\njoblib.dump(scaler, "scaler.pkl")', {"out": "/opt/ml/model"}, False),
        ('joblib.dump(model, "a.pkl")\nboto3.client("s3").upload_file("a.pkl", bucket, key)', {}, False),
        ('json.dump(report, open("report.json", "w"))\nnp.save("folds.npy", folds)\nplt.save("a.png")', {}, False),
    ],
)
def test_a_model_that_is_not_kept(tmp_path: Path, text: str, values: Mapping[str, Value], fires: bool) -> None:
    code = asset(tmp_path, SOURCES, {"train.py": text})
    found = told((training(**values), served(TRAINED)), code)
    assert [item.code for item in found] == (["X976"] if fires else [])


def test_what_is_uploaded_beside_a_model_that_nobody_takes(tmp_path: Path) -> None:
    code = asset(tmp_path, SOURCES, {"train.py": 'torch.save(net, "/opt/ml/checkpoints/last.pth")'})
    assert told((training(),), code) == []
    assert [item.code for item in told((training(), served(TRAINED)), code)] == ["X976"]
