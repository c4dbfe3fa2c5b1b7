"""Pipelines and their versions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops.account.local import events
from mlops.account.local.caller import user_context
from mlops.account.local.listing import Query
from mlops.account.local.refusal import conflict, invalid, not_found
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.settling import settle_all
from mlops.account.local.state import ACCOUNT_ID, State, dump, now

if TYPE_CHECKING:
    from mlops.ir import Checked, Definition, Finding

KIND = "Pipeline"
_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
_CALLER = user_context(ACCOUNT_ID)
_SHOWN_FINDINGS = 5
_UNFIT = ("R331", "/DefaultValue")
_TAKEN = (("G107", ""), ("S205", "/S3Uri"), ("X749", ""), ("X784", ""), _UNFIT)
"""Codes of mistakes, with the ends of their places, for which the service refuses no definition. So tests of the SDK
tell: test_model_registration_with_model_repack reads a step of the other branch, test_mxnet_model_registration has a
path where a URI belongs and an Environment in a version of no group, test_caching_behavior uses one place twice. The
step that is reached with one fails. A default that fits nowhere is left to the start, which may give another value."""
_CHECKED = "Checked"
"""Of a version's body: the hash of the definition that the checker had nothing against."""
_DEFAULTS = "UnfitDefaults"
"""Of a version's body: by the names of parameters, why their defaults do not fit."""


class _Written(NamedTuple):
    """The text of a definition; ``unfit`` as in a version's body."""

    text: str
    unfit: Mapping[str, str]


def create_pipeline(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["PipelineName"]
    # Checking takes its time; nobody else shall wait for it in a transaction.
    definition = _definition(state, request)
    if definition is None:
        raise invalid("Either PipelineDefinition or PipelineDefinitionS3Location is required.")

    def create() -> Mapping[str, Any]:
        body = {"PipelineName": name, "Version": 1, **_kept(request)}
        taken = invalid(
            f"Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already "
            "exists."
        )
        resources.insert(state, KIND, name, body, taken=taken, status="Active")
        _add_version(state, name, 1, definition, request)
        resources.tag(state, arn(state, name), request)
        events.tell(state, "pipeline.created", arn(state, name), {"pipeline": name}, {"version": 1})
        return {"PipelineArn": arn(state, name)}

    return resources.once(state, "CreatePipeline", request["ClientRequestToken"], request, create)


def update_pipeline(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["PipelineName"]
    _found(state, name)
    definition = _definition(state, request)
    with state.store.transaction():
        body = _found(state, name)
        if definition is not None:
            body["Version"] += 1
            _add_version(state, name, body["Version"], definition, request)
        resources.replace(state, KIND, name, {**body, **_kept(request)}, status="Active")
        events.tell(state, "pipeline.updated", arn(state, name), {"pipeline": name}, {"version": body["Version"]})
    return {"PipelineArn": arn(state, name), "PipelineVersionId": body["Version"]}


def describe_pipeline(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = resources.last_segment(request["PipelineName"], "pipeline")
    body = _found(state, name)
    version = chosen_version(state, name, body["Version"], request)
    last_run = state.store.one("SELECT max(created) AS time FROM execution WHERE pipeline = ?", name)
    told = json.loads(version["body"])
    return {
        **body,
        "PipelineArn": arn(state, name),
        "PipelineDisplayName": body.get("PipelineDisplayName", name),
        "PipelineDefinition": version["definition"],
        "PipelineStatus": "Active",
        "LastRunTime": last_run["time"] if last_run is not None else None,
        "CreatedBy": _CALLER,
        "LastModifiedBy": _CALLER,
        "PipelineVersionDisplayName": told.get("DisplayName"),
        "PipelineVersionDescription": told.get("Description"),
        "PipelineVersionAliases": told.get("Aliases"),
    }


def list_pipelines(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = resources.query(KIND, request, descending=True)
    found.created_between(request, "CreatedAfter", "CreatedBefore")
    if request.get("PipelineNamePrefix"):
        prefix = request["PipelineNamePrefix"]
        found.where("substr(name, 1, ?) = ?", len(prefix), prefix)
    rows, token = found.page(state.store, request)
    return {"PipelineSummaries": [_summary(state, resources.body_of(row)) for row in rows], "NextToken": token}


def delete_pipeline(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["PipelineName"]

    def delete() -> Mapping[str, Any]:
        _found(state, name)
        settle_all(state, name)
        if state.store.one("SELECT 1 FROM execution WHERE pipeline = ? AND status IN ('Executing', 'Stopping')", name):
            raise conflict(f"Pipeline {name} has executions that run; stop them or wait for them.")
        with state.store.transaction() as connection:
            executions = [row["id"] for row in state.store.all("SELECT id FROM execution WHERE pipeline = ?", name)]
            connection.execute(
                "DELETE FROM step WHERE execution IN (SELECT id FROM execution WHERE pipeline = ?)", (name,)
            )
            connection.execute("DELETE FROM execution WHERE pipeline = ?", (name,))
            connection.execute("DELETE FROM pipeline_version WHERE pipeline = ?", (name,))
            events.forget(connection, executions)
        resources.remove(state, KIND, name, arn(state, name))
        events.tell(state, "pipeline.deleted", arn(state, name), {"pipeline": name})
        return {"PipelineArn": arn(state, name)}

    settle_all(state, name)
    return resources.once(state, "DeletePipeline", request["ClientRequestToken"], request, delete)


def list_pipeline_versions(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = resources.last_segment(request["PipelineName"], "pipeline")
    _found(state, name)
    found = Query("pipeline_version", ("version",), request.get("SortOrder") != "Ascending")
    found.where("pipeline = ?", name).created_between(request, "CreatedAfter", "CreatedBefore")
    rows, token = found.page(state.store, request)
    summaries = []
    for row in rows:
        told = json.loads(row["body"])
        last = state.store.one(
            "SELECT id FROM execution WHERE pipeline = ? AND version = ? ORDER BY created DESC LIMIT 1",
            name,
            row["version"],
        )
        summaries.append(
            {
                "PipelineArn": arn(state, name),
                "PipelineVersionId": row["version"],
                "CreationTime": row["created"],
                "PipelineVersionDescription": told.get("Description"),
                "PipelineVersionDisplayName": told.get("DisplayName"),
                "PipelineVersionAliases": told.get("Aliases"),
                "LastExecutionPipelineExecutionArn": execution_arn(state, name, last["id"]) if last else None,
            }
        )
    return {"PipelineVersionSummaries": summaries, "NextToken": token}


def arn(state: State, name: str) -> str:
    return state.arn(f"pipeline/{name}")


def execution_arn(state: State, pipeline: str, execution: str) -> str:
    return f"{arn(state, pipeline)}/execution/{execution}"


def chosen_version(state: State, name: str, newest: int, request: Mapping[str, Any]) -> Any:
    """The row of the version that the request names by number or alias, else of the newest."""
    alias = request.get("PipelineVersionAlias")
    if alias is not None:
        if request.get("PipelineVersionId") is not None:
            raise invalid("PipelineVersionId and PipelineVersionAlias exclude each other.")
        rows = state.store.all("SELECT * FROM pipeline_version WHERE pipeline = ?", name)
        row = next((row for row in rows if alias in (json.loads(row["body"]).get("Aliases") or ())), None)
    else:
        number = request.get("PipelineVersionId") or newest
        row = state.store.one("SELECT * FROM pipeline_version WHERE pipeline = ? AND version = ?", name, number)
    if row is None:
        raise not_found(f"Version {alias or request.get('PipelineVersionId')} of pipeline {name}")
    return row


def bound(version: Any) -> Checked:
    """A stored version (a row), ready to run. What was checked when it was stored is not checked again, unless somebody
    changed it since."""
    text = version["definition"]
    if json.loads(version["body"]).get(_CHECKED) == _digest(text):
        from mlops.check import bind
        from mlops.ir.reader import read

        definition, _ = read(text)
        if definition is not None:
            return bind(definition)
    return checked(text)


def checked(text: str) -> Checked:
    """A definition that can run. Raises ValidationException with what the checker found."""
    # The checker takes 0.2 s to load, and most calls need none.
    from mlops.check import check
    from mlops.ir import Severity
    from mlops.ir.reader import read

    definition, findings = read(text)
    result = check(definition, findings=findings) if definition is not None else None
    if result is not None:
        findings = result.findings
    errors = [item for item in findings if item.severity is Severity.ERROR and not _is_taken(item)]
    if result is None or errors:
        shown = "; ".join(
            f"{item.path or '/'}: {_words(item, definition)} ({item.code})" for item in errors[:_SHOWN_FINDINGS]
        )
        more = f"; and {len(errors) - _SHOWN_FINDINGS} more" if len(errors) > _SHOWN_FINDINGS else ""
        raise invalid(f"The pipeline definition is not valid: {shown}{more}")
    return result


def _is_taken(finding: Finding) -> bool:
    return any(finding.code == code and (finding.path or "").endswith(end) for code, end in _TAKEN)


def _words(finding: Finding, definition: Definition | None) -> str:
    """The service's, where they are known, and ours."""
    step = definition.step(finding.step) if definition is not None and finding.step is not None else None
    place = re.fullmatch(r".*/DependsOn/([0-9]+)", finding.path or "", re.DOTALL)
    if finding.code != "G105" or step is None or place is None:
        return finding.message
    upstream = step.depends_on[int(place[1])]
    return f"{step.name} can not depends on {upstream}: {finding.message}"


def _definition(state: State, request: Mapping[str, Any]) -> _Written | None:
    inline, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if inline is not None and location is not None:
        raise invalid("PipelineDefinition and PipelineDefinitionS3Location exclude each other.")
    if location is not None:
        inline = _read(state, location["Bucket"], location["ObjectKey"])
    if inline is None:
        return None
    return _Written(inline, dict(_unfit(checked(inline))))


def unfit_defaults(version: Any) -> Mapping[str, str]:
    """Of a version (a row), by parameter: why an execution has to be given another value."""
    found: Mapping[str, str] = json.loads(version["body"]).get(_DEFAULTS) or {}
    return found


def _unfit(result: Checked) -> Iterator[tuple[str, str]]:
    for item in result.findings:
        place = re.fullmatch(r"/Parameters/([0-9]+)/DefaultValue", item.path or "")
        if place is not None and item.code == _UNFIT[0] and item.severity.value == "error":
            yield result.definition.parameters[int(place[1])].name, item.message


def _read(state: State, bucket: str, key: str) -> str:
    try:
        with state.objects.open(bucket, key) as (_, file):
            return file.read().decode()
    except KeyError:
        raise invalid(f"No pipeline definition is at s3://{bucket}/{key}.") from None
    except UnicodeDecodeError:
        raise invalid(f"The pipeline definition at s3://{bucket}/{key} is not UTF-8.") from None


def _add_version(state: State, name: str, number: int, definition: _Written, request: Mapping[str, Any]) -> None:
    aliases = list(request.get("PipelineVersionAliases") or ())
    for row in state.store.all("SELECT * FROM pipeline_version WHERE pipeline = ?", name) if aliases else ():
        told = json.loads(row["body"])
        left = [alias for alias in told.get("Aliases") or () if alias not in aliases]
        state.store.write(
            "UPDATE pipeline_version SET body = ? WHERE pipeline = ? AND version = ?",
            dump({**told, "Aliases": left}),
            name,
            row["version"],
        )
    body = {
        _CHECKED: _digest(definition.text),
        **({"Aliases": aliases} if aliases else {}),
        **({_DEFAULTS: definition.unfit} if definition.unfit else {}),
    }
    state.store.write(
        "INSERT INTO pipeline_version VALUES (?, ?, ?, ?, ?)", name, number, now(), definition.text, dump(body)
    )


def _digest(definition: str) -> str:
    return hashlib.sha256(definition.encode()).hexdigest()


def _kept(request: Mapping[str, Any]) -> dict[str, Any]:
    return {member: request[member] for member in _KEPT if request.get(member) is not None}


def _found(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, KIND, name)
    if body is None:
        raise not_found(f"Pipeline '{arn(state, name)}'")
    return body


def _summary(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    name = body["PipelineName"]
    last = state.store.one("SELECT max(created) AS time FROM execution WHERE pipeline = ?", name)
    return {
        **body,
        "PipelineArn": arn(state, name),
        "PipelineDisplayName": body.get("PipelineDisplayName", name),
        "LastExecutionTime": last["time"] if last is not None else None,
    }


OPERATIONS = {
    "CreatePipeline": create_pipeline,
    "DeletePipeline": delete_pipeline,
    "DescribePipeline": describe_pipeline,
    "ListPipelineVersions": list_pipeline_versions,
    "ListPipelines": list_pipelines,
    "UpdatePipeline": update_pipeline,
}
