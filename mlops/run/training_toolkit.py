"""What the training toolkit inside the framework images does between the container's start and the user's script.

Follows aws/sagemaker-training-toolkit (params, mapping, environment): hyperparameters decoded and split, ``SM_*``
variables, script arguments.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

_RESERVED = frozenset({"_tuning_objective_metric", "default_user_module_name"})
_CODE = "/opt/ml/code"


@dataclass(frozen=True, slots=True)
class Script:
    """``module_dir`` is where the code comes from as it was written: an S3 URI, or a folder under ``/opt/ml``."""

    program: str
    module_dir: str
    user: Mapping[str, Any]
    framework: Mapping[str, Any]
    region: str | None
    log_level: int

    @property
    def module(self) -> str:
        return self.program.removesuffix(".py")


def decode(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """JSON where it is JSON, the raw text where it is not.

    >>> decode({"lr": "0.1", "name": "abc", "flag": "True", "quoted": '"x"'})
    {'lr': 0.1, 'name': 'abc', 'flag': 'True', 'quoted': 'x'}
    """
    decoded: dict[str, Any] = {}
    for key, text in hyperparameters.items():
        try:
            decoded[key] = json.loads(text)
        except ValueError:
            decoded[key] = text
    return decoded


def script_of(hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> Script | None:
    """None where nothing names a program: then this is no script mode."""
    decoded = decode(hyperparameters)
    program = environment.get("SAGEMAKER_PROGRAM") or decoded.get("sagemaker_program")
    if not isinstance(program, str) or not program:
        return None
    reserved = {key: value for key, value in decoded.items() if key.startswith("sagemaker_") or key in _RESERVED}
    level = reserved.get("sagemaker_container_log_level")
    region = reserved.get("sagemaker_region")
    own = {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_container_log_level",
        "sagemaker_region",
        "sagemaker_job_name",
        "sagemaker_s3_output",
        "sagemaker_enable_cloudwatch_metrics",
        *_RESERVED,
    }
    return Script(
        program=program,
        module_dir=str(reserved.get("sagemaker_submit_directory") or _CODE),
        user={key: value for key, value in decoded.items() if key not in reserved},
        framework={key: value for key, value in reserved.items() if key not in own},
        region=region if isinstance(region, str) else None,
        log_level=level if isinstance(level, int) else 20,
    )


def arguments(user: Mapping[str, Any]) -> list[str]:
    """
    >>> arguments({"max-depth": 5, "c": None, "map": {"b": 2, "a": 1}, "flag": True})
    ['-c', '', '--flag', 'True', '--map', 'a=1,b=2', '--max-depth', '5']
    """
    words: list[str] = []
    for key in sorted(user):
        words += [f"--{key}" if len(key) > 1 else f"-{key}", _word(user[key])]
    return words


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)


def variables(
    script: Script, *, resources: Mapping[str, Any], channels: Mapping[str, Any], job_name: str
) -> dict[str, str]:
    """Every ``SM_*`` variable, PYTHONPATH and the few others. ``resources`` is resourceconfig.json, ``channels``
    inputdataconfig.json; paths speak of ``/opt/ml``."""
    group = resources["current_group_name"]
    groups = {item["instance_group_name"]: item for item in resources["instance_groups"]}
    folders = {
        "input_dir": "/opt/ml/input",
        "input_config_dir": "/opt/ml/input/config",
        "output_dir": "/opt/ml/output",
        "output_data_dir": "/opt/ml/output/data",
        "output_intermediate_dir": "/opt/ml/output/intermediate",
        "model_dir": "/opt/ml/model",
    }
    shared: dict[str, Any] = {
        **folders,
        "hosts": resources["hosts"],
        "current_host": resources["current_host"],
        "network_interface_name": resources["network_interface_name"],
        "current_instance_type": resources["current_instance_type"],
        "current_instance_group": group,
        "current_instance_group_hosts": groups[group]["hosts"],
        "instance_groups": sorted(groups),
        "instance_groups_dict": groups,
        "distribution_instance_groups": script.framework.get("sagemaker_distribution_instance_groups", []),
        "is_hetero": len(groups) > 1,
        "resource_config": resources,
        "input_data_config": channels,
        "module_name": script.module,
        "module_dir": script.module_dir,
        "user_entry_point": script.program,
        "framework_module": None,
        "log_level": script.log_level,
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": 0,
        "num_neurons": 0,
    }
    channel_folders = {name: f"/opt/ml/input/data/{name}" for name in sorted(channels)}
    training_env = {
        **shared,
        "additional_framework_parameters": script.framework,
        "channel_input_dirs": channel_folders,
        "hyperparameters": script.user,
        "is_master": True,
        "job_name": job_name,
        "master_hostname": resources["current_host"],
    }
    told: dict[str, Any] = {
        **shared,
        "hps": script.user,
        "framework_params": script.framework,
        "channels": sorted(channels),
        "user_args": arguments(script.user),
        "training_env": training_env,
        **{f"channel_{name}": folder for name, folder in channel_folders.items()},
        **{f"hp_{name}": value for name, value in script.user.items()},
    }
    others = {"PYTHONPATH": _CODE, "CURRENT_HOST": resources["current_host"], "SAGEMAKER_JOB_NAME": job_name}
    if script.region:
        others["SAGEMAKER_REGION"] = script.region
    return {**{f"SM_{name.upper()}": _variable(value) for name, value in told.items()}, **others}


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def command(script: Script, code: Path) -> list[str]:
    """What the toolkit starts in ``/opt/ml/code``; ``code`` is that folder. A package is not installed."""
    words = arguments(script.user)
    if script.program.endswith(".sh"):
        return ["/bin/sh", "-c", shlex.join([f"./{script.program}", *words])]
    if (code / "setup.py").is_file() and script.program.endswith(".py"):
        return ["python", "-m", ".".join(PurePosixPath(script.module).parts), *words]
    if script.program.endswith(".py"):
        return ["python", script.program, *words]
    return ["/bin/sh", "-c", shlex.join([f"./{script.program}", *words])]
