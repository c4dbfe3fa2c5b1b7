"""The job of Clarify's container: an ``analysis_config.json`` says what is to be analysed.

Data and configuration are found as there, by the names of the job's inputs. It writes ``analysis.json``, tables of the
attributions, and where a baseline is given ``constraint_violations.json``. The report for people is left out.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from mlops.monitor import bias, groups
from mlops.monitor.attributions import AGGREGATES, clustered, kernel_shap, ndcg, partial_dependence
from mlops.monitor.cells import Array
from mlops.monitor.fault import Fault
from mlops.monitor.files import read_json, write_json
from mlops.monitor.predictor import Predictor, predictor
from mlops.monitor.settings import count, listed, section
from mlops.monitor.table import Table, read_table

_SECTIONS = {"pre_training_bias": "pre_training_bias_metrics", "post_training_bias": "post_training_bias_metrics"}
_LEAST_NDCG = 0.9
_ROUNDING = 1e-9
_RESOLUTION, _TOP = 15, 10
_ELSEWHERE = ("facet_dataset_uri", "predicted_label_dataset_uri", "joinsource_name_or_index")


def run(environment: Mapping[str, str], opt_ml: Path) -> int | None:
    """Answers how many violations were found, None where there were none. Raises :class:`Fault`."""
    job = read_json(opt_ml / "config" / "processingjobconfig.json")
    config = read_json(_config_file(_place(job, "analysis_config", opt_ml)))
    if not isinstance(config, dict):
        raise Fault("the analysis configuration is no JSON object")
    output = _place(job, "analysis_result", opt_ml, "ProcessingOutputConfig", "Outputs")
    analysis, tables = analysed(config, _place(job, "dataset", opt_ml), environment)
    write_json(output, "analysis.json", analysis)
    for name, lines in tables.items():
        _write_table(output / name, lines)
    baseline = environment.get("baseline_constraints")
    if not baseline:
        return None
    violations = [*violated(analysis, read_json(Path(baseline)))]
    write_json(output, "constraint_violations.json", {"version": "1.0", "violations": violations})
    for violation in violations:
        print(": ".join(violation.values()))
    return len(violations) or None


def _place(job: Mapping[str, Any], name: str, opt_ml: Path, *members: str) -> Path:
    """The folder of one of the job's inputs, or of its outputs."""
    items: Any = job
    for member in members or ("ProcessingInputs",):
        items = (items or {}).get(member)
    label, holder = ("OutputName", "S3Output") if members else ("InputName", "S3Input")
    for item in items or []:
        if item.get(label) == name:
            path = str(item[holder]["LocalPath"])
            return opt_ml / path.removeprefix("/opt/ml/")
    raise Fault(f"the job has no {'output' if members else 'input'} {name}")


def _config_file(folder: Path) -> Path:
    found = sorted(folder.rglob("*.json")) if folder.is_dir() else [folder]
    if len(found) != 1:
        raise Fault(f"the input analysis_config brings {len(found)} JSON files, one is wanted")
    return found[0]


def analysed(
    config: Mapping[str, Any], place: Path, environment: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, list[list[Any]]]]:
    """The analysis of the data at ``place``, and tables by the names of their files. Raises :class:`Fault`."""
    for member in _ELSEWHERE:
        if config.get(member) is not None:
            raise Fault(f"{member} cannot be used here: put the columns into the data set")
    methods = section(config.get("methods"), "methods")
    wanted = [name for name in ("pre_training_bias", "post_training_bias", "shap", "pdp") if name in methods]
    if not wanted:
        raise Fault(
            "methods of the analysis configuration has none of pre_training_bias, post_training_bias, shap, pdp"
        )
    table, label, predicted = read_table(place, config)
    asked = cache(lambda: predictor(config, environment))
    analysis: dict[str, Any] = {"version": "1.0"}
    tables: dict[str, list[list[Any]]] = {}
    for method, part in _SECTIONS.items():
        if method in wanted:
            said: Callable[[bool], Array] | None = None
            if method == "post_training_bias":
                said = partial(_labels, table, predicted, asked)
            analysis[part] = _bias(config, methods[method], table, label, predicted, said)
    if "shap" in wanted or "pdp" in wanted:
        analysis["explanations"] = _explained(methods, table, asked(), tables)
    return analysis, tables


def _labels(table: Table, predicted: str | None, asked: Callable[[], Predictor], continuous: bool) -> Array:
    """What the model said, in the data or asked now."""
    if predicted is not None:
        return table.columns[predicted]
    return asked().labels(_matrix(table).tolist(), continuous=continuous)


def _matrix(table: Table) -> Array:
    """The features, each value as Python has it."""
    matrix: Array = np.empty((len(table), len(table.features)), dtype=object)
    for at, name in enumerate(table.features):
        matrix[:, at] = table.columns[name].tolist()
    return matrix


def _bias(
    config: Mapping[str, Any],
    method: Any,
    table: Table,
    label: str | None,
    predicted: str | None,
    said: Callable[[bool], Array] | None,
) -> dict[str, Any]:
    metrics = bias.PRE_TRAINING if said is None else bias.POST_TRAINING
    names = section(method, "the method of an analysis of bias").get("methods", "all")
    unknown = [name for name in groups.as_list(names) if name not in (*metrics, "all")]
    if unknown:
        raise Fault(f"there is no bias metric {unknown[0]}; there are {', '.join(metrics)}")
    if label is None:
        raise Fault("an analysis of bias wants `label`")
    chosen = groups.as_list(config.get("label_values_or_threshold"))
    if not chosen:
        raise Fault("an analysis of bias wants `label_values_or_threshold`")
    truth = table.columns[label]
    positive, told = _positive(truth, chosen)
    group_name = config.get("group_variable")
    group = None if group_name is None else table.columns[table.name(group_name, "group_variable")]
    facets = [section(facet, "a facet") for facet in listed(config.get("facet"), "facet")]
    if not facets:
        raise Fault("an analysis of bias wants `facet`")
    names_of = [table.name(facet.get("name_or_index"), "facet") for facet in facets]
    positive_said = None if said is None else _positive_said(said(groups.is_continuous(truth, chosen)), truth, chosen)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, facet in zip(names_of, facets, strict=True):
        features = _numbers(table, {name, label, predicted})
        for members, value in _facets(table.columns[name], groups.as_list(facet.get("value_or_threshold"))):
            rows = bias.Rows(members, positive, positive_said, group, features)
            measured = bias.measured(metrics, names, rows)
            found.setdefault(name, []).append({"value_or_threshold": value, "metrics": measured})
    return {"label": label, "facets": found, "label_value_or_threshold": told}


def _positive(column: Array, chosen: list[Any]) -> tuple[Array, str]:
    if groups.is_continuous(column, chosen):
        spans = groups.intervals(column, chosen)
        return groups.within(column, spans), groups.named(spans)
    return groups.among(column, chosen), ",".join(map(str, chosen))


def _positive_said(said: Array, truth: Array, chosen: list[Any]) -> Array:
    if groups.is_continuous(truth, chosen) and said.dtype.kind in "if":
        spans = groups.intervals(np.concatenate([truth, said]), chosen)
        positive = groups.within(said, spans)
    else:
        positive = groups.among(said, chosen)
    if not positive.any():
        raise Fault(
            "no predicted label is positive: see label_values_or_threshold, probability_threshold and predictor"
        )
    return positive


def _facets(column: Array, chosen: list[Any]) -> Iterator[tuple[Array, str]]:
    """Who is in the facet, by its value: each one where none is chosen."""
    if groups.is_continuous(column, chosen):
        spans = groups.intervals(column, chosen)
        yield groups.within(column, spans), groups.named(spans)
        return
    for values in [chosen] if chosen else [[value] for value in dict.fromkeys(column.tolist())]:
        yield groups.among(column, values), ",".join(map(str, values))


def _numbers(table: Table, left_out: set[str | None]) -> Array | None:
    columns = [column for name, column in table.columns.items() if name not in left_out]
    if not columns or any(column.dtype.kind == "O" for column in columns):
        return None
    return np.stack([column.astype(float) for column in columns], axis=1)


def _explained(
    methods: Mapping[str, Any],
    table: Table,
    asked: Predictor,
    tables: dict[str, list[list[Any]]],
) -> dict[str, Any]:
    rows, told = _matrix(table), dict[str, Any]()
    globally: dict[str, float] = {}
    if "shap" in methods:
        settings = section(methods["shap"], "shap")
        told["kernel_shap"], globally = _attributed(settings, rows, table, asked, tables)
    if "pdp" in methods:
        settings = section(methods["pdp"], "pdp")
        names = [table.name(item, "pdp.features") for item in listed(settings.get("features"), "pdp.features")]
        if not names:
            if not globally:
                raise Fault("pdp wants `features` where there is no shap")
            top = count(settings.get("top_k_features"), "pdp.top_k_features", _TOP)
            names = sorted(globally, key=lambda name: -abs(globally[name]))[:top]
        resolution = count(settings.get("grid_resolution"), "pdp.grid_resolution", _RESOLUTION)
        told["pdp"] = [_depending(name, rows, table, asked, resolution) for name in names]
    return told


def _attributed(
    settings: Mapping[str, Any], rows: Array, table: Table, asked: Predictor, tables: dict[str, list[list[Any]]]
) -> tuple[dict[str, Any], dict[str, float]]:
    if settings.get("text_config") or settings.get("image_config"):
        raise Fault("shap of texts or images cannot be computed here: only of columns")
    seed, given = count(settings.get("seed"), "shap.seed", 0), settings.get("baseline")
    if isinstance(given, str):
        raise Fault("shap.baseline is a file: here it is to stand in the configuration, as a list of rows")
    background = (
        _background(listed(given, "shap.baseline"), len(table.features))
        if given
        else clustered(rows, count(settings.get("num_clusters"), "shap.num_clusters", 1), seed)
    )
    aggregate = str(settings.get("agg_method") or "mean_abs")
    if aggregate not in AGGREGATES:
        raise Fault(f"shap.agg_method is {aggregate!r}; one of {', '.join(AGGREGATES)} is wanted")

    def predict(asked_rows: Any) -> Array:
        scores = asked.scores(asked_rows)
        if not settings.get("use_logit"):
            return scores
        inside = np.clip(scores, 1e-12, 1 - 1e-12)
        return np.log(inside / (1 - inside))

    samples = count(settings.get("num_samples"), "shap.num_samples", 0) or None
    values, expected = kernel_shap(predict, rows, background, samples, seed)
    labels = _label_names(asked, len(expected))
    means = AGGREGATES[aggregate](values)
    found = {
        label: {
            "global_shap_values": dict(zip(table.features, means[:, at].tolist(), strict=True)),
            "expected_value": float(expected[at]),
        }
        for at, label in enumerate(labels)
    }
    tables["explanations_shap/baseline.csv"] = [[*table.features], *background.tolist()]
    if settings.get("save_local_shap_values", True):
        head = [f"{name}_{label}" for label in labels for name in table.features]
        lines = values.transpose(0, 2, 1).reshape(len(values), -1).tolist()
        tables["explanations_shap/out.csv"] = [head, *lines]
    return found, dict(zip(table.features, np.abs(means).max(axis=1).tolist(), strict=True))


def _background(given: Sequence[Any], features: int) -> Array:
    rows = [list(row) if isinstance(row, list) else [row] for row in given]
    if any(len(row) != features for row in rows):
        raise Fault(f"rows of shap.baseline are to have {features} values, as the features are")
    background: Array = np.empty((len(rows), features), dtype=object)
    background[:] = rows
    return background


def _label_names(asked: Predictor, many: int) -> list[str]:
    headers = asked.config.get("label_headers")
    return (
        list(map(str, headers))
        if isinstance(headers, list) and len(headers) == many
        else [f"label{at}" for at in range(many)]
    )


def _depending(name: str, rows: Array, table: Table, asked: Predictor, resolution: int) -> dict[str, Any]:
    at = table.features.index(name)
    kind, values, shares, means = partial_dependence(asked.scores, rows, at, resolution)
    return {
        "feature_name": name,
        "data_type": kind,
        "data_distribution": shares,
        "feature_values": values,
        "model_predictions": means.T.tolist(),
        "label_headers": _label_names(asked, means.shape[1]),
    }


def _write_table(path: Path, lines: list[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def violated(now: Mapping[str, Any], baseline: Any) -> Iterator[dict[str, str]]:
    """What is worse than in the baseline, an earlier analysis. Raises :class:`Fault` where that is none."""
    known = (*_SECTIONS.values(), "explanations")
    if not isinstance(baseline, dict) or not any(part in baseline for part in known):
        raise Fault(f"the baseline's constraints have none of {', '.join(known)}: they are no analysis of Clarify's")
    try:
        for part in _SECTIONS.values():
            if part in now and part in baseline:
                yield from _worse(now[part]["facets"], baseline[part]["facets"])
        yield from attribution_drift(now, baseline)
    except (KeyError, TypeError, AttributeError) as fault:
        raise Fault(f"the baseline's constraints cannot be read: {fault!r}") from None


def _worse(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for facet, entries in before.items():
        for entry in entries:
            value = str(entry["value_or_threshold"])
            matching = [item for item in now.get(facet, ()) if _same_group(str(item["value_or_threshold"]), value)]
            if not matching:
                print(f"{facet} {value} is in the baseline, and is not measured now")
                continue
            found = {metric["name"]: metric["value"] for metric in matching[0]["metrics"]}
            for metric in entry["metrics"]:
                name, old, new = metric["name"], _number(metric.get("value")), _number(found.get(metric["name"]))
                if old is None or new is None or _unfairness(name, new) <= _unfairness(name, old) * (1 + _ROUNDING):
                    continue
                yield {
                    "facet": facet,
                    "facet_value": value,
                    "metric_name": name,
                    "constraint_check_type": "bias_drift_check",
                    "description": f"Value {new} does not meet the constraint requirement",
                }


def beyond(now: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Metrics that are farther from equality than declared."""
    for part in _SECTIONS.values():
        for facet, entries in (now.get(part) or {}).get("facets", {}).items():
            for entry in entries:
                for metric in entry["metrics"]:
                    name, value = metric["name"], _number(metric.get("value"))
                    limit = _number(limits.get(name))
                    if value is None or limit is None or _unfairness(name, value) <= limit + _ROUNDING:
                        continue
                    yield {
                        "facet": facet,
                        "facet_value": str(entry["value_or_threshold"]),
                        "metric_name": name,
                        "constraint_check_type": "bias_drift_check",
                        "description": f"Value {value} does not meet the constraint requirement",
                    }


def _same_group(first: str, second: str) -> bool:
    """An interval ends with the greatest value of its data, which is no part of what was asked for."""
    return first == second or (
        first.startswith("(") and second.startswith("(") and first.rpartition(",")[0] == second.rpartition(",")[0]
    )


def _number(value: Any) -> float | None:
    """Infinity is written as text."""
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _unfairness(metric: str, value: float) -> float:
    """How far it is from equality: a ratio from 1, all else from 0."""
    return abs(value - 1) if metric == "DI" else abs(value)


def attribution_drift(
    now: Mapping[str, Any], baseline: Mapping[str, Any], least: float = _LEAST_NDCG
) -> Iterator[dict[str, str]]:
    """Labels whose features are in another order now."""
    before = (baseline.get("explanations") or {}).get("kernel_shap") or {}
    found = (now.get("explanations") or {}).get("kernel_shap") or {}
    for label, told in before.items():
        if label not in found:
            print(f"{label} is in the baseline, and is not explained now")
            continue
        score = ndcg(found[label]["global_shap_values"], told["global_shap_values"])
        if score < least:
            yield {
                "label": label,
                "metric_name": "shap",
                "constraint_check_type": "feature_attribution_drift_check",
                "description": f"Feature attribution drift {score} exceeds threshold {least}",
            }
