"""An account is whatever answers the AWS API: AWS itself, another endpoint, or the embedded local account.

Comes in: one environment of ``mlops.toml``. Goes out: boto3 clients. Nothing here decides what to write; callers
wrap what they do in :func:`answers`, so that every refusal becomes one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mlops.account.answers import answers
from mlops.account.delivery import Delivery, Flow
from mlops.account.run_options import RunOptions
from mlops.account.shadow_pairs import NewPairs, ShadowPair
from mlops.ir import ConfigurationError, Event
from mlops.ir.dataclass import dataclass
from mlops.ir.feedback import Loop
from mlops.knowledge.image_need import Need

if TYPE_CHECKING:
    from mlops.account.local.upkeep.cache_reasons import Explanation
    from mlops.account.local.upkeep.pruning import Pruning
    from mlops.account.local.upkeep.repeated_versions import Repeated

__all__ = [
    "Account",
    "Delivery",
    "Environment",
    "EventTable",
    "Here",
    "Identity",
    "Loops",
    "NewPairs",
    "RunOptions",
    "ShadowPair",
    "answers",
    "confirm_account",
    "confirm_identity",
    "connect",
    "identify",
]

LOCAL = "local"


class Environment(Protocol):
    """What is read of an environment. ``state`` is the ``.mlops`` folder; only the local account uses it."""

    @property
    def name(self) -> str: ...
    @property
    def account(self) -> str | None: ...
    @property
    def region(self) -> str: ...
    @property
    def profile(self) -> str | None: ...
    @property
    def assume_role(self) -> str | None: ...
    @property
    def endpoint_url(self) -> str | None: ...
    @property
    def bucket(self) -> str: ...
    @property
    def state(self) -> Path | None: ...


class EventTable(Protocol):
    """What an account keeps of what happened in it."""

    def read(
        self, after: int = 0, *, kinds: Sequence[str] = (), ids: Mapping[str, str] | None = None, limit: int = 1000
    ) -> Sequence[Event]:
        """The first events behind that sequence number, of any of the kinds, with all of the ids."""

    def newest(self) -> int:
        """The sequence number of the last event, 0 where nothing has happened yet."""

    def append(self, *events: Event) -> None:
        """What is done from outside by several calls, such as a promotion."""


class Loops(Protocol):
    """The journal of feedback."""

    def read(self, feedback: str | None = None) -> Sequence[Loop]:
        """In the order of their causes, of one feedback or of all."""

    def begin(self, loop: Loop, ids: Mapping[str, str]) -> bool:
        """Whether it is new; ``ids`` are those of the event that tells of it."""

    def change(self, loop: Loop, state: str, told: Mapping[str, Any], ids: Mapping[str, str]) -> Loop | None:
        """None where somebody else has changed it meanwhile."""

    def alone(self, environment: str) -> AbstractContextManager[bool]:
        """Whether nobody else acts in that environment while it is entered."""

    def switch_on(self, environment: str, command: Sequence[str], folder: Path) -> None:
        """The account starts ``command`` in ``folder`` whenever there is something for it to do."""

    def switch_off(self, environment: str) -> bool:
        """Whether it was on."""

    def is_on(self, environment: str) -> bool: ...


class Here(Protocol):
    """What can be done only with an account whose executions run on this machine."""

    @property
    def loops(self) -> Loops: ...

    def at_once(self) -> AbstractContextManager[object]:
        """What is asked of its clients inside, by this thread, is done as a whole or not at all."""

    def expect_run(self) -> None:
        """An execution is started and watched next: what takes longer to load than that is left out."""

    def start(self, request: Mapping[str, Any], options: RunOptions) -> Mapping[str, Any]:
        """StartPipelineExecution. Raises :class:`mlops.account.answers.Refused`."""

    def parameters(self, executions: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """By id, as ListPipelineParametersForExecution tells those of one; all in one look."""

    def stubbed(self, execution: str) -> Mapping[str, str]:
        """By step of the execution with that id, what stood for it."""

    def holds(self, uri: str) -> bool:
        """Whether an object's URI begins with ``uri``, or one's will when an execution starts: of what is mounted."""

    def has_secret(self, name_or_arn: str) -> bool:
        """Whether its Secrets Manager has one of that name."""

    def has_one(self, kind: str, name: str) -> bool:
        """Whether SageMaker has one of that name; ``kind`` as its Describe operations spell it."""

    def is_built(self, need: Need) -> bool:
        """Whether a virtual environment stands for it."""

    def want_image(self, need: Need) -> None:
        """Noted, for whoever builds what is wanted."""

    def read_code(self, uri: str, name: str) -> bytes | None:
        """The file of that name in the archive at ``uri``, or of the objects below it; None where there is none."""

    def latest_approved(self, group: str) -> Mapping[str, Any] | None:
        """What is told of the newest approved version of a group; None without one. Raises
        :class:`mlops.knowledge.baselines.NoGroup`."""

    def mount(self, uri: str, folder: Path) -> tuple[int, int]:
        """What lies in ``folder`` is below ``uri`` from now on, brought up to date before each execution. How many
        objects were stored, and how many taken away. Raises :class:`mlops.account.answers.Refused`."""

    def unmount(self, uri: str) -> int | None:
        """How many objects went; None where nothing is mounted there."""

    def mounts(self) -> Mapping[str, Path]:
        """Folders by URI."""

    def has_tables(self, database: str) -> bool:
        """Whether its Glue catalog has a database of that name."""

    def declare_datasets(self, places: Mapping[str, Path]) -> None:
        """What stands for the databases of Athena and Redshift from now on, and nothing else does."""

    def explain_cache(self, execution: str, step: str) -> Explanation:
        """Why the step ran, or whose result served, in the execution with that id. Raises UsageError."""

    def repeated_versions(self, execution: str) -> tuple[Repeated, ...]:
        """What the execution with that id registered though it was there already."""

    def open_step(
        self,
        execution: str,
        step: str,
        command: Sequence[str],
        say: Callable[[str], None],
        *,
        debug: bool = False,
    ) -> int:
        """The exit status of ``command``, or of a shell, where the step ran. Raises UsageError and Refusal."""

    def address(self, endpoint: str) -> str | None:
        """Where the endpoint is invoked over plain HTTP; None where it does not answer."""

    def shadow_pairs(self, endpoint: str) -> tuple[Iterator[ShadowPair], int]:
        """What a shadow variant answered beside production, oldest first, and of how many requests that is not known:
        it was too slow, or they found no room."""

    def new_shadow_pairs(self, endpoint: str, since: float, after: object = None) -> NewPairs:
        """Of requests from ``since`` on, in seconds since 1970, what came after an earlier question."""

    def delivery(self, stream: str) -> Delivery | None:
        """How far the delivery of a stream is; None where there is none of that name."""

    def flow(self, stream: str) -> Flow | None:
        """Of what was put into it last; None where nothing is left of that."""

    def plan_pruning(self, keep: int, older_than: timedelta | None = None) -> Pruning:
        """What would be forgotten."""

    def prune(self, planned: Pruning) -> Pruning:
        """What was."""


class Account(Protocol):
    @property
    def region(self) -> str: ...

    @property
    def events(self) -> EventTable | None:
        """None where the account keeps none, and is asked again and again instead."""

    @property
    def here(self) -> Here | None:
        """None where executions run elsewhere."""

    def client(self, service: str) -> Any:
        """A boto3 client, made once per service; clients may be shared between threads."""

    def credentials(self) -> Any:
        """botocore's, by which requests are signed that no client of AWS makes; None where there are none."""

    def rest(self, execution: str, seconds: float) -> None:
        """Between two looks at an execution, by its ARN. Ends early where the account knows that it has ended."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An account number, and the ARN of who calls."""

    account: str
    arn: str


def connect(environment: Environment, user: str | None = None) -> Account:
    """Makes no call yet; credentials are looked for when a client is first asked for. boto3 costs 0.4 s and loads
    here, not with the package. Raises :class:`mlops.ir.AccountError` and :class:`mlops.ir.ConfigurationError`."""
    if environment.name == LOCAL or environment.state is not None:
        from mlops.account.local import LocalAccount

        if environment.state is None:
            raise ConfigurationError("the local environment has no folder for its state")
        account = LocalAccount(environment.state, environment.region, user)
        account.ensure_bucket(environment.bucket)
        return account
    from mlops.account.aws import AwsAccount

    return AwsAccount(
        environment.region,
        profile=environment.profile,
        assume_role=environment.assume_role,
        endpoint_url=environment.endpoint_url,
    )


def identify(account: Account) -> str:
    """The account number behind the credentials."""
    return _caller(account).account


def confirm_account(account: Account, environment: Environment) -> str:
    """To be called before the first write: the credentials must belong to the account that ``mlops.toml`` names.
    Returns the account number."""
    return confirm_identity(account, environment).account


def confirm_identity(account: Account, environment: Environment) -> Identity:
    """The same, and who is behind the credentials."""
    found = _caller(account)
    if environment.account is not None and found.account != environment.account:
        raise ConfigurationError(
            f"environment {environment.name!r} is account {environment.account}, but the credentials belong to "
            f"account {found.account}; nothing was written",
            hint="use the credentials or the profile of the right account, or correct `account` in mlops.toml",
        )
    return found


def _caller(account: Account) -> Identity:
    with answers():
        reply = account.client("sts").get_caller_identity()
    return Identity(str(reply["Account"]), str(reply["Arn"]))
