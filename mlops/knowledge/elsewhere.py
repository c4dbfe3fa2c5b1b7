"""Types of steps that run in Amazon's services alone: why nothing of this machine can take their place."""

from __future__ import annotations

import re
from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "AutoML": "Autopilot searches with algorithms of its own, which nobody else has",
    "EMR": "it runs on an EMR cluster, and there is none here",
    "EMRServerless": "it runs in an application of EMR Serverless, and there is none here",
    "Job": "the service trains with models and environments of its own",
    "BedrockCustomModel": "Amazon Bedrock trains it",
    "BedrockCustomModelDeployment": "Amazon Bedrock serves it",
    "BedrockModelImport": "Amazon Bedrock takes the model",
    "BedrockProvisionedModelThroughput": "Amazon Bedrock provides it",
}


_STUB = "in a pipeline `mlops run --stub STEP=FILE` has a file stand for such a step"
_OPERATIONS: Mapping[str, tuple[str, str]] = {
    r"sagemaker \w*AutoMLJob\w*": (REASONS["AutoML"], f"{_STUB}; XGBoost, linear learner and scripts train here"),
    r"(emr|elasticmapreduce|emr-containers) \w+": (
        REASONS["EMR"],
        f"{_STUB}; a processing job of a Python script runs here",
    ),
    r"emr-serverless \w+": (REASONS["EMRServerless"], f"{_STUB}; a processing job of a Python script runs here"),
    r"sagemaker \w*Hub\w*": (
        "JumpStart's hub and its models lie in accounts of AWS's",
        "bring a model's archive by `mlops local put` and name it as ModelDataUrl",
    ),
    r"(sagemaker \w*FeatureGroup\w*|sagemaker-featurestore-runtime \w+)": (
        "the Feature Store is not here",
        "read its rows from a file that `mlops local put` brings",
    ),
    r"glue \w*(Job|Crawler|Trigger|Workflow|Session|Blueprint)\w*": (
        "Glue's Spark is not here",
        "a function of yours can stand for a job, of a Lambda step or of who answers a Callback",
    ),
    r"(athena|redshift|redshift-data|glue) \w+": (
        "there are no tables here",
        "bring the rows by `mlops local put`, and read them as an S3Input",
    ),
    r"bedrock[\w-]* \w+": ("Amazon Bedrock alone has its models", _STUB),
}
"""What is said of operations that nobody here answers, by service and name: why, and what to do."""


def unanswered(service: str, operation: str) -> str:
    """Of an operation that the local account does not have.

    >>> unanswered("sqs", "ListMessageMoveTasks")
    'The local account does not answer sqs ListMessageMoveTasks.'
    >>> unanswered("emr", "RunJobFlow").partition(": ")[0]
    'The local account does not answer emr RunJobFlow'
    """
    told = f"The local account does not answer {service} {operation}"
    for pattern, (why, how) in _OPERATIONS.items():
        if re.fullmatch(pattern, f"{service} {operation}"):
            return f"{told}: {why}; {how}."
    return f"{told}."


def cannot_run(type_: str) -> str:
    """What is said of a step whose type, as written, has no action here.

    >>> cannot_run("EMR")
    'a step of type EMR cannot run on this machine: it runs on an EMR cluster, and there is none here'
    >>> cannot_run("Pass")
    'a step of type Pass is none that is known here, so nobody can say what it does'
    """
    reason = REASONS.get(type_)
    if reason is None:
        return f"a step of type {type_} is none that is known here, so nobody can say what it does"
    return f"a step of type {type_} cannot run on this machine: {reason}"
