"""Data of this machine and of the local account: put, got, listed, mounted; and what a run takes of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Told, in_this_process

from mlops.account.local import LocalAccount, mounts
from mlops.ir import Checked, Definition, UsageError, unheard
from mlops.ir.definition import Parameter
from mlops.project.content_address import collect
from mlops.use_cases import stubs
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.local_data import placed

Said = Callable[..., Told]
ROOT = Path(__file__).parent.parent.parent
SHOW = (
    "import os\n"
    "for name in ('raw', 'all'):\n"
    "    print('found', name, sorted(os.listdir('/opt/ml/processing/input/' + name)))\n"
)
PIPELINE = """
from mlops import Pipeline, Processing
with Pipeline("data") as pipeline:
    raw = pipeline.string("Raw", default="s3://acme/raw/")
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/s:1"
    Processing("Show", code="show.py", image=image, inputs={"raw": raw, "all": "s3://acme/all/"})
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "show.py").write_text(SHOW)
    (tmp_path / "raw").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "raw" / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    return in_this_process(capfd)


def test_what_was_put_is_listed_and_got(project: Path, said: Said) -> None:
    assert said("local", "ls").err == "none\n"
    said("local", "put", "raw", "s3://acme/raw/")
    listed = json.loads(said("local", "ls", "s3://acme/r", "--format", "json").out)
    assert [item["uri"] for item in listed] == ["s3://acme/raw/a.csv", "s3://acme/raw/b.csv"]
    said("local", "get", "s3://acme/raw", "back")
    assert (project / "back" / "b.csv").read_text() == "b.csv"
    assert "the same already" in said("local", "get", "s3://acme/raw/a.csv", "back").err
    (project / "back" / "a.csv").write_text("mine")
    assert "holds something else" in said("local", "get", "s3://acme/raw/", "back", code=2).err
    assert (project / "back" / "a.csv").read_text() == "mine"
    said("local", "get", "s3://acme/raw/a.csv", "back/a.csv", "--force")
    assert (project / "back" / "a.csv").read_text() == "a.csv"
    assert not list((project / "back").glob(".mlops*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("get", "s3://acme/none", "x"), "nothing is stored at s3://acme/none"),
        (("get", "acme/none", "x"), "is no place for data"),
        (("put", "raw", "s3://Acme/x"), "'Acme' cannot be the name of a bucket"),
        (("mount", "raw", "s3://Acme/x"), "'Acme' cannot be the name of a bucket"),
        (("put", "a pipe", "s3://acme/x"), "a pipe is neither a file nor a folder"),
        (("ls", "s3://other/x"), "there is no bucket other here"),
        (("mount", "none", "s3://acme/m"), "there is no folder"),
        (("mount", "--remove", "s3://acme/m"), "nothing is mounted at s3://acme/m"),
        (("mount", "raw"), "give FOLDER and URI"),
        (("get", "s3://acme/both", "x"), "which others lie in"),
        (("get", "s3://acme/twice", "x"), "s3://acme/twice/b//a is"),
    ],
)
def test_what_cannot_be_is_told(project: Path, said: Said, words: tuple[str, ...], told: str) -> None:
    s3 = LocalAccount(project / ".mlops", "us-east-1").client("s3")
    s3.create_bucket(Bucket="acme")
    for key in ("both/a", "both/a/b", "twice/b//a", "twice/b/a"):
        s3.put_object(Bucket="acme", Key=key, Body=b"1")
    os.mkfifo(project / "a pipe")
    refused = said("local", *words, code=2)
    assert told in refused.err


def test_a_mount_and_a_path_of_the_local_environment_are_what_a_run_reads(project: Path, said: Said) -> None:
    (project / "mlops.toml").write_text('[env.local]\nparameters = { Raw = "raw/a.csv" }\n')
    assert "2 objects stored" in said("local", "mount", "raw", "s3://acme/all").err
    assert json.loads(said("local", "mount", "--format", "json").out) == [
        {"uri": "s3://acme/all/", "folder": str(project / "raw")}
    ]
    (project / "raw" / "b.csv").unlink()
    (project / "raw" / "c.csv").write_text("c")
    assert "is s3://mlops-local/mlops/data/" in said("run", "pipeline.py").err
    log = said("executions", "logs", "last").out
    assert "found raw ['a.csv']" in log and "found all ['a.csv', 'c.csv']" in log
    assert "2 objects went with it" in said("local", "mount", "--remove", "s3://acme/all/").err
    said("compile", "pipeline.py", "-o", "pipeline.json")
    (parameter,) = json.loads((project / "pipeline.json").read_text())["Parameters"]
    assert parameter["DefaultValue"] == "s3://acme/raw/"


def test_data_that_nobody_brought_are_told_before_anything_starts(project: Path, said: Said) -> None:
    told = said("run", "pipeline.py", code=1).err
    assert "error A031 [Show] no object is stored under s3://acme/raw/, and no step writes one there" in told
    assert "`mlops local put FILE s3://acme/raw/`" in told and "-p Raw=FILE" in told and "s3://acme/all/" in told
    assert json.loads(said("executions", "list", "--format", "json").out) == []
    said("local", "put", "raw", "s3://acme/all/")
    assert "s3://acme/all/," not in said("run", "pipeline.py", code=1).err
    said("upsert", "pipeline.py")
    assert "warning A031 [Show] no object is stored under s3://acme/raw/" in said("start", "data").err


def test_what_clients_put_in_parts_and_as_folders_is_got(project: Path, said: Said) -> None:
    s3 = LocalAccount(project / ".mlops", "us-east-1").client("s3")
    s3.create_bucket(Bucket="acme")
    s3.put_object(Bucket="acme", Key="data/", Body=b"")
    upload = {"Bucket": "acme", "Key": "data/parts", "UploadId": ""}
    upload["UploadId"] = s3.create_multipart_upload(Bucket="acme", Key="data/parts")["UploadId"]
    part = {"PartNumber": 1, "ETag": s3.upload_part(PartNumber=1, Body=b"content", **upload)["ETag"]}
    s3.complete_multipart_upload(MultipartUpload={"Parts": [part]}, **upload)
    said("local", "get", "s3://acme/data/", "back")
    assert (project / "back" / "parts").read_text() == "content"
    assert "nothing new; 1 file the same already" in said("local", "get", "s3://acme/data/", "back").err
    (project / "back" / "parts").write_text("another")
    assert "holds something else" in said("local", "get", "s3://acme/data/", "back", code=2).err


def test_no_mount_takes_away_what_is_not_its_own(project: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    said("local", "mount", "raw", "s3://acme/all")
    for uri in ("s3://acme/", "s3://acme/all/more/"):
        assert "shares keys with s3://acme/all/" in said("local", "mount", "raw", uri, code=3).err
    said("local", "mount", "raw", "s3://acme/all-others")
    account = LocalAccount(project / ".mlops", "us-east-1")
    looked_at = dict(mounts._mounted(account.state, "s3://acme/all/"))
    account.client("s3").put_object(Bucket="acme", Key="all/a.csv", Body=b"of a step")
    assert not mounts._take_away(account.state, "acme", "all/a.csv", looked_at["all/a.csv"])

    def listed(folder: Path) -> tuple[tuple[str, Path], ...]:
        found = collect(folder)
        (folder / "b.csv").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(mounts, "collect", listed)
    assert "1 object stored, 1 taken away" in said("local", "mount", "raw", "s3://acme/all").err


def test_a_step_to_debug_that_is_none_is_told_before_anything_runs(project: Path, said: Said) -> None:
    told = said("run", "pipeline.py", "--debug", "Shwo", code=2).err
    assert "there is no step 'Shwo' to debug; the steps are Show; did you mean 'Show'?" in told
    assert not (project / ".mlops" / "executions").exists()


def test_a_step_that_is_no_command_is_told_before_anything_runs(project: Path, said: Said) -> None:
    (project / "stop.py").write_text(
        "from mlops import Fail, Pipeline\nwith Pipeline('stop') as p:\n    Fail('Stop', 'no')\n"
    )
    told = said("run", "stop.py", "--debug", "Stop", code=2).err
    assert "Stop is a Fail step; only ClarifyCheck and Processing and QualityCheck and Training steps can be" in told
    assert not (project / ".mlops" / "executions").exists()


def test_files_that_nobody_can_read_are_a_mistake_of_who_names_them(project: Path) -> None:
    (project / "deep.json").write_text("[" * 100_000)
    checked = Checked(Definition("data"), (), {}, {}, ())
    with pytest.raises(UsageError, match="which is to stand for Show, cannot be read as JSON"):
        stubs.read(checked, {"Show": project / "deep.json"})
    definition = Definition("data", parameters=(Parameter("Raw", "String", {"DefaultValue": "s3://acme/raw/"}),))
    with pytest.raises(UsageError, match="~nobody-here/raw: this machine knows no such user"):
        placed(connect_here("local"), definition, {"Raw": "~nobody-here/raw"}, unheard)


SCRIPTS = {
    "prepare.py": (
        "import pathlib, shutil\n"
        "base = pathlib.Path('/opt/ml/processing')\n"
        "(raw,) = (base / 'input/raw').iterdir()\n"
        "for name in ('train', 'test'):\n"
        "    shutil.copy(raw, base / 'output' / name)\n"
    ),
    "train.py": (
        "import os, pathlib\n"
        "(rows,) = pathlib.Path(os.environ['SM_CHANNEL_TRAIN']).iterdir()\n"
        "(pathlib.Path(os.environ['SM_MODEL_DIR']) / 'model.txt').write_text(rows.read_text())\n"
    ),
    "evaluate.py": (
        "import json, pathlib\n"
        "pathlib.Path('/opt/ml/processing/output/report/evaluation.json').write_text(json.dumps({'accuracy': 0.9}))\n"
    ),
}


def test_the_readmes_pipeline_runs_here_with_its_data_brought_by_one_command(project: Path, said: Said) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    put = re.search(r"`(mlops local put [^`]*)`", readme)
    assert block is not None and put is not None
    (project / "pipeline.py").write_text(block[1])
    (project / "mlops.lock").write_bytes((ROOT / "mlops.lock").read_bytes())
    (project / "churn.csv").write_text("a,b\n1,2\n")
    for name, text in SCRIPTS.items():
        (project / name).write_text(text)
    said(*put[1].split()[1:])
    assert "succeeded" in said("run", "pipeline.py").err
    assert [row.split()[0] for row in said("models", "list").out.splitlines()[1:]] == ["churn"]
