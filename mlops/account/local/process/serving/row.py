"""What the store has of one endpoint, read and written by the endpoint's own process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.account.local import events
from mlops.account.local.process.serving.happenings import Asked, WriteProgress
from mlops.account.local.services.sagemaker import capturing, endpoints, inference_experiments, resources
from mlops.account.local.state import State, now
from mlops.ir.values import Value

LONGEST_REASON = endpoints.LONGEST_REASON
_ENDED = dict.fromkeys(("PendingConfigName", "Retained", "Deployment", "TakenBack", "Revivals"))


class Row:
    """For one thread. Each change is told as an event in its transaction."""

    def __init__(self, state: State, name: str) -> None:
        self._state = state
        self._name = name
        self._version = -1
        self._account = state.identity

    def news(self) -> Asked | None:
        """None where nothing is different since it was last asked. Whoever removes the account's folder deletes its
        endpoints."""
        if self._state.identity != self._account:
            return Asked("Deleting")
        found = self._state.store.one("PRAGMA data_version")
        version = int(found[0]) if found is not None else 0
        if version == self._version:
            return None
        self._version = version
        row = self._state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", endpoints.KIND, self._name)
        if row is None:
            return Asked("Deleting")
        body = resources.body_of(row)
        weights, counts = body.get("Weights") or {}, body.get("Counts") or {}
        # Our own words of a deployment are no question.
        asked = body.get("AskedAt") or row["modified"]
        return Asked(row["status"], body.get("PendingConfigName"), weights, counts, asked)

    def experiments(self) -> None:
        """Shadow tests of the endpoint go on where their time has come."""
        inference_experiments.advance_all(self._state, self._name)
        # Our own change is none to SQLite's counter.
        self._version = -1

    def last_port(self) -> int:
        """On which it answered before, so that its address stays the same; 0 where it has not yet."""
        return int((self.body() or {}).get("LastPort") or 0)

    def body(self) -> dict[str, Any] | None:
        row = self._state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", endpoints.KIND, self._name)
        return None if row is None else {**resources.body_of(row), "Status": row["status"]}

    def serving(
        self,
        config: Mapping[str, Any],
        port: int,
        told: Mapping[str, Sequence[Mapping[str, Any]]],
        weights: Mapping[str, float],
        counts: Mapping[str, int],
    ) -> None:
        name, since = config["EndpointConfigName"], now()
        # One that was revived on its way tells why it is where it was.
        taken_back = (self.body() or {}).get("TakenBack")
        self._write(
            "InService",
            {
                **_ENDED,
                "EndpointConfigName": name,
                "FailureReason": taken_back,
                "Port": port,
                "LastPort": port,
                "Weights": dict(weights),
                "CurrentWeights": dict(weights),
                "Counts": dict(counts),
                "DataCaptureConfig": capturing.told(config),
                "Serving": {
                    member: [{**variant, "Since": since} for variant in variants] for member, variants in told.items()
                },
            },
            "in-service",
            {"config": name, "weights": dict(weights)},
        )

    def updated(self, weights: Mapping[str, float]) -> None:
        self._write("InService", {"CurrentWeights": dict(weights)}, "in-service", {"weights": dict(weights)})

    def kept(self, wanted: str, reason: str) -> None:
        body = self.body()
        if body is None:
            return
        kept = body["EndpointConfigName"]
        said = endpoints.kept(kept, wanted, reason)
        changes = {**_ENDED, "FailureReason": said}
        self._write("InService", changes, "update-failed", {"config": wanted, "failure": reason})

    def mixed(self, wanted: str, reason: str) -> None:
        body = self.body()
        if body is None:
            return
        said = f"The update to {wanted} failed, and so did the way back; both serve: {reason}"[:LONGEST_REASON]
        changes = {**_ENDED, "FailureReason": said}
        self._write("UpdateRollbackFailed", changes, "update-failed", {"config": wanted, "failure": reason})

    def progress(self, told: WriteProgress) -> None:
        body = self.body()
        deployment = (body or {}).get("Deployment")
        if not deployment:
            return
        variants = {item.variant: {**dataclasses.asdict(item), "since": now()} for item in told.variants}
        status = "Updating" if told.back is None else "RollingBack"
        detail: dict[str, Value] = {
            "config": deployment["EndpointConfigName"],
            "variants": {item.variant: {"status": item.status, "share": item.share} for item in told.variants},
        }
        happened = "shifting" if told.back is None else "rolling-back"
        if told.back is not None:
            detail["failure"] = told.back
        changes = {"Deployment": {**deployment, "Variants": variants, "Back": told.back}}
        self._write(status, changes, happened, detail)

    def failed(self, reason: str) -> None:
        changes = {**_ENDED, "FailureReason": reason[:LONGEST_REASON], "Port": None}
        self._write("Failed", changes, "failed", {"failure": reason})

    def end(self) -> None:
        """The endpoint is forgotten where that was asked for."""
        if self._state.identity != self._account:
            return
        with self._state.store.transaction():
            found = self.body()
            if found is not None and found["Status"] == "Deleting":
                arn = endpoints.endpoint_arn(self._state, self._name)
                resources.remove(self._state, endpoints.KIND, self._name, arn)
                endpoints.tell(self._state, self._name, "deleted")

    def variant(self, kind: str, variant: str, config: str) -> None:
        arn = endpoints.endpoint_arn(self._state, self._name)
        events.tell(self._state, kind, arn, {"endpoint": self._name, "variant": variant}, {"config": config})

    def _write(self, status: str, changes: Mapping[str, Any], happened: str, detail: Mapping[str, Value]) -> None:
        # Our own change is none to SQLite's counter, and what it makes different is to be seen.
        self._version = -1
        with self._state.store.transaction():
            body = self.body()
            # A deletion that came meanwhile has the last word.
            if body is None or body.pop("Status") == "Deleting":
                return
            resources.replace(self._state, endpoints.KIND, self._name, {**body, **changes}, status)
            endpoints.tell(self._state, self._name, happened, detail)
