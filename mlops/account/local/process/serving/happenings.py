"""What happens to an endpoint, what it is then, and what is to be done: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, NamedTuple, TypeAlias

from mlops.account.local.services.sagemaker.deployments import Policy
from mlops.ir.dataclass import dataclass

COMPONENT = "component/"
"""Before the name of an inference component where a variant's stands: no variant is called so."""


def component_key(name: str) -> str:
    return f"{COMPONENT}{name}"


def component_of(variant: str) -> str:
    """The inference component's name; empty for a variant of the configuration.

    >>> component_of("component/churn"), component_of("blue")
    ('churn', '')
    """
    return variant.removeprefix(COMPONENT) if variant.startswith(COMPONENT) else ""


# ---- what there is


class ServerId(NamedTuple):
    """``fleet`` counts the configurations that this process took up; ``number`` the servers of a variant from 0."""

    fleet: int
    variant: str
    number: int

    def __str__(self) -> str:
        return f"{self.fleet}/{self.variant}/{self.number}"


Phase: TypeAlias = Literal["launching", "starting", "ready", "down", "draining", "stopping"]


@dataclass(frozen=True, slots=True)
class Server:
    """``attempt`` counts its processes: what is told of an earlier one is old news. ``due`` is when its phase has
    lasted too long. ``failed`` tells why the one before died before it was ready, ``killed_for`` why this one
    is killed."""

    id: ServerId
    phase: Phase
    attempt: int
    launched: float
    due: float | None = None
    failed: str | None = None
    killed_for: str | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """As the configuration wants it. ``workers`` are processes per instance; ``most`` is the MaxConcurrency of a
    serverless one. One that ``hosts`` inference components has no servers of its own; such a component ``may_be_none``:
    it may have been scaled to no copies."""

    name: str
    weight: float
    count: int
    workers: int = 1
    startup_seconds: float = 240.0
    shadow: bool = False
    most: int | None = None
    models: bool = False
    hosts: bool = False
    may_be_none: bool = False


@dataclass(frozen=True, slots=True)
class Fleet:
    """The servers of one configuration. ``variants`` is empty until the configuration was read."""

    number: int
    config: str
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """Seconds and counts of this machine. ``servers`` is the most of one variant; alarms are asked each
    ``look_seconds``."""

    drain_seconds: float = 60.0
    stop_seconds: float = 30.0
    revival_seconds: float = 5.0
    look_seconds: float = 1.0
    servers: int = 4


@dataclass(frozen=True, slots=True)
class Rollout:
    """``fleet`` gets the traffic in steps, counted from 0. While one of them is ``creating`` its instances come up;
    then it is ``baking`` to ``until``, and alarms are asked at ``look``, None while an answer is awaited. ``back`` is
    the way back, for ``reason``; one that failed too is ``stuck``: both fleets serve. ``active`` are the instances of
    the new fleet that have traffic, ``kept`` those of the old one that are there, by variant. ``limit`` is when it has
    lasted too long."""

    fleet: Fleet
    policy: Policy
    limit: float | None
    active: Mapping[str, int]
    kept: Mapping[str, int]
    step: int = 0
    phase: Literal["creating", "baking", "back", "stuck"] = "creating"
    until: float = 0.0
    look: float | None = None
    reason: str = ""

    @property
    def due(self) -> float | None:
        """When time alone takes it further."""
        dues = [self.limit] if self.phase in ("creating", "baking") else []
        if self.phase == "baking":
            dues.append(self.look if self.policy.alarms else self.until)
        return min((due for due in dues if due is not None), default=None)


@dataclass(frozen=True, slots=True)
class State:
    """``serving`` has the traffic, ``coming`` shall get it, in steps where there is a ``rollout``. ``weights`` and
    ``counts`` are of ``serving``.
    ``answers_update`` holds while new weights or counts wait to be told as in service, ``failure`` is told when
    the last server is gone, ``heard`` is when that was asked which was taken up last."""

    serving: Fleet | None = None
    coming: Fleet | None = None
    servers: Mapping[ServerId, Server] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    fleets: int = 0
    answers_update: bool = False
    heard: str | None = None
    closing: bool = False
    failure: str | None = None
    rollout: Rollout | None = None


# ---- what happens


@dataclass(frozen=True, slots=True)
class Asked:
    """What the store's row of the endpoint says. ``config`` is the one to be taken up, ``at`` when it was asked: what
    was read before our own answer was written is no second question."""

    status: str
    config: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    at: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """The configuration of a fleet. ``weights`` and ``counts`` are what is retained of the one before; ``policy`` says
    how the traffic goes over."""

    fleet: int
    variants: tuple[Variant, ...]
    weights: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Unreadable:
    fleet: int
    reason: str


@dataclass(frozen=True, slots=True)
class Launched:
    server: ServerId
    attempt: int


@dataclass(frozen=True, slots=True)
class Ready:
    """It answers its health check."""

    server: ServerId
    attempt: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Its processes are gone, or could not be started."""

    server: ServerId
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """It runs and takes no connection."""

    server: ServerId


@dataclass(frozen=True, slots=True)
class Drained:
    """It has answered its last request."""

    server: ServerId


@dataclass(frozen=True, slots=True)
class AlarmsTold:
    """What the alarms say that were asked ``at`` a time; ``red`` is why it has to go back."""

    at: float
    red: str | None


@dataclass(frozen=True, slots=True)
class Tick:
    """Something may be due."""


Happening: TypeAlias = Asked | Read | Unreadable | Launched | Ready | Ended | Unreachable | Drained | AlarmsTold | Tick

# ---- what is to be done


@dataclass(frozen=True, slots=True)
class ReadConfig:
    fleet: int
    config: str


@dataclass(frozen=True, slots=True)
class Launch:
    server: ServerId
    attempt: int


@dataclass(frozen=True, slots=True)
class Stop:
    """SIGTERM."""

    server: ServerId


@dataclass(frozen=True, slots=True)
class Kill:
    server: ServerId


@dataclass(frozen=True, slots=True)
class Drain:
    """Tell when its last request is answered."""

    server: ServerId


@dataclass(frozen=True, slots=True)
class Discard:
    """Its files are needed no more."""

    server: ServerId


@dataclass(frozen=True, slots=True)
class Routed:
    """``down`` tells why none of a variant's servers comes, ``most`` how many requests it takes at a time. ``config``
    is that of the other fleet, where two have a variant of this name, each a ``share`` of its traffic. ``none``: it has
    no server that ever answered."""

    name: str
    servers: tuple[ServerId, ...]
    weight: float
    down: str | None
    shadow: bool
    most: int | None
    config: str = ""
    share: float = 1.0
    models: bool = False
    hosts: bool = False
    none: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    config: str
    variants: tuple[Routed, ...]


@dataclass(frozen=True, slots=True)
class Close:
    """No request is taken any more."""


@dataclass(frozen=True, slots=True)
class WriteServing:
    """Everything went over to ``fleet``."""

    fleet: Fleet
    weights: Mapping[str, float]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WriteUpdated:
    """The weights and counts that were asked for hold."""

    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class WriteKept:
    """``wanted`` could not be taken up; the former one serves."""

    wanted: str
    reason: str


@dataclass(frozen=True, slots=True)
class WriteMixed:
    """``wanted`` was to be taken back, and that failed too: both serve."""

    wanted: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one variant in a deployment, in the service's words. ``instances`` are there of the new fleet, ``left`` of the
    old one; ``share`` is the new one's of the variant's traffic."""

    variant: str
    status: Literal["Creating", "Updating", "Deleting", "ActivatingTraffic", "Baking"]
    message: str
    instances: int
    left: int
    share: float


@dataclass(frozen=True, slots=True)
class WriteProgress:
    """How far a deployment is; ``back`` is why it goes back."""

    variants: tuple[Progress, ...]
    back: str | None = None


@dataclass(frozen=True, slots=True)
class AskAlarms:
    """Tell what they say, with ``at``."""

    names: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class WriteFailed:
    reason: str


@dataclass(frozen=True, slots=True)
class Tell:
    """An event about one server's variant."""

    kind: str
    config: str
    variant: str


@dataclass(frozen=True, slots=True)
class Exit:
    """Nothing is left to do."""


Effect: TypeAlias = (
    ReadConfig
    | Launch
    | Stop
    | Kill
    | Drain
    | Discard
    | Route
    | Close
    | WriteServing
    | WriteUpdated
    | WriteKept
    | WriteMixed
    | WriteProgress
    | AskAlarms
    | WriteFailed
    | Tell
    | Exit
)
