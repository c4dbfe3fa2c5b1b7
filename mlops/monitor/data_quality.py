"""Constraints that a data set suggests, and what of another one violates them.

The six checks are those of the developer guide (model-monitor-interpreting-violations). ``num_constraints`` are
suggested as the container suggests them, and as there no check looks at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.monitor import drift
from mlops.monitor.data import Source
from mlops.monitor.fault import Fault
from mlops.monitor.profile import MOST_CATEGORIES, Column, profile, statistics
from mlops.monitor.report import Report

_ENABLED = "Enabled"
_ROUNDING = 1e-9
_MOST_SINGLE = 0.1
"""A domain is suggested where at most this share of the categories was seen once: else the next data has new ones."""


def assess(
    data: Source,
    constraints: Mapping[str, Any] | None,
    baseline: Mapping[str, Any] | None,
    *,
    categorical_method: str | None = None,
) -> Report:
    """``constraints`` and ``baseline`` (statistics) are of an earlier data set; without ``constraints`` nothing is
    compared, without ``baseline`` no distributions. Raises :class:`Fault`."""
    columns = profile(data)
    violations = None
    if constraints is not None:
        violations = [*violated(columns, constraints, baseline, categorical_method)]
    return Report(statistics(columns), suggested(columns), violations)


def suggested(columns: Mapping[str, Column]) -> dict[str, Any]:
    return {
        "version": 0.0,
        "features": [_feature(name, column) for name, column in columns.items()],
        "monitoring_config": {
            "evaluate_constraints": _ENABLED,
            "emit_metrics": _ENABLED,
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": _ENABLED,
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
            },
        },
    }


def _feature(name: str, column: Column) -> dict[str, Any]:
    feature: dict[str, Any] = {
        "name": name,
        "inferred_type": column.inferred_type,
        "completeness": column.completeness,
    }
    if column.inferred_type in ("Integral", "Fractional"):
        feature["num_constraints"] = {"is_non_negative": column.low >= 0}
    elif column.inferred_type == "String":
        counts = column.distinct.counts
        single = sum(number == 1 for number in (counts or {}).values())
        if counts and len(counts) <= MOST_CATEGORIES and single <= _MOST_SINGLE * len(counts):
            feature["string_constraints"] = {"domains": [*counts]}
    return feature


def violated(
    columns: Mapping[str, Column],
    constraints: Mapping[str, Any],
    baseline: Mapping[str, Any] | None,
    categorical_method: str | None = None,
) -> Iterator[dict[str, str]]:
    """In the order of the constraints. Raises :class:`Fault` for files that are none of Model Monitor's."""
    listed = _features(constraints, "the baseline's constraints")
    config = _object(constraints, "monitoring_config")
    if config.get("evaluate_constraints", _ENABLED) != _ENABLED:
        return
    yield from _other_columns(columns, listed)
    before = _features(baseline, "the baseline's statistics") if baseline is not None else {}
    for name, wanted in listed.items():
        column = columns.get(name)
        if column is None or not _is_evaluated(wanted):
            continue
        for check, description in _of_column(column, wanted, config):
            yield _violation(name, check, description)
        if name in before:
            for description in _drifted(column, before[name], config, categorical_method):
                yield _violation(name, "baseline_drift_check", description)


def _violation(name: str, check: str, description: str) -> dict[str, str]:
    return {"feature_name": name, "constraint_check_type": check, "description": description}


def _features(document: Mapping[str, Any], what: str) -> dict[str, Mapping[str, Any]]:
    listed = document.get("features")
    if not isinstance(listed, list):
        raise Fault(f"{what} have no list of features: they are none of a data-quality check")
    found: dict[str, Mapping[str, Any]] = {}
    found |= {item["name"]: item for item in listed if isinstance(item, dict) and isinstance(item.get("name"), str)}
    if len(found) < len(listed):
        raise Fault(f"{what} have features without a name of their own")
    return found


def _object(document: Mapping[str, Any], *members: str) -> Mapping[str, Any]:
    here: Any = document
    for member in members:
        here = here.get(member) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def _is_evaluated(wanted: Mapping[str, Any]) -> bool:
    """The guide writes monitoringConfigOverrides, the SDK monitoring_config_overrides, in one of these places."""
    for holder in ((), ("string_constraints",), ("num_constraints",)):
        for name in ("monitoringConfigOverrides", "monitoring_config_overrides"):
            if _object(wanted, *holder, name).get("evaluate_constraints", _ENABLED) != _ENABLED:
                return False
    return True


def _other_columns(columns: Mapping[str, Column], listed: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """Where only their number differs the words are the container's; a column by another name is told by its own."""
    numbers = (
        f"Number of columns in current dataset: {len(columns)}, "
        f"Number of columns in baseline constraints: {len(listed)}"
    )
    missing = [name for name in listed if name not in columns]
    extra = [name for name in columns if name not in listed]
    if len(columns) < len(listed):
        text = f"There are missing columns in current dataset. {numbers}"
        yield _violation("Missing columns", "missing_column_check", f"{text}. Missing: {', '.join(missing)}")
    elif len(columns) > len(listed):
        text = f"There are extra columns in current dataset. {numbers}"
        yield _violation("Extra columns", "extra_column_check", f"{text}. Extra: {', '.join(extra)}")
    else:
        for name in missing:
            text = f"The current dataset has no column {name}, and has {', '.join(extra)} instead"
            yield _violation(name, "missing_column_check", text)


def _of_column(column: Column, wanted: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = wanted.get("inferred_type")
    if isinstance(kind, str) and kind != "Unknown":
        threshold, share = _number(config, "datatype_check_threshold", 1.0), column.share_of(kind)
        if kind == "String":
            share = 0.0 if column.present and not column.holds_text else 1.0
        if share < threshold - _ROUNDING:
            text = (
                f"Data type match requirement is not met. Expected data type: {kind}, "
                f"Expected match: {threshold * 100}%. Observed: Only {share * 100}% of data is {kind}."
            )
            yield "data_type_check", text
    completeness = _number(wanted, "completeness", 0.0)
    if column.completeness < completeness - _ROUNDING:
        text = (
            f"Completeness requirement is not met. Expected completeness: {completeness * 100}%. "
            f"Observed: Only {column.completeness * 100}% of data is there."
        )
        yield "completeness_check", text
    domain = _object(wanted, "string_constraints").get("domains")
    if isinstance(domain, list) and column.present and column.holds_text:
        threshold, known = _number(config, "domain_content_threshold", 1.0), {str(item) for item in domain}
        share = _share_in(column, known)
        if share < threshold - _ROUNDING:
            new = [text for text in column.distinct.counts or {} if text not in known]
            shown = f" New: {', '.join(new[:5])}{', …' if len(new) > 5 else ''}." if new else ""
            text = (
                f"Categorical values requirement is not met. Expected match: {threshold * 100}%. "
                f"Observed: Only {share * 100}% of data is in the baseline's domain.{shown}"
            )
            yield "categorical_values_check", text


def _categories(before: Mapping[str, Any]) -> dict[str, float]:
    """Counts by category, of the baseline's statistics of a feature; none where there are none."""
    listed = _object(before, "string_statistics", "distribution", "categorical").get("buckets")
    try:
        counts = {str(item["value"]): float(item["count"]) for item in listed or ()}
    except (KeyError, TypeError, ValueError) as fault:
        raise Fault(f"the baseline's categories of {before['name']} cannot be read: {fault!r}") from None
    return {text: number for text, number in counts.items() if number > 0}


def _share_in(column: Column, known: set[str]) -> float:
    counts = column.distinct.counts
    if counts is None:  # more than any domain has
        return 0.0
    return sum(number for text, number in counts.items() if text in known) / column.present


def _number(document: Mapping[str, Any], member: str, otherwise: float) -> float:
    found = document.get(member, otherwise)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Fault(f"{member} of the baseline's constraints is {found!r}, a number is wanted")
    return float(found)


def _drifted(column: Column, before: Mapping[str, Any], config: Mapping[str, Any], method: str | None) -> Iterator[str]:
    comparison = _object(config, "distribution_constraints")
    if comparison.get("perform_comparison", _ENABLED) != _ENABLED or not column.present:
        return
    robust = comparison.get("comparison_method", "Robust") != "Simple"
    threshold = _number(comparison, "comparison_threshold", 0.1)
    levels = _object(before, "numerical_statistics", "distribution", "kll", "sketch").get("data")
    if isinstance(levels, list) and not column.holds_text:
        try:
            distance = drift.of_numbers(column.sketch.data(), levels, robust=robust)
        except (ValueError, TypeError) as fault:
            raise Fault(f"the baseline's sketch of {before['name']} cannot be read: {fault}") from None
        if distance > threshold:
            yield f"Baseline drift distance: {distance} exceeds threshold: {threshold}"
        return
    old = _categories(before)
    counts = column.distinct.counts
    if not old or not counts or not column.holds_text:
        return
    threshold = _number(comparison, "categorical_comparison_threshold", threshold)
    if (method or comparison.get("categorical_drift_method")) == "ChiSquared":
        value = drift.chi_squared(counts, old)
        if value is not None and value < threshold:
            yield f"Baseline drift p-value: {value} is below threshold: {threshold}"
        return
    distance = drift.of_categories(counts, old, robust=robust)
    if distance > threshold:
        yield f"Baseline drift distance: {distance} exceeds threshold: {threshold}"
