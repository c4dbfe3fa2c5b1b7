"""What a tuning job is asked for, and what it can bring."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.jobs import NUMBER_RANGES, SEARCHED, TUNING, defined
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.ir.members import get
from mlops.ir.values import Key

_CONFIG = "HyperParameterTuningJobConfig"


@rule("R342", "not-tuned", Severity.ERROR, source="DescribeHyperParameterTuningJob API: TunedHyperParameters")
def not_tuned(subject: Subject) -> Iterator[Fault]:
    """A hyperparameter of the best training job is read among the tuned ones, and no range searches for it;
    where SageMaker may add ranges, a warning.

    Bad:  Steps.Tune.BestTrainingJob.TunedHyperParameters['learning_rate'] of a job that tunes lr
    Good: Steps.Tune.BestTrainingJob.TunedHyperParameters['lr']
    """
    searched: dict[str, set[str]] = {}
    added: set[str] = set()
    for tuning in subject.jobs[TUNING]:
        holders = [(get(tuning.request, _CONFIG), "ParameterRanges")]
        holders += [(job, "HyperParameterRanges") for _, job, _ in defined(tuning)]
        items = [item for holder, name in holders for kind in SEARCHED for _, item in entries(holder, name, kind)]
        names = [item.get("Name") for item in items]
        if names and all(isinstance(name, str) for name in names):
            searched[tuning.placed.step.name] = {name for name in names if isinstance(name, str)}
        if tuning.request.get("Autotune") is not None:
            added.add(tuning.placed.step.name)
    for reading in subject.readings if searched else ():
        path = reading.path
        if path.root != "Steps" or path.name not in searched or "TunedHyperParameters" not in path.segments:
            continue
        last = path.segments[-1]
        name = last.text if isinstance(last, Key) else last
        if isinstance(name, str) and name != "TunedHyperParameters" and name not in searched[path.name]:
            message = f"{path.name!r} does not tune {shown(name)}"
            help_text = did_you_mean(name, searched[path.name])
            severity = Severity.WARNING if path.name in added else None
            yield Fault(f"{reading.site.at}/Get", message, help_text, reading.site.placed, severity=severity)


@rule(
    "X989", "search-of-nothing", Severity.WARNING, source="CreateHyperParameterTuningJob API: ranges, WarmStartConfig"
)
def search_of_nothing(subject: Subject) -> Iterator[Fault]:
    """A range has one value alone, which is no search, or a warm start names one parent twice.

    Bad:  {"Name": "lr", "MinValue": "0.1", "MaxValue": "0.1"}
    Good: {"Name": "lr", "MinValue": "0.01", "MaxValue": "0.1"}
    """
    for tuning in subject.jobs[TUNING]:
        holders = [(f"{tuning.at}/{_CONFIG}", get(tuning.request, _CONFIG), "ParameterRanges")]
        holders += [(at, job, "HyperParameterRanges") for at, job, _ in defined(tuning)]
        for start, holder, name in holders:
            for kind in NUMBER_RANGES:
                for at, item in entries(holder, name, kind):
                    low, high = item.get("MinValue"), item.get("MaxValue")
                    if isinstance(low, str) and low == high:
                        message = f"the range has one value, {shown(low)}"
                        help_text = "make it a static hyperparameter, or widen the range"
                        yield Fault(f"{start}{at}/MaxValue", message, help_text, tuning.placed)
        seen: set[str] = set()
        for at, item in entries(tuning.request, "WarmStartConfig", "ParentHyperParameterTuningJobs"):
            parent = item.get("HyperParameterTuningJobName")
            if isinstance(parent, str):
                if parent in seen:
                    yield Fault(f"{tuning.at}{at}", f"{shown(parent)} is named twice", "name it once", tuning.placed)
                seen.add(parent)
