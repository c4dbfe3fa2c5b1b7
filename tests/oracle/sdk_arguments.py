"""Which arguments the constructors of the official SDK take that is installed here, as JSON into a file: by class,
those that an author writes. In an environment of SDK 2 or 3; it opens no session."""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

PACKAGES = ("sagemaker.workflow", "sagemaker.mlops.workflow", "sagemaker.core.workflow")
MODULES = (
    # SDK 3
    *("sagemaker.core.processing", "sagemaker.core.spark.processing", "sagemaker.core.transformer"),
    *("sagemaker.train.model_trainer", "sagemaker.train.tuner", "sagemaker.serve.model_builder"),
    # SDK 2
    *("sagemaker.processing", "sagemaker.spark.processing", "sagemaker.estimator", "sagemaker.model"),
    *("sagemaker.pipeline", "sagemaker.transformer", "sagemaker.tuner", "sagemaker.automl.automl"),
    *(
        f"sagemaker.{framework}.{kind}"
        for framework in ("sklearn", "pytorch", "tensorflow", "xgboost", "huggingface", "mxnet")
        for kind in ("estimator", "model", "processing")
    ),
)
KINDS = (
    "Processor",
    "Estimator",
    "EstimatorBase",
    "Framework",
    "Model",
    "Transformer",
    "Tuner",
    "AutoML",
    "Trainer",
    "Builder",
    "Input",
    "Output",
)
"""What classes of the modules are called that an author makes; frameworks' estimators have the framework's name."""
FRAMEWORKS = ("SKLearn", "PyTorch", "TensorFlow", "XGBoost", "HuggingFace", "MXNet")
NOT_WRITTEN = frozenset(
    (
        *(
            "CompiledStep",
            "StepsCompiler",
            "EventBridgeSchedulerHelper",
            "Entity",
            "PipelineExecution",
            "PipelineGraph",
        ),
        *("Properties", "PropertiesList", "PropertiesMap", "PropertiesMeta", "DefaultEnumMeta", "StepOutput"),
        *("DelayedReturn", "CurrentItem", "IterationOutput", "Step", "StepCollection", "ConfigurableRetryStep"),
        *(
            "Condition",
            "ConditionComparison",
            "ConditionTypeEnum",
            "Parameter",
            "ExecutionVariable",
            "ExecutionVariables",
        ),
        *("Trigger", "ClarifyCheckConfig", "QualityCheckConfig", "RetryPolicy", "PipelineExperimentConfigProperty"),
        *("PipelineExperimentConfigProperties", "EstimatorBase", "Framework", "FrameworkModel", "StepArguments"),
    )
)
"""Bases, and what the SDK makes by itself."""


def modules() -> Iterator[ModuleType]:
    names = list(MODULES)
    for package in PACKAGES:
        try:
            home = importlib.import_module(package)
        except ImportError:
            continue
        names += [f"{package}.{item.name}" for item in pkgutil.iter_modules(home.__path__) if item.name[0] != "_"]
    for name in names:
        try:
            yield importlib.import_module(name)
        except ImportError:  # of the other version, or of an extra
            continue


def is_written(name: str, value: object, module: ModuleType) -> bool:
    if not inspect.isclass(value) or value.__module__ != module.__name__ or name.startswith("_") or name in NOT_WRITTEN:
        return False
    of_workflow = module.__name__.startswith(PACKAGES)
    return not issubclass(value, enum.Enum | Exception) and (of_workflow or name in FRAMEWORKS or name.endswith(KINDS))


def arguments(cls: type) -> list[str]:
    """Also of the bases that ``**kwargs`` go on to."""
    found: list[str] = []
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        taken = list(inspect.signature(cls if hasattr(cls, "model_fields") else base.__init__).parameters.values())
        found += [item.name for item in taken if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY)]
        if all(item.kind is not item.VAR_KEYWORD for item in taken) or hasattr(cls, "model_fields"):
            break
    return [name for name in dict.fromkeys(found) if name != "self" and name[0] != "_"]


def main() -> None:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    told = {
        name: arguments(value)
        for module in modules()
        for name, value in sorted(vars(module).items())
        if is_written(name, value, module)
    }
    Path(sys.argv[1]).write_text(json.dumps(dict(sorted(told.items()))), encoding="utf-8")


if __name__ == "__main__":
    main()
