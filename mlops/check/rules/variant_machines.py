"""What variants of endpoints ask of their machines: systems, pools, partitions, reservations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.instances import accelerator
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

_WORDS = {"gpu": "a GPU", "neuron": "AWS Inferentia or Trainium", "cpu": "no accelerator"}


@rule("X954", "variant-machines", Severity.WARNING, source="botocore: ProductionVariant and what it has")
def variant_machines(subject: Subject) -> Iterator[Fault]:
    """A variant starts a system that is made for another accelerator, partitions GPUs that its instances lack, offers
    one instance type in two pools, insists on a reservation and names none, or sets for the release of idle instances
    what only consolidation takes. Two layouts of partitions are an error.

    Bad:  "InferenceAmiVersion": "al2-ami-sagemaker-inference-neuron-2" on ml.g5.xlarge
    Good: "InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-3-1" on ml.g5.xlarge
    """
    for placed, config in subject.of_type("EndpointConfig"):
        for member in ("ProductionVariants", "ShadowProductionVariants"):
            for where, variant in entries(config, member):
                yield from _machines(subject, f"{placed.pointer}/Arguments{where}", variant, placed)


def _machines(subject: Subject, at: str, variant: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    kind, system = (literal(subject, variant.get(name)) for name in ("InstanceType", "InferenceAmiVersion"))
    has = accelerator(kind) if isinstance(kind, str) else None
    built = next((name for name in ("gpu", "neuron") if isinstance(system, str) and f"-{name}-" in system), None)
    if has is not None and built is not None and built != has:
        message = f"{system} is for {_WORDS[built]}, and {kind} has {_WORDS[has]}"
        yield Fault(f"{at}/InferenceAmiVersion", message, "remove it, or choose another instance type", placed)
    layouts = variant.get("AcceleratorPartitionLayouts")
    if layouts and has is not None and has != "gpu":
        message = f"{kind} has no GPU that could be partitioned"
        yield Fault(f"{at}/AcceleratorPartitionLayouts", message, "remove it", placed)
    if isinstance(layouts, tuple) and len(layouts) > 1:
        message = "one layout is for all accelerators of a variant, and this has several"
        where = f"{at}/AcceleratorPartitionLayouts/1"
        yield Fault(where, message, "keep one of them", placed, severity=Severity.ERROR)
    seen = set[Value]()
    for where, pool in entries(variant, "InstancePools"):
        offered = literal(subject, pool.get("InstanceType"))
        if isinstance(offered, str) and offered in seen:
            message = f"{shown(offered)} stands in two pools"
            yield Fault(f"{at}{where}/InstanceType", message, "remove it, or name another", placed)
        seen.add(offered if isinstance(offered, str) else None)
    reservation = variant.get("CapacityReservationConfig")
    insists = get(reservation, "CapacityReservationPreference") == "capacity-reservations-only"
    if insists and get(reservation, "MlReservationArn") is None:
        message = "instances come from a reservation only, and none is named"
        yield Fault(f"{at}/CapacityReservationConfig/MlReservationArn", message, "add the reservation's ARN", placed)
    scaled_in = get(variant, "ManagedInstanceScaling", "ScaleInPolicy")
    if get(scaled_in, "Strategy") == "IDLE_RELEASE":
        for name in ("MaximumStepSize", "CooldownInMinutes"):
            if get(scaled_in, name) is not None:
                message = f"{name} is for CONSOLIDATION, and this is IDLE_RELEASE"
                yield Fault(f"{at}/ManagedInstanceScaling/ScaleInPolicy/{name}", message, "remove it", placed)


@rule("X956", "explainer-records", Severity.ERROR, source="botocore: ClarifyInferenceConfig")
def explainer_records(subject: Subject) -> Iterator[Fault]:
    """An explainer writes records by a template without a place for the features, or knows another number of types than
    of names of features. Types without a text, or a probability both by a column and by a member of JSON, are a
    warning.

    Bad:  "ContentTemplate": "{\\"features\\": features}"
    Good: "ContentTemplate": "{\\"features\\": $features}"
    """
    for placed, config in subject.of_type("EndpointConfig"):
        at = f"{placed.pointer}/Arguments/ExplainerConfig/ClarifyExplainerConfig/InferenceConfig"
        asked = get(config, "ExplainerConfig", "ClarifyExplainerConfig", "InferenceConfig")
        template = literal(subject, get(asked, "ContentTemplate"))
        if isinstance(template, str) and "$features" not in template and "$record" not in template:
            message = f"{shown(template)} has no place for the features"
            yield Fault(f"{at}/ContentTemplate", message, 'e.g. "{\\"features\\": $features}"', placed)
        names, types = get(asked, "FeatureHeaders"), get(asked, "FeatureTypes")
        if isinstance(names, tuple) and isinstance(types, tuple) and len(names) != len(types):
            message = f"{len(types)} types for {len(names)} features"
            yield Fault(f"{at}/FeatureTypes", message, "give each feature a type", placed)
        elif isinstance(types, tuple) and types and all(isinstance(kind, str) and kind != "text" for kind in types):
            message = "types are for models of texts, and no feature is a text"
            yield Fault(f"{at}/FeatureTypes", message, "remove them", placed, severity=Severity.WARNING)
        for what in ("Probability", "Label"):
            column, path = get(asked, f"{what}Index"), get(asked, f"{what}Attribute")
            if column is not None and path is not None:
                message = f"{what}Index is for answers in CSV, {what}Attribute for JSON Lines"
                where = f"{at}/{what}Attribute"
                yield Fault(where, message, "keep one of them", placed, severity=Severity.WARNING)
