"""``mlops.toml``: the environments that a pipeline is compiled for and deployed to."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlops.ir import ConfigurationError
from mlops.ir.secrecy import is_secret
from mlops.project.check_settings import parse as parse_check_settings
from mlops.project.house_policy import parse as parse_house_policy
from mlops.project.root import CONFIGURATION, STATE
from mlops.project.starts import Notify, Schedule, Trigger
from mlops.project.toml_places import line_of
from mlops.project.toml_places import mistake as _mistake

LOCAL = "local"
LOCAL_ACCOUNT = "000000000000"
LOCAL_REGION = "us-east-1"
"""Image URIs need some region; this one has every framework image."""

_RESERVED = "defaults"
_INHERITS = "inherits"
_OURS = ("name", "state")
"""Fields of an environment that nobody writes."""
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Environment(_Strict):
    """One environment, its defaults already merged in.

    ``parameters`` are pipeline parameters' defaults in this environment; ``instance`` is the instance type of steps
    that name none, ``max_instances`` the most of them that a job has. ``mlflow`` is a tracking URI, a SageMaker-managed
    server's ARN, or, for the local one, ``true``: the project's own SQLite file. ``state`` is the local account's
    folder and None elsewhere. ``parallelism`` is for pipelines that give none. ``approval``: an upsert asks before it
    writes. ``assume_role`` is taken on for all calls.
    """

    name: str
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d+$")]
    role: Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$")]
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")]
    prefix: Annotated[str, Field(pattern=r"^[^/].*[^/]$|^[^/]?$")] = "mlops"
    kms_key: str | None = None
    subnets: list[str] = []
    security_groups: list[str] = []
    network_isolation: bool | None = None
    traffic_encryption: bool | None = None
    instance: str | None = None
    max_instances: Annotated[int, Field(ge=1)] | None = None
    tags: dict[str, str] = {}
    parameters: dict[str, str | int | float | bool] = {}
    parallelism: Annotated[int, Field(ge=1)] | None = None
    approval: bool = False
    schedules: dict[str, Schedule] = {}
    triggers: dict[str, Trigger] = {}
    notify: Notify | None = None
    profile: str | None = None
    assume_role: Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/.+$")] | None = None
    endpoint_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    mlflow: bool | Annotated[str, Field(pattern=r"^(arn:aws|https?://|sqlite:///).+$")] = False
    state: Path | None = None

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def uri(self, *parts: str) -> str:
        """An S3 URI below this environment's bucket and prefix."""
        return "/".join(("s3:/", self.bucket, *filter(None, (self.prefix,)), *parts))


class ProjectTable(_Strict):
    """``[project]``."""

    pipelines: str = "pipelines"


@dataclass(frozen=True, slots=True)
class Project:
    """A project's configuration; without an ``mlops.toml`` it has the local environment only."""

    root: Path
    environments: Mapping[str, Environment]
    pipelines: str = "pipelines"
    incomplete: Mapping[str, str] = field(default_factory=dict)
    """Environments that need variables which this process lacks, with what is to be told of it."""

    def environment(self, name: str) -> Environment:
        if name in self.incomplete:
            raise ConfigurationError(self.incomplete[name], hint="set it, e.g. in the CI's settings")
        found = self.environments.get(name)
        if found is None:
            known = ", ".join(sorted(self.environments))
            raise ConfigurationError(
                f"there is no environment {name!r}; there are: {known}",
                hint=f"add [env.{name}] to {self.root / CONFIGURATION}",
            )
        return found


def read_project(root: Path) -> Project:
    """Raises ConfigurationError that names the file, the line where it is known, and every mistake in it."""
    file = root / CONFIGURATION
    if not file.is_file():
        return Project(root=root, environments={LOCAL: _local(root, {})})
    text = _text(file)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # tomllib tells the place in its text only.
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = place.group(1) if place else text.count("\n") + 1
        raise ConfigurationError(f"{file}:{line}: {error}") from None
    mistakes: list[str] = []
    for key in raw:
        if key not in ("project", "env", "check", "house"):
            known = "[project], [env.NAME], [check], [house]"
            mistakes.append(_mistake(file, text, (key,), f"{key!r} is not known here; known: {known}"))
    parse_check_settings(raw.get("check", {}), lambda path, said: mistakes.append(_mistake(file, text, path, said)))
    parse_house_policy(raw.get("house", {}), lambda path, said: mistakes.append(_mistake(file, text, path, said)))
    table = _validated(ProjectTable, raw.get("project", {}), ("project",), file, text, mistakes)
    incomplete: dict[str, str] = {}
    environments = _environments(root, raw.get("env", {}), file, text, mistakes, incomplete)
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    assert isinstance(table, ProjectTable)  # noqa: S101 - a mistake was recorded otherwise
    return Project(root=root, pipelines=table.pipelines, environments=environments, incomplete=incomplete)


def origin(root: Path, environment: str, key: str) -> str:
    """Where an environment's value is written, e.g. ``mlops.toml:12``; "built in" where no file gives it."""
    file = root / CONFIGURATION
    if file.is_file():
        text = _text(file)
        tables = tomllib.loads(text).get("env", {})
        lineage = [environment]
        while (parent := tables.get(lineage[-1], {}).get(_INHERITS)) in tables and parent not in lineage:
            lineage.append(parent)
        for table in (*lineage, _RESERVED):
            if key in tables.get(table, {}):
                line = line_of(text, ("env", table, key))
                return f"{CONFIGURATION}:{line}" if line else CONFIGURATION
    return "built in"


def _environments(
    root: Path, raw: Any, file: Path, text: str, mistakes: list[str], incomplete: dict[str, str]
) -> dict[str, Environment]:
    if not isinstance(raw, dict) or not all(isinstance(table, dict) for table in raw.values()):
        mistakes.append(_mistake(file, text, ("env",), "[env.NAME] has to be a table"))
        return {}
    shared = raw.get(_RESERVED, {})
    environments = {LOCAL: _local(root, {})}
    for name, own in raw.items():
        if name == _RESERVED:
            unknown = set(own) - set(Environment.model_fields)
            for key in sorted(unknown):
                mistakes.append(_mistake(file, text, ("env", name, key), f"{key!r} is not a key of an environment"))
            continue
        merged = {key: value for key, value in shared.items() if key in Environment.model_fields}
        for ancestor in _lineage(name, raw, file, text, mistakes):
            merged = _merged(merged, raw[ancestor])
        for key in _OURS:
            if key in merged:
                mistakes.append(_mistake(file, text, ("env", name, key), f"{key!r} is not a key of an environment"))
                merged.pop(key)
        if name == LOCAL:
            for key in ("account", "profile", "endpoint_url", "assume_role"):
                if key in own:
                    message = f"the local environment has no {key}: it is the account inside .mlops/"
                    mistakes.append(_mistake(file, text, ("env", name, key), message))
                merged.pop(key, None)
            merged = _local_values(root) | merged
        unset: list[str] = []
        filled = _filled(merged, ("env", name), file, text, mistakes, unset)
        if unset:
            # Only who uses this environment has to have its variables.
            incomplete[name] = "\n".join(unset)
            continue
        environment = _validated(Environment, {"name": name, **filled}, ("env", name), file, text, mistakes)
        if isinstance(environment, Environment):
            environments[name] = environment
    if LOCAL not in raw and isinstance(shared, dict):
        usable = ("instance", "max_instances", "tags", "parameters")
        environments[LOCAL] = _local(root, {key: value for key, value in shared.items() if key in usable})
    return environments


def _lineage(name: str, raw: Mapping[str, Any], file: Path, text: str, mistakes: list[str]) -> tuple[str, ...]:
    """An environment and those that it inherits from, the farthest first."""
    found = [name]
    while (parent := raw[found[-1]].get(_INHERITS)) is not None:
        at = ("env", found[-1], _INHERITS)
        if not isinstance(parent, str) or parent not in raw or parent in (_RESERVED, LOCAL):
            known = ", ".join(sorted(set(raw) - {_RESERVED, LOCAL, found[-1]})) or "none"
            mistakes.append(
                _mistake(file, text, at, f"inherits = {parent!r}: give another environment, one of {known}")
            )
            break
        if parent in found:
            circle = " -> ".join((*found[found.index(parent) :], parent))
            mistakes.append(_mistake(file, text, at, f"environments inherit from each other: {circle}"))
            break
        found.append(parent)
    return tuple(reversed(found))


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in own.items():
        if key != _INHERITS:
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = {**merged[key], **value} if both else value
    return merged


def _filled(value: Any, at: tuple[str, ...], file: Path, text: str, mistakes: list[str], unset: list[str]) -> Any:
    """``${NAME}`` in a text replaced by the variable of this process. A secret is refused: whatever stands in an
    environment may end up in a definition."""
    match value:
        case dict():
            return {key: _filled(item, (*at, key), file, text, mistakes, unset) for key, item in value.items()}
        case list():
            return [_filled(item, at, file, text, mistakes, unset) for item in value]
        case str() if "${" in value:

            def variable(found: re.Match[str]) -> str:
                name = found[1]
                if name not in os.environ:
                    unset.append(_mistake(file, text, at, f"{'.'.join(at)}: the variable {name} is not set"))
                elif is_secret(name, os.environ[name]):
                    message = f"{'.'.join(at)}: the variable {name} looks like a secret, which has no place here"
                    mistakes.append(_mistake(file, text, at, message))
                    return ""
                return os.environ.get(name, "")

            return _VARIABLE.sub(variable, value)
    return value


def _local_values(root: Path) -> dict[str, Any]:
    return {
        "account": LOCAL_ACCOUNT,
        "region": LOCAL_REGION,
        "role": f"arn:aws:iam::{LOCAL_ACCOUNT}:role/mlops-local",
        "bucket": "mlops-local",
        "state": root / STATE,
    }


def _local(root: Path, extra: Mapping[str, Any]) -> Environment:
    try:
        return Environment.model_validate({"name": LOCAL, **_local_values(root), **extra})
    except ValidationError:
        # The same mistake is reported where the table that holds it is validated.
        return Environment.model_validate({"name": LOCAL, **_local_values(root)})


def _validated(
    model: type[BaseModel], raw: Any, at: tuple[str, ...], file: Path, text: str, mistakes: list[str]
) -> BaseModel | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        seen: set[tuple[str, ...]] = set()
        for detail in error.errors(include_url=False):
            member = str(detail["loc"][0]) if detail["loc"] else ""
            path = (*at, member) if member else at
            if path in seen:
                continue
            seen.add(path)
            if detail["type"] == "missing":
                message = f"[{'.'.join(at)}] lacks {member!r}"
                mistakes.append(_mistake(file, text, at, message))
            elif detail["type"] == "extra_forbidden":
                known = ", ".join(
                    sorted({*model.model_fields, *([_INHERITS] if model is Environment else [])} - {*_OURS})
                )
                message = f"{member!r} is not a key of [{'.'.join(at)}]; known: {known}"
                mistakes.append(_mistake(file, text, path, message))
            else:
                said = detail["msg"][0].lower() + detail["msg"][1:]
                mistakes.append(_mistake(file, text, path, f"{'.'.join(path)} = {detail['input']!r}: {said}"))
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from None
