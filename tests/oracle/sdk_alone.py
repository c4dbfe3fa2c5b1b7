"""Print what the official SDK alone makes of files: as ``offline_aws.py``, also for files with ``get_pipeline()``.

python sdk_alone.py OUT.json FILE.py…
"""

import functools
import importlib
import inspect
import json
import os
import runpy
import socket
import sys
from pathlib import Path

import botocore.client
import botocore.session
from offline_aws import ANSWERS, _refuse

ACCOUNT = "000000000000"
ANSWERS = json.loads(json.dumps(ANSWERS).replace("111122223333", ACCOUNT))
GIVEN = {"region": "us-east-1", "sagemaker_project_name": "abalone"}


def _reply(client: object, operation: str, request: dict[str, object]) -> dict[str, object]:
    """Lambda functions and pipelines that a file makes have an ARN; a model that it asks for is there."""
    made = {
        "CreateFunction": {"FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:deploy-model"},
        "CreatePipeline": {"PipelineArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/made"},
        "DescribeModel": {"ModelName": request.get("ModelName"), "PrimaryContainer": {"Image": ""}},
    }
    return made[operation] if operation in made else dict(ANSWERS.get(operation, {}))


def definition(file: Path) -> str:
    os.chdir(file.parent)
    if (file.parent / "__init__.py").is_file():
        sys.path.insert(0, str(file.parent.parent))
        found = vars(importlib.import_module(f"{file.parent.name}.{file.stem}"))
    else:
        found = runpy.run_path(str(file), run_name="mlops_pipeline_file")
    if "pipeline" not in found:
        wanted = inspect.signature(found["get_pipeline"]).parameters
        found["pipeline"] = found["get_pipeline"](**{name: value for name, value in GIVEN.items() if name in wanted})
    return found["pipeline"].definition()


if __name__ == "__main__":
    botocore.client.BaseClient._make_api_call = _reply
    # The SDK makes sessions by the dozen, and each would parse the service models anew.
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    socket.socket.connect = _refuse
    socket.getaddrinfo = _refuse
    told = {name: json.loads(definition(Path(name))) for name in sys.argv[2:]}
    Path(sys.argv[1]).write_text(json.dumps(told))
    os._exit(0)
