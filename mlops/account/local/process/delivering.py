"""The process that delivers what is put into one stream.

There is one for each stream while something waits, and for a while after: what a stream's destination does, its
function and the memory of its buffer are nobody else's. It ends by itself, and whoever puts next starts another.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from mlops.account.local.answering import answer_fitting
from mlops.account.local.delivery.deliverer import Deliverer, Ports
from mlops.account.local.delivery.objects import Unwritten
from mlops.account.local.delivery.processing import InvocationFailed
from mlops.account.local.delivery.sending import Answer
from mlops.account.local.objects import BucketMissing
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.firehose import streams
from mlops.account.local.services.lambda_ import functions
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State
from mlops.ir import ConfigurationError
from mlops.ir.hiding import hide

LOOK_SECONDS = 0.1
IDLE_SECONDS = 20.0
_ANSWER_SECONDS = 180.0
_LONGEST_ANSWER = 1024 * 1024 + 1
_TIMED_OUT = "Sandbox.Timedout"
_log = logging.getLogger("mlops.runner")


def deliver(state: State, name: str, lock: int, idle_seconds: float = IDLE_SECONDS) -> None:
    """Returns when nothing has waited for a while, or the stream is gone. ``lock`` is the stream's, and is let go."""
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", streams.KIND, name)
    if row is None:
        return
    incarnation = resources.body_of(row)["Incarnation"]
    deliverer = Deliverer(streams.kept_in(state, name, incarnation), state.region, ports(state, name))
    now, idle_since = steady(), time.monotonic()
    while True:
        row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", streams.KIND, name)
        body = resources.body_of(row) if row is not None else {}
        if row is None or body["Incarnation"] != incarnation:
            return
        closing = row["status"] == streams.DELETING
        try:
            due = deliverer.turn(streams.settings_of(state, name, body), now, closing=closing)
        except Exception as error:
            traceback.print_exc()
            _put_off(deliverer, error, closing=closing)
            due = LOOK_SECONDS
        if due is not None:
            idle_since = time.monotonic()
        elif closing:
            streams.remove(state, name)
            return
        elif time.monotonic() - idle_since >= idle_seconds:
            # Who puts after this finds nobody, and starts another.
            with deliverer.spool.held():
                if deliverer.idle():
                    os.close(lock)
                    return
        if due is None or due > 0:
            time.sleep(LOOK_SECONDS if due is None else min(due, LOOK_SECONDS))


def _put_off(deliverer: Deliverer, error: Exception, *, closing: bool) -> None:
    """Where not even that can be noted, the log has both reasons."""
    try:
        deliverer.put_off(error, closing=closing)
    except Exception:
        traceback.print_exc()


def ports(state: State, name: str) -> Ports:
    def put(bucket: str, key: str, content: Iterable[bytes]) -> None:
        try:
            written = state.objects.write(content, ("CRC32",))
            kept = {"ContentType": "application/octet-stream", "Checksums": dict(written.checksums)}
            state.objects.publish(bucket, key, written, kept)
        except BucketMissing:
            raise Unwritten(f"S3.NoSuchBucket: The specified bucket {bucket} does not exist") from None
        except (OSError, ConfigurationError) as error:
            raise Unwritten(f"S3.InternalError: {error}") from error

    def invoke(arn: str, event: Mapping[str, Any]) -> Any:
        function = functions.function_of(state, arn)
        if function is None:
            raise InvocationFailed("Lambda.ResourceNotFound", f"The Lambda function was not found: {arn}")
        answer, failed, _ = functions.called(state, function, event)
        if failed:
            kind = answer.get("errorType") or "Error"
            code = "Lambda.FunctionTimedOut" if kind == _TIMED_OUT else "Lambda.FunctionError"
            raise InvocationFailed(code, f"{kind}: {answer.get('errorMessage')}")
        return answer

    def secret(arn: str) -> str | None:
        try:
            told = answer_fitting(state, "secretsmanager", "GetSecretValue", {"SecretId": arn})
            return str(json.loads(told["SecretString"])["api_key"])
        except (Refusal, KeyError, ValueError, TypeError):
            raise Unwritten(f"SecretsManager: {arn} holds no object with an api_key") from None

    def columns(database: str, table: str) -> Sequence[Mapping[str, Any]]:
        try:
            return streams.columns(state, database, table)
        except Refusal as refusal:
            raise Unwritten(f"DataFormatConversion.InvalidSchema: {refusal.message}") from None

    def say(happened: str, detail: Mapping[str, Any]) -> None:
        told = hide(dict(detail))
        _log.warning("stream %s: %s: %s", name, happened, told)
        streams.tell(state, name, happened, told)

    return Ports(put, invoke, post, secret, columns, say)


def post(address: str, headers: Mapping[str, str], body: bytes, answer_seconds: float = _ANSWER_SECONDS) -> Answer:
    """To this machine, by no proxy; no redirection is followed. An answer that is not whole by then is none, however
    many bytes of it have come."""
    parts = urlsplit(address)
    if not streams.is_here(address):
        raise OSError(f"{address} is no address of this machine")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            str(parts.hostname), parts.port, timeout=answer_seconds, context=context
        )
    else:
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=answer_seconds)
    # The timeout of a socket begins anew with each byte.
    late, watch = threading.Event(), threading.Timer(0, bool)
    try:
        connection.connect()
        # Held here: where the answer is to be the last one, the connection lets its socket go before it is read.
        watch = threading.Timer(answer_seconds, _cut_off, (connection.sock, late))
        watch.start()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        told = {key.lower(): value for key, value in answer.getheaders()}
        content = answer.read(_LONGEST_ANSWER)
        if late.is_set():
            raise TimeoutError
        return Answer(answer.status, told, content)
    except (http.client.HTTPException, OSError) as error:
        if late.is_set():  # an end, or a reset: who dripped has heard of it before the reader here
            raise OSError(f"no whole answer in {answer_seconds:g} seconds") from None
        if isinstance(error, OSError):
            raise
        raise OSError(f"{type(error).__name__}: {error}") from error
    except ValueError:
        # Its text holds the header, which may be the key.
        raise OSError("a header of the request, the access key perhaps, has letters that none can have") from None
    finally:
        watch.cancel()
        connection.close()


def _cut_off(connected: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)  # of TLS too: whoever reads is to find an end, no error


def steady() -> Callable[[], int]:
    """Milliseconds since 1970, by a clock that goes on as it began when the machine's is set or sleeps: a day is tried
    for only where it has been tried for a day."""
    ahead = time.time() - time.monotonic()
    return lambda: int((time.monotonic() + ahead) * 1000)
