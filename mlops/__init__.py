"""Pipelines as code for Amazon SageMaker: declare, check, run here, plan, deploy.

The names below are what pipeline files import. They are loaded when first used, so that ``import mlops`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.declare import execution, image
    from mlops.declare.conditions import Condition
    from mlops.declare.containers import Container, ModelData
    from mlops.declare.functions import step
    from mlops.declare.pack_model import PackModel
    from mlops.declare.pipeline import Pipeline
    from mlops.declare.references import DataReference, ModelReference, Reference, join, json_file
    from mlops.declare.secrets import secret
    from mlops.declare.steps.auto_ml import AutoML, Table
    from mlops.declare.steps.base import After, Retry, Step, omit
    from mlops.declare.steps.condition import Branch, when
    from mlops.declare.steps.fail import Fail
    from mlops.declare.steps.model import Model
    from mlops.declare.steps.processing import Athena, Input, Output, Processing, Redshift
    from mlops.declare.steps.register_model import (
        DriftBaselines,
        Inference,
        LifeCycle,
        Metrics,
        ModelCard,
        Origin,
        RegisterModel,
        Validation,
    )
    from mlops.declare.steps.shared_arguments import Network
    from mlops.declare.steps.training import Training
    from mlops.declare.steps.transform import DataCapture, Transform
    from mlops.declare.steps.tuning import (
        AutoRange,
        CategoricalRange,
        ContinuousRange,
        IntegerRange,
        Maximize,
        Minimize,
        TrainingJob,
        Tuning,
    )
    from mlops.declare.training_job import (
        Channel,
        Checkpoint,
        DebugHook,
        FileSystem,
        InstanceGroup,
        Profiler,
        RegisteredDataset,
        Rule,
        TensorBoard,
    )

__version__ = "0.1.0"

__all__ = [
    "After",
    "Athena",
    "AutoML",
    "AutoRange",
    "Branch",
    "CategoricalRange",
    "Channel",
    "Checkpoint",
    "Condition",
    "Container",
    "ContinuousRange",
    "DataCapture",
    "DataReference",
    "DebugHook",
    "DriftBaselines",
    "Fail",
    "FileSystem",
    "Inference",
    "Input",
    "InstanceGroup",
    "IntegerRange",
    "LifeCycle",
    "Maximize",
    "Metrics",
    "Minimize",
    "Model",
    "ModelCard",
    "ModelData",
    "ModelReference",
    "Network",
    "Origin",
    "Output",
    "PackModel",
    "Pipeline",
    "Processing",
    "Profiler",
    "Redshift",
    "Reference",
    "RegisterModel",
    "RegisteredDataset",
    "Retry",
    "Rule",
    "Step",
    "Table",
    "TensorBoard",
    "Training",
    "TrainingJob",
    "Transform",
    "Tuning",
    "Validation",
    "execution",
    "image",
    "join",
    "json_file",
    "omit",
    "secret",
    "step",
    "when",
]

_HOMES = {
    "After": "mlops.declare.steps.base",
    "Athena": "mlops.declare.steps.processing",
    "AutoML": "mlops.declare.steps.auto_ml",
    "AutoRange": "mlops.declare.steps.tuning",
    "Branch": "mlops.declare.steps.condition",
    "CategoricalRange": "mlops.declare.steps.tuning",
    "Channel": "mlops.declare.training_job",
    "Checkpoint": "mlops.declare.training_job",
    "Condition": "mlops.declare.conditions",
    "Container": "mlops.declare.containers",
    "ContinuousRange": "mlops.declare.steps.tuning",
    "DataCapture": "mlops.declare.steps.transform",
    "DataReference": "mlops.declare.references",
    "DebugHook": "mlops.declare.training_job",
    "DriftBaselines": "mlops.declare.steps.register_model",
    "Fail": "mlops.declare.steps.fail",
    "FileSystem": "mlops.declare.training_job",
    "Inference": "mlops.declare.steps.register_model",
    "Input": "mlops.declare.steps.processing",
    "InstanceGroup": "mlops.declare.training_job",
    "IntegerRange": "mlops.declare.steps.tuning",
    "LifeCycle": "mlops.declare.steps.register_model",
    "Maximize": "mlops.declare.steps.tuning",
    "Metrics": "mlops.declare.steps.register_model",
    "Minimize": "mlops.declare.steps.tuning",
    "Model": "mlops.declare.steps.model",
    "ModelCard": "mlops.declare.steps.register_model",
    "ModelData": "mlops.declare.containers",
    "ModelReference": "mlops.declare.references",
    "Network": "mlops.declare.steps.shared_arguments",
    "Origin": "mlops.declare.steps.register_model",
    "Output": "mlops.declare.steps.processing",
    "PackModel": "mlops.declare.pack_model",
    "Pipeline": "mlops.declare.pipeline",
    "Processing": "mlops.declare.steps.processing",
    "Profiler": "mlops.declare.training_job",
    "Redshift": "mlops.declare.steps.processing",
    "Reference": "mlops.declare.references",
    "RegisterModel": "mlops.declare.steps.register_model",
    "RegisteredDataset": "mlops.declare.training_job",
    "Retry": "mlops.declare.steps.base",
    "Rule": "mlops.declare.training_job",
    "Step": "mlops.declare.steps.base",
    "Table": "mlops.declare.steps.auto_ml",
    "TensorBoard": "mlops.declare.training_job",
    "Training": "mlops.declare.steps.training",
    "TrainingJob": "mlops.declare.steps.tuning",
    "Transform": "mlops.declare.steps.transform",
    "Tuning": "mlops.declare.steps.tuning",
    "Validation": "mlops.declare.steps.register_model",
    "execution": "mlops.declare.execution",
    "image": "mlops.declare.image",
    "join": "mlops.declare.references",
    "json_file": "mlops.declare.references",
    "omit": "mlops.declare.steps.base",
    "secret": "mlops.declare.secrets",
    "step": "mlops.declare.functions",
    "when": "mlops.declare.steps.condition",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlops' has no attribute {name!r}")
    module = importlib.import_module(home)
    found: object = module if name in ("execution", "image") else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
