"""What comes from S3 and goes there: shards and manifests, and what is stored while a step still runs."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from ports_for_tests import Account, processing, tar_gz, training

from mlops.run.serving.model_data import Container, place_model
from mlops.run.transfer import Upload

WRITE = """
import os, pathlib, sys, time
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
folder = base / FOLDER
(folder / "deep").mkdir(exist_ok=True)
print("found", sorted(path.name for path in folder.iterdir() if path.is_file()))
(folder / "deep/first").write_text("1")
(folder / "second").write_text("old")
deadline = time.monotonic() + 60
while not (folder / "go").exists() and time.monotonic() < deadline:
    time.sleep(0.1)
(folder / "second").write_text("newer")
sys.exit(CODE)
"""


def script(folder: str, code: int = 0) -> str:
    return WRITE.replace("FOLDER", repr(folder)).replace("CODE", str(code))


def let_go_when_stored(account: Account, uri: str, folder: str) -> list[str]:
    """The script goes on as soon as its first files are stored; answers what was stored by then."""
    stored: list[str] = []

    def look() -> bool:
        keys = account.objects.keys(uri)
        if len(keys) >= 2 and not stored:
            stored.extend(keys)
            (account.attempt("S") / "ml" / folder / "go").touch()
        return False

    account.journal.stop_when = look
    return stored


def continuous(account: Account, code: int) -> Any:
    made = processing(account, "S", script("processing/output/out", code), outputs=("out",))
    made.arguments["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = "Continuous"
    return made


@pytest.mark.parametrize(("code", "status"), [(0, "Succeeded"), (3, "Failed")])
def test_continuous_output(account: Account, code: int, status: str) -> None:
    uri = "s3://bucket/out/S/out/"
    stored = let_go_when_stored(account, uri, "processing/output/out")
    assert account.run(continuous(account, code)) == status
    assert stored == [f"{uri}deep/first", f"{uri}second"]
    assert account.objects.read(f"{uri}second") == b"newer"


@pytest.mark.parametrize("path", [None, "/opt/ml/mine"])
def test_checkpoints(account: Account, path: str | None) -> None:
    uri = "s3://bucket/checkpoints/"
    folder = path.removeprefix("/opt/ml/") if path else "checkpoints"
    config = {"S3Uri": uri.rstrip("/"), **({"LocalPath": path} if path else {})}
    account.objects.write(f"{uri}earlier", "0")
    stored = let_go_when_stored(account, uri, folder)
    step = training(account, "S", {"train.py": script(folder)}, CheckpointConfig=config)
    assert account.run(step) == "Succeeded", account.journal.last("S").failure
    assert "found ['earlier']" in account.journal.log("S")
    assert account.objects.read(f"{uri}second") == b"newer"
    assert account.objects.read(f"{uri}earlier") == b"0"
    assert stored


def test_checkpoints_to_nowhere(account: Account) -> None:
    step = training(account, "S", {"train.py": ""}, CheckpointConfig={"S3Uri": "/tmp/x"})
    assert account.run(step) == "Failed"
    assert account.journal.last("S").failure == "CheckpointConfig.S3Uri is '/tmp/x', not an s3:// URI"


def test_only_what_changed(account: Account) -> None:
    folder = account.folder / "files"
    folder.mkdir()
    (folder / "a").write_text("1")
    (folder / "link").symlink_to("/etc/passwd")
    upload = Upload(folder, account.folder, "s3://bucket/x/", account.objects)
    assert (upload.changed(), upload.changed()) == (1, 0)
    (folder / "a").write_text("12")
    (folder / "b").write_text("1")
    assert (upload.changed(), upload.changed()) == (2, 0)
    (folder / "a").unlink()
    assert upload.changed() == 0
    assert account.objects.keys("s3://bucket/x/") == ("s3://bucket/x/a", "s3://bucket/x/b")


def test_channels_by_manifest_and_shard(account: Account) -> None:
    """With one host every object is of its shard. A key of KMS is of no interest here."""
    for name in ("a.csv", "deep/b.csv", "c.csv"):
        account.objects.write(f"s3://bucket/data/{name}", name)
    manifest = '[{"prefix": "s3://bucket/data/"}, "deep/b.csv", "c.csv"]'
    account.objects.write("s3://bucket/m.json", manifest)
    sources = {
        "listed": {"S3DataType": "ManifestFile", "S3Uri": "s3://bucket/m.json"},
        "shard": {
            "S3DataType": "S3Prefix",
            "S3Uri": "s3://bucket/data/",
            "S3DataDistributionType": "ShardedByS3Key",
        },
    }
    tell = """
import os, pathlib
for name in ("LISTED", "SHARD"):
    folder = pathlib.Path(os.environ[f"SM_CHANNEL_{name}"])
    print(name, sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
data = pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"])
(data / "plot.txt").write_text("plot")
"""
    step = training(
        account,
        "S",
        {"train.py": tell},
        InputDataConfig=[
            {"ChannelName": name, "DataSource": {"S3DataSource": source}} for name, source in sources.items()
        ],
        OutputDataConfig={"S3OutputPath": "s3://bucket/models", "KmsKeyId": "alias/none"},
    )
    assert account.run(step) == "Succeeded", account.journal.last("S").failure
    assert "LISTED ['c.csv', 'deep/b.csv']" in account.journal.log("S")
    assert "SHARD ['a.csv', 'c.csv', 'deep/b.csv']" in account.journal.log("S")
    job = account.journal.last("S").response["TrainingJobName"]
    raw = account.objects.read(f"s3://bucket/models/{job}/output/output.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        assert tar.getnames() == ["plot.txt"]


@pytest.mark.parametrize("packed", [True, False])
def test_model_data_sources(account: Account, packed: bool) -> None:
    files = {"code/inference.py": "", "weights/w": "1"}
    if packed:
        uri = account.objects.write("s3://bucket/m/model.tar.gz", tar_gz(files))
        source = {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    else:
        for name, content in files.items():
            account.objects.write(f"s3://bucket/plain/{name}", content)
        source = {"S3Uri": "s3://bucket/plain/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": "i", "ModelDataSource": {"S3DataSource": source}, "Environment": {"A": "1"}}
    ml = account.folder / "ml"
    model = {"ModelName": "m", "PrimaryContainer": container}
    assert place_model(model, account.folder, account.objects, account.registry) == [Container(ml, {"A": "1"})]
    found = {path.relative_to(ml).as_posix() for path in ml.rglob("*") if path.is_file()}
    assert found == {f"model/{name}" for name in files}
