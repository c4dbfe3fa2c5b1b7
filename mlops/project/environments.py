"""``mlops.toml``: the environments that a pipeline is compiled for and deployed to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlops.ir import ConfigurationError
from mlops.project.check_settings import parse as parse_check_settings
from mlops.project.house_policy import parse as parse_house_policy
from mlops.project.root import CONFIGURATION, STATE
from mlops.project.toml_places import line_of
from mlops.project.toml_places import mistake as _mistake

LOCAL = "local"
LOCAL_ACCOUNT = "000000000000"
LOCAL_REGION = "us-east-1"
"""Image URIs need some region; this one has every framework image."""

_RESERVED = "defaults"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Environment(_Strict):
    """One environment, its defaults already merged in.

    ``parameters`` are pipeline parameters' defaults in this environment; ``instance`` is the instance type of steps
    that name none. ``mlflow`` is a tracking URI, a SageMaker-managed server's ARN, or, for the local one, ``true``: the
    project's own SQLite file. ``state`` is the local account's folder and None elsewhere.
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
    tags: dict[str, str] = {}
    parameters: dict[str, str | int | float | bool] = {}
    profile: str | None = None
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

    def environment(self, name: str) -> Environment:
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
    environments = _environments(root, raw.get("env", {}), file, text, mistakes)
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    assert isinstance(table, ProjectTable)  # noqa: S101 - a mistake was recorded otherwise
    return Project(root=root, pipelines=table.pipelines, environments=environments)


def origin(root: Path, environment: str, key: str) -> str:
    """Where an environment's value is written, e.g. ``mlops.toml:12``; "built in" where no file gives it."""
    file = root / CONFIGURATION
    if file.is_file():
        text = _text(file)
        tables = tomllib.loads(text).get("env", {})
        for table in (environment, _RESERVED):
            if key in tables.get(table, {}):
                line = line_of(text, ("env", table, key))
                return f"{CONFIGURATION}:{line}" if line else CONFIGURATION
    return "built in"


def _environments(root: Path, raw: Any, file: Path, text: str, mistakes: list[str]) -> dict[str, Environment]:
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
        for key, value in own.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = {**merged[key], **value} if both else value
        for key in ("name", "state"):
            if key in merged:
                mistakes.append(_mistake(file, text, ("env", name, key), f"{key!r} is not a key of an environment"))
                merged.pop(key)
        if name == LOCAL:
            for key in ("account", "profile", "endpoint_url"):
                if key in own:
                    message = f"the local environment has no {key}: it is the account inside .mlops/"
                    mistakes.append(_mistake(file, text, ("env", name, key), message))
                merged.pop(key, None)
            merged = _local_values(root) | merged
        environment = _validated(Environment, {"name": name, **merged}, ("env", name), file, text, mistakes)
        if isinstance(environment, Environment):
            environments[name] = environment
    if LOCAL not in raw and isinstance(shared, dict):
        usable = ("instance", "tags", "parameters")
        environments[LOCAL] = _local(root, {key: value for key, value in shared.items() if key in usable})
    return environments


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
                known = ", ".join(sorted(set(model.model_fields) - {"name", "state"}))
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
