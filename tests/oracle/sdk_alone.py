"""Print what the official SDK alone makes of a file: as ``offline_aws.py``, also for files with ``get_pipeline()``."""

import os
import runpy
import socket
import sys
from pathlib import Path

import botocore.client
from offline_aws import _answer, _refuse


def _reply(client: object, operation: str, request: dict[str, object]) -> dict[str, object]:
    """Lambda functions and pipelines that a file makes have an ARN; a model that it asks for is there."""
    made = {
        "CreateFunction": {"FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:deploy-model"},
        "CreatePipeline": {"PipelineArn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/made"},
        "DescribeModel": {"ModelName": request.get("ModelName"), "PrimaryContainer": {"Image": ""}},
    }
    return made[operation] if operation in made else _answer(client, operation, request)


if __name__ == "__main__":
    botocore.client.BaseClient._make_api_call = _reply
    socket.socket.connect = _refuse
    socket.getaddrinfo = _refuse
    os.chdir(Path(sys.argv[1]).parent)
    found = runpy.run_path(sys.argv[1], run_name="mlops_pipeline_file")
    pipeline = found["pipeline"] if "pipeline" in found else found["get_pipeline"](region="us-east-1")
    Path(sys.argv[2]).write_text(pipeline.definition())
    os._exit(0)
