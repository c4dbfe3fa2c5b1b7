"""The kind of job that Processing steps and checks start."""

from __future__ import annotations

from mlops.ir import JobKind, S3Place

PROCESSING_JOB = JobKind(
    "ProcessingJob",
    "processing-job",
    destination="ProcessingOutputConfig",
    inputs=(S3Place(("ProcessingInputs",), label="InputName", inside=("S3Input", "S3Uri")),),
    outputs=(S3Place(("ProcessingOutputConfig", "Outputs"), label="OutputName", inside=("S3Output", "S3Uri")),),
    quota="processing job",
    log_group="/aws/sagemaker/ProcessingJobs",
)
