"""Secrets by reference: only the name is in the definition, and what it needs is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mlops.account.local import LocalAccount
from mlops.account.local.process.ports import local_secret
from mlops.check import check
from mlops.check.here import cannot_run
from mlops.check.sources import Opened
from mlops.ir import Definition, Severity, Step
from mlops.ir.document import document
from mlops.ir.secret import secret_permissions, secrets_of
from mlops.run.outcome import StepFailed
from mlops.run.secrets import with_stand_ins

BASE = """
sk = image.sklearn("1.2-1")
token = secret("prod/api", key="token")
"""

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"


def test_a_processing_step_starts_by_what_reads_secrets(declare: Callable[..., Opened]) -> None:
    opened = declare(BASE + 'Processing("A", code="prepare.py", image=sk, environment={"API_TOKEN": token, "B": "c"})')
    assert [finding for finding in opened.findings if finding.severity is not Severity.INFO] == []
    arguments = document(opened.pipelines[0].definition)["Steps"][0]["Arguments"]
    assert arguments["Environment"] == {"API_TOKEN": "mlops-secret:prod/api#token", "B": "c"}
    assert arguments["AppSpecification"]["ContainerEntrypoint"] == [
        "python3",
        "/opt/ml/processing/input/mlops/mlops_secrets.py",
        "python3",
        "/opt/ml/processing/input/code/prepare.py",
    ]
    assert [item["InputName"] for item in arguments["ProcessingInputs"]] == ["code", "mlops"]


def test_a_training_script_starts_by_it_too(declare: Callable[..., Opened]) -> None:
    opened = declare(BASE + f'Training("A", code="train.py", image=sk, environment={{"DB": secret("{ARN}")}})')
    arguments = document(opened.pipelines[0].definition)["Steps"][0]["Arguments"]
    assert arguments["Environment"] == {"DB": f"mlops-secret:{ARN}", "MLOPS_ENTRY": "train.py"}
    assert arguments["HyperParameters"]["sagemaker_program"] == "mlops_secrets.py"
    (asset,) = opened.pipelines[0].definition.assets
    assert [name for name, _ in asset.files] == ["mlops_secrets.py", "train.py"]


def test_without_secrets_nothing_is_added(declare: Callable[..., Opened]) -> None:
    opened = declare(BASE + 'Processing("A", code="prepare.py", image=sk, environment={"B": "c"})')
    arguments = document(opened.pipelines[0].definition)["Steps"][0]["Arguments"]
    assert arguments["AppSpecification"]["ContainerEntrypoint"][0:2] == [
        "python3",
        "/opt/ml/processing/input/code/prepare.py",
    ]


def test_the_permission_is_known(declare: Callable[..., Opened]) -> None:
    body = 'Processing("A", code="prepare.py", image=sk, environment={"T": token, "U": secret("prod/api")})\n'
    body += f'Training("B", code="train.py", image=sk, environment={{"DB": secret("{ARN}")}})'
    definition = declare(BASE + body).pipelines[0].definition
    assert [reference.id for reference in secrets_of(definition)] == [ARN, "prod/api", "prod/api"]
    named = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/api-??????"
    assert secret_permissions(definition, "111122223333", "eu-west-1") == (
        {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [named, ARN]},
    )


def test_no_secret_needs_no_permission(declare: Callable[..., Opened]) -> None:
    assert secret_permissions(declare(BASE + 'Fail("F", "x")').pipelines[0].definition, "1", "x") == ()


SLIPS = [
    ("a value instead of a name", 'secret("hunter two!")', "D080", "Secrets Manager"),
    ("no text", "secret(5)", "D080", "Secrets Manager"),
    ("an empty key", 'secret("prod/api", key="")', "D080", "Secrets Manager"),
    ("in a hyperparameter", 'Training("A", code="train.py", image=sk, hyperparameters={"a": token})', "D081", "code="),
    ("in an argument", 'Fail("F", join("x", token))', "D003", "Secret"),
    (
        "in a model's container",
        'Model("A", image=sk, model="s3://acme/m.tar.gz", environment={"A": token})',
        "D081",
        "",
    ),
    ("without code", 'Training("A", image=sk, environment={"A": token})', "D081", "code="),
    ("without a command", 'Processing("A", image=sk, environment={"A": token})', "D081", "code="),
    (
        "an input of the same name",
        'Processing("A", code="prepare.py", image=sk, inputs={"mlops": "s3://acme-x/y"}, environment={"A": token})',
        "D060",
        "mlops",
    ),
]


@pytest.mark.parametrize(("line", "code", "word"), [case[1:] for case in SLIPS], ids=[case[0] for case in SLIPS])
def test_a_slip_is_told(declare: Callable[..., Opened], line: str, code: str, word: str) -> None:
    errors = [item for item in declare(BASE + line).findings if item.severity is Severity.ERROR and item.code[0] == "D"]
    assert [(error.code, error.where.line) for error in errors] == [(code, 6)]
    assert word in f"{errors[0].message} {errors[0].help}"
    assert "hunter" not in errors[0].message


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("plain", "plain"),
        ("mlops-secret:prod/api", '{"token": "t", "n": 1}'),
        ("mlops-secret:prod/api#token", "t"),
        ("mlops-secret:prod/api#n", "1"),
    ],
    ids=["no secret", "the whole", "a member", "a number"],
)
def test_a_stand_in_takes_its_place(given: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_SECRET_PROD_API", json.dumps({"token": "t", "n": 1}))
    assert with_stand_ins({"A": given}) == {"A": wanted}


def test_the_local_account_has_one_where_the_user_has_none(tmp_path: Path) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.client("secretsmanager").create_secret(Name="prod/db", SecretString='{"password": "hunter2"}')
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"
    for id in ("prod/db", arn):
        given = {"A": f"mlops-secret:{id}#password"}
        assert with_stand_ins(given, partial(local_secret, account.state)) == {"A": "hunter2"}
        assert account.has_secret(id)
    assert not account.has_secret("prod/other")
    with pytest.raises(StepFailed, match=r"put it into the local account.*, set MLOPS_SECRET_PROD_OTHER"):
        with_stand_ins({"A": "mlops-secret:prod/other"}, partial(local_secret, account.state))
    step = Step("S", "Training", {"Environment": {"A": "mlops-secret:prod/db", "B": "mlops-secret:prod/other"}})
    found = cannot_run(check(Definition("p", steps=(step,))), has_secret=account.has_secret)
    assert [item.path for item in found if "Environment" in str(item.path)] == ["/Steps/0/Arguments/Environment/B"]


def test_neither_another_secret_nor_one_that_is_no_text_stands_in(tmp_path: Path) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    secrets = account.client("secretsmanager")
    secrets.create_secret(Name="prod/db", SecretString="of-the-database")
    secrets.create_secret(Name="prod/raw", SecretBinary=b"\xff\xfe")
    for id in ("prod/db-master", "prod/raw"):
        assert not account.has_secret(id)
