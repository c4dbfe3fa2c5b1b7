"""Connecting: which account it is, and how refusals and failures are told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from account_parts import Environment
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from mlops.account import Account, answers, confirm_account, connect
from mlops.account.answers import Refused
from mlops.ir import AccountError, ConfigurationError


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_the_right_account_is_confirmed(moto: Account) -> None:
    environment = Environment(name="staging", account="123456789012")
    assert confirm_account(moto, environment) == "123456789012"
    assert confirm_account(moto, Environment(name="staging", account=None)) == "123456789012"


def test_another_account_is_refused_and_both_are_named(moto: Account) -> None:
    with pytest.raises(ConfigurationError, match=r"111122223333.*123456789012"):
        confirm_account(moto, Environment(name="staging", account="111122223333"))


def test_the_local_account_is_confirmed_too(tmp_path: Path) -> None:
    environment = Environment(state=tmp_path, account="000000000000")
    assert confirm_account(connect(environment), environment) == "000000000000"


def test_a_refusal_is_a_sentence(account: Account) -> None:
    with pytest.raises(Refused) as error, answers():
        account.client("sagemaker").describe_model(ModelName="absent")
    assert error.value.message.startswith("DescribeModel: ValidationException: Could not find model")
    assert (error.value.operation, error.value.code) == ("DescribeModel", "ValidationException")
    assert error.value.exit_code == 3
    assert isinstance(error.value.__cause__, ClientError)


def test_a_failed_upload_is_a_sentence(account: Account, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(AccountError, match="NoSuchBucket"), answers():
        account.client("s3").upload_file(str(tmp_path / "file"), "no-such-bucket", "key")


def test_a_wrong_request_is_a_sentence(account: Account) -> None:
    with pytest.raises(AccountError, match="Missing required parameter"), answers():
        account.client("sagemaker").describe_model()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("<!doctype html>\n<html><title>500</title></html>", "Get: 500: a page in HTML and no message of the service"),
        ("The bucket\n  is gone", "Get: 500: The bucket is gone"),
        ("", "Get: 500"),
    ],
    ids=["a page", "two lines", "nothing"],
)
def test_a_message_of_the_service_is_one_line_and_a_page_is_none(message: str, told: str) -> None:
    with pytest.raises(Refused) as error, answers():
        raise ClientError({"Error": {"Code": "500", "Message": message}}, "Get")
    assert error.value.message == told


def test_an_answer_that_cannot_be_read_is_cut_behind_its_secrets() -> None:
    with pytest.raises(AccountError) as error, answers():
        raise ResponseParserError(f"{'x ' * 95}ghp_{'0' * 36}")
    assert "cannot be read" in error.value.message and "ghp_" not in error.value.message


def test_a_bucket_that_is_not_there_says_what_to_do(account: Account) -> None:
    with pytest.raises(Refused) as error, answers():
        account.client("s3").list_objects_v2(Bucket="no-such-bucket")
    assert error.value.hint == "create the bucket, or correct `bucket` in mlops.toml"


@pytest.mark.parametrize("url", ["nonsense", "http://"])
def test_an_endpoint_that_is_no_url_is_told(url: str) -> None:
    with pytest.raises(ConfigurationError, match="a client for sts cannot be made") as told:
        connect(Environment(name="staging", endpoint_url=url)).client("sts")
    assert told.value.hint is not None and "endpoint_url" in told.value.hint


def test_other_exceptions_pass() -> None:
    with pytest.raises(KeyError), answers():
        raise KeyError("ours")


def test_no_credentials(no_credentials: None) -> None:
    with pytest.raises(AccountError, match="no AWS credentials") as error, answers():
        connect(Environment(name="staging")).client("sts").get_caller_identity()
    assert error.value.hint is not None


def test_an_unknown_profile(no_credentials: None) -> None:
    with pytest.raises(AccountError, match="no-such-profile"):
        connect(Environment(name="staging", profile="no-such-profile"))


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("mlops.account.aws.ATTEMPTS", 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(AccountError, match="could not be reached"), answers():
            connect(Environment(name="staging", endpoint_url=url)).client("sts").get_caller_identity()


def test_somebody_listens_and_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("mlops.account.aws.ATTEMPTS", 1)
    monkeypatch.setattr("mlops.account.aws.IDENTITY_TIMEOUT_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environment = Environment(name="staging", endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(AccountError, match="could not be reached: Read timeout"):
            confirm_account(connect(environment), environment)


def test_a_role_is_taken_on_for_all_calls(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    role = "arn:aws:iam::444455556666:role/deployer"
    account = connect(Environment(name="prod", account="444455556666", endpoint_url=moto_url, assume_role=role))
    assert confirm_account(account, Environment(name="prod", account="444455556666")) == "444455556666"
