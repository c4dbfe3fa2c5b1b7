"""What is changed of this process before the user's file runs in it: each change a function that says why.

The process ends with what it composed, so nothing is changed back.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import itertools
import logging
import os
import socket
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NoReturn, Self

from mlops.compose.answers import Answers
from mlops.compose.content_stamps import STAMP

_NAMES_ITS_BUCKET = "generate_default_sagemaker_bucket_name"


def isolate(region: str, answers: Answers, *, nowhere: Path) -> None:
    """No credentials, no network, no clock in names; the SDK's chatter is kept down. ``nowhere`` is a file that is not
    there, in place of AWS's own."""
    without_credentials(region, nowhere)
    answered(answers)
    default_bucket_of_the_environment(answers.order.facts["bucket"])
    without_network()
    without_chatter()
    archives_without_time()
    stamps_and_dates_counted(answers.order.file)
    time_counted()


def without_credentials(region: str, nowhere: Path) -> None:
    """A key that the file could find would be one that it could use, or write into a definition."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[variable]
    os.environ |= {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": "composing",
        "AWS_SECRET_ACCESS_KEY": "composing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(nowhere),
        "AWS_SHARED_CREDENTIALS_FILE": str(nowhere),
    }


def answered(answers: Answers) -> None:
    """Every call of every client ends here, whatever the service."""
    from botocore.client import BaseClient

    def make_api_call(client: Any, operation_name: str, api_params: Mapping[str, Any]) -> dict[str, Any]:
        return answers.answer(client, operation_name, api_params)

    BaseClient._make_api_call = make_api_call


def default_bucket_of_the_environment(bucket: str) -> None:
    """A session without one takes, and makes, a bucket ``sagemaker-<region>-<account>``. Nothing is made here that
    nobody asked for, and the roles that deploy may write to the environment's bucket alone."""
    for name in ("sagemaker.session", "sagemaker.core.helper.session_helper"):
        with contextlib.suppress(ImportError):
            session: Any = importlib.import_module(name).Session
            setattr(session, _NAMES_ITS_BUCKET, lambda self, boto_session: bucket)


def without_network() -> None:
    """What asks past botocore, telemetry for one, is refused at once instead of waited for."""
    socket.socket.connect = _refuse_connection  # type: ignore[method-assign]
    socket.getaddrinfo = _refuse_connection


def _refuse_connection(*arguments: object, **_: object) -> NoReturn:
    raise ConnectionRefusedError("nothing is connected to while a pipeline is composed")


def without_chatter() -> None:
    """The SDK's warnings are not the file's."""
    warnings.simplefilter("ignore")
    os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
    logging.disable(logging.ERROR)


def archives_without_time() -> None:
    """An archive holds the time when it was made, and would be another one each time."""
    original = gzip.GzipFile.__init__

    def timeless(self: gzip.GzipFile, *arguments: Any, **more: Any) -> None:
        if len(arguments) < 5:
            more["mtime"] = more.get("mtime") or 0
        original(self, *arguments, **more)

    gzip.GzipFile.__init__ = timeless  # type: ignore[method-assign]


def stamps_and_dates_counted(file: Path) -> None:
    """The SDK names jobs and uploads by the time."""
    count = iter(range(1, 1_000_000))
    for name in ("sagemaker.utils", "sagemaker.core.common_utils"):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            for function in ("sagemaker_timestamp", "sagemaker_short_timestamp"):
                if hasattr(module, function):
                    setattr(module, function, lambda: STAMP.format(next(count)))

    class Counted(datetime):
        """Its present is a second later each time that it is asked."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2000, 1, 1, tzinfo=tz) + timedelta(seconds=next(count))

    # Only where the file imports them anyway: they are slow.
    for name in ("sagemaker.train.utils", "sagemaker.core.modules.utils"):
        if name.rpartition(".")[0].encode() in file.read_bytes():
            with contextlib.suppress(ImportError):
                importlib.import_module(name).datetime = Counted  # type: ignore[attr-defined]


def no_bytecode_below(root: Path) -> None:
    """Composing leaves nothing in the project. The SDK's own bytecode may be kept: compiling it takes longer than all
    that follows, and an environment that was made without has none."""
    keep = SourceFileLoader.set_data

    def set_data(loader: SourceFileLoader, path: str, data: Any, **mode: Any) -> None:
        if Path(path).is_relative_to(sys.prefix) or not Path(path).is_relative_to(root):
            keep(loader, path, data, **mode)

    SourceFileLoader.set_data = set_data  # type: ignore[method-assign, assignment]


def time_counted() -> None:
    """Seconds since 1970 are counted too, but only for the SDK's own modules, each for itself: the author's file and
    botocore keep the clock."""
    original = time.time
    first = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
    counts: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(first))

    def present() -> float:
        caller = str(sys._getframe(1).f_globals.get("__name__"))
        return float(next(counts[caller])) if caller.startswith("sagemaker.") else original()

    time.time = present
