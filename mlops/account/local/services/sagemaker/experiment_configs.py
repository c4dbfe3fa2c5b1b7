"""The configurations that an inference experiment brings its endpoint to: while it lasts, and as it is stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.sagemaker import endpoints, models
from mlops.account.local.state import State, dump

_OWN = frozenset({"EndpointConfigName", "CreationTime", "LastModifiedTime", "ProductionVariants",
                  "ShadowProductionVariants", "Source"})  # fmt: skip


def configuration(state: State, body: Mapping[str, Any], before: str | None = None) -> dict[str, Any]:
    """A request for the configuration of the endpoint while it lasts. ``before`` is what served before it began, where
    it has. Raises Refusal where there can be none."""
    source, shadow = variant_names(body)
    variants = {variant["VariantName"]: variant for variant in body["ModelVariants"]}
    if source == shadow or set(variants) != {source, shadow}:
        raise invalid("ModelVariants must be the source and the shadow variant of ShadowModeConfig, each once.")
    percent = body["ShadowModeConfig"]["ShadowModelVariants"][0]["SamplingPercentage"]
    if not 1 <= percent <= 100:
        raise invalid("SamplingPercentage must be from 1 to 100.")
    for variant in variants.values():
        infrastructure = variant["InfrastructureConfig"]["RealTimeInferenceConfig"]
        if infrastructure["InstanceCount"] < 1:
            raise invalid(f"Variant {variant['VariantName']} needs an InstanceCount of at least 1.")
        if infrastructure["InstanceType"].startswith("ml.inf1."):
            raise invalid(f"Variant {variant['VariantName']}: shadow tests do not go with Inf1 instances.")
    kept = _serving(state, body["EndpointName"], source, variants[source]["ModelName"], before)
    request = {
        **{member: value for member, value in kept.items() if member not in _OWN},
        "ProductionVariants": [{**kept.get("Source", {}), **_variant(variants[source], 1.0)}],
        "ShadowProductionVariants": [_variant(variants[shadow], percent / 100)],
        **_storage(body),
    }
    return _named(state, body["Name"], request)


def _serving(state: State, endpoint: str, source: str, model: str, before: str | None) -> dict[str, Any]:
    """What its configuration was before, with its one variant as ``Source``; nothing where there is no endpoint yet.
    Raises Refusal where it is another one than the experiment is of."""
    there = endpoint_of(state, endpoint) if before is None else {}
    if there is None:
        return {}
    if before is None and there["Status"] != "InService":
        raise invalid(f"Endpoint {endpoint} is {there['Status']}; an inference experiment needs one that is InService.")
    config = endpoints.config(state, before or there["EndpointConfigName"])
    production = config["ProductionVariants"]
    if len(production) != 1 or production[0]["VariantName"] != source:
        serves = ", ".join(variant["VariantName"] for variant in production)
        raise invalid(f"Endpoint {endpoint} serves {serves}; SourceModelVariantName must be its only variant.")
    if not production[0].get("ModelName"):
        raise invalid(f"Endpoint {endpoint}: shadow tests do not go with inference components.")
    if production[0]["ModelName"] != model:
        raise invalid(f"Variant {source} of endpoint {endpoint} serves {production[0]['ModelName']}, not {model}.")
    if production[0].get("ServerlessConfig") or config.get("AsyncInferenceConfig"):
        raise invalid(f"Endpoint {endpoint}: shadow tests do not go with serverless or asynchronous inference.")
    return {**config, "Source": production[0]}


def stopped(state: State, body: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A request for the configuration that serves then, and the variants that are not there any more."""
    source, shadow = variant_names(body)
    actions = {source: "Retain", shadow: "Retain", **request["ModelVariantActions"]}
    unknown = sorted(set(actions) - {source, shadow})
    if unknown:
        raise invalid(f"ModelVariantActions: {unknown[0]} is no variant of this experiment.")
    if actions[source] == "Promote":
        raise invalid(f"ModelVariantActions: {source} is in production already; only {shadow} can be promoted.")
    if actions[source] == "Remove" and actions[shadow] != "Promote":
        raise invalid(f"ModelVariantActions: without {source} nothing would serve, unless {shadow} is promoted.")
    gone = [name for name in (source, shadow) if actions[name] == "Remove"]
    desired = {variant["VariantName"]: variant for variant in request.get("DesiredModelVariants") or ()}
    if wrong := sorted(set(desired) - {source, shadow} | (set(desired) & set(gone))):
        raise invalid(f"DesiredModelVariants: {wrong[0]} is no variant that stays.")
    before = body.get("Before")
    if before is not None and gone == [shadow] and not desired:
        # The endpoint is as it was.
        return {"EndpointConfigName": before}, gone
    if body["Status"] == "Created":
        return {}, gone
    while_it_lasts = configuration(state, body, basis(body))
    variants = {
        variant["VariantName"]: variant
        for variant in (*while_it_lasts["ProductionVariants"], *while_it_lasts["ShadowProductionVariants"])
    }
    for name, variant in desired.items():
        variants[name] = {**variants[name], **_variant(variant, variants[name]["InitialVariantWeight"])}
    production = [variants[source]] if source not in gone else []
    if actions[shadow] == "Promote":
        production.append({**variants[shadow], "InitialVariantWeight": 1.0})
    wanted = {member: value for member, value in while_it_lasts.items() if member not in _OWN}
    wanted["ProductionVariants"] = production
    if actions[shadow] == "Retain":
        wanted["ShadowProductionVariants"] = [variants[shadow]]
    else:
        # What was captured for the experiment ends with it.
        wanted.pop("DataCaptureConfig", None)
        own = endpoints.config(state, before).get("DataCaptureConfig") if before is not None else None
        wanted |= {"DataCaptureConfig": own} if own else {}
    return _named(state, body["Name"], wanted), gone


def basis(body: Mapping[str, Any]) -> str:
    """The configuration that says what else the endpoint is."""
    return str(body.get("Before") or body["Wanted"]["EndpointConfigName"])


def _variant(variant: Mapping[str, Any], weight: float) -> dict[str, Any]:
    infrastructure = variant["InfrastructureConfig"]["RealTimeInferenceConfig"]
    return {
        "VariantName": variant["VariantName"],
        "ModelName": variant["ModelName"],
        "InstanceType": infrastructure["InstanceType"],
        "InitialInstanceCount": infrastructure["InstanceCount"],
        "InitialVariantWeight": weight,
    }


def _storage(body: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"KmsKeyId": body["KmsKey"]} if body.get("KmsKey") else {}
    storage = body.get("DataStorageConfig")
    if storage:
        found["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": storage["Destination"],
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            **({"KmsKeyId": storage["KmsKey"]} if storage.get("KmsKey") else {}),
            **({"CaptureContentTypeHeader": storage["ContentType"]} if storage.get("ContentType") else {}),
        }
    return found


def _named(state: State, experiment: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """By what is in it, so that whoever does the step again makes no second one."""
    judged = endpoints.judged_config(state, {**request, "EndpointConfigName": "judged"})
    for variant in (*judged["ProductionVariants"], *(judged.get("ShadowProductionVariants") or ())):
        if any(item.get("ModelPackageName") is None and item.get("ProductId") for item in _containers(state, variant)):
            raise invalid(f"Variant {variant['VariantName']}: shadow tests do not go with Marketplace containers.")
    digest = hashlib.sha256(dump(request, sort_keys=True).encode()).hexdigest()[:10]
    return {**request, "EndpointConfigName": f"{experiment[:42].rstrip('-')}-EpConfig-{digest}"}


def _containers(state: State, variant: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return models.containers(state, variant["ModelName"])


def variant_names(body: Mapping[str, Any]) -> list[str]:
    """The source's and the shadow's."""
    mode = body["ShadowModeConfig"]
    return [mode["SourceModelVariantName"], mode["ShadowModelVariants"][0]["ShadowModelVariantName"]]


def endpoint_of(state: State, endpoint: str) -> dict[str, Any] | None:
    """None where there is none."""
    try:
        return endpoints.found(state, endpoint)
    except Refusal:
        return None
