"""What was promoted to an endpoint, taken back and rolled back, and that it was deleted: who, what, why, append-only in
the account's bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from mlops.account import Account
from mlops.deploy import ledger
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment

Verb: TypeAlias = Literal[
    "created",
    "updated",
    "taken back",
    "aborted",
    "rolled back",
    "deleted",
    "paused",
    "resumed",
    "promoted now",
    "shadow begun",
    "shadow ended",
]
BESIDE = ("paused", "resumed", "promoted now", "shadow begun", "shadow ended")
"""They change nothing of what serves."""
BACK = ("taken back", "aborted", "rolled back")
"""The version does not serve any more, or never did."""
_OVER = ", passed over: "
WINDOW = 5
"""Of so many of the last configurations one can be rolled back to without a word."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Entry:
    """``config`` serves by then; ``group`` and ``version`` are what it was about: what serves where it was promoted,
    what does not any more where it was taken or rolled back or the endpoint deleted, empty where nobody knows what that
    was. ``serves`` is the version of the group that serves by
    then, None where the entry does not say."""

    verb: Verb
    group: str
    version: int
    config: str
    before: str | None
    by: str
    reason: str | None = None
    how: str | None = None
    serves: int | None = None
    package: str | None = None
    """The ARN of the version: two registries may have a group of the same name. An older version wrote none."""
    at: str = field(default_factory=_now)
    number: int = 0
    id: str = ""
    """Of what was done: whoever finishes it writes its end once. An older version wrote none."""


_ALWAYS = tuple(item.name for item in fields(Entry) if item.default is MISSING and item.default_factory is MISSING)
"""What each entry has, whichever version wrote it."""
DECLARED = 0
"""The version of an entry that is about what a file declares and no registered version; ``group`` is then the name that
its content has."""


def what(group: str, version: int) -> str:
    """
    >>> what("churn", 3), what("churn-0a1b2c3d4e", DECLARED)
    ('version 3 of churn', 'what is declared as churn-0a1b2c3d4e')
    """
    return f"version {version} of {group}" if version != DECLARED else f"what is declared as {group}"


def how(way: str, passed_over: Sequence[str]) -> str:
    """
    >>> how("at once", ()), how("weights", ("age", "freeze"))
    ('at once', 'weights, passed over: age, freeze')
    """
    return f"{way}{_OVER}{', '.join(passed_over)}" if passed_over else way


def passed_over_in(told: str | None) -> tuple[str, ...]:
    """
    >>> passed_over_in(how("weights", ("age", "freeze"))), passed_over_in("at once")
    (('age', 'freeze'), ())
    """
    gates = (told or "").partition(_OVER)[2]
    return tuple(gates.split(", ")) if gates else ()


def append(account: Account, environment: Environment, endpoint: str, entry: Entry) -> None:
    told: dict[str, Any] = asdict(entry)
    del told["number"]
    # Environments of one account may have one bucket.
    told["environment"] = environment.name
    ledger.append(account, environment, _folder(endpoint), told, once=("id", "verb") if entry.id else ())


def append_deleted(
    account: Account,
    environment: Environment,
    endpoint: str,
    described: Mapping[str, Any],
    *,
    by: str,
    reason: str | None,
    how: str | None = None,
) -> None:
    """To be called before it is deleted; ``described`` is what DescribeEndpoint says by then. Of one that was made once
    there is one entry, however often that was cut off before it was deleted."""
    config = str(described.get("EndpointConfigName") or "")
    served = serving(read(account, environment, endpoint), config)
    group, version = ("", DECLARED) if served is None else (served.group, served.serves or DECLARED)
    package = None if served is None or version != served.version else served.package
    entry = Entry("deleted", group, version, "", config, by, reason, how, package=package, id=_made(described))
    append(account, environment, endpoint, entry)


def is_ours(entries: tuple[Entry, ...]) -> bool:
    """The endpoint that is there was made by a promotion; what a file declares is the file's."""
    made = next((item for item in reversed(entries) if item.verb in ("created", "deleted")), None)
    return made is not None and made.verb == "created" and made.version != DECLARED


def read(account: Account, environment: Environment, endpoint: str, last: int | None = None) -> tuple[Entry, ...]:
    """What became of what serves, oldest first."""
    found = whole(account, environment, endpoint, last)
    if last is not None and any(item.verb in BESIDE for item in found):
        found = whole(account, environment, endpoint)
    kept = tuple(item for item in found if item.verb not in BESIDE)
    return kept if last is None else kept[-last:]


def whole(account: Account, environment: Environment, endpoint: str, last: int | None = None) -> tuple[Entry, ...]:
    """Shadow tests too, and what people did to a shift that was under way; only the ``last`` entries where that is
    given."""
    known = set(Entry.__dataclass_fields__)
    found = ledger.read(account, environment, _folder(endpoint), last, members=_ALWAYS)
    return tuple(Entry(**{key: value for key, value in item.items() if key in known}) for item in found)


def promoters(account: Account, environment: Environment, endpoint: str) -> frozenset[str | None]:
    """Names of the environments by which it was promoted to since it was made; None where an entry does not say."""
    found: set[str | None] = set()
    for item in ledger.read(account, environment, _folder(endpoint), members=_ALWAYS):
        if item["verb"] in BESIDE:
            continue
        found = set() if item["verb"] == "deleted" else {*found, item.get("environment")}
    return frozenset(found)


def promoter(account: Account, environment: Environment, endpoint: str) -> str:
    """The name of an environment that promotes to it: this one's where it does, or where nobody knows."""
    known = {name for name in promoters(account, environment, endpoint) if name is not None}
    return environment.name if environment.name in known or not known else min(known)


def endpoints(account: Account, environment: Environment) -> tuple[str, ...]:
    """Those that have a history, also where they are gone."""
    return ledger.folders(account, environment, "promotions", "history")


def serving(entries: tuple[Entry, ...], config: str) -> Entry | None:
    """The entry that brought what serves with ``config``."""
    return next((item for item in reversed(entries) if item.config == config and item.serves is not None), None)


def of_version(entries: tuple[Entry, ...], group: str, version: int, package: str) -> tuple[Entry, ...]:
    """What became of a version, oldest first: not of one of its name that another registry has, and not that the
    endpoint was deleted, which says nothing of it."""
    return tuple(
        entry
        for entry in entries
        if (entry.group, entry.version) == (group, version)
        and entry.verb != "deleted"
        and entry.package in (None, package)
    )


def window(entries: tuple[Entry, ...], config: str) -> tuple[Entry, ...]:
    """What can be rolled back to where ``config`` serves: of each other version the entry that promoted it last, oldest
    first, of the last :data:`WINDOW`."""
    served: dict[tuple[str, int], Entry] = {}
    for entry in entries:
        if entry.verb in ("created", "updated"):
            served.pop((entry.group, entry.version), None)
            served[entry.group, entry.version] = entry
    now = serving(entries, config)
    if now is not None:
        served.pop((now.group, now.serves or 0), None)
    return tuple([entry for entry in served.values() if entry.config != config][-WINDOW:])


def refused(entries: tuple[Entry, ...], group: str) -> frozenset[int]:
    """Versions that were taken or rolled back since they were promoted last: a plain promotion passes them over."""
    return frozenset(went_back(entries, group))


def went_back(entries: tuple[Entry, ...], group: str) -> Mapping[int, Verb]:
    """The same, with what became of each."""
    bad: dict[int, Verb] = {}
    for entry in entries:
        if entry.group != group:
            continue
        if entry.verb in BACK:
            bad[entry.version] = entry.verb
        elif entry.verb != "deleted":
            bad.pop(entry.version, None)
    return bad


def _made(described: Mapping[str, Any]) -> str:
    """Tells an endpoint from one of its name that was made before or after it; empty where nobody knows."""
    since = described.get("CreationTime")
    return f"made {since.timestamp():.3f}" if isinstance(since, datetime) else ""


def _folder(endpoint: str) -> str:
    return f"promotions/{endpoint}/history"
