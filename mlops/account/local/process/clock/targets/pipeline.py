"""A pipeline is started."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops.account.local.process.clock.target import Delivery, Target
from mlops.account.local.services.sagemaker import executions
from mlops.account.local.state import State


def _deliver(state: State, delivery: Delivery) -> Mapping[str, str]:
    """Once, however often it is tried: the token is the start's."""
    name = str(delivery.target["Arn"]).rpartition("/")[2]
    given = (delivery.target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or ()
    request = {"PipelineName": name, "ClientRequestToken": delivery.token, "PipelineParameters": list(given)}
    arn = executions.start_pipeline_execution(state, request)["PipelineExecutionArn"]
    return {"pipeline": name, "execution": str(arn).rpartition("/")[2]}


TARGET = Target(re.compile(r"arn:aws[\w-]*:sagemaker:[^:]*:\d*:pipeline/[^/]+"), _deliver)
