"""A store that an earlier mlops has written is opened and gone on with; the dump was made by its code."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_invariants import violations

from mlops.account.local import LocalAccount, events
from mlops.account.local.store import SCHEMA_VERSION, Store
from mlops.deploy.executions.following import describe, follow, listed, log_lines
from mlops.ir import Event

DUMP = Path(__file__).parent / "stores" / "version-2.sql"
OPEN = """
import sys
from pathlib import Path
from mlops.account.local.store import Store
Store(Path(sys.argv[1]))
"""
# Dies in the middle of each migration that is left, and of all writes that it has made of it.
DIE = """
import os, signal, sqlite3
class Connection(sqlite3.Connection):
    def executescript(self, script):
        super().executescript(script.rpartition("COMMIT")[0])
        os.kill(os.getpid(), signal.SIGKILL)
connect = sqlite3.connect
sqlite3.connect = lambda *rest, **named: connect(*rest, **{"factory": Connection, **named})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``.mlops`` as version 2 left it."""
    folder = tmp_path / ".mlops"
    folder.mkdir()
    with sqlite3.connect(folder / "account.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(DUMP.read_text(encoding="utf-8").replace("{FOLDER}", str(folder)))
    connection.close()
    model = folder / "objects" / "some-bucket" / "models" / "1.tar.gz"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"model")
    for row in Store(folder / "account.sqlite").all("SELECT log FROM step WHERE log IS NOT NULL"):
        Path(row["log"]).parent.mkdir(parents=True)
        Path(row["log"]).write_text("one\n")
    return folder


def version(file: Path) -> int:
    connection = sqlite3.connect(file)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def untouched(tmp_path: Path) -> Path:
    file = tmp_path / "untouched" / "account.sqlite"
    file.parent.mkdir()
    with sqlite3.connect(file) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()
    return file


def test_all_that_it_holds_is_there_and_goes_on(folder: Path) -> None:
    account = LocalAccount(folder, "us-east-1")
    sagemaker = account.client("sagemaker")
    ran = listed(account, "churn")
    assert [item["PipelineExecutionStatus"] for item in ran] == ["Succeeded", "Failed"]
    failed = describe(account, str(ran[1]["PipelineExecutionArn"]))
    assert {step.name: step.status for step in failed.steps} == {"One": "Succeeded", "Two": "Failed"}
    assert [*log_lines(account, failed.steps[0])] == ["one"]
    versions = sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"]
    assert [item["ModelApprovalStatus"] for item in versions] == ["PendingManualApproval", "Approved"]
    assert sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "Failed"
    assert sagemaker.list_tags(ResourceArn=account.state.arn("endpoint/e"))["Tags"] == [{"Key": "a", "Value": "b"}]
    s3 = account.client("s3")
    assert s3.get_object(Bucket="some-bucket", Key="models/1.tar.gz")["Body"].read() == b"model"
    assert [item["Key"] for item in s3.list_multipart_uploads(Bucket="some-bucket")["Uploads"]] == ["big"]
    assert events.read(account.state.store) == []

    found: list[Event] = []
    follow(account, failed.arn, found.append)
    assert [event.about for event in found] == ["One", "Two", failed.arn], "told though no event was kept"
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=failed.arn)
    assert follow(account, failed.arn).steps[0] == failed.steps[0], "what had succeeded is not repeated"
    kept = events.read(account.state.store, ids={"execution": failed.id})
    assert [kept[0].kind, kept[-1].kind] == ["execution.retried", "execution.ended"]
    started = sagemaker.start_pipeline_execution(PipelineName="churn")["PipelineExecutionArn"]
    assert follow(account, started).status == "Succeeded"
    sagemaker.update_model_package(ModelPackageArn=str(versions[0]["ModelPackageArn"]), ModelApprovalStatus="Approved")
    assert [event.kind for event in events.read(account.state.store, ids={"model-package": "churn/1"})] == [
        "model-package.approved"
    ]
    lost = "its last event says None"  # of what happened before there was a table of events
    assert [text for text in violations(folder) if lost not in text] == []


def test_processes_that_open_it_at_once_bring_it_up_to_date_once(tmp_path: Path) -> None:
    file = untouched(tmp_path)
    opening = [subprocess.Popen([sys.executable, "-c", OPEN, str(file)]) for _ in range(4)]
    assert [process.wait() for process in opening] == [0, 0, 0, 0]
    assert version(file) == SCHEMA_VERSION
    schema = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    fresh = Store(tmp_path / "fresh" / "account.sqlite")
    assert [tuple(row) for row in Store(file).all(schema)] == [tuple(row) for row in fresh.all(schema)]


def test_a_kill_in_the_middle_leaves_the_version_before_and_the_next_goes_on(tmp_path: Path) -> None:
    file = untouched(tmp_path)
    killed = subprocess.run([sys.executable, "-c", DIE + OPEN, str(file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert version(file) == 2
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(file).execute("SELECT * FROM event")
    rows = Store(file).all("SELECT id FROM execution")
    assert len(rows) == 2
    assert version(file) == SCHEMA_VERSION
