"""What exporters for Prometheus call CloudWatch's metrics: ``aws_sagemaker_invocations_sum`` with the labels
``endpoint_name`` and ``variant_name``.

By prometheus/cloudwatch_exporter (namespace, metric name and statistic in snake case) and
yet-another-cloudwatch-exporter, which leaves out the slash that some namespaces begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable

STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")


def series(namespace: str, metric: str, statistic: str) -> str:
    """
    >>> series("AWS/SageMaker", "Invocation5XXErrors", "Sum")
    'aws_sagemaker_invocation5_xxerrors_sum'
    """
    # Its rule: an underscore before a capital letter that follows what is none.
    return _plain(f"{namespace.lower().removeprefix('/')}_{_snake(metric)}_{_snake(statistic)}")


def label(dimension: str) -> str:
    """
    >>> label("EndpointName")
    'endpoint_name'
    """
    return _plain(_snake(dimension)).replace(":", "_")


def labels(dimensions: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of those that become one, each but the first has a number.

    >>> labels([("a.b", "1"), ("a_b", "2")])
    {'a_b': '1', 'a_b_2': '2'}
    """
    found: dict[str, str] = {}
    for name, value in dimensions:
        told, number = label(name), 1
        while told in found:
            number += 1
            told = f"{label(name)}_{number}"
        found[told] = value
    return found


def _snake(text: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()


def _plain(text: str) -> str:
    found = re.sub(r"_+", "_", re.sub(r"[^a-zA-Z0-9_]", "_", text))
    return f"_{found}" if found[:1].isdigit() else found
