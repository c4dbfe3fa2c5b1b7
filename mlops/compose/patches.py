"""What is changed of this process before the user's file runs in it: each change a function that says why.

The process ends with what it composed, so nothing is changed back.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import itertools
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NoReturn, Self

from mlops.compose.answers import Answers, Asked
from mlops.compose.author_frames import author_line
from mlops.compose.content_stamps import STAMP
from mlops.compose.notebook_magics import leave_out, left_out, without_ipython
from mlops.compose.stand_ins import write_stand_in
from mlops.declare.pipeline import Pipeline

_NAMES_ITS_BUCKET = "generate_default_sagemaker_bucket_name"


def isolate(answers: Answers) -> None:
    """No network, no clock in names; the SDK's chatter is kept down. Keys are not here: it was started without."""
    first = iter(range(1, 1_000_000))
    bucket = answers.order.facts["bucket"]
    after_import(
        {
            "botocore.client": lambda module: answered(module, answers),
            "botocore.session": any_profile,
            "sagemaker.workflow.pipeline": lambda module: beginnings_noted(module, answers),
            "sagemaker.mlops.workflow.pipeline": lambda module: beginnings_noted(module, answers),
            "urllib.request": lambda module: retrieved(module, answers),
            "sagemaker.session": lambda module: default_bucket_of_the_environment(module, bucket),
            "sagemaker.core.helper.session_helper": lambda module: default_bucket_of_the_environment(module, bucket),
            "sagemaker.utils": lambda module: stamps_counted(module, first),
            "sagemaker.core.common_utils": lambda module: stamps_counted(module, first),
            "sagemaker.train.utils": lambda module: dates_counted(module, first),
            "sagemaker.core.modules.utils": lambda module: dates_counted(module, first),
        }
    )
    without_network()
    without_chatter()
    archives_without_time()
    time_counted()
    installing_left_out(answers)
    own_runs_noted(answers)
    without_ipython()


def after_import(changes: Mapping[str, Callable[[Any], None]]) -> None:
    """Changes modules as soon as somebody has imported them: the SDK takes seconds, and not every file wants it."""

    class Changing:
        def __init__(self) -> None:
            self._looking: set[str] = set()

        def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
            if name not in changes or name in self._looking:
                return None
            self._looking.add(name)
            try:
                spec = importlib.util.find_spec(name)
            finally:
                self._looking.discard(name)
            if spec is None or spec.loader is None:
                return None
            load = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                load(module)
                changes[name](module)

            setattr(spec.loader, "exec_module", exec_module)  # noqa: B010 - mypy knows no such change
            return spec

    sys.meta_path.insert(0, Changing())


def answered(module: Any, answers: Answers) -> None:
    """Every call of every client ends here, whatever the service."""

    def make_api_call(client: Any, operation_name: str, api_params: Mapping[str, Any]) -> dict[str, Any]:
        return answers.answer(client, operation_name, api_params)

    module.BaseClient._make_api_call = make_api_call


def default_bucket_of_the_environment(module: Any, bucket: str) -> None:
    """A session without one takes, and makes, a bucket ``sagemaker-<region>-<account>``. Nothing is made here that
    nobody asked for, and the roles that deploy may write to the environment's bucket alone."""
    if hasattr(module, _NAMES_ITS_BUCKET):  # SDK 2
        setattr(module, _NAMES_ITS_BUCKET, lambda boto_session: bucket)
    else:
        setattr(module.Session, _NAMES_ITS_BUCKET, lambda self, boto_session: bucket)


def any_profile(module: Any) -> None:
    """A file may name a profile of its author's, which is not here; the account that it means is the environment's."""
    read = module.Session.get_scoped_config

    def scoped(session: Any) -> Any:
        try:
            return read(session)
        except module.ProfileNotFound:
            return {}

    module.Session.get_scoped_config = scoped


def beginnings_noted(module: Any, answers: Answers) -> None:
    """From there on the pipeline stands; what is wrong with its definition is seen when that is asked for."""

    def noted(original: Callable[..., Any]) -> Callable[..., Any]:
        def begin(*arguments: Any, **more: Any) -> Any:
            answers.begun = True
            return original(*arguments, **more)

        return begin

    for name in ("create", "upsert", "update", "start"):
        if hasattr(module.Pipeline, name):
            setattr(module.Pipeline, name, noted(getattr(module.Pipeline, name)))


def own_runs_noted(answers: Answers) -> None:
    """A notebook with a pipeline of ours may run it, too."""

    def run(pipeline: Pipeline, *_: object, **more: object) -> None:
        answers.changes.append(Asked("mlops", "run", pipeline.name, author_line(answers.order)))
        answers.begun = True

    setattr(Pipeline, "run", run)  # noqa: B010 - mypy knows no such change


def retrieved(module: Any, answers: Answers) -> None:
    """A file that is fetched from elsewhere is told, and something stands in its place."""

    def urlretrieve(url: str, filename: Any = None, *_: object, **more: object) -> tuple[str, dict[str, str]]:
        file = Path(filename or tempfile.mkstemp()[1])
        answers.changes.append(Asked("https", "GET", url, author_line(answers.order)))
        write_stand_in(file, url)
        return str(file), {}

    module.urlretrieve = urlretrieve


def without_network() -> None:
    """What asks past botocore, telemetry for one, is refused at once instead of waited for."""
    socket.socket.connect = _refuse_connection  # type: ignore[method-assign]
    socket.getaddrinfo = _refuse_connection


def _refuse_connection(*arguments: object, **_: object) -> NoReturn:
    raise ConnectionRefusedError("nothing is connected to while a pipeline is composed")


def installing_left_out(answers: Answers) -> None:
    """A driver may install what it needs first. Here it has to be there already, and what would fetch it has no
    network: it is told, and has gone well."""
    original, system = subprocess.Popen.__init__, os.system

    def told(command: Any) -> bool:
        text = command if isinstance(command, str) else " ".join(map(os.fsdecode, command))
        if not left_out(text):
            return False
        leave_out(text, answers)
        return True

    def begin(self: Any, args: Any, *rest: Any, **more: Any) -> None:
        if not isinstance(args, str | list | tuple) or not told(args):
            original(self, args, *rest, **more)
            return
        is_text = bool(more.get("text") or more.get("universal_newlines") or more.get("encoding"))
        self.args, self.pid, self.returncode, self.stdin = args, 0, 0, None
        self._child_created = self._communication_started = False
        printed = []
        for stream in ("stdout", "stderr"):
            wanted = more.get(stream) == subprocess.PIPE
            setattr(self, stream, (io.StringIO() if is_text else io.BytesIO()) if wanted else None)
            printed.append(("" if is_text else b"") if wanted else None)
        self.communicate = lambda input=None, timeout=None: tuple(printed)

    subprocess.Popen.__init__ = begin  # type: ignore[method-assign]
    os.system = lambda command: 0 if told(command) else system(command)


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


def stamps_counted(module: Any, count: Iterator[int]) -> None:
    """The SDK names jobs and uploads by the time."""
    for function in ("sagemaker_timestamp", "sagemaker_short_timestamp"):
        if hasattr(module, function):
            setattr(module, function, lambda: STAMP.format(next(count)))


def dates_counted(module: Any, count: Iterator[int]) -> None:
    """And by its own reading of the clock."""

    class Counted(datetime):
        """Its present is a second later each time that it is asked."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2000, 1, 1, tzinfo=tz) + timedelta(seconds=next(count))

    module.datetime = Counted


def bytecode_noted() -> set[str]:
    """The process may write none. Whoever started it does, for the modules that are listed here, in the end."""
    sources: set[str] = set()

    def set_data(loader: SourceFileLoader, path: str, data: Any, **mode: Any) -> None:
        sources.add(loader.path)

    SourceFileLoader.set_data = set_data  # type: ignore[method-assign, assignment]
    return sources


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
