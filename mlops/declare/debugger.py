"""Rules of a training as SageMaker Debugger evaluates them, for accounts that still have it (``debugger = true``).

It was closed to new customers in July 2026. It looks at the tensors that its hook saves and not at what a script
prints, tells what it found, and stops nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops.declare.misuse import misuse
from mlops.ir import Value
from mlops.knowledge.containers import contract
from mlops.project.environments import Environment

_REPOSITORY = "sagemaker-debugger-rules"
_AS: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "loss-not-decreasing": ("LossNotDecreasing", {"values": "num_steps", "percent": "diff_percent"}, "losses"),
    "overfit": (
        "Overfit",
        {"patience": "patience", "ratio": "ratio_threshold", "start": "start_step"},
        "losses",
    ),
    "overtraining": (
        "Overtraining",
        {"patience_train": "patience_train", "patience_validation": "patience_validation", "delta": "delta"},
        "losses",
    ),
    "not-finite": ("ExplodingTensor", {"only_nan": "only_nan"}, "losses"),
    "vanishing": ("VanishingGradient", {"threshold": "threshold"}, "gradients"),
    "plateau": ("UnchangedTensor", {"values": "num_steps", "relative": "rtol", "absolute": "atol"}, "losses"),
    "stalled": ("StalledTrainingRule", {"seconds": "threshold"}, "losses"),
}
"""Debugger's name, its parameters by ours, and the collection of tensors that it looks at."""


def configurations(step: str, rules: Iterable[object], environment: Environment) -> tuple[dict[str, Value], ...]:
    """DebugRuleConfigurations; one of ours that Debugger has not is left out."""
    known = contract(_REPOSITORY)
    account = known.accounts.get(environment.region) if known is not None else None
    if account is None:
        misuse("D092", f"{step}: there are no rules of Debugger in {environment.region}", step=step)
        return ()
    domain = "amazonaws.com.cn" if environment.region.startswith("cn-") else "amazonaws.com"
    image = f"{account}.dkr.ecr.{environment.region}.{domain}/{_REPOSITORY}:latest"
    found = list[dict[str, Value]]()
    for rule in rules:
        name, parameters, _ = _AS.get(str(getattr(rule, "rule", "")), ("", {}, ""))
        if name:
            given = {theirs: _text(getattr(rule, ours)) for ours, theirs in parameters.items()}
            found.append(
                {
                    "RuleConfigurationName": f"{name}-{len(found) + 1}",
                    "RuleEvaluatorImage": image,
                    "RuleParameters": {"rule_to_invoke": name, **given},
                }
            )
    return tuple(found)


def hook(rules: Iterable[object], to: str) -> dict[str, Value]:
    """DebugHookConfig that saves what the rules look at; ``to`` is an S3 URI."""
    collections = sorted({_AS[name][2] for rule in rules if (name := str(getattr(rule, "rule", ""))) in _AS})
    return {
        "S3OutputPath": to,
        "CollectionConfigurations": tuple(
            {"CollectionName": name, "CollectionParameters": {"save_interval": "500"}} for name in collections
        ),
    }


def _text(value: object) -> str:
    return str(value) if not isinstance(value, float) else f"{value:.10g}"
