"""What a version is made of: the execution that registered it, its code and commit, the data that it read, seeds and
parameters, and the digests of what serves.

A package itself names its execution and no more. What else is known lies in a record beside the account's others, which
is written once: when who started the execution sees its end, or when the version is decided on. It says what was there
then; what had changed since the registration is told as that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy import conditional_object
from mlops.deploy.conditional_object import BucketMissing, Conflict
from mlops.deploy.executions.code import addresses, dependencies
from mlops.deploy.executions.details import definition_text, jobs_of, parameters_of
from mlops.deploy.executions.following import ExecutionState, describe
from mlops.deploy.executions.inputs import inputs, listing
from mlops.deploy.models.registry import Version
from mlops.deploy.pipelines import commits
from mlops.deploy.pipelines.definition_diff import steps_of
from mlops.ir import AccountError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

_CHUNK = 1024 * 1024
_SLACK = timedelta(seconds=1)
"""Times of S3 are whole seconds."""
_SEEDS = ("seed", "random_state", "random-state", "randomstate")


@dataclass(frozen=True, slots=True)
class Content:
    """An object, or all below a prefix: then ``etag`` is over their names and ETags, and ``files`` says how many.
    ``etag`` is None where it could not be asked. ``changed``: it was written after the step read it, or after the
    version was registered, so what was used is not known."""

    uri: str
    etag: str | None
    files: int = 1
    version: str | None = None
    sha256: str | None = None
    size: int | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """``code`` are content addresses by step and file, ``data`` what was read by step and input, ``artefacts`` the
    archives that serve, ``seeds`` whatever is called so among parameters, hyperparameters and environments, and those
    of searches and shuffles. ``at`` is when it was recorded, None where it is only what is seen now."""

    execution: str | None = None
    pipeline: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Content] = field(default_factory=dict)
    artefacts: tuple[Content, ...] = ()
    at: str | None = None
    unknown: str | None = None
    """Why the execution tells nothing, in words."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables by step and name, but for seeds."""
    because: Mapping[str, str] = field(default_factory=dict)
    """Why its execution was started, where feedback did that: by ``feedback``, ``event``, ``alarm`` or ``monitor``, and
    ``why``."""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    """By step and package what the requirements of its code say: a version where one is pinned. A record of an earlier
    version of mlops has neither."""


def read(account: Account, environment: Environment, version: Version) -> Lineage | None:
    """None where none is recorded. Raises Refusal for a record that cannot be read."""
    name = _name(environment, version)
    try:
        with answers():
            there = conditional_object.get(account, environment, name)
    except BucketMissing:
        return None
    if there is None:
        return None
    try:
        return _parsed(json.loads(there.content))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise Refusal(
            f"the lineage of version {version.number} of {version.group} cannot be read: "
            f"s3://{environment.bucket}/{name} is none that mlops wrote"
        ) from None


def is_recorded(account: Account, environment: Environment, arn: str) -> bool:
    """Of the version with that ARN."""
    name = conditional_object.key(environment, "lineage", f"{arn.partition(':model-package/')[2]}.json")
    try:
        with answers():
            return conditional_object.get(account, environment, name) is not None
    except BucketMissing:
        return False


def execution_of(version: Version) -> str | None:
    """The ARN of the execution that registered it, as the version itself says; None where it says none."""
    arn = str((version.details.get("MetadataProperties") or {}).get("GeneratedBy") or "")
    return arn if ":pipeline/" in arn and "/execution/" in arn else None


def see(account: Account, environment: Environment, version: Version) -> Lineage:
    """What is seen of it now. ``version`` has its details."""
    artefacts = tuple(_artefacts(account, version))
    served = {
        f"container {number}": f"{item['Image']}{'@' + item['ImageDigest'] if item.get('ImageDigest') else ''}"
        for number, item in enumerate(_containers(version), 1)
        if item.get("Image")
    }
    arn = execution_of(version)
    commit = (version.details.get("MetadataProperties") or {}).get("CommitId")
    if arn is None:
        return Lineage(
            None, None, commit, None, images=served, artefacts=artefacts, unknown="no execution registered it"
        )
    try:
        return _of_execution(account, environment, arn, commit, served, artefacts)
    except AccountError as error:
        told = f"its execution cannot be asked: {error.message}"
        return Lineage(arn, None, commit, None, images=served, artefacts=artefacts, unknown=told)


def record(account: Account, environment: Environment, version: Version) -> Lineage:
    """What is recorded; what is seen now, and recorded, where nothing was."""
    there = read(account, environment, version)
    if there is not None:
        return there
    seen = see(account, environment, version)
    told = {**asdict(seen), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    content = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    try:
        with answers():
            conditional_object.put(account, environment, _name(environment, version), content, None)
    except Conflict:
        pass  # somebody was faster, or our answer was lost: what lies there counts
    return read(account, environment, version) or seen


def as_dictionary(lineage: Lineage) -> Mapping[str, Any]:
    """For programs."""
    named = ("because", "parameters", "seeds", "environment", "dependencies", "code", "images")
    return {
        **asdict(lineage),
        **{
            member: [{"name": name, "value": value} for name, value in getattr(lineage, member).items()]
            for member in named
        },
        "data": [{"name": name, **asdict(item)} for name, item in lineage.data.items()],
    }


def told(lineage: Lineage) -> Iterator[tuple[str, str]]:
    """Line by line: what it is, and its value."""
    if lineage.execution:
        yield "execution", lineage.execution.rpartition("/")[2]
    if lineage.commit:
        dirty = {True: ", with changes that are in no commit", False: "", None: ""}[lineage.dirty]
        yield "commit", f"{lineage.commit}{dirty}"
    for topic, values in (
        ("because", lineage.because),
        ("parameter", lineage.parameters),
        ("seed", lineage.seeds),
        ("variable", lineage.environment),
        ("package", lineage.dependencies),
        ("code", lineage.code),
        ("image", lineage.images),
    ):
        yield from ((f"{topic} {name}", value) for name, value in values.items())
    for name, item in lineage.data.items():
        yield f"data {name}", _told_content(item)
    for number, item in enumerate(lineage.artefacts, 1):
        yield f"model {number}", _told_content(item)


def _told_content(item: Content) -> str:
    if item.etag is None:
        return f"{item.uri} (what lies there could not be asked)"
    digest = f"sha256 {item.sha256}" if item.sha256 else f"ETag {item.etag}"
    more = f", {item.files} files" if item.files != 1 else f", version {item.version}" if item.version else ""
    late = "; written later, so this is not what was used" if item.changed else ""
    return f"{item.uri} ({digest}{more}{late})"


def _of_execution(
    account: Account,
    environment: Environment,
    arn: str,
    commit: str | None,
    served: Mapping[str, str],
    artefacts: tuple[Content, ...],
) -> Lineage:
    state = describe(account, arn)
    text = definition_text(account, arn)
    jobs = jobs_of(account, state)
    parameters = parameters_of(account, arn)
    steps = steps_of(json.loads(text))
    code = {f"{name}: {file}": address for name, step in steps.items() for file, address in addresses(step).items()}
    packages = {
        f"{name}: {package}": said
        for name, step in steps.items()
        for package, said in dependencies(account, step).items()
    }
    noted = commits.find(account, environment, text)
    images = {name: image for name, job in jobs.items() for image in _images(job)}
    return Lineage(
        arn,
        state.pipeline,
        commit or (noted.id if noted is not None else None),
        noted.dirty if noted is not None and commit in (None, noted.id) else None,
        hide(parameters),
        hide(dict(_seeds(parameters, jobs))),
        code,
        hide({**images, **served}),
        dict(_data(account, state, jobs)),
        artefacts,
        because=_because(account, arn),
        environment=dict(_variables(jobs)),
        dependencies=hide(packages),
    )


def _because(account: Account, execution: str) -> Mapping[str, str]:
    """Where the account keeps events."""
    ids = {"execution": execution.rpartition("/")[2]}
    kinds = ("feedback.goes-on",)
    for event in account.events.read(kinds=kinds, ids=ids, limit=1) if account.events is not None else ():
        known = {name: event.ids[name] for name in ("feedback", "alarm", "monitor") if name in event.ids}
        return {**known, "event": event.ids.get("cause", ""), "why": str(event.detail.get("why", ""))}
    return {}


def _data(account: Account, state: ExecutionState, jobs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for step in state.steps:
        for name, found in inputs(step, jobs.get(step.name, {})):
            there = listing(account, found.uri)
            if there is None:
                yield f"{step.name}: {name}", Content(hide(found.uri), None)
                continue
            since = found.began
            changed = since is not None and any(modified > since + _SLACK for _, modified in there.values())
            one = {*there} == {""}
            yield (
                f"{step.name}: {name}",
                Content(
                    hide(found.uri),
                    digest(there),
                    len(there),
                    version=_head(account, found.uri).get("VersionId") if one else None,
                    changed=changed,
                ),
            )


def digest(there: Mapping[str, tuple[str, datetime]]) -> str:
    """Of what an input read: the object's ETag, or one over all paths and ETags of a listing."""
    if {*there} == {""}:
        return there[""][0]
    etags = {path: etag for path, (etag, _) in there.items()}
    return hashlib.sha256(json.dumps(etags, sort_keys=True).encode()).hexdigest()


def _seeds(parameters: Mapping[str, str], jobs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """By name: what is called so, and what the service itself draws by."""
    yield from _called_so("", parameters)
    for name, job in jobs.items():
        yield from _of_job(f"{name}: ", job)
        search = (job.get("HyperParameterTuningJobConfig") or {}).get("RandomSeed")
        if search is not None:
            yield f"{name}: RandomSeed", str(search)
        for tuned in (job.get("TrainingJobDefinition"), *(job.get("TrainingJobDefinitions") or ())):
            if tuned:
                inner = tuned.get("DefinitionName")
                yield from _of_job(f"{name}/{inner}: " if inner else f"{name}: ", tuned)


def _of_job(front: str, job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for values in ("HyperParameters", "StaticHyperParameters", "Environment"):
        yield from _called_so(front, job.get(values) or {})
    for channel in job.get("InputDataConfig") or ():
        shuffled = (channel.get("ShuffleConfig") or {}).get("Seed")
        if shuffled is not None:
            yield f"{front}{channel.get('ChannelName')}: ShuffleConfig.Seed", str(shuffled)


def _variables(jobs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What no script reads, as the toolkits' own, is told too: it decides what they do."""
    for name, job in jobs.items():
        tuned = (job.get("TrainingJobDefinition"), *(job.get("TrainingJobDefinitions") or ()))
        for described in (job, *(item for item in tuned if item)):
            inner = described.get("DefinitionName")
            # What hides a secret goes by the variable's own name.
            for variable, value in hide(dict(described.get("Environment") or {})).items():
                if not any(word in variable.lower() for word in _SEEDS):
                    yield f"{name}{f'/{inner}' if inner else ''}: {variable}", str(value)


def _called_so(front: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if any(word in key.lower() for word in _SEEDS):
            yield f"{front}{key}", str(value)


def _images(job: Mapping[str, Any]) -> Iterator[str]:
    for member in ("AlgorithmSpecification", "AppSpecification"):
        told = job.get(member) or {}
        image = told.get("TrainingImage") or told.get("ImageUri")
        if image:
            yield str(image)


def artefact_uris(version: Version) -> tuple[str, ...]:
    return tuple(dict.fromkeys(uri for item in _containers(version) if (uri := model_uri(item)) is not None))


def model_uri(container: Mapping[str, Any]) -> str | None:
    """Where a container's model data lie, however that is said."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    uri = container.get("ModelDataUrl") or source.get("S3Uri")
    return None if uri is None else str(uri)


def _artefacts(account: Account, version: Version) -> Iterator[Content]:
    for uri in artefact_uris(version):
        yield content(account, uri, version.created)


def content(account: Account, uri: str, until: datetime | None = None, *, whole: bool = True) -> Content:
    """What lies at an URI now, with the digest of one object, which is read for it where ``whole``. ``until``: what was
    written after it is ``changed``, and its digest says nothing."""
    if uri.endswith("/"):
        there = listing(account, uri)
        if there is None:
            return Content(uri, None)
        etags = {path: etag for path, (etag, _) in there.items()}
        late = until is not None and any(modified > until + _SLACK for _, modified in there.values())
        together = hashlib.sha256(json.dumps(etags, sort_keys=True).encode()).hexdigest()
        return Content(uri, together, len(etags), changed=late)
    reply = _head(account, uri)
    if not reply:
        return Content(uri, None)
    late = until is not None and reply["LastModified"] > until + _SLACK
    return Content(
        uri,
        str(reply["ETag"]).strip('"'),
        version=reply.get("VersionId"),
        sha256=_sha256(account, uri) if whole else None,
        size=int(reply["ContentLength"]),
        changed=late,
    )


def _head(account: Account, uri: str) -> Mapping[str, Any]:
    bucket, key = split_uri(uri)
    with answers():
        return unless_missing(lambda: account.client("s3").head_object(Bucket=bucket, Key=key)) or {}


def _sha256(account: Account, uri: str) -> str:
    bucket, key = split_uri(uri)
    digest = hashlib.sha256()
    with answers():
        body = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
        while chunk := body.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _containers(version: Version) -> tuple[Mapping[str, Any], ...]:
    return tuple((version.details.get("InferenceSpecification") or {}).get("Containers") or ())


def _parsed(told: Mapping[str, Any]) -> Lineage:
    known = {key: value for key, value in told.items() if key in Lineage.__dataclass_fields__}
    return Lineage(
        **{
            **known,
            "data": {name: _content(item) for name, item in told["data"].items()},
            "artefacts": tuple(map(_content, told["artefacts"])),
        }
    )


def _content(told: Mapping[str, Any]) -> Content:
    return Content(**{key: value for key, value in told.items() if key in Content.__dataclass_fields__})


def _name(environment: Environment, version: Version) -> str:
    return conditional_object.key(environment, "lineage", version.group, f"{version.number}.json")
