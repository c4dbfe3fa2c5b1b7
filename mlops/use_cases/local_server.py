"""The local account for any client: a server on this machine, the variables that lead a client to it, and a command
that is run with them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from mlops.account.wire import routing
from mlops.account.wire.answers import Answers, Told
from mlops.account.wire.aws_names import suffixes
from mlops.account.wire.client_variables import Proxied, Variables, variables
from mlops.account.wire.registration import Registered, living, registered
from mlops.account.wire.server import Server
from mlops.ir import Listener, UsageError
from mlops.project.environments import LOCAL, Environment
from mlops.run.account_in_steps import VARIABLE, told
from mlops.run.sandbox import need_asked
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.local_datasets import placed as place_datasets
from mlops.use_cases.news import Said

PORT = 4577
"""Where the server listens if nothing else is asked and nobody else is there."""
_UNKNOWN = ("UnknownOperationException", "InvalidAction")
_NOT_FOUND, _NOT_STARTED = 127, 126
_BY_SIGNAL = 128


@contextmanager
def serving(
    port: int | None, listener: Listener, *, user: str | None = None, every: bool = False
) -> Iterator[Registered]:
    """Answers until it is left. Told are requests that nobody answers and mistakes of ours, with ``every`` all: their
    operations, never what they hold."""
    environment, state = _local(user)
    answers = Answers(state, environment.region, user, _telling(listener, every=every))
    with _answering(answers, environment, state, port) as found:
        yield found


@contextmanager
def _answering(answers: Answers, environment: Environment, state: Path, port: int | None) -> Iterator[Registered]:
    need_asked()  # what clients start could tell it in a log alone
    server = _server(answers, port)
    found = Registered(server.url, environment.region, os.getpid())
    server.start()
    threading.Thread(target=routing.load, name="models", daemon=True).start()
    try:
        with registered(state, found), _told_to_steps(environment, server.url):
            yield found
    finally:
        server.stop()


@contextmanager
def answering_steps(environment: Environment) -> Iterator[None]:
    """As long as it is entered, steps of executions that are started are answered, where the environment lets them."""
    if not environment.account_in_steps or environment.state is None:
        yield
        return
    server = Server(Answers(environment.state, environment.region, None, lambda told: None), 0)
    server.start()
    try:
        with _told_to_steps(environment, server.url):
            yield
    finally:
        server.stop()


@contextmanager
def _told_to_steps(environment: Environment, url: str) -> Iterator[None]:
    """Processes that are started meanwhile, of executions and jobs, give it to their steps."""
    before = os.environ.get(VARIABLE)
    if environment.account_in_steps:
        os.environ[VARIABLE] = told(variables(url, environment.region, {}).set)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before


@contextmanager
def _proxying(answers: Answers, listener: Listener) -> Iterator[Proxied]:
    """Leads who asks for AWS's names to ``answers``, until it is left: then its authority is gone too."""
    from mlops.account.wire.proxy.gate import Gate, Turned  # certificates are slow to load, and seldom wanted
    from mlops.account.wire.proxy.issuers import Terms, issuer
    from mlops.account.wire.proxy.tunnel import Tunnel

    def tell(turned: Turned) -> None:
        listener(Said(text=f"{turned.name} was not led to: {turned.why}"))

    authority = issuer(Terms.at(datetime.now(UTC), suffixes()))
    gate = Gate(authority, tell)
    server = Server(answers, meet=lambda taken, limits: Tunnel(taken, limits, gate))
    with TemporaryDirectory(prefix="mlops-proxy-") as folder:
        bundle = Path(folder) / "authority.pem"
        bundle.write_bytes(authority.authority)
        server.start()
        try:
            yield Proxied(gate.url(server.port), str(bundle))
        finally:
            server.stop()


def _telling(listener: Listener, *, every: bool) -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        if every or told.mistake is not None or told.code in _UNKNOWN:
            listener(Said(text=_line(told)))

    return tell


def client_variables(port: int | None) -> Variables:
    """For the server on ``port``; without, the newest one of this project. Raises UsageError where there is none."""
    environment, state = _local(None)
    if port is not None:
        return variables(f"http://127.0.0.1:{port}", environment.region, os.environ)
    running = living(state)
    if not running:
        raise UsageError(
            "no server of this project runs",
            hint="start `mlops local serve`, name its --port, or use `mlops local exec -- COMMAND`",
        )
    return variables(running[0].url, running[0].region, os.environ)


def run_with_server(
    command: Sequence[str], listener: Listener, *, user: str | None = None, every: bool = False, proxy: bool = False
) -> int:
    """The command's exit code. It is started with the variables of a server of its own, which ends with it; with
    ``proxy``, AWS's own names lead to that too."""
    if not command:
        raise UsageError("no command is given", hint="write it behind --: `mlops local exec -- aws s3 ls`")
    environment, state = _local(user)
    answers = Answers(state, environment.region, user, _telling(listener, every=every))
    with ExitStack() as opened:
        found = opened.enter_context(_answering(answers, environment, state, 0))
        proxied = opened.enter_context(_proxying(answers, listener)) if proxy else None
        given = variables(found.url, found.region, os.environ, proxied).of(os.environ)
        with _passed_on() as told:
            try:
                process = subprocess.Popen([*command], env=given)
            except FileNotFoundError:
                listener(Said(text=f"there is no command {command[0]}"))
                return _NOT_FOUND
            except OSError as error:
                listener(Said(text=f"{command[0]} cannot be started: {error.strerror}"))
                return _NOT_STARTED
            told.to(process)
            code = _waited(process)
    return code if code >= 0 else _BY_SIGNAL - code


def _local(user: str | None) -> tuple[Environment, Path]:
    connected = connect_here(LOCAL, user=user)
    environment = connected.environment
    if environment.approval:
        raise UsageError(
            f"the environment {environment.name} wants an approval, for which no client would ask",
            hint=f"take `approval` from [env.{environment.name}] of mlops.toml",
        )
    if environment.state is None:
        raise UsageError(f"the environment {environment.name} is not on this machine")
    place_datasets(connected)
    return environment, environment.state


def _server(answers: Answers, port: int | None) -> Server:
    if port is not None:
        return Server(answers, port)
    try:
        return Server(answers, PORT)
    except UsageError:
        return Server(answers)


def _line(told: Told) -> str:
    what = f"{told.status} {told.service} {told.operation} {1000 * told.seconds:.1f} ms"
    if told.mistake is not None:
        return f"{what}: a mistake in mlops itself: {told.mistake!r}"
    return what if told.code is None else f"{what}: {told.code}"


def _waited(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal has told the command too, and what it makes of it is its own


class _Signals:
    """What somebody sends us goes to the command, also what came before that was started."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def take(self, number: int, frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


@contextmanager
def _passed_on() -> Iterator[_Signals]:
    """Whoever ends us means the command."""
    told = _Signals()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = {number: signal.signal(number, told.take) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
