"""Types of steps that run in Amazon's services alone: why nothing of this machine can take their place."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "AutoML": "Autopilot searches with algorithms of its own, which nobody else has",
    "EMR": "it runs on an EMR cluster, and there is none here",
    "EMRServerless": "it runs in an application of EMR Serverless, and there is none here",
    "InferenceComponent": "endpoints of this machine serve the models of their variants, and hold no components",
    "Job": "the service trains with models and environments of its own",
    "BedrockCustomModel": "Amazon Bedrock trains it",
    "BedrockCustomModelDeployment": "Amazon Bedrock serves it",
    "BedrockModelImport": "Amazon Bedrock takes the model",
    "BedrockProvisionedModelThroughput": "Amazon Bedrock provides it",
}


def cannot_run(type_: str) -> str:
    """What is said of a step whose type, as written, has no action here.

    >>> cannot_run("EMR")
    'a step of type EMR cannot run on this machine: it runs on an EMR cluster, and there is none here'
    >>> cannot_run("Pass")
    'a step of type Pass cannot be run on this machine yet'
    """
    reason = REASONS.get(type_)
    if reason is None:
        return f"a step of type {type_} cannot be run on this machine yet"
    return f"a step of type {type_} cannot run on this machine: {reason}"
