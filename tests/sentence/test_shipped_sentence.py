"""What travels into containers runs here as it would there: functions, secrets, and the packing of a model."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from command_line import ROOT, Told, in_this_process, mlops

pytestmark = pytest.mark.slow

PIPELINE = """\
import os
from pathlib import Path

from mlops import Model, PackModel, Pipeline, Processing, Training, image, secret, step, when

sklearn = image.sklearn("1.2-1")
TOKEN = {"TOKEN": secret("prod/api", key="token")}


@step(image=sklearn)
def count(raw: Path, least: int) -> int:
    return max(least, sum(len(file.read_text().splitlines()) for file in raw.iterdir()))


@step(image=sklearn, environment=TOKEN)
def guarded() -> str:
    return os.environ["TOKEN"][:1]


@step(image=sklearn)
def broken(rows: int, letter: str) -> None:
    table = {"s": 1}
    print(rows, table[letter], table["absent"])


with Pipeline("shipped") as pipeline:
    least = pipeline.integer("Least", default=1)
    rows = count(Path("raw.csv"), least)
    letter = guarded()
    Processing("Script", code="script.py", image=sklearn, environment=TOKEN)
    train = Training("Train", code="script.py", image=sklearn, environment=TOKEN, hyperparameters={"a": 1})
    pack = PackModel("Pack", model=train.model, inference_code="inference", image=sklearn)
    Model("Model", model=pack.model, image=sklearn, inference_code="inference.py")
    with when(rows > 2, name="Enough"):
        broken(rows, letter)
"""

SCRIPT = """\
import os, sys

assert os.environ["TOKEN"] == "s3cr3t-" + "of-the-api", "no token"
assert "MLOPS_ENTRY" not in os.environ
if "SM_MODEL_DIR" in os.environ:
    assert sys.argv[1:] == ["-a", "1"], sys.argv
    open(os.environ["SM_MODEL_DIR"] + "/weights", "w").write("1")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mlops.lock").write_bytes((ROOT / "mlops.lock").read_bytes())
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "raw.csv").write_text("1\n2\n3\n")
    (tmp_path / "inference").mkdir()
    (tmp_path / "inference" / "inference.py").write_text("print('hello')\n")
    return tmp_path


@pytest.mark.parametrize("sandbox", ["", "folders"], ids=["namespaces where they can be", "folders"])
def test_what_is_shipped_runs_here(project: Path, sandbox: str) -> None:
    stand_in = {"MLOPS_SECRET_PROD_API": json.dumps({"token": "s3cr3t-of-the-api"}), "MLOPS_SANDBOX": sandbox}
    told = mlops("run", "pipeline.py", "--format", "json", folder=project, code=1, **stand_in)
    ends = {item["name"]: item["status"] for item in json.loads(told.out)["steps"]}
    assert ends == {
        **dict.fromkeys(["count", "guarded", "Script", "Train", "Pack", "Model", "Enough"], "Succeeded"),
        "broken": "Failed",
    }
    line = PIPELINE[: PIPELINE.index("    print(rows")].count("\n") + 1
    assert f"KeyError: 'absent' (pipeline.py, line {line})" in told.out + told.err
    (packed,) = project.glob(".mlops/objects/**/packed/model.tar.gz")
    with tarfile.open(packed) as archive:
        assert archive.getnames() == ["code", "code/inference.py", "weights"]
    written = [file for file in project.rglob("*") if file.is_file()]
    assert [file for file in written if b"s3cr3t-of-the-api" in file.read_bytes()] == []
    assert "s3cr3t-of-the-api" not in told.out + told.err


def test_a_secret_without_a_stand_in_is_told(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "secrets.json").write_text('{"prod/api": {"tokn": "x-y-z"}}')
    monkeypatch.chdir(project)

    def run(**stand_in: str) -> Told:
        with monkeypatch.context() as given:
            for name, value in stand_in.items():
                given.setenv(name, value)
            return in_this_process(capfd)("run", "pipeline.py", "--only", "Script", code=1)

    assert "secrets.json" in run(MLOPS_SECRETS_FILE="secrets.json").err
    wrong = run(MLOPS_SECRETS_FILE=str(project / "secrets.json"))
    assert "the stand-in for prod/api is no JSON object with token" in wrong.err
    assert "x-y-z" not in wrong.err
    assert "set MLOPS_SECRET_PROD_API" in run().err
