"""What the training toolkit inside the framework images does between the container's start and the user's script.

Follows aws/sagemaker-training-toolkit (params, mapping, environment): hyperparameters decoded and split, ``SM_*``
variables, script arguments.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.script_mode import is_program, module_of, starts_as_module
from mlops.knowledge.distributions import OF_IMAGES, TORCH, no_script, of_images
from mlops.run.outcome import StepFailed

_RESERVED = frozenset({"_tuning_objective_metric", "default_user_module_name"})
_OWN = _RESERVED | {
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_container_log_level",
    "sagemaker_region",
    "sagemaker_job_name",
    "sagemaker_s3_output",
    "sagemaker_enable_cloudwatch_metrics",
}
_DISTRIBUTED = (
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_torch_distributed_enabled",
)
_MASTER_PORT = "7777"
_CODE = "/opt/ml/code"


@dataclass(frozen=True, slots=True)
class Script:
    """``module_dir`` is where the code comes from as it was written: an S3 URI, or a folder under ``/opt/ml``.
    ``log_level`` is what the hyperparameter says, in the toolkit no more than a number is understood."""

    program: str
    module_dir: str
    user: Mapping[str, Any]
    framework: Mapping[str, Any]
    region: str
    job_name: str
    log_level: Any

    @property
    def module(self) -> str:
        return module_of(self.program)


@dataclass(frozen=True, slots=True)
class Launch:
    """A command, and variables that are added to those of the script."""

    command: list[str]
    environment: Mapping[str, str]


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
    """None where nothing names a program: then this is no script mode. Raises :class:`StepFailed` for a name that the
    toolkit refuses."""
    decoded = decode(hyperparameters)
    program = environment.get("SAGEMAKER_PROGRAM") or decoded.get("sagemaker_program")
    if not isinstance(program, str) or not program:
        return None
    if not is_program(program):
        raise StepFailed(
            f"sagemaker_program is {program!r}; the training toolkit takes only a relative path of letters, digits "
            "and . _ + - / inside the code"
        )
    reserved = {key: value for key, value in decoded.items() if key.startswith("sagemaker_") or key in _RESERVED}
    return Script(
        program=program,
        module_dir=str(reserved.get("sagemaker_submit_directory", _CODE)),
        user={key: value for key, value in decoded.items() if key not in reserved},
        framework={key: value for key, value in reserved.items() if key not in _OWN},
        region=str(reserved.get("sagemaker_region") or ""),
        job_name=str(reserved.get("sagemaker_job_name", "")),
        log_level=reserved.get("sagemaker_container_log_level", 20),
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
    script: Script,
    *,
    resources: Mapping[str, Any],
    channels: Mapping[str, Any],
    job_name: str,
    search_path: str | None = None,
) -> dict[str, str]:
    """Every ``SM_*`` variable, PYTHONPATH and the few others. ``resources`` is resourceconfig.json, ``channels``
    inputdataconfig.json; paths speak of ``/opt/ml``. ``search_path`` is a PYTHONPATH of the request's own."""
    group = resources.get("current_group_name", "homogeneousCluster")
    listed = resources.get("instance_groups", [])
    groups = {item["instance_group_name"]: item for item in listed}
    distribution_hosts, distributed = _distribution(script, resources)
    master = [*distribution_hosts, *resources["hosts"]][0]
    shared: dict[str, Any] = {
        "input_dir": "/opt/ml/input",
        "input_config_dir": "/opt/ml/input/config",
        "output_dir": "/opt/ml/output",
        "output_data_dir": "/opt/ml/output/data",
        "output_intermediate_dir": "/opt/ml/output/intermediate",
        "model_dir": "/opt/ml/model",
        "hosts": resources["hosts"],
        "current_host": resources["current_host"],
        "network_interface_name": resources.get("network_interface_name", "eth0"),
        "current_instance_type": resources.get("current_instance_type", "local"),
        "current_instance_group": group,
        "current_instance_group_hosts": groups[group]["hosts"] if group in groups else [],
        "instance_groups": [item["instance_group_name"] for item in listed],
        "instance_groups_dict": groups,
        "distribution_instance_groups": distributed,
        "is_hetero": len(listed) > 1,
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
    topology = resources.get("topology", [])
    channel_folders = {name: f"/opt/ml/input/data/{name}" for name in sorted(channels)}
    training_env = {
        **shared,
        "additional_framework_parameters": script.framework,
        "channel_input_dirs": channel_folders,
        "distribution_hosts": distribution_hosts,
        "hyperparameters": script.user,
        "is_master": resources["current_host"] == master,
        "is_modelparallel_enabled": None,
        "is_smddprun_installed": False,
        "is_smddpmprun_installed": False,
        "job_name": job_name,
        "master_hostname": master,
        "topology": topology,
    }
    told: dict[str, Any] = {
        **shared,
        "hps": script.user,
        "framework_params": script.framework,
        "channels": sorted(channels),
        "user_args": arguments(script.user),
        "training_env": training_env,
        **({"topology": topology} if topology else {}),
        **{f"channel_{name}": folder for name, folder in channel_folders.items()},
        **{f"hp_{name}": value for name, value in script.user.items()},
    }
    return {
        **{f"SM_{name.upper()}": _variable(value) for name, value in told.items()},
        "PYTHONPATH": f"{_CODE}:{search_path}" if search_path else _CODE,
        "CURRENT_HOST": resources["current_host"],
        "SAGEMAKER_JOB_NAME": script.job_name,
        "SAGEMAKER_REGION": script.region,
    }


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def torchrun(
    script: Script, resources: Mapping[str, Any], code: Path, master_address: str | None = None
) -> Launch | None:
    """How the toolkit's torch_distributed starts ``script`` on the host that ``resources`` is for; None where it is to
    be started as ever. ``master_address`` stands for the first host's name where names do not resolve. Raises
    :class:`StepFailed` for what the toolkit refuses, and for the distributions that only its images can start."""
    hosts, groups = _distribution(script, resources)
    if resources.get("current_group_name", "homogeneousCluster") not in groups:
        return None
    unable = [flag for flag in OF_IMAGES if script.framework.get(flag)]
    if unable:
        raise StepFailed(of_images(unable[0]))
    if not script.framework.get(TORCH):
        return None
    if is_package(script.program, code):
        raise StepFailed("torch_distributed takes no package: the entry point is to be a Python script")
    if not script.program.endswith(".py"):
        raise StepFailed(no_script(script.program))
    processes = script.framework.get("sagemaker_mpi_num_of_processes_per_host") or 1
    words = ["torchrun", "--nnodes", str(len(hosts)), "--nproc_per_node", str(processes)]
    if len(hosts) > 1:
        rank = str(hosts.index(resources["current_host"]))
        words += ["--master_addr", master_address or hosts[0], "--master_port", _MASTER_PORT, "--node_rank", rank]
    interface = resources.get("network_interface_name", "eth0")
    return Launch(
        [*words, script.program, *arguments(script.user)],
        {"NCCL_SOCKET_IFNAME": str(interface), "NCCL_PROTO": "simple"},
    )


def _distribution(script: Script, resources: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The hosts and the instance groups that a distribution is over."""
    group = resources.get("current_group_name", "homogeneousCluster")
    listed = resources.get("instance_groups", [])
    groups = script.framework.get(
        "sagemaker_distribution_instance_groups",
        [group] if any(script.framework.get(flag) for flag in _DISTRIBUTED) else [],
    )
    if not listed:
        return [*resources["hosts"]], groups
    return [host for item in listed if item["instance_group_name"] in groups for host in item["hosts"]], groups


def is_package(program: str, code: Path) -> bool:
    """Then ``program`` is started as a module, and may be a name that no file has."""
    return starts_as_module(program, packaged=(code / "setup.py").is_file())


def command(script: Script, code: Path) -> list[str]:
    """What the toolkit starts in ``/opt/ml/code``; ``code`` is that folder. A package is not installed."""
    words = arguments(script.user)
    if is_package(script.program, code):
        return ["python", "-m", script.module, *words]
    if script.program.endswith(".py"):
        return ["python", script.program, *words]
    return ["/bin/sh", "-c", shlex.join([f"./{script.program}", *words])]
