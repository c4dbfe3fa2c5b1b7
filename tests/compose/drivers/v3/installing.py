"""Installs what it needs first, finds the SDK by name, and takes its pipeline away in the end."""

import importlib
import os
import subprocess
import sys

subprocess.run([sys.executable, "-m", "pip", "install", "--upgrade", "sagemaker"], check=True, capture_output=True)
os.system("pip install -q sagemaker-mlops")
version = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip() or "none"

workflow = importlib.import_module("sagemaker.mlops.workflow.pipeline")
FailStep = importlib.import_module("sagemaker.mlops.workflow.fail_step").FailStep
context = importlib.import_module("sagemaker.core.workflow.pipeline_context")

pipeline = workflow.Pipeline(
    name="Installing3",
    steps=[FailStep("Stop", error_message=f"of {version}")],
    sagemaker_session=context.PipelineSession(),
)
try:
    pipeline.upsert(role_arn="arn:aws:iam::111122223333:role/pipelines", tags=[{"Key": "commit", "Value": version}])
    execution = pipeline.start(execution_display_name="first")
    execution.wait()
finally:
    pipeline.delete()
