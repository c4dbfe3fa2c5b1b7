"""A request to OpenSearch and its answer, by its own client: signed, with a password, or plain."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeAlias

from mlops.ir import AccountError, ConfigurationError
from mlops.ir.dataclass import dataclass

_LINES = "application/x-ndjson"
TIMEOUT = 60.0
"""Seconds for one answer: a model trains in it."""


_HINT = "url is OpenSearch's own address, and not that of Dashboards or of a proxy's page"


class Place(Protocol):
    """Where it is, and how requests say who asks."""

    @property
    def url(self) -> str: ...
    @property
    def auth(self) -> Literal["aws", "basic", "none"]: ...
    @property
    def service(self) -> Literal["es", "aoss"]: ...
    @property
    def user(self) -> str | None: ...
    @property
    def password_env(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Typed:
    """A body that is neither an object nor lines of JSON: ``type`` is its content type."""

    type: str
    text: str


Body: TypeAlias = Mapping[str, Any] | str | Typed | None
"""A text is lines of JSON."""
Ask: TypeAlias = Callable[[str, str, Body], Mapping[str, Any]]
"""Method, path and body; the answer as JSON. Raises :class:`Answered` with what
OpenSearch says, AccountError where it says nothing."""


class Answered(AccountError):
    """It said no: with an HTTP ``status``."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unreached(AccountError):
    """It said nothing: whether it did what was asked nobody knows."""


def asking(
    place: Place,
    region: str,
    credentials: Callable[[], Any],
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Ask:
    """``credentials`` gives botocore's, which sign for ``region``; None where there are none. ``headers`` go with each
    request, for whose answer it waits ``timeout`` seconds.

    Raises:
        ConfigurationError: its client is not installed, the variable with the password is not set, nothing signs.
    """
    if importlib.util.find_spec("opensearchpy") is None:
        raise ConfigurationError(
            "OpenSearch is asked by opensearch-py, which is not installed", hint="python -m pip install opensearch-py"
        )
    from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection
    from opensearchpy.exceptions import ConnectionError as NoAnswer
    from opensearchpy.exceptions import SerializationError, TransportError

    who: Any = None
    if place.auth == "basic":
        password = os.environ.get(place.password_env or "")
        if not password:
            raise ConfigurationError(
                f"the variable {place.password_env} is not set, which holds the password for {place.url}",
                hint="set it where this runs",
            )
        who = (place.user, password)
    elif place.auth == "aws":
        signs = credentials()
        if signs is None:
            raise ConfigurationError(
                f"nothing signs requests to {place.url}: there are no credentials of AWS",
                hint='write auth = "basic" or "none" in its table, or give the environment a profile',
            )
        who = Urllib3AWSV4SignerAuth(signs, region, place.service)
    client = OpenSearch(
        place.url,
        http_auth=who,
        connection_class=Urllib3HttpConnection,
        timeout=timeout,
        max_retries=2,
        retry_on_timeout=False,
    )

    def ask(method: str, path: str, body: Body) -> Mapping[str, Any]:
        told = dict(headers or {})
        if isinstance(body, str | Typed):
            told["content-type"] = _LINES if isinstance(body, str) else body.type
        sent = body.text if isinstance(body, Typed) else body
        try:
            answer: Any = client.transport.perform_request(method, path, body=sent, headers=told or None)
        except NoAnswer as error:
            raise Unreached(f"{place.url} cannot be reached: {error.error}") from None
        except TransportError as error:
            said = f"{method} {path}: OpenSearch answered {error.status_code}: {_reason(error)}"
            raise Answered(said, int(error.status_code)) from None
        except SerializationError:
            answer = None
        if not isinstance(answer, Mapping):
            raise AccountError(f"{method} {path}: what {place.url} answers is no JSON object", hint=_HINT)
        return _Answer(answer, f"{method} {path}: what {place.url} answers")

    return ask


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Around what reads an answer to ``what``, and nothing else. Raises AccountError where it has another form:
    whatever answers in JSON may be no OpenSearch, or half of one."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        said = f"{what}: the answer has not the form of OpenSearch's ({type(error).__name__}: {error})"
        raise AccountError(said, hint=_HINT) from error


class _Answer(dict[str, Any]):
    """Whatever answers in JSON may be no OpenSearch all the same."""

    def __init__(self, told: Mapping[str, Any], said: str) -> None:
        super().__init__(told)
        self._said = said

    def __missing__(self, name: str) -> Any:
        raise AccountError(f"{self._said} has no {name!r}", hint=_HINT)


def _reason(error: Any) -> str:
    told = error.info
    if isinstance(told, Mapping):
        cause = told.get("error", told)
        if isinstance(cause, Mapping):
            return str(cause.get("reason") or cause.get("details") or cause.get("type"))
        return str(cause)
    return str(error.error)
