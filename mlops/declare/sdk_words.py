"""How the official SDK and SageMaker's requests call what an argument is called here, for who brings their words."""

from __future__ import annotations

from collections.abc import Sequence

_OURS = {
    "base_job_name": ("name",),
    "cache_config": ("cache",),
    "checkpoint_s3_uri": ("checkpoints",),
    "compute": ("instance",),
    "container_entry_point": ("command",),
    "depends_on": ("after",),
    "enable_network_isolation": ("network",),
    "entry_point": ("code",),
    "env": ("environment",),
    "estimator": ("job",),
    "hyperparameter_ranges": ("ranges",),
    "image_uri": ("image",),
    "inputs": ("channels", "data"),
    "input_data_config": ("channels",),
    "instance_count": ("count",),
    "instance_type": ("instance",),
    "job_arguments": ("args",),
    "keep_alive_period_in_seconds": ("keep_alive",),
    "max_parallel_jobs": ("max_parallel",),
    "max_run": ("max_runtime",),
    "max_runtime_in_seconds": ("max_runtime",),
    "metric_definitions": ("metrics",),
    "model_approval_status": ("approval",),
    "model_data": ("model",),
    "model_package_group_name": ("group",),
    "objective_metric_name": ("objective",),
    "output_kms_key": ("kms_key",),
    "output_path": ("to",),
    "property_files": ("reports",),
    "retry_policies": ("retries",),
    "role_arn": ("role",),
    "source_code": ("code",),
    "source_dir": ("code",),
    "step_args": ("arguments",),
    "subnets": ("network",),
    "security_group_ids": ("network",),
    "training_image": ("image",),
    "use_spot_instances": ("spot",),
    "volume_size": ("volume",),
    "volume_size_in_gb": ("volume",),
}


def ours(word: str, known: Sequence[str]) -> str | None:
    """The one of ``known`` arguments that means the same.

    >>> ours("entry_point", ["image", "code"]), ours("InstanceType", ["instance"]), ours("entry_point", ["image"])
    ('code', 'instance', None)
    """
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in word).lstrip("_")
    return next((name for name in _OURS.get(snake, ()) if name in known), None)
