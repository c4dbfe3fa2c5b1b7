"""Processing steps with real processes, in both sandboxes."""

from __future__ import annotations

import json

import pytest
from ports_for_tests import Account, processing, step

COPY = """
import os, pathlib, sys
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "processing"
(base / "output/out/result.txt").write_text((base / "input/data/x.csv").read_text().upper() + " ".join(sys.argv[1:]))
(base / "output/out/sub").mkdir()
(base / "output/out/sub/more.txt").write_text(os.environ["GREETING"])
os.symlink("/etc/passwd", base / "output/out/link")
"""


def get(expression: str) -> dict[str, str]:
    return {"Get": expression}


def test_inputs_arguments_environment_and_outputs(account: Account, sandbox_mode: str) -> None:
    account.objects.write("s3://bucket/data/x.csv", "abc ")
    prepare = processing(
        account,
        "Prepare",
        COPY,
        inputs={"data": get("Parameters.Data")},
        outputs=("out",),
        arguments=("--n", {"Std:Join": {"On": "", "Values": [get("Parameters.N")]}}),
        Environment={"GREETING": get("Parameters.N")},
    )
    again = processing(
        account,
        "Again",
        "import os, sys; print(sorted(os.listdir(sys.argv[1])))",
        inputs={"from": get("Steps.Prepare.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")},
        arguments=("/opt/ml/processing/input/from",),
    )
    status = account.run(prepare, again, parameters={"Data": "s3://bucket/data", "N": 5})
    assert account.journal.statuses == [("Executing", None), ("Succeeded", None)], account.journal.records
    assert status == "Succeeded"
    assert account.objects.read("s3://bucket/out/Prepare/out/result.txt") == b"ABC --n 5"
    assert account.objects.read("s3://bucket/out/Prepare/out/sub/more.txt") == b"5"
    assert account.objects.keys("s3://bucket/out/Prepare/out/link") == ()
    assert "['result.txt', 'sub']" in account.journal.log("Again")
    record = account.journal.last("Prepare")
    assert record.response["ProcessingJobStatus"] == "Completed"
    assert record.metadata == {"ProcessingJob": {"Arn": record.response["ProcessingJobArn"]}}
    statuses = [item.status for item in account.journal.records if item.name == "Prepare"]
    assert statuses == ["Starting", "Executing", "Succeeded"]
    json.dumps(record.response)


def test_config_files(account: Account, sandbox_mode: str) -> None:
    script = """
import json, os, pathlib
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
job = json.loads((base / "config/processingjobconfig.json").read_text())
assert job["ProcessingJobArn"].endswith(job["ProcessingJobName"]), job
assert job["AppSpecification"]["ContainerArguments"] is None
assert json.loads((base / "config/resourceconfig.json").read_text()) == {"current_host": "algo-1", "hosts": ["algo-1"]}
(base / "output/message").write_text("well done")
"""
    assert account.run(processing(account, "P", script)) == "Succeeded", account.journal.log("P")
    assert account.journal.last("P").response["ExitMessage"] == "well done"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('a'); raise SystemExit('it went wrong')", "exit code 1: a\nit went wrong"),
        ("import os; os.kill(os.getpid(), 9)", "exit code 137 (killed; out of memory?)"),
        (
            "import os, pathlib, sys\n"
            "base = pathlib.Path(os.environ.get('SAGEMAKER_BASE_DIR', '/opt/ml'))\n"
            "(base / 'output/message').write_text('no rows'); sys.exit(4)",
            "exit code 4: no rows",
        ),
    ],
)
def test_failing_script(account: Account, script: str, reason: str) -> None:
    failing = processing(account, "P", script, outputs=("out",))
    behind = processing(account, "Q", "", depends_on=("P",))
    assert account.run(failing, behind) == "Failed"
    assert account.journal.last("P").failure == reason
    assert account.journal.statuses[-1] == ("Failed", "Step failure: One or multiple steps failed: P.")
    assert account.journal.ended() == {"P": "Failed"}
    assert account.registry.jobs[account.journal.last("P").response["ProcessingJobName"]]["FailureReason"] == reason
    assert account.objects.keys("s3://bucket/out") == ()


def request(**changes: object) -> dict[str, object]:
    return {"AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": ["true"]}, **changes}


def one_input(**source: object) -> dict[str, object]:
    given = {"S3Uri": "s3://bucket/none", "LocalPath": "/opt/ml/processing/x", **source}
    return request(ProcessingInputs=[{"InputName": "in", "S3Input": given}])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (request(AppSpecification={"ImageUri": "i"}), "the image's own entrypoint cannot run here"),
        (
            one_input(),
            "no object is stored under s3://bucket/none; the step that was to write there has written nothing",
        ),
        (one_input(S3Uri="file:///etc/passwd"), "input in: S3Uri is 'file:///etc/passwd', not an s3:// URI"),
        (one_input(LocalPath="/etc"), "input in: LocalPath is '/etc'; a local path is to be under /opt/ml/"),
        (one_input(LocalPath="/opt/ml/../x"), "a local path is to be under /opt/ml/"),
        (one_input(S3InputMode="Pipe"), "input in: S3InputMode Pipe cannot run on this machine yet"),
        (one_input(S3Uri="s3://bucket/m.json", S3DataType="ManifestFile"), "is not JSON"),
        (request(ProcessingInputs=[{"InputName": "in", "DatasetDefinition": {}}]), "asks neither Athena nor Redshift"),
        (
            request(AppSpecification={"ContainerEntrypoint": ["no-such-program"]}),
            "no-such-program is a program of the image, and is not on this machine",
        ),
        ({"Environment": {"A": ["x"]}}, 'text or a number was needed, found ["x"]'),
        ({"Environment": {"Get": "Parameters.None"}}, "Parameters.None: the pipeline has no such parameter"),
    ],
)
def test_what_cannot_start(account: Account, arguments: dict[str, object], reason: str) -> None:
    account.objects.write("s3://bucket/m.json", "x")
    assert account.run(step("Processing", "P", arguments)) == "Failed"
    failure = account.journal.last("P").failure
    assert failure is not None and reason in failure


def test_manifest_and_prefixes(account: Account) -> None:
    for key in ("data/a.csv", "data/deep/b.csv", "data-2/c.csv"):
        account.objects.write(f"s3://bucket/{key}", key)
    account.objects.write("s3://bucket/m.json", json.dumps([{"prefix": "s3://bucket/data/"}, "deep/b.csv"]))
    script = """
import os, pathlib, sys
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "processing/input"
for name in ("folder", "prefix", "file", "listed"):
    print(name, sorted(str(path.relative_to(base / name)) for path in (base / name).rglob("*") if path.is_file()))
"""
    inputs = {"folder": "s3://bucket/data/", "prefix": "s3://bucket/data", "file": "s3://bucket/data/a.csv"}
    listing = processing(account, "P", script, inputs=inputs)
    assert isinstance(listing.arguments, dict)
    listed = {
        "InputName": "listed",
        "S3Input": {
            "S3Uri": "s3://bucket/m.json",
            "S3DataType": "ManifestFile",
            "LocalPath": "/opt/ml/processing/input/listed",
        },
    }
    listing.arguments["ProcessingInputs"] = (*listing.arguments["ProcessingInputs"], listed)
    assert account.run(listing) == "Succeeded", account.journal.last("P").failure
    log = account.journal.log("P")
    assert "folder ['a.csv', 'deep/b.csv']" in log
    assert "prefix ['a.csv', 'data-2/c.csv', 'deep/b.csv']" in log
    assert "file ['a.csv']" in log
    assert "listed ['deep/b.csv']" in log


def test_a_key_that_climbs_out_is_refused(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account.objects, "keys", lambda uri: (f"{uri}../../../evil",))
    assert account.run(step("Processing", "P", one_input(S3Uri="s3://bucket/data/"))) == "Failed"
    assert account.journal.last("P").failure == "input in: '../../../evil' is no path inside a folder"
