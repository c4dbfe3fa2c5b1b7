"""Baselines of QualityCheck and ClarifyCheck steps: where they come from, and what registers them."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.expressions import literal
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Reading, Subject
from mlops.ir import Join, Placed, Ref, Severity, Value
from mlops.ir.members import get

_LIFECYCLE = "AWS docs: pipelines-quality-clarify-baseline-lifecycle"
_CHECKS = ("QualityCheck", "ClarifyCheck")
_SUPPLIED = {"SuppliedBaselineStatistics": "statistics", "SuppliedBaselineConstraints": "constraints"}
_SLOTS = {
    "ModelDataQuality": ("DATA_QUALITY",),
    "ModelQuality": ("MODEL_QUALITY",),
    "Explainability": ("MODEL_EXPLAINABILITY",),
    "Bias/PreTrainingConstraints": ("DATA_BIAS",),
    "Bias/PreTrainingReport": ("DATA_BIAS",),
    "Bias/PostTrainingConstraints": ("MODEL_BIAS",),
    "Bias/PostTrainingReport": ("MODEL_BIAS",),
    "Bias/Report": ("DATA_BIAS", "MODEL_BIAS"),
}
"""Which checks' results go into which member of ModelMetrics and DriftCheckBaselines."""


@rule("X717", "supplied-baseline-file", Severity.WARNING, source=_LIFECYCLE)
def supplied_baseline_file(subject: Subject) -> Iterator[Fault]:
    """A supplied baseline is the file of the other kind, no JSON or a folder; a QualityCheck is supplied with one of
    the two files that make its baseline, and has no model package group to take the other from; or a check of data
    alone names a model.

    Bad:  "SuppliedBaselineStatistics": "s3://acme/baseline/constraints.json"
    Good: "SuppliedBaselineStatistics": "s3://acme/baseline/statistics.json"
    """
    for placed, _ in subject.of_type(*_CHECKS):
        members = placed.step.members
        for name, kind in _SUPPLIED.items():
            text = literal(subject, members.get(name))
            last = text.rpartition("/")[2].lower() if isinstance(text, str) else ""
            other = next(other for other in _SUPPLIED.values() if other != kind)
            if other in last and kind not in last:
                yield Fault(f"{placed.pointer}/{name}", f"{shown(last)} holds {other}, {kind} are wanted", None, placed)
            elif "." in last and not last.endswith(".json"):
                yield Fault(f"{placed.pointer}/{name}", f"{shown(last)} is no JSON file", None, placed)
            elif isinstance(text, str) and text.startswith("s3://") and text.endswith("/"):
                message = f"{shown(text)} is a folder, the file with the {kind} is wanted"
                yield Fault(f"{placed.pointer}/{name}", message, f"e.g. {text}{kind}.json", placed)
        given = [name for name in _SUPPLIED if members.get(name) is not None]
        if placed.step.type == "QualityCheck" and len(given) == 1 and members.get("ModelPackageGroupName") is None:
            missing = next(name for name in _SUPPLIED if name not in given)
            message = f"a baseline is statistics and constraints, and {missing} is not there"
            yield Fault(f"{placed.pointer}/{missing}", message, "supply both", placed)
        if members.get("CheckType") == "DATA_BIAS" and members.get("ModelName") is not None:
            message = "DATA_BIAS looks at data alone, it asks no model"
            yield Fault(f"{placed.pointer}/ModelName", message, "remove it, or check MODEL_BIAS", placed)


@rule("X718", "baseline-of-another-kind", Severity.WARNING, source=_LIFECYCLE)
def baseline_of_another_kind(subject: Subject) -> Iterator[Fault]:
    """A registration takes a check's result into a place of another kind of check, constraints where statistics belong
    or the other way round, or a new baseline although the check is told to keep the old one.

    Bad:  DriftCheckBaselines with {"Get": "Steps.Drift.CalculatedBaselineConstraints"} of "RegisterNewBaseline": false
    Good: DriftCheckBaselines with {"Get": "Steps.Drift.BaselineUsedForDriftCheckConstraints"}
    """
    for reading, check, member, inner in _registered(subject):
        name = str(reading.path.segments[0])
        kind, wanted = check.step.members.get("CheckType"), _slot(inner)
        at = f"{reading.site.at}/Get"
        if wanted and kind not in wanted and any(kind in checks for checks in _SLOTS.values()):
            message = (
                f"{check.step.name} checks {kind}, and {inner.partition('/Constraints')[0]} is of {' or '.join(wanted)}"
            )
            yield Fault(at, message, "register it where it belongs", reading.site.placed)
            continue
        for mine, other in (("Statistics", "Constraints"), ("Constraints", "Statistics")):
            if name.endswith(mine) and other in inner:
                message = f"{name} are {mine.lower()}, {other.lower()} are wanted"
                help_text = f"read {name.removesuffix(mine)}{other}" if check.step.type == "QualityCheck" else None
                yield Fault(at, message, help_text, reading.site.placed)
        keeps = check.step.members.get("RegisterNewBaseline", False) is False
        if member == "DriftCheckBaselines" and name.startswith("Calculated") and keeps:
            message = (
                f"{check.step.name} keeps its baseline (RegisterNewBaseline is false), and the new one is registered"
            )
            help_text = f"read {name.replace('CalculatedBaseline', 'BaselineUsedForDriftCheck')}"
            yield Fault(at, message, help_text, reading.site.placed)


def _registered(subject: Subject) -> Iterator[tuple[Reading, Placed, str, str]]:
    """Results of checks that registrations read: with the check, ModelMetrics or DriftCheckBaselines, what is below."""
    for reading in subject.readings:
        placed, path = reading.site.placed, reading.path
        if placed is None or placed.step.type != "RegisterModel" or path.root != "Steps" or not path.segments:
            continue
        check = subject.by_name.get(path.name)
        if check is None or check.step.type not in _CHECKS or "Baseline" not in str(path.segments[0]):
            continue
        member, _, inner = reading.site.at.removeprefix(f"{placed.pointer}/Arguments/").partition("/")
        if member in ("ModelMetrics", "DriftCheckBaselines"):
            yield reading, check, member, inner


def _slot(inner: str) -> tuple[str, ...]:
    return next((checks for place, checks in _SLOTS.items() if f"{inner}/".startswith(f"{place}/")), ())


@rule("X719", "baseline-lost", Severity.WARNING, source=_LIFECYCLE)
def baseline_lost(subject: Subject) -> Iterator[Fault]:
    """A check takes its baseline from a model package group into which this pipeline registers models without any
    baseline, or of which the registration that reads the check's result is not; or the baseline used is read of a check
    that has none.

    Bad:  a RegisterModel into "churn" without DriftCheckBaselines, and a check with "ModelPackageGroupName": "churn"
    Good: DriftCheckBaselines with the checks' BaselineUsedForDriftCheckConstraints
    """
    yield from _registered_without(subject)
    yield from _registered_elsewhere(subject)
    for reading in subject.readings:
        check = subject.by_name.get(reading.path.name) if reading.path.root == "Steps" else None
        if check is None or check.step.type not in _CHECKS or not reading.path.segments:
            continue
        members = check.step.members
        sources = ("ModelPackageGroupName", *_SUPPLIED)
        none = members.get("RegisterNewBaseline") is False and members.get("SkipCheck") is True
        without = none and not any(members.get(name) is not None for name in sources)
        if without and str(reading.path.segments[0]).startswith("BaselineUsedForDriftCheck"):
            message = f"{check.step.name} has no baseline: it registers none, and is given none"
            help_text = "set its RegisterNewBaseline, or name its group"
            yield Fault(f"{reading.site.at}/Get", message, help_text, reading.site.placed)


def _registered_without(subject: Subject) -> Iterator[Fault]:
    comparing = [
        (placed.step.name, _group(placed.step.members.get("ModelPackageGroupName")))
        for placed, _ in subject.of_type(*_CHECKS)
        if placed.step.members.get("SkipCheck") is not True
    ]
    for placed, arguments in subject.of_type("RegisterModel"):
        group = _group(arguments.get("ModelPackageGroupName"))
        checks = [name for name, of in comparing if group is not None and of == group]
        if checks and arguments.get("DriftCheckBaselines") is None:
            message = f"{checks[0]} takes its baseline from this group, and this version gets none"
            help_text = f"add DriftCheckBaselines with Steps.{checks[0]}.BaselineUsedForDriftCheck..."
            yield Fault(f"{placed.pointer}/Arguments/DriftCheckBaselines", message, help_text, placed)


def _registered_elsewhere(subject: Subject) -> Iterator[Fault]:
    told: set[str] = set()
    for reading, check, member, _ in _registered(subject):
        placed, theirs = reading.site.placed, check.step.members.get("ModelPackageGroupName")
        mine = get(placed.step.arguments, "ModelPackageGroupName") if placed is not None else None
        if member != "DriftCheckBaselines" or placed is None or check.step.name in told:
            continue
        if isinstance(mine, str) and isinstance(theirs, str) and _group(mine) != _group(theirs):
            told.add(check.step.name)
            message = f"{check.step.name} takes its baseline from {theirs!r}, and it is registered in {mine!r}"
            at = f"{placed.pointer}/Arguments/ModelPackageGroupName"
            yield Fault(at, message, "use one group", placed)


def _group(value: Value) -> str | None:
    """Equal where two groups are surely the same; None where it is not known."""
    if isinstance(value, Ref):
        return value.expression
    return value.rpartition("/")[2] if isinstance(value, str) else None


@rule("X733", "metrics-of-another-type", Severity.WARNING, source="CreateModelPackage API: MetricsSource")
def metrics_of_another_type(subject: Subject) -> Iterator[Fault]:
    """A registration says of a JSON file of metrics that it is of another type.

    Bad:  {"ContentType": "text/csv", "S3Uri": "s3://acme/report/evaluation.json"}
    Good: {"ContentType": "application/json", "S3Uri": "s3://acme/report/evaluation.json"}
    """
    for at, holder, placed in subject.objects:
        content, uri = holder.get("ContentType"), holder.get("S3Uri")
        if placed.step.type != "RegisterModel" or not isinstance(content, str) or "json" in content.lower():
            continue
        last = uri.values[-1] if isinstance(uri, Join) and uri.values else uri
        if isinstance(last, str) and last.lower().endswith(".json"):
            message = f"{shown(last.rpartition('/')[2])} is said to be {content}"
            yield Fault(f"{at}/ContentType", message, "write application/json", placed)
