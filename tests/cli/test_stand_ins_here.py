"""What ``mlops.toml`` names in place of other services: tables for Athena, and where secrets are; from a file to what a
step saw."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops.cli import main

PIPELINE = """
from mlops import Athena, Pipeline, Processing, image, secret

with Pipeline("asks"):
    Processing(
        "Read",
        code="read.py",
        image=image.sklearn("1.2-1"),
        inputs={"visits": Athena("SELECT page FROM visits WHERE id = 2", database="web", format="TEXTFILE")},
        environment={"PASSWORD": secret("prod/db")},
        outputs=["seen"],
    )
"""
SCRIPT = """
import os
from pathlib import Path
if os.environ.get("AWS_ENDPOINT_URL"):
    import boto3
    assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"
    boto3.client("s3").put_object(Bucket="mlops-local", Key="by-the-step", Body=b"")
(row,) = Path("/opt/ml/processing/input/visits").iterdir()
Path("/opt/ml/processing/output/seen/told.txt").write_text(f"{row.read_text().strip()} {len(os.environ['PASSWORD'])}")
"""


def files_below(folder: Path) -> Iterator[Path]:
    """What a run leaves behind is removed meanwhile."""
    for at, _, names in os.walk(folder):
        yield from (path for name in names if (path := Path(at, name)).is_file())


@pytest.mark.proof("deep")
def test_tables_and_secrets_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLOPS_SECRET_PROD_DB", "so that it is as it was, in the end")
    monkeypatch.delenv("MLOPS_SECRET_PROD_DB")
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "read.py").write_text(SCRIPT)
    (tmp_path / "mlops.toml").write_text("[env.local]\n")

    def run() -> tuple[int, str]:
        code = main(("run", "pipeline.py"))
        return code, capfd.readouterr().err

    code, err = run()
    assert code == 1 and '[env.local.datasets] web = "data/web"' in err
    assert '[env.local.secrets] "prod/db" = "$VARIABLE"' in err
    table = '[env.local.datasets]\nweb = "data/web"\n[env.local.secrets]\n"prod/db" = "$DB_OF_THE_TEST"\n'
    (tmp_path / "mlops.toml").write_text(table)
    code, err = run()
    assert code == 2 and "prod/db is in $DB_OF_THE_TEST, and no such variable is set" in err
    monkeypatch.setenv("DB_OF_THE_TEST", "hunter-22")
    code, err = run()
    assert code == 2 and "web is data/web, and there is no such file or folder" in err
    (tmp_path / "data" / "web").mkdir(parents=True)
    (tmp_path / "data" / "web" / "visits.csv").write_text("id,page\n1,home\n2,about\n")
    code, err = run()
    assert code == 0, err
    (seen,) = (tmp_path / ".mlops" / "objects").rglob("told.txt*")
    assert seen.read_text() == "about 9"
    assert not [*(tmp_path / ".mlops" / "objects").rglob("by-the-step*")]
    (tmp_path / "mlops.toml").write_text(f"[env.local]\naccount_in_steps = true\n{table}")
    code, err = run()
    assert code == 0, err
    assert [*(tmp_path / ".mlops" / "objects").rglob("by-the-step*")]
    assert not [file for file in files_below(tmp_path / ".mlops") if b"hunter-22" in file.read_bytes()]


def test_a_secret_is_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLOPS_SECRET_PROD_DB", "so that it is as it was, in the end")
    monkeypatch.delenv("MLOPS_SECRET_PROD_DB")
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "read.py").write_text(SCRIPT)
    (tmp_path / "mlops.toml").write_text('[env.local.secrets]\n"prod/db" = "file:key"\n')
    (tmp_path / "key").write_bytes(b"hunter-\x0022")
    assert main(("run", "pipeline.py")) == 2
    told = capfd.readouterr().err
    assert "prod/db is in file:key, which is no text" in told and "hunter" not in told
