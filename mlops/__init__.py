"""Pipelines as code for Amazon SageMaker: declare, check, run here, plan, deploy.

The names below are what pipeline files import. They are loaded when first used, so that ``import mlops`` costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from mlops.ports import fill as _fill

if TYPE_CHECKING:
    # Imports: written by `make names`.
    from mlops.declare import as_written, environment, execution, image, resources, rules
    from mlops.declare.conditions import Condition, all_of, any_of, compare, is_in
    from mlops.declare.containers import Container, ModelData
    from mlops.declare.functions.step import step
    from mlops.declare.members import omit
    from mlops.declare.pack_model import PackModel
    from mlops.declare.pipeline import Experiment, Mlflow, Pipeline
    from mlops.declare.references import DataReference, ModelReference, Reference
    from mlops.declare.run_time_texts import join, json_file
    from mlops.declare.secrets import secret
    from mlops.declare.steps.auto_ml import AutoML, Table
    from mlops.declare.steps.base import After, Retry, Step
    from mlops.declare.steps.bedrock import (
        BedrockCustomModel,
        BedrockCustomModelDeployment,
        BedrockModelImport,
        BedrockProvisionedModelThroughput,
    )
    from mlops.declare.steps.callback import Callback
    from mlops.declare.steps.clarify_check import DataBiasCheck, ExplainabilityCheck, ModelBiasCheck
    from mlops.declare.steps.cleanup import Cleanup, Objects
    from mlops.declare.steps.condition import Branch, when
    from mlops.declare.steps.emr import EMR, EmrCluster
    from mlops.declare.steps.emr_serverless import EmrApplication, EMRServerless
    from mlops.declare.steps.endpoint import Endpoint
    from mlops.declare.steps.endpoint_config import Capture, EndpointConfig, Serverless, Variant
    from mlops.declare.steps.fail import Fail
    from mlops.declare.steps.for_each import ForEach
    from mlops.declare.steps.inference_component import InferenceComponent
    from mlops.declare.steps.job import Job
    from mlops.declare.steps.lambda_ import Lambda
    from mlops.declare.steps.lineage import Action, Artifact, Association, Context, Lineage
    from mlops.declare.steps.model import Model
    from mlops.declare.steps.notebook_job import NotebookJob
    from mlops.declare.steps.other import OtherStep
    from mlops.declare.steps.processing import Athena, Input, Output, Processing, Redshift
    from mlops.declare.steps.quality_check import DataQualityCheck, ModelQualityCheck
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
    from mlops.declare.steps.tuning import Tuning
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
    from mlops.declare.tuning.job import TrainingJob
    from mlops.declare.tuning.objective import Maximize, Minimize
    from mlops.declare.tuning.ranges import AutoRange, CategoricalRange, ContinuousRange, IntegerRange
    # End of imports.

__version__ = "0.1.0"

# Names: written by `make names`.
__all__ = [
    "EMR",
    "Action",
    "After",
    "Artifact",
    "Association",
    "Athena",
    "AutoML",
    "AutoRange",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
    "Branch",
    "Callback",
    "Capture",
    "CategoricalRange",
    "Channel",
    "Checkpoint",
    "Cleanup",
    "Condition",
    "Container",
    "Context",
    "ContinuousRange",
    "DataBiasCheck",
    "DataCapture",
    "DataQualityCheck",
    "DataReference",
    "DebugHook",
    "DriftBaselines",
    "EMRServerless",
    "EmrApplication",
    "EmrCluster",
    "Endpoint",
    "EndpointConfig",
    "Experiment",
    "ExplainabilityCheck",
    "Fail",
    "FileSystem",
    "ForEach",
    "Inference",
    "InferenceComponent",
    "Input",
    "InstanceGroup",
    "IntegerRange",
    "Job",
    "Lambda",
    "LifeCycle",
    "Lineage",
    "Maximize",
    "Metrics",
    "Minimize",
    "Mlflow",
    "Model",
    "ModelBiasCheck",
    "ModelCard",
    "ModelData",
    "ModelQualityCheck",
    "ModelReference",
    "Network",
    "NotebookJob",
    "Objects",
    "Origin",
    "OtherStep",
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
    "Serverless",
    "Step",
    "Table",
    "TensorBoard",
    "Training",
    "TrainingJob",
    "Transform",
    "Tuning",
    "Validation",
    "Variant",
    "all_of",
    "any_of",
    "as_written",
    "compare",
    "environment",
    "execution",
    "image",
    "is_in",
    "join",
    "json_file",
    "omit",
    "resources",
    "rules",
    "secret",
    "step",
    "when",
]

_HOMES = {
    "Action": "mlops.declare.steps.lineage",
    "After": "mlops.declare.steps.base",
    "Artifact": "mlops.declare.steps.lineage",
    "Association": "mlops.declare.steps.lineage",
    "Athena": "mlops.declare.steps.processing",
    "AutoML": "mlops.declare.steps.auto_ml",
    "AutoRange": "mlops.declare.tuning.ranges",
    "BedrockCustomModel": "mlops.declare.steps.bedrock",
    "BedrockCustomModelDeployment": "mlops.declare.steps.bedrock",
    "BedrockModelImport": "mlops.declare.steps.bedrock",
    "BedrockProvisionedModelThroughput": "mlops.declare.steps.bedrock",
    "Branch": "mlops.declare.steps.condition",
    "Callback": "mlops.declare.steps.callback",
    "Capture": "mlops.declare.steps.endpoint_config",
    "CategoricalRange": "mlops.declare.tuning.ranges",
    "Channel": "mlops.declare.training_job",
    "Checkpoint": "mlops.declare.training_job",
    "Cleanup": "mlops.declare.steps.cleanup",
    "Condition": "mlops.declare.conditions",
    "Container": "mlops.declare.containers",
    "Context": "mlops.declare.steps.lineage",
    "ContinuousRange": "mlops.declare.tuning.ranges",
    "DataBiasCheck": "mlops.declare.steps.clarify_check",
    "DataCapture": "mlops.declare.steps.transform",
    "DataQualityCheck": "mlops.declare.steps.quality_check",
    "DataReference": "mlops.declare.references",
    "DebugHook": "mlops.declare.training_job",
    "DriftBaselines": "mlops.declare.steps.register_model",
    "EMR": "mlops.declare.steps.emr",
    "EMRServerless": "mlops.declare.steps.emr_serverless",
    "EmrApplication": "mlops.declare.steps.emr_serverless",
    "EmrCluster": "mlops.declare.steps.emr",
    "Endpoint": "mlops.declare.steps.endpoint",
    "EndpointConfig": "mlops.declare.steps.endpoint_config",
    "Experiment": "mlops.declare.pipeline",
    "ExplainabilityCheck": "mlops.declare.steps.clarify_check",
    "Fail": "mlops.declare.steps.fail",
    "FileSystem": "mlops.declare.training_job",
    "ForEach": "mlops.declare.steps.for_each",
    "Inference": "mlops.declare.steps.register_model",
    "InferenceComponent": "mlops.declare.steps.inference_component",
    "Input": "mlops.declare.steps.processing",
    "InstanceGroup": "mlops.declare.training_job",
    "IntegerRange": "mlops.declare.tuning.ranges",
    "Job": "mlops.declare.steps.job",
    "Lambda": "mlops.declare.steps.lambda_",
    "LifeCycle": "mlops.declare.steps.register_model",
    "Lineage": "mlops.declare.steps.lineage",
    "Maximize": "mlops.declare.tuning.objective",
    "Metrics": "mlops.declare.steps.register_model",
    "Minimize": "mlops.declare.tuning.objective",
    "Mlflow": "mlops.declare.pipeline",
    "Model": "mlops.declare.steps.model",
    "ModelBiasCheck": "mlops.declare.steps.clarify_check",
    "ModelCard": "mlops.declare.steps.register_model",
    "ModelData": "mlops.declare.containers",
    "ModelQualityCheck": "mlops.declare.steps.quality_check",
    "ModelReference": "mlops.declare.references",
    "Network": "mlops.declare.steps.shared_arguments",
    "NotebookJob": "mlops.declare.steps.notebook_job",
    "Objects": "mlops.declare.steps.cleanup",
    "Origin": "mlops.declare.steps.register_model",
    "OtherStep": "mlops.declare.steps.other",
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
    "Serverless": "mlops.declare.steps.endpoint_config",
    "Step": "mlops.declare.steps.base",
    "Table": "mlops.declare.steps.auto_ml",
    "TensorBoard": "mlops.declare.training_job",
    "Training": "mlops.declare.steps.training",
    "TrainingJob": "mlops.declare.tuning.job",
    "Transform": "mlops.declare.steps.transform",
    "Tuning": "mlops.declare.steps.tuning",
    "Validation": "mlops.declare.steps.register_model",
    "Variant": "mlops.declare.steps.endpoint_config",
    "all_of": "mlops.declare.conditions",
    "any_of": "mlops.declare.conditions",
    "as_written": "mlops.declare.as_written",
    "compare": "mlops.declare.conditions",
    "environment": "mlops.declare.environment",
    "execution": "mlops.declare.execution",
    "image": "mlops.declare.image",
    "is_in": "mlops.declare.conditions",
    "join": "mlops.declare.run_time_texts",
    "json_file": "mlops.declare.run_time_texts",
    "omit": "mlops.declare.members",
    "resources": "mlops.declare.resources",
    "rules": "mlops.declare.rules",
    "secret": "mlops.declare.secrets",
    "step": "mlops.declare.functions.step",
    "when": "mlops.declare.steps.condition",
}
# End of names.

_fill({
    "notebook": "mlops.notebook",
    "program": "mlops.program",
    "composer": "mlops.compose.sdk_file:compose",
    "account": "mlops.account.local.looking_up:look_up",
    "monitor": "mlops.cli.commands.monitor:PROGRAM",
})  # fmt: skip


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        # Nobody declares a pipeline before the language is loaded; a submodule may be meant.
        if name.startswith("_") or "mlops.declare.misuse" not in sys.modules:
            raise AttributeError(f"module 'mlops' has no attribute {name!r}")
        names = importlib.import_module("mlops.declare.unknown_names")
        return names.unknown_name("mlops", name, __all__, __getattr__)
    module = importlib.import_module(home)
    # Some are whole modules: image.sklearn("1.2-1").
    found: object = module if home == f"mlops.declare.{name}" else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
