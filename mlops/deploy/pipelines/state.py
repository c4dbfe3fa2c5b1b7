"""A pipeline resource as a value: what the source wants, and what the account has."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.resources.pipeline import RESOURCE_TYPE as PIPELINE
from mlops.emit.targets.definition_json import emit_compact
from mlops.ir import Definition, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.ir.pipeline_name import may_be_a_name
from mlops.project.environments import Environment

INLINE_BYTES = 100 * 1024
"""From here on a definition goes through S3, as the official SDK does; the API's own limit is 1,048,576 characters."""
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class PipelineState:
    """``definition`` is the document's text. An empty description and none are the same, so it is never empty; so are
    a display name that is the pipeline's name and none, which is what the service shows of such a pipeline."""

    name: str
    definition: str
    role: str
    description: str | None = None
    parallelism: int | None = None
    display_name: str | None = None

    @property
    def document(self) -> Mapping[str, Any]:
        """Empty where the text is no JSON object: then everything differs."""
        try:
            found = json.loads(self.definition)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def fingerprint(self, code: str | None = None) -> str:
        """The same for the same JSON value, whatever its spelling. With ``code``, the URI below which assets lie by
        their content, also whatever that content is."""
        settings = [self.role, self.description, self.parallelism]
        # Records from before pipelines had one know nothing of it.
        settings += [self.display_name] if self.display_name is not None else []
        told = json.dumps([self.document or self.definition, *settings], sort_keys=True)
        return hashlib.sha256((told if code is None else without_content(told, code)).encode()).hexdigest()

    def shown(self) -> dict[str, Any]:
        """For files and people: without secrets."""
        return {
            "PipelineName": self.name,
            "PipelineDefinition": hide(self.document),
            "RoleArn": self.role,
            "PipelineDescription": hide(self.description),
            "PipelineDisplayName": self.display_name,
            "MaxParallelExecutionSteps": self.parallelism,
        }


@dataclass(frozen=True, slots=True)
class Present:
    """A pipeline that the account has. ``modified_by`` is a name or an ARN where the account tells one."""

    state: PipelineState
    arn: str
    modified: str | None = None
    modified_by: str | None = None
    aliases: tuple[str, ...] = ()


def without_content(text: str, code: str) -> str:
    """A JSON text with a star in place of each content address below ``code``.

    >>> without_content('["s3://b/assets/' + "0" * 64 + '/train.py"]', "s3://b/assets")
    '["s3://b/assets/*/train.py"]'
    """
    root = json.dumps(code)[1:-1]
    return re.sub(f"{re.escape(root)}/[0-9a-f]{{64}}", lambda found: f"{root}/*", text)


def wanted(definition: Definition, environment: Environment, suffix: str | None = None) -> PipelineState:
    """What the source says. Raises UsageError where it has no name, or none that a pipeline can have."""
    if definition.name is None:
        raise UsageError(
            "a definition that is read from standard input has no name",
            hint="put it into a file: its name is the pipeline's",
        )
    name = f"{definition.name}-{suffix}" if suffix else definition.name
    judge_name(name)
    parallelism = definition.parallelism if definition.parallelism is not None else environment.parallelism
    return PipelineState(
        name=name,
        definition=emit_compact(definition),
        role=environment.role,
        description=definition.description or None,
        parallelism=parallelism,
        display_name=definition.display_name if definition.display_name != name else None,
    )


def judge_name(name: str) -> None:
    """Raises UsageError for what cannot be a pipeline's name: the account would say so too, after uploads maybe."""
    if not may_be_a_name(name):
        shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}… ({len(name)} characters)"
        raise UsageError(
            f"{shown!r} cannot be the name of a pipeline",
            hint="letters, digits and dashes in between, at most 256",
        )


def definition_uri(environment: Environment, definition: str) -> str | None:
    """Where a definition goes that is too large to be sent inline; None for all others."""
    content = definition.encode()
    if len(content) < INLINE_BYTES:
        return None
    return environment.uri("definitions", f"{hashlib.sha256(content).hexdigest()}.json")


def differing(there: PipelineState, ours: PipelineState) -> list[str]:
    """What is another one there, in words. A limit of parallelism that the source does not give is none of ours."""
    pairs = {
        "definition": (there.document, ours.document),
        "role": (there.role, ours.role),
        "description": (there.description, ours.description),
        "display name": (there.display_name, ours.display_name),
        "parallelism": (there.parallelism, ours.parallelism or there.parallelism),
    }
    return [f"another {name}" for name, (left, right) in pairs.items() if left != right]


def describe(account: Account, name: str, version: int | None = None) -> Present | None:
    """One DescribePipeline, of the newest version if none is given; None where there is no such pipeline."""
    chosen = {} if version is None else {"PipelineVersionId": version}
    with answers():
        found = unless_missing(lambda: account.client("sagemaker").describe_pipeline(PipelineName=name, **chosen))
    if found is None:
        return None
    properties = PIPELINE.read(found)
    state = PipelineState(
        name=str(found["PipelineName"]),
        definition=properties["PipelineDefinition"],
        role=properties["RoleArn"],
        description=properties.get("PipelineDescription"),
        parallelism=properties.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps"),
        display_name=properties.get("PipelineDisplayName"),
    )
    return Present(
        state,
        arn=str(found["PipelineArn"]),
        modified=_moment(found.get("LastModifiedTime")),
        modified_by=_who(found.get("LastModifiedBy")),
        aliases=tuple(found.get("PipelineVersionAliases") or ()),
    )


def _moment(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds")


def _who(user: Mapping[str, Any] | None) -> str | None:
    """UserContext: a Studio profile, or the identity behind the call."""
    told = user or {}
    identity = (told.get("IamIdentity") or {}).get("Arn")
    return identity or told.get("UserProfileName") or None
