"""`mlops models package GROUP VERSION --as …`: what is built answers as the endpoint does, without Docker's help here;
it holds no secret and no root, everything in it is pinned, and what was replaced or says too little is refused."""

from __future__ import annotations

import importlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT, in_this_process

from mlops.account import Account
from mlops.ir import MlopsError, Refusal, UsageError
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.news import Said
from mlops.use_cases.python_here import python_of
from mlops.use_cases.standalone import Alone, Wanted, package_version

EXAMPLE = ROOT / "pipelines" / "breast_cancer"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
VARIABLES = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
ECHO = """
import os
def model_fn(folder): return os.environ["GREETING"]
def input_fn(body, kind): return body if isinstance(body, str) else body.decode()
def predict_fn(body, model): return f"{model} {body}"
def output_fn(told, accept): return told.encode() + (b"" if accept == "text/plain" else b"\\xff"), accept
"""


def tarred(files: Mapping[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    (tmp_path / "mlops.toml").touch()
    monkeypatch.chdir(tmp_path)
    yield connect_here("local").account


def registered(
    account: Account,
    files: Mapping[str, str | bytes],
    *,
    variables: Mapping[str, str] = VARIABLES,
    image: str = IMAGE,
    sample: Mapping[str, str | bytes] | None = None,
    more: tuple[dict[str, Any], ...] = (),
    types: tuple[str, str] = ("text/csv", "text/csv"),
) -> None:
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    s3.put_object(Bucket="mlops-local", Key="m/model.tar.gz", Body=tarred(files))
    container = {"Image": image, "ModelDataUrl": "s3://mlops-local/m/model.tar.gz", "Environment": dict(variables)}
    told: dict[str, Any] = {}
    if sample is not None:
        s3.put_object(Bucket="mlops-local", Key="m/payload.tar.gz", Body=tarred(sample))
        told = {"SamplePayloadUrl": "s3://mlops-local/m/payload.tar.gz", "Domain": "MACHINE_LEARNING", "Task": "OTHER"}
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        InferenceSpecification={
            "Containers": [container, *more],
            "SupportedContentTypes": [types[0]],
            "SupportedResponseMIMETypes": [types[1]],
        },
        **told,
    )


def packaged(form: str, **more: Any) -> tuple[Alone, list[str]]:
    said: list[str] = []
    hear = lambda event: said.append(event.text) if isinstance(event, Said) else None  # noqa: E731
    return package_version(Wanted("local", "churn", None, form, **more), hear), said  # type: ignore[arg-type]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}


def test_the_example_as_a_function_answers_its_sample(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joblib = pytest.importorskip("joblib")
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    features, target = load_breast_cancer(return_X_y=True)
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(features, target)
    joblib.dump(model, tmp_path / "model.joblib")
    sample = (EXAMPLE / "sample.csv").read_text()
    files = {
        "model.joblib": (tmp_path / "model.joblib").read_bytes(),
        "code/inference.py": (EXAMPLE / "train" / "inference.py").read_text(),
    }
    registered(account, files, sample={"sample.csv": sample})
    made, said = packaged("lambda")
    assert (made.out, made.base) == (Path("churn-1"), f"amazon/aws-lambda-python:3.{sys.version_info.minor}")
    pinned = dict(line.split("==") for line in Path("churn-1/requirements.txt").read_text().split())
    assert {"scikit-learn", "numpy", "joblib", "scipy", "threadpoolctl"} <= set(pinned) and all(pinned.values())
    assert any("MB with its packages" in line for line in said)
    # As Lambda calls it: the module by its name, the event as an invocation has it. In this process, which has
    # scikit-learn already.
    monkeypatch.syspath_prepend(str(Path("churn-1").resolve()))
    monkeypatch.setattr(os, "environ", {**os.environ})
    before = set(sys.modules)
    try:
        handler = importlib.import_module("lambda_function").handler
        reply = handler(json.loads(Path("churn-1/samples/sample.csv.event.json").read_text()), None)
    finally:
        for name in {"lambda_function", "inference", "mlops_serving", "mlops_serving.handlers"} - before:
            sys.modules.pop(name, None)
    rows = [[float(item) for item in line.split(",")] for line in sample.split()]
    assert reply["statusCode"] == 200 and reply["headers"] == {"content-type": "text/csv"}
    assert [float(item) for item in reply["body"].split()] == pytest.approx(model.predict_proba(rows)[:, 1])


CALLS: list[tuple[str, dict[str, Any], tuple[int, str, bool]]] = [
    ("text", {"body": "x", "headers": {"Accept": "text/plain"}}, (200, "hello x", False)),
    ("bytes", {"body": "eA==", "isBase64Encoded": True, "headers": {"accept": "text/plain"}}, (200, "hello x", False)),
    ("an answer that is no text", {"body": "x", "headers": {"accept": "a/b"}}, (200, "aGVsbG8geP8=", True)),
    ("an object", {"body": [1], "headers": {"accept": "text/plain"}}, (200, "hello [1]", False)),
    ("nothing", {}, (400, "the event has no body", False)),
    ("no base64", {"body": "é", "isBase64Encoded": True}, (400, "the body is not base64", False)),
]


def test_a_function_answers_all_its_events(account: Account) -> None:
    registered(account, {"code/inference.py": ECHO}, variables={**VARIABLES, "GREETING": "hello"})
    packaged("lambda")
    events = json.dumps([event for _, event, _ in CALLS])
    asked = (
        "import json, sys, lambda_function as l; print(json.dumps([l.handler(e, None) for e in json.load(sys.stdin)]))"
    )
    command = [sys.executable, "-c", asked]
    ended = subprocess.run(
        command, cwd="churn-1", env=environment(), input=events, capture_output=True, text=True, check=True
    )
    replies = json.loads(ended.stdout)
    found = [(item["statusCode"], item["body"], item["isBase64Encoded"]) for item in replies]
    assert found == [wanted for _, _, wanted in CALLS]


def test_a_container_answers_and_ends_when_asked(account: Account) -> None:
    registered(
        account,
        {"code/inference.py": ECHO, "weights": "1"},
        variables={**VARIABLES, "GREETING": "hello"},
        sample={"one.txt": "you"},
        types=("text/plain", "text/plain"),
    )
    made, _ = packaged("container", out=Path("built"))
    assert [command.partition(" ")[0] for command in made.tries] == ["docker", "docker", "curl"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {**environment(), "SAGEMAKER_BIND_TO_PORT": str(port), "GREETING": "good day"}
    # `docker run IMAGE serve`, as SageMaker starts an image, does the same.
    server = subprocess.Popen([sys.executable, "built/serve.py", "serve"], env=variables, stderr=subprocess.PIPE)
    try:
        sample = Path("built/samples/one.txt").read_bytes()
        kinds = {"Content-Type": "text/plain", "Accept": "text/plain"}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", data=sample, headers=kinds)
        assert _once_up(server, asked) == b"good day you"
        server.terminate()
        assert server.wait(120) == 0
    finally:
        server.kill()
        server.communicate()


def _once_up(server: subprocess.Popen[bytes], asked: urllib.request.Request) -> bytes:
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=20) as reply:
                body: bytes = reply.read()
                return body
        except urllib.error.URLError:
            assert server.poll() is None, server.communicate()
            time.sleep(0.05)


@pytest.mark.parametrize("form", ["container", "lambda"])
def test_its_dockerfile_keeps_the_trades_rules(account: Account, form: str) -> None:
    """hadolint's: a base with a version, exec form, pinned packages without a cache, files by COPY, no root."""
    secret = "ghp_" + "a1" * 20
    variables = {**VARIABLES, "HUB_TOKEN": secret, "PASSWORD": "mlops-secret:churn/db"}
    files = {"code/inference.py": ECHO, "code/requirements.txt": "packaging\n"}
    registered(account, files, variables=variables)
    _, said = packaged(form, base=f"python@sha256:{'0a' * 32}" if form == "container" else None)
    lines = Path("churn-1/Dockerfile").read_text().splitlines()
    words = [line.split()[0] for line in lines if line[:1].isupper()]
    assert words.count("FROM") == 1 and "ADD" not in words
    assert (form == "container") == ("USER 65534:65534" in lines)
    assert lines[-1].startswith(("ENTRYPOINT [", "CMD ["))
    assert any("pip install --no-cache-dir --requirement requirements.txt" in line for line in lines)
    assert all("==" in line for line in Path("churn-1/requirements.txt").read_text().split())
    assert any(line.startswith("packaging==") for line in Path("churn-1/requirements.txt").read_text().split())
    whole = b"".join(path.read_bytes() for path in Path("churn-1").rglob("*") if path.is_file())
    assert secret.encode() not in whole and b"mlops-secret:churn" not in whole
    assert {word for line in said for word in ("HUB_TOKEN", "PASSWORD") if word in line} == {"HUB_TOKEN", "PASSWORD"}
    assert any("named by a tag" in line for line in said) == (form == "lambda")
    modes = {path.stat().st_mode & 0o777 for path in Path("churn-1").rglob("*")}
    assert modes == {0o755, 0o644}


def test_the_archive_is_that_of_the_registration(account: Account) -> None:
    registered(account, {"code/inference.py": ECHO})
    made, _ = packaged("archive")
    stored = account.client("s3").get_object(Bucket="mlops-local", Key="m/model.tar.gz")["Body"].read()
    assert Path("model.tar.gz").read_bytes() == stored and made.sha256 is not None
    account.client("s3").put_object(Bucket="mlops-local", Key="m/model.tar.gz", Body=tarred({"other": "x"}))
    for form in ("archive", "container"):
        with pytest.raises(Refusal, match="it was replaced; nothing was written"):
            packaged(form, out=Path("again.tar.gz"))
    assert not list(Path().glob("again*")) and not list(Path().glob(".again*"))


def test_files_that_are_no_archive_are_taken_as_they_are(account: Account) -> None:
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    for name, text in {"code/inference.py": ECHO, "deep/weights": "1"}.items():
        s3.put_object(Bucket="mlops-local", Key=f"open/{name}", Body=text)
    source = {"S3Uri": "s3://mlops-local/open/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}, "Environment": VARIABLES}
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    specification = {"Containers": [container], "SupportedContentTypes": ["a/b"], "SupportedResponseMIMETypes": ["a/b"]}
    sagemaker.create_model_package(ModelPackageGroupName="churn", InferenceSpecification=specification)
    made, _ = packaged("container")
    assert {"model/code/inference.py", "model/deep/weights"} <= {name for name, _ in made.files}
    with pytest.raises(Refusal, match="holds files and no archive"):
        packaged("archive")


def loose(account: Account) -> dict[str, Any]:
    Path("mine.txt").write_text("numpy>=1\nscipy==1.1 --hash=sha256:00\n")
    registered(account, {"code/inference.py": ECHO})
    return {"requirements": Path("mine.txt")}


def elsewhere(account: Account) -> dict[str, Any]:
    Path("mine.txt").write_text("numpy==1.1\n-r base.txt\n")
    registered(account, {"code/inference.py": ECHO})
    return {"requirements": Path("mine.txt")}


def full(account: Account) -> dict[str, Any]:
    registered(account, {"code/inference.py": ECHO})
    Path("built").mkdir()
    Path("built/mine").write_text("x")
    return {"out": Path("built")}


def of_many(account: Account) -> dict[str, Any]:
    more = {"Image": IMAGE, "ModelDataUrl": "s3://mlops-local/m/model.tar.gz"}
    registered(account, {"code/inference.py": ECHO}, more=(more,))
    return {}


def with_a_key(account: Account) -> dict[str, Any]:
    registered(account, {"code/inference.py": ECHO + "KEY = 'AKIAIOSFODNN7EXAMPLE'\n"})
    return {}


def without_code(account: Account) -> dict[str, Any]:
    registered(account, {"xgboost-model": "x"}, variables={})
    return {}


def of_no_image(account: Account) -> dict[str, Any]:
    registered(account, {"code/inference.py": ECHO})
    return {"base": "python\nRUN rm"}


REFUSED = {
    "a package that is not pinned": (loose, Refusal, "mine.txt pins no version of numpy>=1"),
    "another file's requirements": (elsewhere, Refusal, "mine.txt:2 names another file"),
    "a folder that holds something": (full, UsageError, "built is there already"),
    "several containers": (of_many, Refusal, "has 2 containers"),
    "a key in the code": (with_a_key, Refusal, "model/code/inference.py:7"),
    "a model without code": (without_code, Refusal, "serves this model by itself"),
    "a base that is no image": (of_no_image, UsageError, "is no name of an image"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing(case: str, account: Account) -> None:
    change, kind, said = REFUSED[case]
    more = change(account)
    before = sorted(Path().iterdir())
    with pytest.raises(kind) as caught:
        packaged("container", **more)
    assert said in caught.value.message
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("tag", "python"), [("2.1-cpu-py310", "3.10"), ("1.2-1-cpu-py3", None), ("1.8-cpu-py38", None), ("2-py312", "3.12")]
)
def test_the_python_of_an_image_of_an_account(tag: str, python: str | None) -> None:
    found = python_of(f"1.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:{tag}", False, ())
    assert (found and found.text) == python


def test_for_people_and_programs(account: Account, capfd: pytest.CaptureFixture[str]) -> None:
    registered(account, {"code/inference.py": ECHO})
    ask = in_this_process(capfd)
    told = ask("models", "package", "churn", "1", "--as", "container", "--format", "json").json
    assert (told["out"], told["version"], told["as"]) == ("churn-1", 1, "container")
    assert "docker build -t churn:1 churn-1" in told["tries"]
    function = ask("models", "package", "churn", "--as", "lambda", "-o", "other").out
    assert "docker build -t churn:1-lambda other" in function and "churn:1\n" not in function
    Path("request.csv").touch()
    asked = ask("endpoints", "invoke", "churn", "--data", "@request.csv", code=2).err
    assert "`mlops endpoints invoke churn request.csv` sends a file" in asked
    for words in (("churn", "one", "--as", "lambda"), ("model", "--base", "x"), ("churn", "7", "--as", "lambda")):
        assert "Traceback" not in ask("models", "package", *words, code=2).err


TOML = """
[env.dev]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/serve"
bucket = "mlops-local"
endpoint_url = "{url}"
"""


def test_of_a_version_of_an_account_only_who_fitted_it_knows_what_it_wants(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is installed on this machine says nothing of it."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    (tmp_path / "mlops.toml").write_text(TOML.format(url=moto_url))
    (tmp_path / "pins.txt").write_text("numpy==1.26.4 --hash=sha256:00  # as it was fitted\n")
    monkeypatch.chdir(tmp_path)
    account = connect_here("dev").account
    account.client("s3").create_bucket(Bucket="mlops-local")
    registered(
        account, {"code/inference.py": ECHO}, image="1.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.1-py310"
    )

    def package(**more: Any) -> Alone:
        return package_version(Wanted("dev", "churn", 1, "lambda", **more), lambda event: None)

    with pytest.raises(Refusal, match="nothing says which packages version 1 of churn wants") as refused:
        package()
    assert "--requirements FILE" in (refused.value.hint or "")
    made = package(requirements=Path("pins.txt"))
    assert (made.base, made.requirements) == ("amazon/aws-lambda-python:3.10", ("numpy==1.26.4",))
    assert Path("churn-1/requirements.txt").read_text() == Path("pins.txt").read_text()
    account.client("s3").put_object(Bucket="mlops-local", Key="m/model.tar.gz", Body=b"no archive")
    with pytest.raises(Refusal, match="cannot be unpacked"):
        package(requirements=Path("pins.txt"), out=Path("other"))
    assert not Path("other").exists()
    account.client("s3").delete_object(Bucket="mlops-local", Key="m/model.tar.gz")
    with pytest.raises(MlopsError) as told:
        package(requirements=Path("pins.txt"), out=Path("other"))
    assert "s3://mlops-local/m/model.tar.gz" in f"{told.value.message} {told.value.hint}"
