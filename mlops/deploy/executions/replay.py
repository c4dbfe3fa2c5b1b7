"""What one step of a past execution was given, to run it again on this machine.

In the local account a replay is a selective execution on that execution's results. A step of another account becomes a
pipeline of one step here, in which every expression is what it was there, and whose inputs are copied to the same URIs.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.account import Account, answers
from mlops.account.local.services.sagemaker.parameters import resolve as typed
from mlops.account.missing import unless_missing
from mlops.check import check
from mlops.deploy.executions.details import definition_of_execution, jobs_of, parameters_of
from mlops.deploy.executions.following import ExecutionState
from mlops.deploy.executions.selection import Selection
from mlops.deploy.pages import items
from mlops.deploy.pipelines.definition_diff import steps_of
from mlops.ir import AccountError, Checked, Definition, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.document import document
from mlops.ir.reader import read
from mlops.ir.s3_uri import split_uri
from mlops.ir.start_values import as_text
from mlops.ir.values import refs
from mlops.run.outcome import StepFailed
from mlops.run.ports import Execution, ObjectMissing
from mlops.run.resolve import Context, resolve
from mlops.run.transfer import manifest_places

_NAME_LENGTH = 256
"""botocore: PipelineName."""
_CHECKS = ("QualityCheck", "ClarifyCheck")
_SUFFIX = "-replay"
_WRITTEN = ("Output", "DebugHook", "Profiler", "TensorBoard")
"""Members of a request with one of these in their name say where something is written to."""
_SOURCE_ETAG = "source-etag"


@dataclass(frozen=True, slots=True)
class Past:
    """What an execution ran, and with which values where these were not the defaults."""

    checked: Checked
    values: Mapping[str, str]


def past(account: Account, state: ExecutionState) -> Past:
    """Raises UsageError for a definition that could not run."""
    definition, findings = definition_of_execution(account, state.arn)
    checked = check(replace(definition, name=state.pipeline), findings=findings)
    return Past(checked, values_of(account, state, checked.definition))


def values_of(account: Account, state: ExecutionState, definition: Definition) -> dict[str, str]:
    """The execution's parameters, as far as ``definition`` has them with another default."""
    found = parameters_of(account, state.arn)
    return {
        parameter.name: found[parameter.name]
        for parameter in definition.parameters
        if parameter.name in found
        and not (parameter.has_default and as_text(parameter.default) == found[parameter.name])
    }


def source_of(account: Account, state: ExecutionState, selection: Selection) -> str:
    """The ARN of the execution that has what the selection needs: this one, or the one that it was based on itself."""
    succeeded = {step.name for step in state.steps if step.status == "Succeeded"}
    if selection.needed <= succeeded:
        return state.arn
    with answers():
        found = account.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=state.arn)
    source = (found.get("SelectiveExecutionConfig") or {}).get("SourcePipelineExecutionArn")
    if source is None:
        raise UsageError(
            f"in execution {state.id} {', '.join(sorted(selection.needed - succeeded))} did not succeed, which "
            f"{', '.join(selection.steps)} needs",
            hint="select that step too",
        )
    return str(source)


def alone(account: Account, checked: Checked, state: ExecutionState, name: str, values: Mapping[str, str]) -> Checked:
    """A pipeline of the step ``name`` only. Raises UsageError where something that it reads is not known."""
    step = checked.definition.step(name)
    if step is None or step.blocks:
        raise UsageError(f"{name} is no single step of {state.pipeline}", hint="replay the steps inside it")
    given = [{"Name": key, "Value": value} for key, value in values.items()]
    arn = state.arn.split(":")
    execution = Execution(
        pipeline_name=state.pipeline,
        pipeline_arn=state.arn.rpartition("/execution/")[0],
        execution_id=state.id,
        execution_arn=state.arn,
        started=state.created or datetime.now(UTC),
        region=arn[3],
        account=arn[4],
        parameters=typed(checked.definition, given, {}),
        folder=Path(),
    )
    read_steps = {
        path.name for _, ref in refs(step.arguments) if (path := ref.path) is not None and path.root == "Steps"
    }
    context = Context(
        checked, execution, _Documents(account), _responses(account, state, read_steps), execution.started
    )
    try:
        arguments = resolve(step.arguments, context)
    except StepFailed as error:
        raise UsageError(f"what {name} was given cannot be found out: {error}") from None
    whole = document(checked.definition)
    own = {key: value for key, value in steps_of(whole)[name].items() if key not in ("DependsOn", "CacheConfig")}
    kept = {key: value for key, value in whole.items() if key not in ("Parameters", "Steps")}
    text = json.dumps({**kept, "Parameters": [], "Steps": [{**own, "Arguments": arguments}]}, default=str)
    definition, findings = read(text)
    if definition is None:
        raise UsageError(f"{name} cannot be replayed alone: {findings[0].message}")
    title = f"{state.pipeline[: _NAME_LENGTH - len(_SUFFIX)]}{_SUFFIX}"
    return check(replace(definition, name=title, assets=checked.definition.assets), findings=findings)


@dataclass(frozen=True, slots=True)
class Inputs:
    """S3 URIs that the steps of :func:`alone` read, each once; ``manifests`` are those that list further ones."""

    uris: tuple[str, ...]
    manifests: tuple[str, ...]


def inputs(checked: Checked) -> Inputs:
    uris: dict[str, None] = {}
    manifests: dict[str, None] = {}
    for step in document(checked.definition)["Steps"]:
        uris.update(dict.fromkeys(_read_uris(step.get("Arguments"))))
        manifests.update(dict.fromkeys(_manifests(step.get("Arguments"))))
    return Inputs(tuple(uris), tuple(manifests))


def copy(source: Account, target: Account, uri: str, *, manifest: bool = False) -> tuple[int, int]:
    """Every object whose key starts with that of ``uri``, to the same place in ``target``; what is there already in the
    same state is not copied. Of a ``manifest`` also what it lists. Answers how many were copied, and their bytes."""
    with answers():
        found = dict(_stored(source, uri))
        if manifest:
            try:
                places = manifest_places(uri, _Documents(source).read(uri), "the input")
            except (StepFailed, ObjectMissing) as error:
                raise AccountError(str(error)) from None
            found |= {place: _etag(source, place) for place, _ in places}
        sizes = [_copied(source, target, place, etag) for place, etag in found.items()]
    return sum(size is not None for size in sizes), sum(size or 0 for size in sizes)


def _stored(account: Account, uri: str) -> Iterator[tuple[str, str]]:
    """With ETags."""
    bucket, prefix = split_uri(uri)
    for item in items(account.client("s3"), "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix):
        if not str(item["Key"]).endswith("/"):
            yield f"s3://{bucket}/{item['Key']}", str(item["ETag"])


def _etag(account: Account, uri: str) -> str:
    bucket, key = split_uri(uri)
    return str(account.client("s3").head_object(Bucket=bucket, Key=key)["ETag"])


def _copied(source: Account, target: Account, uri: str, etag: str) -> int | None:
    """The bytes of the object; None where it is there already."""
    bucket, key = split_uri(uri)
    place = {"Bucket": bucket, "Key": key}
    here = target.client("s3")
    _ensure_bucket(here, bucket)
    if _same(here, place, etag):
        return None
    reply = source.client("s3").get_object(**place)
    with tempfile.TemporaryFile() as content:
        shutil.copyfileobj(reply["Body"], content, 1024 * 1024)
        content.seek(0)
        here.put_object(**place, Body=content, Metadata={_SOURCE_ETAG: etag})
    return int(reply["ContentLength"])


def _same(s3: Any, place: Mapping[str, str], etag: str) -> bool:
    there = unless_missing(lambda: s3.head_object(**place))
    return there is not None and bool(there["Metadata"].get(_SOURCE_ETAG) == etag)


def _ensure_bucket(s3: Any, bucket: str) -> None:
    if unless_missing(lambda: s3.head_bucket(Bucket=bucket)) is None:
        s3.create_bucket(Bucket=bucket)


def _read_uris(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, item in value.items():
                if not any(word in key for word in _WRITTEN):
                    yield from _read_uris(item)
        case list():
            for item in value:
                yield from _read_uris(item)
        case str():
            # The toolkits' hyperparameters are JSON.
            uri = value.strip('"')
            if uri.startswith("s3://") and split_uri(uri)[0] and not any(character in uri for character in "\n ,;"):
                yield uri


def _manifests(value: Any) -> Iterator[str]:
    match value:
        case {"S3DataType": "ManifestFile", "S3Uri": str(uri)}:
            yield uri
        case dict():
            for item in value.values():
                yield from _manifests(item)
        case list():
            for item in value:
                yield from _manifests(item)


class _Documents:
    """The account's objects, for values that are read from a file."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def read(self, uri: str) -> bytes:
        bucket, key = split_uri(uri)
        with answers():
            found = unless_missing(lambda: self._account.client("s3").get_object(Bucket=bucket, Key=key))
            if found is None:
                raise ObjectMissing(f"{uri} does not exist")
            return bytes(found["Body"].read())


def _responses(account: Account, state: ExecutionState, names: set[str]) -> dict[str, Mapping[str, Any]]:
    """What ``Steps.<name>.<path>`` reads: the Describe operation's reply, by the kind of the step's Metadata."""
    sagemaker = account.client("sagemaker")
    found: dict[str, Mapping[str, Any]] = dict(
        jobs_of(account, replace(state, steps=tuple(step for step in state.steps if step.name in names)))
    )
    for step in state.steps:
        told = step.metadata.get(step.kind) or {}
        if step.name in names and step.kind in _CHECKS:
            found[step.name] = told  # its baselines; the job behind it tells of none
        if step.name not in names or step.name in found:
            continue
        arn = str(told.get("Arn", ""))
        name = arn.rpartition("/")[2]
        with answers():
            match step.kind:
                case "Model":
                    found[step.name] = sagemaker.describe_model(ModelName=name)
                case "RegisterModel":
                    found[step.name] = sagemaker.describe_model_package(ModelPackageName=arn)
                case "Lambda" | "Callback":
                    listed = told.get("OutputParameters") or ()
                    found[step.name] = {"OutputParameters": {item["Name"]: item["Value"] for item in listed}}
    return found
