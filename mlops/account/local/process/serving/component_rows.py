"""What the store has of the inference components of one endpoint, read and written by the endpoint's own process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.process.serving.happenings import Asked, component_key
from mlops.account.local.services.sagemaker import inference_components as components
from mlops.account.local.state import State, now

_LONGEST_REASON = 1024
_CUT = "The update was given up: the process of the endpoint ended. What served before serves again."


class ComponentRows:
    """For the clerk's thread. Each change is told as an event in its transaction."""

    def __init__(self, state: State, endpoint: str) -> None:
        self._state = state
        self._endpoint = endpoint
        self._version = -1

    def news(self) -> list[tuple[str, Asked]]:
        """By component; nothing where nothing is different since it was last asked."""
        found = self._state.store.one("PRAGMA data_version")
        version = int(found[0]) if found is not None else 0
        if version == self._version:
            return []
        self._version = version
        return [_asked(body) for body in components.of_endpoint(self._state, self._endpoint)]

    def begin_anew(self) -> None:
        """The process that had them is gone: what served is to serve again, and what was to come first still is. An
        update that was under way is given up, and told when what served does so again."""
        with self._state.store.transaction():
            for body in components.of_endpoint(self._state, self._endpoint):
                name, status = body["InferenceComponentName"], body["Status"]
                if status == "Deleting" or (status == "Failed" and not body.get("Gone")):
                    continue
                coming = (body.get("Pending") or {}).get("Specification")
                if body.get("Served") and coming not in (None, body["Specification"]):
                    body["Cut"] = True
                body["Revision"] += 1
                body |= {
                    "Pending": {"Revision": body["Revision"], "Specification": body["Specification"]},
                    "AskedAt": now(),
                    "CurrentCopyCount": 0,
                    "FailureReason": None,
                    "Gone": None,
                }
                components.store(self._state, name, body, "Updating" if body.get("Served") else "Creating")

    def wanted(self, name: str) -> dict[str, Any] | None:
        """Its body, where something of it is to be taken up."""
        body = self._body(name)
        return body if body is not None and body.get("Pending") else None

    def serving(self, name: str, revision: str, count: int) -> None:
        body = self._body(name)
        if body is None:
            return
        pending = body.get("Pending") or {}
        taken = pending if str(pending.get("Revision")) == revision else {}
        changes = {
            "Specification": taken.get("Specification", body["Specification"]),
            "CurrentCopyCount": count,
            "Pending": None,
            "Served": True,
            "FailureReason": _CUT if body.get("Cut") else None,
            "Cut": None,
        }
        if body.get("Cut"):
            self._write(name, "InService", changes, "update-failed", {"failure": _CUT})
        else:
            self._write(name, "InService", changes, "in-service", {"copies": count})

    def scaled(self, name: str, count: int) -> None:
        self._write(name, "InService", {"CurrentCopyCount": count}, "in-service", {"copies": count})

    def kept(self, name: str, reason: str) -> None:
        """The specification that served before still does."""
        changes = {"Pending": None, "FailureReason": reason[:_LONGEST_REASON]}
        self._write(name, "InService", changes, "update-failed", {"failure": reason})

    def failed(self, name: str, reason: str) -> None:
        changes = {"Pending": None, "CurrentCopyCount": 0, "FailureReason": reason[:_LONGEST_REASON], "Cut": None}
        self._write(name, "Failed", changes, "failed", {"failure": reason})

    def ended(self, name: str) -> None:
        """It is forgotten where that was asked for."""
        with self._state.store.transaction():
            body = self._body(name)
            if body is not None and body["Status"] == "Deleting":
                components.forget(self._state, name)

    def tell(self, name: str, kind: str) -> None:
        """``kind`` is of an endpoint's variant, e.g. ``variant.revived``."""
        components.tell(self._state, name, kind.partition(".")[2], {"endpoint": self._endpoint})

    def _body(self, name: str) -> dict[str, Any] | None:
        bodies = components.of_endpoint(self._state, self._endpoint)
        return next((body for body in bodies if body["InferenceComponentName"] == name), None)

    def _write(
        self, name: str, status: str, changes: Mapping[str, Any], happened: str, detail: Mapping[str, Any]
    ) -> None:
        # Our own change is none to SQLite's counter, and what it makes different is to be seen.
        self._version = -1
        with self._state.store.transaction():
            body = self._body(name)
            # A deletion that came meanwhile has the last word.
            if body is None or body["Status"] == "Deleting":
                return
            components.store(self._state, name, {**body, **changes}, status)
            components.tell(self._state, name, happened, {"endpoint": self._endpoint, **detail})


def _asked(body: Mapping[str, Any]) -> tuple[str, Asked]:
    name, pending = body["InferenceComponentName"], body.get("Pending")
    config = str(pending["Revision"]) if pending else None
    return name, Asked(body["Status"], config, {}, {component_key(name): body["CopyCount"]}, body["AskedAt"])
