"""For a program that asks an endpoint: which version a user gets in an A/B test, and what became of a request; and for
one that puts records into a stream (:class:`~mlops.deploy.streams.publisher.Publisher`) or reads what it split.

To choose takes the standard library alone, and no call; boto3 is loaded when an outcome is published.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.deploy.streams.publisher import Publisher, Undelivered
    from mlops.deploy.streams.splitting import LackingParts, joined
    from mlops.use_cases.connecting import Connected

__all__ = [
    "Assignment",
    "LackingParts",
    "Publisher",
    "Undelivered",
    "assign",
    "joined",
    "outcome",
    "outcomes",
    "shares_of",
]
_ATTRIBUTE = re.compile(r"[^,;&=\s]+")
_OWN = "mlops."
_LONGEST_ATTRIBUTES = 1024
"""Of InvokeEndpoint (botocore: CustomAttributesHeader)."""


def __getattr__(name: str) -> object:
    """To choose a variant nothing of them is loaded."""
    if name not in ("LackingParts", "Publisher", "Undelivered", "joined"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mlops.deploy.streams import publisher, splitting

    found: object = getattr(publisher if hasattr(publisher, name) else splitting, name)
    return found


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whom a user is given. ``arguments`` are those of InvokeEndpoint that make it so and say why."""

    variant: str
    attributes: str

    @property
    def arguments(self) -> dict[str, str]:
        return {"TargetVariant": self.variant, "CustomAttributes": self.attributes}


def assign(user: str, test: str, shares: Mapping[str, float], segments: Mapping[str, str] | None = None) -> Assignment:
    """The same variant for a user of a test each time: ``shares`` are those of the variants, in their order, so that
    nobody goes back and forth when they move from the first to the last. ``segments`` say who the user is, for slices.
    The user's name does not leave: a hash of it with that of the test does. Raises ValueError for what cannot be sent.

    >>> given = assign("ada", "checkout", {"blue": 90, "green": 10}, {"plan": "free"})
    >>> given.variant, given.attributes
    ('blue', 'mlops.ab=checkout,mlops.user=08baa25da72e1a4e,plan=free')
    """
    whole = sum(shares.values())
    if not whole > 0 or min(shares.values()) < 0:
        raise ValueError(f"shares are {dict(shares)}: none below 0, and one above")
    digest = hashlib.sha256(f"{test}\0{user}".encode()).hexdigest()
    at = int(digest[16:32], 16) / 2**64 * whole
    variant, passed = "", 0.0
    for name, share in shares.items():
        if share and (not variant or at >= passed):
            variant = name
        passed += share
    told = {f"{_OWN}ab": test, f"{_OWN}user": digest[:16], **(segments or {})}
    for name, value in told.items():
        if not _ATTRIBUTE.fullmatch(name) or not _ATTRIBUTE.fullmatch(value) or not f"{name}{value}".isascii():
            raise ValueError(f"{name} = {value!r}: a name and a text of ASCII without spaces and any of , ; & =")
    attributes = ",".join(f"{name}={value}" for name, value in told.items())
    if len(attributes) > _LONGEST_ATTRIBUTES:
        raise ValueError(f"the attributes have {len(attributes)} letters, and {_LONGEST_ATTRIBUTES} may be")
    return Assignment(variant, attributes)


def shares_of(described: Mapping[str, Any]) -> dict[str, float]:
    """Of what DescribeEndpoint replies: what each variant has of the traffic by now, the new version's last."""
    return {item["VariantName"]: float(item["CurrentWeight"]) for item in described["ProductionVariants"]}


def outcome(
    inference_id: str,
    name: str,
    value: str | float | bool,
    *,
    endpoint: str,
    environment: str = "local",
    at: datetime | None = None,
) -> None:
    """What became of the request that had this InferenceId: a conversion, a rating, the label. It may come late, and
    more than once: what was published last holds. ``at`` is when it became known, else that is now."""
    outcomes([(inference_id, name, value)], endpoint=endpoint, environment=environment, at=at)


def outcomes(
    found: Iterable[tuple[str, str, str | float | bool]],
    *,
    endpoint: str,
    environment: str = "local",
    at: datetime | None = None,
) -> int:
    """Many in one write: of each its inference id, its name and its value. How many there were."""
    from mlops.deploy.outcomes.ground_truth import Outcome, said
    from mlops.use_cases import outcomes as publishing
    from mlops.use_cases.approval import GIVEN

    wanted = [Outcome(identity, name, said(value)) for identity, name, value in found]
    return publishing.publish(_connected(environment, Path.cwd()), endpoint, wanted, GIVEN, at)


@cache
def _connected(environment: str, folder: Path) -> Connected:
    from mlops.use_cases.connecting import connect_here

    return connect_here(environment)
