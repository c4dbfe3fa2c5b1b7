"""Whom a monitor of attributions asks: a model's servers beside the job, where they are, else an endpoint that is made
for that and removed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops.monitor import watch
from mlops.monitor.asked_endpoint import asked_endpoint
from mlops.monitor.files import read_json
from mlops.monitor.predictor import PORTS

ASKS = "asks"
"""The member of monitor.json that says which model is asked, and on which instance."""


def run(environment: Mapping[str, str], opt_ml: Path, client: Callable[[str], Any] | None = None) -> int | None:
    """As :func:`watch.run`."""
    place = opt_ml / watch.INPUT / "monitor" / "monitor.json"
    told = read_json(place)
    asks = told.get(ASKS) if isinstance(told, dict) else None
    if not isinstance(asks, dict) or environment.get(PORTS):
        return watch.run(environment, opt_ml)
    sagemaker = (client or _by_boto)("sagemaker")
    with asked_endpoint(sagemaker, str(told["monitor"]), str(asks["model"]), str(asks["instance"])) as name:
        place.write_text(json.dumps({**told, "attributions": {**told["attributions"], "asked": name}}))
        return watch.run(environment, opt_ml)


def _by_boto(service: str) -> Any:
    import boto3

    return boto3.client(service)


def model_of(client: Callable[[str], Any], endpoint: str) -> dict[str, str] | None:
    """The model that an endpoint serves, of several variants that with most of the traffic; None where none names its
    model, as of inference components."""
    sagemaker = client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config).get("ProductionVariants") or ()
    known = [item for item in variants if item.get("ModelName")]
    if not known:
        print(f"no variant of {endpoint} names its model: attributions are not measured")
        return None
    best = max(known, key=lambda item: float(item.get("InitialVariantWeight", 1.0)))
    return {"model": str(best["ModelName"]), "instance": str(best.get("InstanceType") or "ml.m5.large")}
