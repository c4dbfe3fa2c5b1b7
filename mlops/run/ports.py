"""What a run needs from its account. The local account hands these in; neither knows the other's insides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mlops.ir.dataclass import dataclass
from mlops.ir.stub import Stub
from mlops.knowledge.image_need import Need


class ObjectMissing(Exception):
    """No object has that URI, or none starts with it."""


class Documents(Protocol):
    """S3 as far as values are read from it. URIs are ``s3://bucket/key``."""

    def read(self, uri: str) -> bytes:
        """Raises ObjectMissing."""


class Objects(Documents, Protocol):
    """S3 as far as a step needs it."""

    def keys(self, uri: str) -> tuple[str, ...]:
        """URIs of all objects whose key starts with that of ``uri`` (S3Prefix semantics), sorted; may be empty."""

    def fetch(self, uri: str, target: Path) -> None:
        """Copy one object to a new file. Raises ObjectMissing."""

    def put(self, content: Iterable[bytes], uri: str) -> None:
        """Store an object, whole or not at all."""

    def delete(self, uri: str) -> None:
        """An object that is not there is as good as deleted."""


@dataclass(frozen=True, slots=True)
class Child:
    """A job that the job ``parent`` started. ``log`` holds what it printed, ``told`` is what its parent's list tells of
    it."""

    parent: str
    log: Path
    told: Mapping[str, Any]


class Registry(Protocol):
    """SageMaker's resources as far as a step makes or reads them."""

    def create(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do e.g. CreateModel or UpdateEndpoint (a CamelCase operation name); the reply is what the matching Describe
        operation answers, where there is one. Raises :class:`RequestRefused`."""

    def identical(self, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What is told of the version that this CreateModelPackage would register once more; None without one."""

    def latest_approved(self, group: str) -> Mapping[str, Any] | None:
        """What is told of the newest approved version of a model package group, by its name or ARN; None without one.
        Raises :class:`RequestRefused`."""

    def describe(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """A Describe or List operation, e.g. ``DescribeModel``. Raises :class:`RequestRefused`."""

    def record_job(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        """Keep what the Describe operation of a job is to answer (``kind`` is a ``JobKind.name``, e.g. TrainingJob).
        Called again whenever the description changes. It is kept with the journal's next call at the latest."""

    def record_child(self, kind: str, name: str, child: Child) -> None:
        """The same of a job that no step stands for; called again whenever ``child.told`` changes."""


class RequestRefused(Exception):
    """The account said no; the text is the service's message. ``fault`` is the exception type of retry policies where
    asking again may help, e.g. Step.THROTTLING."""

    def __init__(self, message: str, fault: str | None = None) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Function:
    """A function of Lambda's whose code lies in ``folder``. ``timeout`` is in seconds, ``memory`` in MB."""

    arn: str
    folder: Path
    handler: str
    timeout: float
    memory: int
    environment: Mapping[str, str] = field(default_factory=dict)


class Functions(Protocol):
    """Those of the account."""

    def find(self, name_or_arn: str) -> Function | None:
        """By its name, or by the ARN that it has in any account: a definition may have been written for another."""


class Callbacks(Protocol):
    """What Callback steps ask, and what somebody else answers."""

    def ask(self, queue: str, arguments: Mapping[str, Any]) -> str:
        """The token by which it is answered; the message lies in ``queue`` then. Raises :class:`RequestRefused`."""

    def answer(self, token: str) -> Mapping[str, Any] | None:
        """``{"Outputs": {name: text}}`` or ``{"Failure": reason}``; None while nobody has answered."""

    def stopping(self, token: str) -> None:
        """Tell whoever is to answer that the execution is being stopped."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python of a virtual environment that stands for an image. ``packages`` is a hash of their exact versions,
    ``places`` are the folders that it needs to see, ``installed`` is what it has as pip freezes it."""

    executable: Path
    version: str
    packages: str
    places: tuple[str, ...]
    installed: tuple[str, ...] = ()


class Images(Protocol):
    """What stands for images on this machine, beside the Python that runs mlops."""

    def find(self, need: Need) -> Interpreter | None:
        """None where it is not built."""

    def want(self, need: Need) -> None:
        """Noted, for whoever builds what is wanted."""

    def standing_for(self, image: str) -> str:
        """A hash of all that is built for an image, whatever else is in it; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a step's result depends on. ``shown`` is the value for people, None where it is not to be shown.
    Where the value is an S3 URI, ``uri`` is that, and ``files`` has the hashes of what lies there by relative path,
    empty where they are too many to keep."""

    digest: str
    shown: str | None = None
    uri: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What decides whether another execution may use this step's result. ``key`` is over all ``parts``, None where the
    step cannot be cached. ``outputs`` has, once the step succeeded, the hash of what it wrote by S3 URI. ``note`` says
    why an earlier result did not serve, where that is not simply another key. ``stub`` is what stood for the step."""

    key: str | None
    parts: Mapping[str, Part] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    stub: str | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """The state of one attempt of one step, as ListPipelineExecutionSteps tells it.

    ``status`` is Starting, Executing, Stopping, Stopped, Failed or Succeeded. ``metadata`` is the operation's Metadata
    structure. ``response`` is what ``Steps.<name>.<path>`` reads (JSON-able; the Describe reply), ``log`` the file that
    holds what the step printed."""

    name: str
    type: str
    status: str
    attempt: int = 1
    started: datetime | None = None
    ended: datetime | None = None
    failure: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    log: Path | None = None
    cache_source: str | None = None
    cache: CacheEntry | None = None


@dataclass(frozen=True, slots=True)
class Success:
    """A step that ran to its good end in another execution, or earlier in this one."""

    execution_arn: str
    record: StepRecord


class Cache(Protocol):
    """Earlier results of the same pipeline."""

    def content(self, uri: str) -> Mapping[str, str]:
        """By URI the hash of the content of each object whose key starts with that of ``uri``."""

    def successes(self, step: str, key: str) -> Iterable[Success]:
        """Those of the step of that name with that key which really ran, newest first."""


class Journal(Protocol):
    """Where a run writes what happened, each call one transaction."""

    def steps(self, records: Sequence[StepRecord]) -> None:
        """In the order in which it happened."""

    def execution(self, status: str, failure: str | None = None) -> None:
        """``status`` is Executing, Stopping, Stopped, Failed or Succeeded."""

    def stop_requested(self) -> bool:
        """Somebody called StopPipelineExecution."""

    def jobs_to_stop(self) -> frozenset[str]:
        """Names of its jobs of which somebody called the Stop operation."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of one pipeline. ``parameters`` are complete (defaults filled in) and have their declared types.

    ``folder`` is this execution's own folder; each step attempt gets ``folder/<step>/<attempt>``.
    ``finished`` holds the records of steps that succeeded before (a retry continues behind them).
    Without ``use_cache`` every step runs; what it depends on is still noted.
    ``interruptions`` are by steps of managed spot training: each loses its instances once, for that many seconds.
    ``memory_limit`` is in bytes, for each host of each step, in place of what its instance type has.
    ``stubs`` are by steps that are not to run."""

    pipeline_name: str
    pipeline_arn: str
    execution_id: str
    execution_arn: str
    started: datetime
    region: str
    account: str
    parameters: Mapping[str, str | int | float | bool]
    folder: Path
    max_parallel: int | None = None
    finished: Mapping[str, StepRecord] = field(default_factory=dict)
    use_cache: bool = True
    interruptions: Mapping[str, float] = field(default_factory=dict)
    memory_limit: int | None = None
    stubs: Mapping[str, Stub] = field(default_factory=dict)
    job_names: Mapping[str, str] = field(default_factory=dict)
    """By step, where somebody has named the job already."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Without a ``cache`` nothing is looked up or noted, without ``functions`` there are none, and
    without ``callbacks`` nobody can be asked, without ``images`` there is this Python alone. ``secret`` gives the value
    of one by its name or ARN, ``dataset`` what stands for a database of Athena or Redshift."""

    objects: Objects
    registry: Registry
    journal: Journal
    cache: Cache | None = None
    functions: Functions | None = None
    callbacks: Callbacks | None = None
    secret: Callable[[str], str | None] | None = None
    dataset: Callable[[str, Path], Path | None] | None = None
    images: Images | None = None
