"""What serves in an account: look at it, ask it, delete it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from mlops.deploy.endpoints import history as histories
from mlops.deploy.endpoints import serving
from mlops.deploy.endpoints.conductor import unfinished
from mlops.deploy.endpoints.control import Steering
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.serving import Reply
from mlops.deploy.shifting.journal import Stored
from mlops.deploy.shifting.settings import read as read_settings
from mlops.ir import Listener, unheard
from mlops.ir.hiding import hide
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.connecting import Connected, Where, connect_here
from mlops.use_cases.news import Said
from mlops.use_cases.sharing import shared
from mlops.use_cases.shift_environment import connect_to_shift


def listed(environment: Where) -> tuple[Mapping[str, Any], ...]:
    """Summaries by name."""
    return serving.listed(connect_here(environment).account)


def show(environment: Where, name: str) -> Mapping[str, Any]:
    """Its state; under ``Models`` which model each variant serves, under ``Shift`` what is under way there, under
    ``Address`` where it is invoked over plain HTTP, which only an endpoint of this machine is."""
    connected = connect_here(environment)
    found = serving.describe(connected.account, name)
    left = unfinished(connected.account, connected.environment, name)
    here = connected.account.here
    return {
        **found,
        "Shift": None if left is None else _shift(left),
        "Address": None if here is None else here.address(name),
    }


def _shift(stored: Stored) -> Mapping[str, object]:
    journal = stored.journal
    return {
        "group": journal.group,
        "version": journal.version,
        "environment": journal.environment or None,
        "phase": "paused" if journal.wish == "pause" else journal.phase,
        "by": journal.by,
        "silent_seconds": round(stored.age),
        "reason": hide(journal.wish_reason or journal.reason),
        "moves_done": journal.done,
        "moves": len(journal.moves),
    }


def as_list(summaries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, object]]:
    """For programs."""
    return [
        {
            "endpoint": item["EndpointName"],
            "status": item["EndpointStatus"],
            "arn": item["EndpointArn"],
            "created": item["CreationTime"],
            "modified": item["LastModifiedTime"],
        }
        for item in summaries
    ]


def as_dictionary(found: Mapping[str, Any]) -> Mapping[str, object]:
    """What :func:`show` found, for programs; ``described`` is DescribeEndpoint's reply in the service's own words."""
    models: Mapping[str, str] = found["Models"]
    described = {name: value for name, value in found.items() if name not in ("Models", "Shift", "Address")}
    variants = {item["VariantName"]: item for item in found.get("ProductionVariants") or ()}
    return {
        "endpoint": found["EndpointName"],
        "status": found["EndpointStatus"],
        "failure": found.get("FailureReason"),
        "arn": found["EndpointArn"],
        "config": found["EndpointConfigName"],
        "address": found["Address"],
        "created": found["CreationTime"],
        "modified": found["LastModifiedTime"],
        "variants": [
            {
                "variant": name,
                "model": model,
                "weight": variants.get(name, {}).get("CurrentWeight"),
                "instances": variants.get(name, {}).get("CurrentInstanceCount"),
            }
            for name, model in models.items()
        ],
        "shift": found["Shift"],
        "described": described,
    }


def invoke(environment: str, name: str, body: bytes, *, content_type: str, accept: str | None = None) -> Reply:
    return serving.invoke(connect_here(environment).account, name, body, content_type=content_type, accept=accept)


def delete(environment: Where, name: str, consent: Consent = NOBODY, *, reason: str | None = None) -> None:
    """Its configuration and its model stay, and its history, which says who did it. Asks in every environment but
    the local one: whoever calls the endpoint notices."""
    connected = connect_here(environment)
    serving.need(connected.account, name)
    always, also = not connected.environment.is_local, shared(connected, (name,))
    need_consent(connected, f"delete the endpoint {name}", consent, always=always, shared=also)
    serving.delete(connected.account, connected.environment, name, reason=hide(reason))


def history(environment: Where, name: str, last: int | None = None) -> tuple[Entry, ...]:
    """Oldest first. Raises UsageError for an endpoint that is not there and that no history knows."""
    connected = connect_here(environment)
    account = connected.account
    entries = histories.whole(account, connected.environment, name, last)
    if not entries:
        serving.need(account, name, lambda: histories.endpoints(account, connected.environment))
    return tuple(replace(entry, reason=hide(entry.reason)) for entry in entries)


def steer(
    environment: Where | None,
    name: str,
    what: Literal["pause", "resume", "promote-now", "abort"],
    listener: Listener = unheard,
    consent: Consent = NOBODY,
    *,
    reason: str | None = None,
) -> str:
    """Of the shift of traffic that is under way; what is told then. It is judged by the environment that it was begun
    with, also where none is given. Raises Refusal where there is no shift."""
    steering = _steering(connect_to_shift(environment, name, what), name, listener, consent)
    reason = hide(reason)
    match what:
        case "pause":
            return steering.pause(reason)
        case "resume":
            return steering.resume(reason)
        case "promote-now":
            return steering.promote_now(reason)
        case "abort":
            return steering.abort(reason)


def rollback(
    environment: str,
    name: str,
    listener: Listener = unheard,
    consent: Consent = NOBODY,
    *,
    number: int | None = None,
    reason: str | None = None,
) -> Entry:
    """To version ``number``, or to what served before."""
    return _steering(connect_here(environment), name, listener, consent).rollback(number, hide(reason))


def _steering(connected: Connected, name: str, listener: Listener, consent: Consent) -> Steering:
    return Steering(
        connected.account,
        connected.environment,
        name,
        read_settings(connected.environment, connected.root),
        say=lambda text: listener(Said(text=text)),
        permit=lambda doing: need_consent(connected, doing, consent, shared=shared(connected, (name,))),
    )
