"""The job of a declared monitor: what an endpoint captured in a window, held against a baseline in one reading.

``monitor.json`` says what is looked for. Below the job's inputs lie what was captured, what became of requests
(``labels``), and the baseline: files that an earlier check wrote, or the data themselves, of which those files are made
first. For each kind of look that is declared a folder with ``statistics.json``, ``constraints.json`` and
``constraint_violations.json`` is written, beside it ``run.json``, which says how it went, and ``metrics.json``.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlops.monitor import bias, clarify, data_quality, drifting, hanging_on, model_quality, numbers_told
from mlops.monitor.cells import Cells, Chunk, aligned, as_text
from mlops.monitor.data import ROWS, Data, Source, data_at
from mlops.monitor.drifting import Baseline
from mlops.monitor.fault import Fault
from mlops.monitor.files import data_files, lines_of, read_json, write_json
from mlops.monitor.formats.captured import LABEL
from mlops.monitor.numbers_told import Told
from mlops.monitor.predictor import PORTS
from mlops.monitor.profile import Column, profile, statistics
from mlops.monitor.settings import listed, section

STATISTICS, CONSTRAINTS, VIOLATIONS = "statistics.json", "constraints.json", "constraint_violations.json"
DRIFT_BASELINE, ANALYSIS = "drift_baseline.json", "analysis.json"
INPUT, OUTPUT = Path("processing", "input"), Path("processing", "output")
KINDS = ("data_quality", "drift", "model_quality", "bias", "attributions")
_BESIDE = frozenset({"model_quality", "bias", "attributions"})
"""Folders of a baseline that are of one kind alone."""
_LAYOUTS = {".csv": {"csv": {"header": True}}, ".parquet": {"parquet": {}}}


@dataclass(slots=True)
class Outcome:
    """Of one kind: ``violations`` None where nothing was compared, and ``why`` then."""

    violations: int | None = None
    why: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """The baseline. ``columns`` are those of requests, in their order; ``data`` are the training data, where they are
    given themselves."""

    statistics: Mapping[str, Any] | None
    constraints: Mapping[str, Any] | None
    baseline: Baseline | None
    columns: tuple[str, ...]
    folder: Path
    data: Source | None = None


@dataclass(slots=True)
class _Run:
    told: Mapping[str, Any]
    inputs: Path
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    read: int = 0
    unreadable: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    metrics: list[Told] = field(default_factory=list)

    def seen(self, read: int, lost: int) -> None:
        self.read, self.unreadable = read, lost

    def write(self, kind: str, found: Mapping[str, Any]) -> None:
        for name, document in found.items():
            write_json(self.output / kind, name, document)


@dataclass(frozen=True, slots=True)
class _Without:
    """A data set without some columns."""

    data: Source
    left_out: Collection[str]

    def chunks(self, size: int = ROWS, texts: Collection[str] | None = None) -> Iterator[Chunk]:
        for chunk in self.data.chunks(size, texts):
            yield {name: cells for name, cells in chunk.items() if name not in self.left_out}


def run(environment: Mapping[str, str], opt_ml: Path) -> int | None:
    """Answers how many violations were found, None where there were none. Raises :class:`Fault`."""
    told = read_json(opt_ml / INPUT / "monitor" / "monitor.json")
    if not isinstance(told, dict):
        raise Fault("monitor.json is no JSON object")
    found = _Run(told, opt_ml / INPUT, opt_ml / OUTPUT, environment)
    _look(found)
    write_json(found.output, "metrics.json", {"metrics": [item.document() for item in found.metrics if item.is_taken]})
    write_json(
        found.output,
        "run.json",
        {
            "monitor": told.get("monitor"),
            "endpoint": told.get("endpoint"),
            "since": told.get("since"),
            "until": told.get("until"),
            "lines": found.read,
            "unreadable": found.unreadable,
            "kinds": {
                kind: {
                    "rows": outcome.rows,
                    "violations": outcome.violations,
                    **({"not_compared": outcome.why} if outcome.why else {}),
                }
                for kind, outcome in found.outcomes.items()
            },
        },
    )
    print(f"{found.read} captured lines read, {found.unreadable} of them could not be")
    return sum(outcome.violations or 0 for outcome in found.outcomes.values()) or None


def _look(run: _Run) -> None:
    wanted = [kind for kind in KINDS if run.told.get(kind) is not None]
    if not wanted:
        raise Fault(f"the monitor looks for nothing; one of {', '.join(KINDS)} is wanted")
    files = _files(run.inputs / "captured")
    known = _baseline(run)
    if not files:
        for kind in wanted:
            run.outcomes[kind] = Outcome(why="nothing was captured in this time")
        return
    options = _options(run, known)
    if "data_quality" in wanted or "drift" in wanted:
        _data(run, known, Data(files, "captured", {**options, "seen": run.seen}), wanted)
    if "model_quality" in wanted or "bias" in wanted:
        labels = _labels(run.inputs / "labels")
        seen = {} if run.read else {"seen": run.seen}
        labelled = Data(files, "captured", {**options, **seen, "labels": labels})
        for kind, look in (("model_quality", _quality), ("bias", _bias)):
            if kind in wanted:
                try:
                    look(run, known, labelled, labels)
                except Fault as fault:  # the other looks have said what they saw
                    run.outcomes[kind] = Outcome(why=str(fault), rows=run.outcomes[kind].rows)
    if "attributions" in wanted:
        outcome = run.outcomes["attributions"] = Outcome()
        seen = {} if run.read else {"seen": run.seen}
        try:
            _attributions(run, known, Data(files, "captured", {**options, **seen}), outcome)
        except Fault as fault:
            outcome.why = str(fault)


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(data_files(folder)) if folder.is_dir() and any(folder.rglob("*.jsonl")) else ()


def _options(run: _Run, known: _Known) -> dict[str, Any]:
    names = [str(name) for name in listed(run.told.get("features"), "features")] or [*known.columns]
    given = {member: run.told.get(member) for member in ("since", "until", "answers", "features_path", "answers_path")}
    return {"features": names, **{member: value for member, value in given.items() if value is not None}}


def _labels(folder: Path) -> dict[str, str]:
    """By inference id; of several of one id the last that was published holds."""
    found: dict[str, str] = {}
    for file in _files(folder):
        for _, line in lines_of(file):
            try:
                told = json.loads(line)
                found[str(told["eventMetadata"]["eventId"])] = str(told["groundTruthData"]["data"]).strip()
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
    return found


# The baseline.


def _baseline(run: _Run) -> _Known:
    folder = run.inputs / "baseline"
    left_out = run.told.get("label_column")
    if not folder.is_dir() or not any(path.is_file() for path in folder.rglob("*")):
        return _Known(None, None, None, (), folder)
    found = {path.name: path for path in sorted(folder.rglob("*.json")) if _is_of_data(path, folder)}
    if STATISTICS in found or CONSTRAINTS in found:
        return _of_files(found, left_out, folder)
    files = [path for path in data_files(folder) if _is_of_data(path, folder)]
    if not files:
        return _Known(None, None, None, (), folder)
    layout = _LAYOUTS.get(files[0].suffix, {"json": {}})
    data = _Without(replace(data_at(folder, layout), files=tuple(files)), {left_out} if left_out else ())
    columns = profile(data)
    baseline = drifting.baseline_of(data, columns)
    documents = {
        STATISTICS: statistics(columns),
        CONSTRAINTS: data_quality.suggested(columns),
        DRIFT_BASELINE: drifting.document_of(baseline),
    }
    for name, document in documents.items():
        write_json(run.inputs.parent / "baseline", name, document)
    return _Known(documents[STATISTICS], documents[CONSTRAINTS], baseline, tuple(columns), folder, data)


def _is_of_data(path: Path, folder: Path) -> bool:
    return _BESIDE.isdisjoint(path.relative_to(folder).parts[:-1])


def _of_files(found: Mapping[str, Path], left_out: Any, folder: Path) -> _Known:
    def without(name: str) -> Mapping[str, Any] | None:
        document = read_json(found[name]) if name in found else None
        if document is None or not isinstance(document.get("features"), list):
            return document
        return {**document, "features": [item for item in document["features"] if item.get("name") != left_out]}

    told, constraints = without(STATISTICS), without(CONSTRAINTS)
    beside = read_json(found[DRIFT_BASELINE]) if DRIFT_BASELINE in found else None
    told = told if told is not None and "features" in told else None
    constraints = constraints if constraints is not None and "features" in constraints else None
    baseline = drifting.read_baseline(told, beside) if told is not None else None
    features = (told or constraints or {}).get("features") or ()
    return _Known(told, constraints, baseline, tuple(str(item["name"]) for item in features), folder)


# The kinds.


def _data(run: _Run, known: _Known, captured: Data, wanted: Collection[str]) -> None:
    features = set(known.columns)
    answers = [name for name in _answers(captured) if name not in features]
    data = _Without(captured, answers)
    asked = drifting.asked(run.told.get("drift") or {})
    columns: Mapping[str, Column]
    compared: Sequence[drifting.Compared] = ()
    try:
        if "drift" in wanted and known.baseline is not None:
            columns, compared = drifting.look(data, known.baseline, asked)
        else:
            columns = profile(data)
    except Fault as fault:
        if run.read and "no rows" in str(fault):
            for kind in {"data_quality", "drift"} & set(wanted):
                run.outcomes[kind] = Outcome(why="nothing was captured in this time")
            return
        raise
    files = {STATISTICS: statistics(columns), CONSTRAINTS: data_quality.suggested(columns)}
    rows = int(files[STATISTICS]["dataset"]["item_count"])
    told = run.told.get("data_quality")
    distances: dict[str, float] = {}
    if "data_quality" in wanted:
        outcome = run.outcomes["data_quality"] = Outcome(rows=rows)
        run.write("data_quality", files)
        if known.constraints is None:
            outcome.why = "there is no baseline with constraints"
        else:
            constraints = _with_thresholds(known.constraints, told, drift="drift" in wanted)
            found = [*data_quality.violated(columns, constraints, known.statistics)]
            outcome.violations = len(found)
            run.write("data_quality", {VIOLATIONS: {"violations": found}})
            _say(found)
    if "drift" in wanted:
        outcome = run.outcomes["drift"] = Outcome(rows=rows)
        run.write("drift", files)
        if known.baseline is None:
            outcome.why = "there is no baseline with statistics"
        else:
            found = [*drifting.violations(compared)]
            outcome.violations = len(found)
            run.write(
                "drift",
                {
                    VIOLATIONS: {"violations": found},
                    "drift.json": {
                        "version": 0.0,
                        "false_alarms": asked.false_alarms,
                        "tests": [item.document() for item in compared],
                    },
                },
            )
            _say(found)
            distances = {item.feature: item.value for item in compared if not item.silent and item.test != "missing"}
    # Without a baseline all of them; else anybody could make as many metrics as there are names.
    told_of = {name: column for name, column in columns.items() if name in features} if features else columns
    run.metrics += numbers_told.of_data(run.told, told_of, distances)


def _answers(data: Data) -> list[str]:
    """Columns that an answer has, of the first rows."""
    names = {str(name) for name in data.options.get("answers") or ()}
    for chunk in data.chunks(256, ()):
        return [name for name in chunk if name in names or name.startswith("prediction")]
    return []


def _with_thresholds(constraints: Mapping[str, Any], told: Any, *, drift: bool) -> Mapping[str, Any]:
    """What the monitor declares goes before what the baseline says; where drift is looked for by itself the container's
    own comparison of distributions is left out."""
    given = section(told, "data_quality")
    config = dict(section(constraints.get("monitoring_config"), "monitoring_config"))
    comparison = dict(section(config.get("distribution_constraints"), "distribution_constraints"))
    for member in ("datatype_check_threshold", "domain_content_threshold"):
        if given.get(member) is not None:
            config[member] = given[member]
    if given.get("comparison_threshold") is not None:
        comparison["comparison_threshold"] = given["comparison_threshold"]
    if drift:
        comparison["perform_comparison"] = "Disabled"
    return {**constraints, "monitoring_config": {**config, "distribution_constraints": comparison}}


def _quality(run: _Run, known: _Known, data: Data, labels: Mapping[str, str]) -> None:
    told = section(run.told["model_quality"], "model_quality")
    outcome = run.outcomes["model_quality"] = Outcome()
    asked = model_quality.asked(
        {
            "problem_type": str(told.get("problem_type")),
            "ground_truth_attribute": LABEL,
            **{
                member: str(told[member])
                for member in ("inference_attribute", "probability_attribute", "probability_threshold_attribute")
                if told.get(member) is not None
            },
        }
    )
    if not labels or not _has_rows(data):
        outcome.why = "no request of this time has a label yet"
        return
    member = model_quality.constraints_member(asked)
    limits = _limits(told, member)
    report = model_quality.assess(data, asked, None if limits else _file(known.folder, "model_quality"))
    outcome.rows = int(report.statistics["dataset"]["item_count"])
    run.write("model_quality", {STATISTICS: report.statistics, CONSTRAINTS: report.constraints})
    run.metrics += numbers_told.of_model(run.told, report.statistics)
    violations = report.violations
    if limits:
        metrics = report.statistics[member.replace("_constraints", "_metrics")]
        known_names = [name for name, found in metrics.items() if isinstance(found.get("value"), float)]
        _need_known((name for each in limits for name in each[member]), known_names, "model_quality")
        violations = [item for each in limits for item in model_quality.violated(metrics, each, member)]
    if violations is None:
        outcome.why = "there is no baseline, and no limit is declared"
    else:
        outcome.violations = len(violations)
        run.write("model_quality", {VIOLATIONS: {"violations": [*violations]}})
        _say(violations)


def _has_rows(data: Data) -> bool:
    return any(chunk for chunk in data.chunks(256, ()))


def _limits(told: Mapping[str, Any], member: str) -> list[dict[str, Any]]:
    """Constraints as a file has them, the least values and the greatest apart: a metric may have both."""
    found = []
    for kind, operator in (("at_least", "LessThanThreshold"), ("at_most", "GreaterThanThreshold")):
        given = section(told.get(kind), f"model_quality.{kind}")
        if given:
            limits = {str(name): {"threshold": value, "comparison_operator": operator} for name, value in given.items()}
            found.append({"version": 0.0, member: limits})
    return found


def _need_known(names: Iterable[str], known: Collection[str], kind: str) -> None:
    """Of a limit that is never looked at nobody would hear."""
    for name in names:
        if name not in known:
            raise Fault(f"{kind} has a limit of {name}, and there are {', '.join(known)}")


def _file(folder: Path, kind: str) -> Mapping[str, Any] | None:
    """The constraints of a baseline of that kind, in a folder of its name: Clarify's are the analysis itself."""
    found = {path.name: path for path in sorted((folder / kind).rglob("*.json"))}
    place = found.get(CONSTRAINTS) or found.get(ANALYSIS)
    if place is None:
        return None
    document = read_json(place)
    return document if isinstance(document, dict) else None


def _bias(run: _Run, known: _Known, data: Data, labels: Mapping[str, str]) -> None:
    """As Clarify's job measures it, of the requests that have a label."""
    outcome = run.outcomes["bias"] = Outcome()
    told = section(run.told["bias"], "bias")
    with tempfile.TemporaryDirectory() as scratch:
        predicted = str(told.get("predicted_label") or "prediction")
        rows, names = _written(
            data, Path(scratch, "data.csv"), predicted, float(told.get("probability_threshold", 0.5))
        )
        outcome.rows = rows
        if not rows:
            outcome.why = "no request of this time has a label yet"
            return
        config: dict[str, Any] = {
            "dataset_type": "text/csv",
            "headers": names,
            "label": LABEL,
            "predicted_label": predicted,
            "label_values_or_threshold": told.get("label_values_or_threshold"),
            "facet": told.get("facet"),
            "group_variable": told.get("group_variable"),
            "methods": {
                "pre_training_bias": {"methods": told.get("pre_training") or "all"},
                "post_training_bias": {"methods": told.get("post_training") or "all"},
            },
        }
        analysis, _ = clarify.analysed(config, Path(scratch, "data.csv"), {})
    run.write("bias", {ANALYSIS: analysis, STATISTICS: analysis, CONSTRAINTS: analysis})
    limits = section(told.get("at_most"), "bias.at_most")
    baseline = _file(known.folder, "bias")
    _need_known(limits, [*bias.PRE_TRAINING, *bias.POST_TRAINING], "bias")
    if baseline is None and not limits:
        outcome.why = "there is no baseline, and no limit is declared"
    else:
        found = [*clarify.violated(analysis, baseline)] if baseline is not None else []
        found += clarify.beyond(analysis, limits)
        outcome.violations = len(found)
        run.write("bias", {VIOLATIONS: {"version": "1.0", "violations": found}})
        _say(found)
    run.metrics += numbers_told.of_bias(run.told, analysis)


def _written(data: Data, place: Path, predicted: str, threshold: float) -> tuple[int, list[str]]:
    """How many rows, and the columns. Scores become 1 from ``threshold`` on, and 0 below."""
    names: list[str] = []
    rows = 0
    with place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for chunk in data.chunks():
            names = names or [*chunk]
            columns = [_labelled(chunk[name], threshold) if name == predicted else chunk[name].rows for name in names]
            for cells in zip(*columns, strict=True):
                writer.writerow(["" if cell is None else as_text(cell) for cell in cells])
                rows += 1
    return rows, names


def _labelled(cells: Cells, threshold: float) -> Sequence[Any]:
    numbers = cells.numbers
    if cells.others or not len(numbers) or numbers.min() < 0 or numbers.max() > 1 or not (numbers % 1).any():
        return cells.rows
    return ["" if number != number else int(number >= threshold) for number in aligned(cells.rows).tolist()]


def _attributions(run: _Run, known: _Known, data: Data, outcome: Outcome) -> None:
    """As Clarify's monitor: of the window, held against those of the training data, which are measured once."""
    told = section(run.told["attributions"], "attributions")
    if not run.environment.get(PORTS) and not told.get("asked"):
        outcome.why = "no variant of the endpoint names its model, and nobody serves it"
        return
    least = hanging_on.least(told)
    names = hanging_on.names_of([str(name) for name in run.told.get("features") or ()], known.columns)
    rows = hanging_on.sampled(data, names, told)
    outcome.rows = len(rows)
    if not rows:
        outcome.why = "nothing was captured in this time"
        return
    with tempfile.TemporaryDirectory() as scratch:

        def measured(of: Sequence[Sequence[Any]]) -> dict[str, Any]:
            return hanging_on.measured(of, names, known.statistics, told, run.environment, Path(scratch))

        analysis = measured(rows)
        baseline = _file(known.folder, "attributions")
        if baseline is None and known.data is not None:
            baseline = measured(hanging_on.sampled(known.data, names, told))
            write_json(run.inputs.parent / "baseline" / "attributions", CONSTRAINTS, baseline)
    run.write("attributions", {ANALYSIS: analysis, STATISTICS: analysis, CONSTRAINTS: analysis})
    run.metrics += numbers_told.of_attributions(run.told, analysis)
    if baseline is None:
        outcome.why = "there is no baseline of attributions"
        return
    found = [*clarify.attribution_drift(analysis, baseline, least)]
    outcome.violations = len(found)
    run.write("attributions", {VIOLATIONS: {"version": "1.0", "violations": found}})
    _say(found)


def _say(found: Sequence[Mapping[str, Any]]) -> None:
    for violation in found:
        name = violation.get("feature_name") or violation.get("metric_name")
        print(f"{name}: {violation['constraint_check_type']}: {violation['description']}")
