"""Which servers answer for an endpoint, as values. A routing is never changed, only replaced."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Mapping
from dataclasses import field
from itertools import accumulate

from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.router.wire import ANSWER_SECONDS, BIGGEST_BODY
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and counts that bound what an endpoint holds."""

    answer_seconds: float = ANSWER_SECONDS
    idle_seconds: float = 120.0
    linger_seconds: float = 5.0
    body: int = BIGGEST_BODY
    between_containers: int = 100 * 1024 * 1024
    held: int = 512 * 1024 * 1024
    connections: int = 2048
    queued: int = 1000
    shadow_queued: int = 100
    shadow_held: int = 32 * 1024 * 1024
    pipelined: int = 16


@dataclass(frozen=True, slots=True)
class Server:
    """One process for each container of a model, in a row; or, where ``hostnames`` name them, each for itself (Mode
    Direct). ``slots`` requests may be inside at a time."""

    key: str
    ports: tuple[int, ...]
    slots: int
    log: str
    hostnames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """``servers`` are keys. Without any, requests wait, unless ``down`` says why none comes. ``most`` is how many
    requests it takes at a time (MaxConcurrency of a serverless variant). ``config`` is whose servers they are, empty
    for the routing's own: while a deployment shifts traffic two of them have one name, each a ``share`` of it. With
    ``models`` it hosts many, each asked for by its name, with servers of its own. ``capture`` is what is kept of its
    payloads. Of an inference component ``told`` is the variant that it is on, and ``none`` says that it has no copy
    yet, or none any more."""

    name: str
    servers: tuple[str, ...]
    weight: float = 1.0
    down: str | None = None
    most: int | None = None
    config: str = ""
    share: float = 1.0
    models: bool = False
    capture: Capture | None = None
    told: str = ""
    none: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """``variants`` by keys: the name of each, or anything else for the second of that name. ``mirrored`` is the share
    of requests that the shadow is shown: its weight by that of production, all of them at most. ``components`` are the
    inference components by their names; None of an endpoint whose variants have models."""

    config: str
    variants: Mapping[str, Variant]
    shadow: Variant | None = None
    components: Mapping[str, Variant] | None = None
    mirrored: float = field(init=False)
    _names: tuple[str, ...] = field(init=False)
    _sums: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        weights = {key: variant.weight * variant.share for key, variant in self.variants.items()}
        names = tuple(sorted(key for key, weight in weights.items() if weight > 0))
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_sums", tuple(accumulate(weights[key] for key in names)))
        whole = sum(weights.values())
        share = self.shadow.weight / whole if self.shadow is not None and whole else 1.0
        object.__setattr__(self, "mirrored", min(1.0, share))

    def named(self, name: str, chance: Callable[[], float]) -> str:
        """The key of the variant of that name; of two by their shares.

        >>> routing = Routing("c", {"A": Variant("A", (), share=0.75), "A new": Variant("A", (), share=0.25)})
        >>> [routing.named("A", lambda: chance) for chance in (0.0, 0.74, 0.76)], routing.named("B", lambda: 0.5)
        (['A', 'A', 'A new'], 'B')
        """
        mine = [key for key, variant in self.variants.items() if variant.name == name]
        if len(mine) < 2:
            return name
        left = chance()
        return next((key for key in mine if (left := left - self.variants[key].share) < 0), mine[-1])

    def choose(self, chance: float) -> str:
        """The key of the variant for ``chance``, in [0, 1), by weight.

        >>> routing = Routing("c", {"A": Variant("A", (), 1.0), "B": Variant("B", (), 3.0), "C": Variant("C", (), 0.0)})
        >>> [routing.choose(chance) for chance in (0.0, 0.2, 0.25, 0.99)]
        ['A', 'A', 'B', 'B']
        """
        if len(self._names) == 1:
            return self._names[0]
        return self._names[bisect(self._sums, chance * self._sums[-1], hi=len(self._sums) - 1)]
