"""Notebook instances and their lifecycle configurations, as states: no machine is started here, no script and no
Jupyter is run, so that what takes the service minutes has ended when it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State

KIND, CONFIG = "NotebookInstance", "NotebookInstanceLifecycleConfig"
_NAME, _CONFIG_NAME = f"{KIND}Name", f"{CONFIG}Name"
_RUNS, _STOPPED = "InService", "Stopped"
_CHANGED = (
    "InstanceType",
    "IpAddressType",
    "RoleArn",
    "VolumeSizeInGB",
    "DefaultCodeRepository",
    "AdditionalCodeRepositories",
    "RootAccess",
    "PlatformIdentifier",
    "InstanceMetadataServiceConfiguration",
)
_FIXED = ("SubnetId", "KmsKeyId", "DirectInternetAccess")
_GONE = {
    "DisassociateLifecycleConfig": _CONFIG_NAME,
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
}
_HOOKS = ("OnCreate", "OnStart")
_OTHERWISE: Mapping[str, Any] = {
    "DirectInternetAccess": "Enabled",
    "RootAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "PlatformIdentifier": "notebook-al2-v2",
}
_SUMMARY = (
    _NAME,
    "NotebookInstanceArn",
    "NotebookInstanceStatus",
    "Url",
    "InstanceType",
    "CreationTime",
    "LastModifiedTime",
    _CONFIG_NAME,
    "DefaultCodeRepository",
    "AdditionalCodeRepositories",
)


def create_notebook_instance(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request[_NAME]
    arn = _arn(state, name)
    if request.get("DirectInternetAccess") == "Disabled" and not request.get("SubnetId"):
        raise invalid("A subnet is required when DirectInternetAccess is Disabled.")
    if request.get("AcceleratorTypes"):
        raise invalid("Elastic Inference is no longer available: AcceleratorTypes cannot be given.")
    given = {member: request[member] for member in (*_CHANGED, *_FIXED) if request.get(member) is not None}
    if request.get("SecurityGroupIds"):
        given["SecurityGroups"] = request["SecurityGroupIds"]
    with state.store.transaction():
        given.update(_configured(state, request))
        taken = invalid(f"Cannot create a duplicate Notebook Instance ({arn})")
        body = {**_OTHERWISE, _NAME: name, "NotebookInstanceStatus": _RUNS, **given}
        resources.insert(state, KIND, name, body, taken=taken, status=_RUNS)
        resources.tag(state, arn, request)
    return {"NotebookInstanceArn": arn}


def describe_notebook_instance(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _told(state, _found(state, request))


def list_notebook_instances(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = resources.query(KIND, request, descending=True)
    for asked, member in (
        (f"{CONFIG}NameContains", _CONFIG_NAME),
        ("DefaultCodeRepositoryContains", "DefaultCodeRepository"),
    ):
        if request.get(asked):
            query.where(f"instr(json_extract(body, '$.{member}'), ?) > 0", request[asked])
    if request.get("AdditionalCodeRepositoryEquals"):
        more = "SELECT 1 FROM json_each(body, '$.AdditionalCodeRepositories') WHERE value = ?"
        query.where(f"EXISTS ({more})", request["AdditionalCodeRepositoryEquals"])
    rows, token = query.page(state.store, request)
    told = [_told(state, resources.body_of(row)) for row in rows]
    listed = [{member: each[member] for member in _SUMMARY if member in each} for each in told]
    return {"NotebookInstances": listed, "NextToken": token}


def update_notebook_instance(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        body = _need_stopped(state, request, "Updating")
        if request.get("AcceleratorTypes"):
            raise invalid("Elastic Inference is no longer available: AcceleratorTypes cannot be given.")
        if request.get("VolumeSizeInGB", body["VolumeSizeInGB"]) < body["VolumeSizeInGB"]:
            raise invalid(f"The volume of {body[_NAME]} has {body['VolumeSizeInGB']} GB and cannot be made smaller.")
        for flag, member in _GONE.items():
            if request.get(flag):
                body.pop(member, None)
        given = {member: request[member] for member in _CHANGED if request.get(member) is not None}
        _put(state, {**body, **given, **_configured(state, request)}, _STOPPED)
    return {}


def start_notebook_instance(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _put(state, _need_stopped(state, request, "Pending"), _RUNS)
    return {}


def stop_notebook_instance(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _put(state, _need(state, request, (_RUNS,), "Stopping"), _STOPPED)
    return {}


def delete_notebook_instance(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name = _need_stopped(state, request, "Deleting")[_NAME]
        resources.remove(state, KIND, name, _arn(state, name))
    return {}


def create_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request[_CONFIG_NAME]
    arn = _config_arn(state, name)
    body = {_CONFIG_NAME: name, **_hooks(request)}
    with state.store.transaction():
        said = f"Unable to create Notebook Instance Lifecycle Config {arn}. (Details: it already exists.)"
        resources.insert(state, CONFIG, name, body, taken=invalid(said))
        resources.tag(state, arn, request)
    return {"NotebookInstanceLifecycleConfigArn": arn}


def describe_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _config_told(state, _found_config(state, request[_CONFIG_NAME], "describe"))


def list_configs(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows, token = resources.query(CONFIG, request, descending=True).page(state.store, request)
    told = [_config_told(state, resources.body_of(row)) for row in rows]
    listed = [{member: value for member, value in each.items() if member not in _HOOKS} for each in told]
    return {"NotebookInstanceLifecycleConfigs": listed, "NextToken": token}


def update_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A hook that is not said stays."""
    with state.store.transaction():
        body = _found_config(state, request[_CONFIG_NAME], "update")
        kept = {member: value for member, value in body.items() if member not in _HOOKS or request.get(member) is None}
        resources.replace(state, CONFIG, body[_CONFIG_NAME], {**kept, **_hooks(request)})
    return {}


def delete_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name = _found_config(state, request[_CONFIG_NAME], "delete")[_CONFIG_NAME]
        resources.remove(state, CONFIG, name, _config_arn(state, name))
    return {}


def _hooks(request: Mapping[str, Any]) -> dict[str, Any]:
    return {hook: request[hook] for hook in _HOOKS if request.get(hook)}


def _configured(state: State, request: Mapping[str, Any]) -> dict[str, str]:
    name = request.get("LifecycleConfigName")
    return {} if not name else {_CONFIG_NAME: _found_config(state, name, "describe")[_CONFIG_NAME]}


def _found(state: State, request: Mapping[str, Any]) -> dict[str, Any]:
    body = resources.find(state, KIND, request[_NAME])
    if body is None:
        raise invalid("RecordNotFound")
    return body


def _need(state: State, request: Mapping[str, Any], statuses: tuple[str, ...], to: str) -> dict[str, Any]:
    body = _found(state, request)
    status = body["NotebookInstanceStatus"]
    if status not in statuses:
        can = ", ".join(statuses)
        arn = _arn(state, body[_NAME])
        raise invalid(
            f"Status ({status}) not in ([{can}]). Unable to transition to ({to}) for Notebook Instance ({arn})"
        )
    return body


def _need_stopped(state: State, request: Mapping[str, Any], to: str) -> dict[str, Any]:
    return _need(state, request, (_STOPPED, "Failed"), to)


def _put(state: State, body: Mapping[str, Any], status: str) -> None:
    resources.replace(state, KIND, body[_NAME], {**body, "NotebookInstanceStatus": status}, status)


def _told(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    url = f"{body[_NAME]}.notebook.{state.region}.sagemaker.aws"
    return {**body, "NotebookInstanceArn": _arn(state, body[_NAME]), "Url": url}


def _found_config(state: State, name: str, verb: str) -> dict[str, Any]:
    body = resources.find(state, CONFIG, name)
    if body is None:
        arn = _config_arn(state, name)
        raise invalid(
            f"Unable to {verb} Notebook Instance Lifecycle Config '{arn}'. "
            "(Details: Notebook Instance Lifecycle Config does not exist.)"
        )
    return body


def _config_told(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "NotebookInstanceLifecycleConfigArn": _config_arn(state, body[_CONFIG_NAME])}


def _arn(state: State, name: str) -> str:
    return state.arn(f"notebook-instance/{name.lower()}")


def _config_arn(state: State, name: str) -> str:
    return state.arn(f"notebook-instance-lifecycle-config/{name.lower()}")


OPERATIONS = {
    "CreateNotebookInstance": create_notebook_instance,
    "CreateNotebookInstanceLifecycleConfig": create_config,
    "DeleteNotebookInstance": delete_notebook_instance,
    "DeleteNotebookInstanceLifecycleConfig": delete_config,
    "DescribeNotebookInstance": describe_notebook_instance,
    "DescribeNotebookInstanceLifecycleConfig": describe_config,
    "ListNotebookInstanceLifecycleConfigs": list_configs,
    "ListNotebookInstances": list_notebook_instances,
    "StartNotebookInstance": start_notebook_instance,
    "StopNotebookInstance": stop_notebook_instance,
    "UpdateNotebookInstance": update_notebook_instance,
    "UpdateNotebookInstanceLifecycleConfig": update_config,
}
