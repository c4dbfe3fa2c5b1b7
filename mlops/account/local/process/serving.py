"""The work of an endpoint's process: start model servers, switch traffic, follow what the store asks for, stop."""

from __future__ import annotations

import logging
import shutil
import time
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.account.local.process.front import Backend, Front, Routing
from mlops.account.local.process.ports import LocalObjects, LocalRegistry
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import endpoints, models, resources
from mlops.account.local.state import State, now
from mlops.run.outcome import StepFailed
from mlops.run.ports import ObjectMissing, RequestRefused
from mlops.run.sandbox import probe
from mlops.run.serving.inference_pipeline import InferencePipeline
from mlops.run.serving.model_data import Container, place_model
from mlops.run.serving.model_server import ModelServerFailed

LOOK_SECONDS = 0.1
STARTUP_SECONDS = 240.0
DRAIN_SECONDS = 60.0
# A model server that ends is started again, but not in a rush.
REVIVAL_SECONDS = 5.0
_LONGEST_REASON = 1024
_log = logging.getLogger("mlops.runner")


class Cancelled(Exception):
    """The endpoint is being deleted."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """One variant of a configuration with its running servers. ``network`` is False for an isolated model."""

    variant: Mapping[str, Any]
    images: tuple[str, ...]
    containers: Sequence[Container]
    network: bool
    servers: InferencePipeline
    backend: Backend
    folder: Path


def log_group(endpoint: str) -> str:
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def serve(state: State, name: str, folder: Path) -> None:
    """Returns when the endpoint was deleted, or could not be created."""
    endpoint = _Endpoint(state, name, folder)
    try:
        endpoint.run()
    except Cancelled:
        pass
    except Exception as error:
        traceback.print_exc()
        endpoint.fail(f"the runner failed: {error!r}")
    finally:
        endpoint.close()


class _Endpoint:
    def __init__(self, state: State, name: str, folder: Path) -> None:
        self._state = state
        self._name = name
        self._folder = folder
        self._front = Front(name, f"arn:aws:logs:{state.region}:000000000000:log-group:{log_group(name)}")
        self._deployed: dict[str, Deployed] = {}
        self._shadow: Deployed | None = None
        self._next_revival = 0.0

    def run(self) -> None:
        # Model folders of a process that was killed serve nobody.
        shutil.rmtree(self._folder / "models", ignore_errors=True)
        self._front.start()
        while True:
            body = self._wanted()
            if body.get("PendingConfigName"):
                if not self._deploy(body) and not self._deployed:
                    return
            elif body["Status"] == "Updating":
                self._apply_weights()
            self._revive()
            time.sleep(LOOK_SECONDS)

    def close(self) -> None:
        self._front.routing = None
        self._front.stop()
        for item in self._all():
            self._end(item, drain=False)
        with self._state.store.transaction():
            found = self._row()
            if found is not None and found["Status"] == "Deleting":
                arn = endpoints.endpoint_arn(self._state, self._name)
                resources.remove(self._state, endpoints.KIND, self._name, arn)

    def fail(self, reason: str) -> None:
        self._write("Failed", {"FailureReason": reason[:_LONGEST_REASON], "PendingConfigName": None, "Port": None})

    def _deploy(self, body: Mapping[str, Any]) -> bool:
        config_name = body["PendingConfigName"]
        started: list[Deployed] = []
        try:
            config = endpoints.config(self._state, config_name)
            for variant in config["ProductionVariants"]:
                started.append(self._start(variant))
            shadow = [self._start(variant) for variant in config.get("ShadowProductionVariants", ())]
            started += shadow
            for item in started:
                self._wait(item)
        except (ModelServerFailed, StepFailed, ObjectMissing, RequestRefused, Refusal, OSError) as error:
            self._give_up(started, config_name, error)
            return False
        except BaseException:
            for item in started:
                self._end(item, drain=False)
            raise
        self._switch(config_name, config, started, shadow[0] if shadow else None)
        return True

    def _start(self, variant: Mapping[str, Any]) -> Deployed:
        folder = self._folder / "models" / uuid.uuid4().hex
        model = models.describe_model(self._state, {"ModelName": variant["ModelName"]})
        images = tuple(
            item["Image"] for item in models.containers(self._state, variant["ModelName"]) if item.get("Image")
        )
        try:
            registry = LocalRegistry(self._state, "")
            containers = place_model(model, folder, LocalObjects(self._state), registry)
            return self._launch(variant, images, containers, not model["EnableNetworkIsolation"], folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _launch(
        self,
        variant: Mapping[str, Any],
        images: tuple[str, ...],
        containers: Sequence[Container],
        network: bool,
        folder: Path,
    ) -> Deployed:
        """Every start has a log of its own, as every instance has its own stream."""
        log = self._folder / endpoints.LOG_FOLDER / variant["VariantName"] / f"i-{uuid.uuid4().hex[:17]}.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        isolation = probe()
        if not network and isolation.mode != "namespaces":
            log.write_text(f"[mlops] EnableNetworkIsolation has no effect here: {isolation.reason}\n", encoding="utf-8")
        servers = InferencePipeline.launch(containers, log, network=network, isolation=isolation)
        backend = Backend(variant["VariantName"], servers.ports, str(log))
        return Deployed(variant, images, containers, network, servers, backend, folder)

    def _wait(self, item: Deployed) -> None:
        """In short turns, so that a deletion is heard meanwhile."""
        seconds = item.variant.get("ContainerStartupHealthCheckTimeoutInSeconds") or STARTUP_SECONDS
        deadline = time.monotonic() + seconds
        while True:
            self._wanted()
            try:
                item.servers.wait_until_healthy(min(1.0, max(deadline - time.monotonic(), 0.0)))
                return
            except ModelServerFailed:
                if item.servers.ended() is not None:
                    raise
            if time.monotonic() >= deadline:
                raise ModelServerFailed(f"the model server did not answer /ping within {seconds:g} seconds")

    def _revive(self) -> None:
        ended = [item for item in self._all() if item.servers.ended() is not None]
        if not ended or time.monotonic() < self._next_revival:
            return
        self._next_revival = time.monotonic() + REVIVAL_SECONDS
        for item in ended:
            _log.info("endpoint %s: the server of %s ended and is started again", self._name, item.backend.variant)
            item.servers.kill()
            again = self._launch(item.variant, item.images, item.containers, item.network, item.folder)
            if item is self._shadow:
                self._shadow = again
            else:
                self._deployed[again.backend.variant] = again
        if self._front.routing is not None:
            self._route(self._front.routing.weights)

    def _switch(
        self, config_name: str, config: Mapping[str, Any], started: list[Deployed], shadow: Deployed | None
    ) -> None:
        old = self._all()
        production = {item.backend.variant: item for item in started if item is not shadow}
        body = self._wanted()
        retained = body.get("Retained") or {}
        weights = {
            name: retained.get("Weights", {}).get(name, item.variant["InitialVariantWeight"])
            for name, item in production.items()
        }
        if not any(weights.values()):
            weights = {name: item.variant["InitialVariantWeight"] for name, item in production.items()}
        counts = {
            name: retained.get("Counts", {}).get(name, item.variant.get("InitialInstanceCount") or 1)
            for name, item in production.items()
        }
        self._deployed, self._shadow = production, shadow
        self._route(weights)
        time_now = now()
        self._write(
            "InService",
            {
                "EndpointConfigName": config_name,
                "PendingConfigName": None,
                "Retained": None,
                "FailureReason": None,
                "Port": self._front.port,
                "Weights": weights,
                "CurrentWeights": weights,
                "Counts": counts,
                "DataCaptureConfig": _capture(config),
                "Serving": {
                    "ProductionVariants": [_told(item, time_now) for item in production.values()],
                    "ShadowProductionVariants": [_told(shadow, time_now)] if shadow is not None else [],
                },
            },
        )
        _log.info("endpoint %s serves %s", self._name, config_name)
        for item in old:
            self._end(item, drain=True)

    def _give_up(self, started: list[Deployed], config_name: str, error: Exception) -> None:
        reason = " ".join(str(error).split()) or repr(error)
        _log.info("endpoint %s: %s: %s", self._name, config_name, error)
        for item in started:
            self._end(item, drain=False)
        if not self._deployed:
            self.fail(reason)
            return
        body = self._wanted()
        kept = body["EndpointConfigName"]
        self._write(
            "InService",
            {
                "PendingConfigName": None,
                "Retained": None,
                "FailureReason": f"The update to {config_name} failed, {kept} still serves: {reason}"[:_LONGEST_REASON],
            },
        )

    def _apply_weights(self) -> None:
        with self._state.store.transaction():
            weights = self._wanted()["Weights"]
            self._route(weights)
            self._write("InService", {"CurrentWeights": weights})

    def _route(self, weights: Mapping[str, float]) -> None:
        self._front.routing = Routing(
            {name: item.backend for name, item in self._deployed.items()},
            dict(weights),
            self._shadow.backend if self._shadow is not None else None,
        )

    def _wanted(self) -> dict[str, Any]:
        body = self._row()
        if body is None or body["Status"] == "Deleting":
            raise Cancelled
        return body

    def _row(self) -> dict[str, Any] | None:
        row = self._state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", endpoints.KIND, self._name)
        return None if row is None else {**resources.body_of(row), "Status": row["status"]}

    def _write(self, status: str, changes: Mapping[str, Any]) -> None:
        with self._state.store.transaction():
            body = self._row()
            # A deletion that came meanwhile has the last word.
            if body is None or body.pop("Status") == "Deleting":
                return
            resources.replace(self._state, endpoints.KIND, self._name, {**body, **changes}, status)

    def _all(self) -> list[Deployed]:
        return [*self._deployed.values(), *([self._shadow] if self._shadow is not None else [])]

    def _end(self, item: Deployed, *, drain: bool) -> None:
        """``drain``: requests that are on their way are answered first."""
        deadline = time.monotonic() + (DRAIN_SECONDS if drain else 0.0)
        while item.backend.busy and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        item.servers.stop()
        shutil.rmtree(item.folder, ignore_errors=True)


def _told(item: Deployed, time_now: str) -> dict[str, Any]:
    return {
        "VariantName": item.backend.variant,
        "Images": item.images,
        "Since": time_now,
        "Weight": item.variant["InitialVariantWeight"],
        "Count": item.variant.get("InitialInstanceCount") or 1,
        "ServerlessConfig": item.variant.get("ServerlessConfig"),
    }


def _capture(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Told as stopped: this account captures nothing."""
    given = config.get("DataCaptureConfig")
    if not given:
        return None
    return {
        "EnableCapture": given.get("EnableCapture", False),
        "CaptureStatus": "Stopped",
        "CurrentSamplingPercentage": given["InitialSamplingPercentage"],
        "DestinationS3Uri": given["DestinationS3Uri"],
        "KmsKeyId": given.get("KmsKeyId", ""),
    }
