"""The one place where botocore's errors become :class:`mlops.ir.AccountError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops.ir import AccountError
from mlops.ir.hiding import hide_text

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError


class Refused(AccountError):
    """The account answered no. ``code`` and ``operation`` are the service's, e.g. ``ResourceNotFound``."""

    def __init__(self, operation: str, code: str, said: str, *, hint: str | None = None) -> None:
        super().__init__(f"{operation}: {code}: {said}" if said else f"{operation}: {code}", hint=hint)
        self.operation = operation
        self.code = code
        self.said = said


class Unreachable(AccountError):
    """There is no answer: what was asked may have been done all the same."""


_HINTS = {
    "AccessDenied": "the credentials lack the permission for this operation",
    "AccessDeniedException": "the credentials lack the permission for this operation",
    "ExpiredToken": "the credentials have expired; log in again",
    "ExpiredTokenException": "the credentials have expired; log in again",
    "InvalidClientTokenId": "the access key is not known to AWS; check the profile",
    "UnrecognizedClientException": "the access key is not known to AWS; check the profile",
    "NoSuchBucket": "create the bucket, or correct `bucket` in mlops.toml",
    "SignatureDoesNotMatch": "the secret key does not fit the access key; check the profile",
}


@contextmanager
def answers() -> Iterator[None]:
    """Around any use of a client: what botocore raises leaves as an :class:`mlops.ir.AccountError`, a refusal by the
    service as :class:`Refused`. Other exceptions pass."""
    try:
        yield
    except Exception as error:
        translated = _translated(error)
        if translated is None:
            raise
        raise translated from error


def _translated(error: Exception) -> AccountError | None:
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    match error:
        case ClientError():
            return _refused(error)
        case BotoCoreError():
            return _unreachable(error)
        case ResponseParserError():
            # No BotoCoreError: a proxy's or a broken server's page in place of an answer.
            said = hide_text(_sentence(error))[:200]
            return AccountError(f"the account's answer cannot be read: {said}", hint="check `endpoint_url`")
        case Boto3Error():
            # s3transfer wraps what the service said; the sentence holds operation and code already.
            return AccountError(_sentence(error))
    return None


def _refused(error: ClientError) -> Refused:
    details = error.response.get("Error", {})
    code = str(details.get("Code", "Unknown"))
    # A proxy's or a broken server's page may stand where the service's message belongs.
    said = " ".join(str(details.get("Message", "")).split())
    if said.lower().startswith(("<!doctype", "<html")):
        said = "a page in HTML and no message of the service"
    return Refused(error.operation_name, code, said, hint=_HINTS.get(code))


def _unreachable(error: BotoCoreError) -> AccountError:
    from botocore import exceptions

    match error:
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return AccountError(
                "no AWS credentials were found", hint="log in, set AWS_PROFILE, or set `profile` in mlops.toml"
            )
        case exceptions.ProfileNotFound():
            return AccountError(_sentence(error), hint="correct `profile` in mlops.toml, or AWS_PROFILE")
        case exceptions.EndpointConnectionError() | exceptions.ConnectionError() | exceptions.HTTPClientError():
            return Unreachable(
                f"the account could not be reached: {_sentence(error)}", hint="check the network and `endpoint_url`"
            )
        case exceptions.SSOError() | exceptions.TokenRetrievalError() | exceptions.CredentialRetrievalError():
            return AccountError(f"the credentials could not be loaded: {_sentence(error)}", hint="log in again")
    return AccountError(_sentence(error))


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())
