"""The same deployments against the embedded account and against moto."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops.account import Account, connect
from mlops.check.sources import open_one
from mlops.ir import Checked
from mlops.project.environments import Environment, read_project

SOURCE = """
from mlops import Pipeline, RegisterModel, Training, image

with Pipeline("churn", description="{description}", tags={{"team": "growth"}}) as pipeline:
    train = Training("Train", code="train.py", image=image.sklearn("1.2-1"))
    RegisterModel("Register", group="churn", model=train.model, image=train.image, sample="sample.csv")
"""

TOML = """
[env.moto]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
endpoint_url = "{url}"
"""


@dataclass(frozen=True)
class World:
    """A project, an environment of it, and its account."""

    folder: Path
    environment: Environment
    account: Account

    def compiled(self, description: str = "Who leaves?", code: str = "print(1)\n") -> Checked:
        (self.folder / "train.py").write_text(code)
        (self.folder / "sample.csv").write_text("1,2\n")
        (self.folder / "pipeline.py").write_text(SOURCE.format(description=description))
        opened = open_one(str(self.folder / "pipeline.py"), self.environment.name)
        assert opened.pipelines[0].ok, opened.findings
        return opened.pipelines[0]


@pytest.fixture(params=["local", "moto"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    url = ""
    if request.param == "moto":
        url = request.getfixturevalue("moto_url")
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
        (tmp_path / "mlops.toml").write_text(TOML.format(url=url))
    environment = read_project(tmp_path).environment(request.param)
    account = connect(environment)
    if request.param == "moto":
        account.client("s3").create_bucket(Bucket=environment.bucket)
    return World(tmp_path, environment, account)
