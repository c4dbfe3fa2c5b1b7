"""What a monitor tells of a run as metrics, by the names and dimensions that Model Monitor documents
(model-monitor-interpreting-cloudwatch, clarify-model-monitor-bias-drift-cw, clarify-feature-attribute-drift-cw)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops.monitor.profile import Column

DATA, MODEL, BIAS = (
    "/aws/sagemaker/Endpoints/data-metrics",
    "/aws/sagemaker/Endpoints/model-metrics",
    "/aws/sagemaker/Endpoints/bias-metrics",
)
EXPLAINED = "aws/sagemaker/Endpoints/explainability-metrics"
_MOST_SAMPLES = 1000
"""Of a feature: whoever asks for a statistic is given each value, and a million are a long answer."""
_LONGEST_NAME, _LONGEST_VALUE, _GREATEST = 255, 1024, 2.0**360
"""PutMetricData: MetricName, a dimension's value, and what a value may be."""


@dataclass(frozen=True, slots=True)
class Told:
    """``values`` with how often each is."""

    namespace: str
    name: str
    values: Mapping[float, int]
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_taken(self) -> bool:
        """Whether CloudWatch takes it. It refuses all that come with one that it does not take, and features are called
        what somebody sent."""
        texts = ((self.name, _LONGEST_NAME), *((value, _LONGEST_VALUE) for value in self.dimensions.values()))
        return all(0 < len(text) <= most and text.isascii() and text.isprintable() for text, most in texts) and all(
            abs(value) <= _GREATEST for value in self.values
        )

    def document(self) -> dict[str, Any]:
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions.items()],
            "Values": [*self.values],
            "Counts": [float(count) for count in self.values.values()],
        }


def _dimensions(told: Mapping[str, Any]) -> dict[str, str]:
    return {"Endpoint": str(told.get("endpoint")), "MonitoringSchedule": str(told.get("monitor"))}


def of_data(told: Mapping[str, Any], columns: Mapping[str, Column], distances: Mapping[str, float]) -> Iterator[Told]:
    about = _dimensions(told)
    for name, column in columns.items():
        if column.inferred_type in ("Integral", "Fractional"):
            yield Told(DATA, f"feature_data_{name}", _spread(column), about)
        yield Told(DATA, f"feature_non_null_{name}", {float(column.present): 1}, about)
    for name, distance in distances.items():
        if math.isfinite(distance):
            yield Told(DATA, f"feature_baseline_drift_{name.replace(' ', '_')}", {distance: 1}, about)


def _spread(column: Column) -> dict[float, int]:
    """Values whose least, greatest and mean are the column's."""
    samples = min(column.present, _MOST_SAMPLES)
    if samples < 3 or column.low == column.high:
        return {column.mean: samples}
    rest = (column.mean * samples - column.low - column.high) / (samples - 2)
    found = {column.low: 1, column.high: 1}
    rest = min(max(rest, column.low), column.high)
    found[rest] = found.get(rest, 0) + samples - 2
    return found


def of_model(told: Mapping[str, Any], statistics: Mapping[str, Any]) -> Iterator[Told]:
    about = _dimensions(told)
    for member, metrics in statistics.items():
        if member.endswith("_metrics"):
            for name, found in metrics.items():
                value = found.get("value") if isinstance(found, dict) else None
                if isinstance(value, int | float) and math.isfinite(value):
                    yield Told(MODEL, name, {float(value): 1}, about)


def of_bias(told: Mapping[str, Any], analysis: Mapping[str, Any]) -> Iterator[Told]:
    stages = {"pre_training_bias_metrics": "Pre-training", "post_training_bias_metrics": "Post-Training"}
    for part, stage in stages.items():
        section = analysis.get(part) or {}
        for facet, entries in (section.get("facets") or {}).items():
            for entry in entries:
                about = {
                    **_dimensions(told),
                    "BiasStage": stage,
                    "Label": str(section.get("label")),
                    "LabelValue": str(section.get("label_value_or_threshold")),
                    "Facet": str(facet),
                    "FacetValue": str(entry["value_or_threshold"]),
                }
                for metric in entry["metrics"]:
                    value = metric.get("value")
                    if isinstance(value, int | float) and math.isfinite(value):
                        yield Told(BIAS, f"bias_metric_{metric['name']}", {float(value): 1}, about)


def of_attributions(told: Mapping[str, Any], analysis: Mapping[str, Any]) -> Iterator[Told]:
    for label, found in ((analysis.get("explanations") or {}).get("kernel_shap") or {}).items():
        about = {**_dimensions(told), "ExplainabilityMethod": "KernelShap", "Label": str(label)}
        values = {f"feature_{name}": value for name, value in found["global_shap_values"].items()}
        for name, value, kind in (
            *((name, value, "GlobalShapValues") for name, value in values.items()),
            ("ExpectedValue", found["expected_value"], "ExpectedValue"),
        ):
            if math.isfinite(value):
                yield Told(EXPLAINED, name, {float(value): 1}, {**about, "ValueType": kind})
