"""What became of requests, published for whoever compares versions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from mlops.account import answers
from mlops.deploy.endpoints import serving
from mlops.deploy.outcomes import files, ground_truth
from mlops.deploy.outcomes.ground_truth import Outcome
from mlops.ir import UsageError
from mlops.use_cases.approval import Consent, need_consent
from mlops.use_cases.connecting import Connected, connect_here


def publish_file(environment: str, endpoint: str, text: str, place: str, consent: Consent) -> int:
    """How many. Raises UsageError with the line for what is none, before anything is written."""
    found = list(files.outcomes_of(text, place))
    if not found:
        raise UsageError(f"{place} has no outcome", hint="a CSV with the columns inference_id and label has")
    connected = connect_here(environment)
    serving.need(connected.account, endpoint)
    return publish(connected, endpoint, found, consent)


def publish(
    connected: Connected, endpoint: str, outcomes: Iterable[Outcome], consent: Consent, at: datetime | None = None
) -> int:
    """As known since ``at``, now where none is given. The endpoint may be gone by then."""
    found = list(outcomes)
    counted = f"{len(found)} outcome{'s' if len(found) != 1 else ''}"
    need_consent(connected, f"publish {counted} of {endpoint}", consent)
    with answers():
        moment = datetime.now(UTC) if at is None else at
        return ground_truth.publish(connected.account, connected.environment, endpoint, found, moment)
