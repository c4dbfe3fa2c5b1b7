"""Pipelines as code for Amazon SageMaker: declare, check, run here, plan, deploy.

The names below are what pipeline files import. They are loaded when first used, so that ``import mlops`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.declare import execution, image
    from mlops.declare.conditions import Condition
    from mlops.declare.pipeline import Pipeline
    from mlops.declare.references import DataReference, ModelReference, Reference, join, json_file
    from mlops.declare.steps.base import After, Retry, Step, omit
    from mlops.declare.steps.condition import Branch, when
    from mlops.declare.steps.fail import Fail
    from mlops.declare.steps.model import Model
    from mlops.declare.steps.processing import Input, Output, Processing
    from mlops.declare.steps.register_model import RegisterModel
    from mlops.declare.steps.training import Channel, Training
    from mlops.declare.steps.transform import Transform

__version__ = "0.1.0"

__all__ = [
    "After",
    "Branch",
    "Channel",
    "Condition",
    "DataReference",
    "Fail",
    "Input",
    "Model",
    "ModelReference",
    "Output",
    "Pipeline",
    "Processing",
    "Reference",
    "RegisterModel",
    "Retry",
    "Step",
    "Training",
    "Transform",
    "execution",
    "image",
    "join",
    "json_file",
    "omit",
    "when",
]

_HOMES = {
    "After": "mlops.declare.steps.base",
    "Branch": "mlops.declare.steps.condition",
    "Channel": "mlops.declare.steps.training",
    "Condition": "mlops.declare.conditions",
    "DataReference": "mlops.declare.references",
    "Fail": "mlops.declare.steps.fail",
    "Input": "mlops.declare.steps.processing",
    "Model": "mlops.declare.steps.model",
    "ModelReference": "mlops.declare.references",
    "Output": "mlops.declare.steps.processing",
    "Pipeline": "mlops.declare.pipeline",
    "Processing": "mlops.declare.steps.processing",
    "Reference": "mlops.declare.references",
    "RegisterModel": "mlops.declare.steps.register_model",
    "Retry": "mlops.declare.steps.base",
    "Step": "mlops.declare.steps.base",
    "Training": "mlops.declare.steps.training",
    "Transform": "mlops.declare.steps.transform",
    "execution": "mlops.declare.execution",
    "image": "mlops.declare.image",
    "join": "mlops.declare.references",
    "json_file": "mlops.declare.references",
    "omit": "mlops.declare.steps.base",
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
