"""Debugger's rules on training jobs, and the tensors that its hook saves for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlops.check.jobs import TRAINING
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.rules.processing_containers import contract_of
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

if TYPE_CHECKING:
    from mlops.knowledge.containers import Contract


@rule(
    "X884",
    "debugger-rule",
    Severity.WARNING,
    source="smdebug-rulesconfig: names of the built-in rules; CreateTrainingJob API: DebugRuleConfiguration",
)
def debugger_rule(subject: Subject) -> Iterator[Fault]:
    """A built-in rule of Debugger or of its profiler that does not exist or is not named, rules on tensors that no hook
    saves; or (an error) two rules, or two collections of tensors, of one name.

    Bad:  "RuleParameters": {"rule_to_invoke": "LossNotDecresing"}
    Good: "RuleParameters": {"rule_to_invoke": "LossNotDecreasing"}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        seen: set[str] = set()
        for member in ("DebugRuleConfigurations", "ProfilerRuleConfigurations"):
            for where, item in entries(job, member):
                name = item.get("RuleConfigurationName")
                if isinstance(name, str):
                    if name in seen:
                        place, message = f"{at}{where}/RuleConfigurationName", f"two rules are named {name!r}"
                        yield Fault(place, message, "rename one", placed, severity=Severity.ERROR)
                    seen.add(name)
                known = contract_of(subject, item.get("RuleEvaluatorImage"))
                if known is not None and known[0].rules:
                    yield from _invoked(at + where, item, known[0], placed)
        yield from _collections(at, job, placed)
        if job.get("DebugRuleConfigurations") and job.get("DebugHookConfig") is None:
            message = "the rules look at tensors, and no DebugHookConfig saves any"
            yield Fault(f"{at}/DebugHookConfig", message, "add it, with an S3OutputPath", placed)


def _collections(at: str, job: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    listed = list(entries(job, "DebugHookConfig", "CollectionConfigurations"))
    names = [item.get("CollectionName") for _, item in listed]
    for (where, _), (index, name) in zip(listed, enumerate(names), strict=True):
        if isinstance(name, str) and name in names[:index]:
            yield Fault(
                f"{at}{where}/CollectionName", f"{name!r} stands twice", "keep one", placed, None, Severity.ERROR
            )


def _invoked(at: str, item: Mapping[str, Value], known: Contract, placed: Placed) -> Iterator[Fault]:
    invoked, where = get(item, "RuleParameters", "rule_to_invoke"), f"{at}/RuleParameters/rule_to_invoke"
    names = (*known.rules, *known.profiler_rules)
    if invoked is None and get(item, "RuleParameters", "source_s3_uri") is None:
        yield Fault(where, "nothing says which rule is to be evaluated", f"e.g. {names[0]}", placed)
    elif isinstance(invoked, str) and invoked not in names and get(item, "RuleParameters", "source_s3_uri") is None:
        yield Fault(where, f"{known.title} has no rule {shown(invoked)}", did_you_mean(invoked, names), placed)
