"""What a script imports, against what its image and the requirements beside it bring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops.check import check
from mlops.check.sources import open_targets
from mlops.ir import Asset, Definition, Step

SKLEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PYTORCH = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311"
OWN = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1"
URI = "s3://acme/code/sourcedir.tar.gz"


def said(folder: Path, image: str, files: Mapping[str, str], kind: str = "Training", code: str = "X870") -> list[str]:
    for name, text in files.items():
        folder.joinpath(name).write_text(text)
    asset = Asset("0", URI, tuple((name, folder / name) for name in files), archive=True)
    training = {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "HyperParameters": {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{URI}"'},
    }
    processing = {
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ("python3", "/opt/ml/processing/code/train.py")},
        "ProcessingInputs": ({"InputName": "code", "S3Input": {"S3Uri": URI}},),
    }
    step = Step("Train", kind, training if kind == "Training" else processing)
    found = check(Definition("churn", steps=(step,), assets=(asset,))).findings
    return [item.message for item in found if item.code == code]


@pytest.mark.parametrize(
    ("image", "files", "wanted"),
    [
        (SKLEARN, {"train.py": "import os\nimport torch"}, "train.py:2 imports torch, which sagemaker-scikit-learn"),
        (SKLEARN, {"train.py": "from fit import go", "fit.py": "import lightgbm as lgb"}, "fit.py:1 imports lightgbm"),
        (PYTORCH, {"train.py": "from tensorflow.keras import layers"}, "train.py:1 imports tensorflow"),
        (SKLEARN, {"train.py": "import torch", "requirements.txt": "pandas==2.0\n"}, "train.py:1 imports torch"),
    ],
    ids=["beside", "of a module", "framework", "other requirements"],
)
@pytest.mark.parametrize("kind", ["Training", "Processing"])
def test_fires(tmp_path: Path, image: str, files: Mapping[str, str], wanted: str, kind: str) -> None:
    (message,) = said(tmp_path, image, files, kind)
    assert message.startswith(wanted)


@pytest.mark.parametrize(
    ("image", "files"),
    [
        (SKLEARN, {"train.py": "import sklearn, numpy, pandas"}),
        (PYTORCH, {"train.py": "import torch, transformers"}),
        (OWN, {"train.py": "import torch"}),
        (SKLEARN, {"train.py": "import torch", "requirements.txt": "# fit\nTorch>=2.0 ; python_version > '3'"}),
        (SKLEARN, {"train.py": "import tensorflow", "requirements.txt": "tensorflow-cpu==2.16"}),
        (SKLEARN, {"train.py": "import torch", "requirements.txt": "-r more.txt"}),
        (SKLEARN, {"train.py": "try:\n    import torch\nexcept ImportError:\n    torch = None"}),
        (SKLEARN, {"train.py": "def late():\n    import torch"}),
        (SKLEARN, {"train.py": "import torch", "torch.py": ""}),
        (SKLEARN, {"train.py": "import torch ("}),
        (SKLEARN, {"other.py": "import torch"}),
    ],
    ids=["its own", "framework", "own image", "required", "cpu build", "elsewhere", "try", "late", "shadowed", "broken",
         "another"],
)  # fmt: skip
def test_does_not_fire(tmp_path: Path, image: str, files: Mapping[str, str]) -> None:
    assert said(tmp_path, image, files) == []


REQUIRED = {"train.py": "import os", "requirements.txt": "pandas"}


@pytest.mark.parametrize(
    ("kind", "files", "fires"),
    [("Processing", REQUIRED, True), ("Processing", {"train.py": "import os"}, False), ("Training", REQUIRED, False)],
)
def test_requirements_that_nobody_installs(tmp_path: Path, kind: str, files: Mapping[str, str], fires: bool) -> None:
    found = said(tmp_path, OWN, files, kind, "X871")
    assert found == (
        ["requirements.txt lies beside train.py, and a processing job does not install it"] if fires else []
    )


def test_requirements_in_a_folder_of_the_language(tmp_path: Path) -> None:
    folder = tmp_path / "prepare"
    folder.mkdir()
    for name, text in REQUIRED.items():
        (folder / name).write_text(text)
    (tmp_path / "pipeline.py").write_text(
        "from mlops import Pipeline, Processing\n"
        "with Pipeline('p'):\n"
        f"    Processing('A', code='prepare', entry='train.py', image='{OWN}')\n"
    )
    (finding,) = open_targets([str(tmp_path / "pipeline.py")], "local").findings
    assert (finding.code, finding.where.line) == ("X871", 3)


@pytest.mark.parametrize(
    ("text", "others", "fires"),
    [
        ("from featurs import make", {"features.py": ""}, True),
        ("from features import make", {"features.py": ""}, False),
        ("import numpy", {"numpi.py": ""}, False),
        ("import featurs", {"features.py": "", "requirements.txt": "featurs==1"}, False),
        ("try:\n    import featurs\nexcept ImportError:\n    pass", {"features.py": ""}, False),
        ("import shared", {"features.py": ""}, False),
    ],
)
def test_an_import_one_letter_beside_a_file(tmp_path: Path, text: str, others: Mapping[str, str], fires: bool) -> None:
    found = said(tmp_path, OWN, {"train.py": text, **others}, code="X872")
    assert found == (["train.py:1 imports featurs, and beside it lies features"] if fires else [])


def test_an_edited_script_is_read_again(tmp_path: Path) -> None:
    """What looks at a project in one process, as an editor does, saw the first text for ever."""
    assert said(tmp_path, SKLEARN, {"train.py": "import torch"}) != []
    assert said(tmp_path, SKLEARN, {"train.py": "import sklearn"}) == []
