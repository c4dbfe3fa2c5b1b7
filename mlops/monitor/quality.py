"""The job of Model Monitor's container, told what to do by variables of its environment.

It writes ``statistics.json`` and ``constraints.json`` of the data set, and where a baseline is given
``constraint_violations.json``.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from mlops.monitor import data_quality, model_quality
from mlops.monitor.data import data_at
from mlops.monitor.fault import Fault
from mlops.monitor.files import read_json, write_json


def run(environment: Mapping[str, str]) -> int | None:
    """Answers how many violations were found, None where there were none. Raises :class:`Fault`."""
    output = Path(_needed(environment, "output_path"))
    data = data_at(Path(_needed(environment, "dataset_source")), _layout(environment), _preparing(environment))
    constraints, statistics = _given(environment, "baseline_constraints"), _given(environment, "baseline_statistics")
    analysis = environment.get("analysis_type") or "DATA_QUALITY"
    if analysis == "MODEL_QUALITY":
        report = model_quality.assess(data, model_quality.asked(environment), constraints)
    elif analysis == "DATA_QUALITY":
        method = environment.get("categorical_drift_method")
        report = data_quality.assess(data, constraints, statistics, categorical_method=method)
    else:
        raise Fault(f"analysis_type is {analysis}; DATA_QUALITY or MODEL_QUALITY is wanted")
    write_json(output, "statistics.json", report.statistics)
    write_json(output, "constraints.json", report.constraints)
    print(f"{report.statistics['dataset']['item_count']} rows read from {len(data.files)} file(s)")
    if report.violations is not None:
        write_json(output, "constraint_violations.json", {"violations": [*report.violations]})
        for violation in report.violations:
            name = violation.get("feature_name") or violation.get("metric_name")
            print(f"{name}: {violation['constraint_check_type']}: {violation['description']}")
    after = environment.get("post_analytics_processor_script")
    if after:
        _function(_module(Path(after)), "postprocess_handler")()
    return len(report.violations or ()) or None


def _needed(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise Fault(f"the environment has no {name}")
    return environment[name]


def _layout(environment: Mapping[str, str]) -> Any:
    text = _needed(environment, "dataset_format")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise Fault(f"dataset_format is no JSON: {fault}") from None


def _given(environment: Mapping[str, str], name: str) -> Mapping[str, Any] | None:
    path = environment.get(name)
    if not path:
        return None
    document = read_json(Path(path))
    if not isinstance(document, dict):
        raise Fault(f"{Path(path).name} is no JSON object")
    return document


def _preparing(environment: Mapping[str, str]) -> Callable[[str], Any] | None:
    """``preprocess_handler(line)``, or ``preprocess_handler(line, logger)``."""
    path = environment.get("record_preprocessor_script")
    if not path:
        return None
    handler = _function(_module(Path(path)), "preprocess_handler")
    if len(inspect.signature(handler).parameters) < 2:
        return handler
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logger = logging.getLogger("preprocess_handler")
    return lambda line: handler(line, logger)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise Fault(f"{path.name} is no Python file, or is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if not callable(found):
        raise Fault(f"{module.__name__}.py defines no {name}")
    return found  # type: ignore[no-any-return]
