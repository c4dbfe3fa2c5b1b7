"""The samples of an endpoint's shifts, an object each in the environment's bucket: ``verdicts/ENDPOINT/BEGAN.json``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops.account import Account
from mlops.deploy import conditional_object
from mlops.deploy.pages import items
from mlops.deploy.shifting.samples import Samples, parsed, written
from mlops.ir import Refusal
from mlops.project.environments import Environment


def keep(account: Account, environment: Environment, samples: Samples) -> None:
    """In the place of what was kept of the same shift before."""
    if samples.began is None:
        return
    name = _key(environment, samples.endpoint, samples.began)
    found = conditional_object.get(account, environment, name)
    try:
        conditional_object.put(account, environment, name, written(samples), found.etag if found else None)
    except conditional_object.Conflict:
        raise Refusal(f"somebody else writes s3://{environment.bucket}/{name}") from None


def of(account: Account, environment: Environment, endpoint: str, began: float) -> Samples | None:
    """Of the shift whose first stage began then. Raises Refusal for what cannot be read."""
    return _read(account, environment, _key(environment, endpoint, began))


def latest(account: Account, environment: Environment, endpoint: str, back: int = 0) -> Samples | None:
    """Of the last shift, or of one as many before it."""
    names = _names(account, environment, endpoint)
    return _read(account, environment, names[-1 - back]) if back < len(names) else None


def of_version(
    account: Account, environment: Environment, endpoint: str, group: str, version: int
) -> Iterator[Samples]:
    """All shifts to that version, oldest first."""
    for name in _names(account, environment, endpoint):
        found = _read(account, environment, name)
        if found is not None and (found.group, found.version) == (group, version):
            yield found


def _names(account: Account, environment: Environment, endpoint: str) -> Sequence[str]:
    """Oldest first: ten digits until the year 2286."""
    folder = conditional_object.key(environment, "verdicts", endpoint, "")
    s3 = account.client("s3")
    found = items(s3, "list_objects_v2", "Contents", Bucket=environment.bucket, Prefix=folder)
    return sorted(str(item["Key"]) for item in found)


def _read(account: Account, environment: Environment, name: str) -> Samples | None:
    found = conditional_object.get(account, environment, name)
    if found is None:
        return None
    try:
        return parsed(found.content)
    except (ValueError, RecursionError):
        raise conditional_object.unreadable(environment, name) from None


def _key(environment: Environment, endpoint: str, began: float) -> str:
    return conditional_object.key(environment, "verdicts", endpoint, f"{began:.3f}.json")
