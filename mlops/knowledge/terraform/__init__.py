"""How the AWS provider of Terraform spells what CloudFormation says: ``spellings.toml`` has the types that differ in
more than case, by hand, and ``types.json`` what each resource of the provider may have, with the provider's version and
the source; it is written again by ``docs/write_terraform.py``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cache
from importlib.resources import files
from typing import Any

from mlops.ir.dataclass import dataclass

CLOUD_CONTROL = "aws_cloudcontrolapi_resource"
"""Takes any type of CloudFormation as it is; of its schema only what is written is kept here."""
BESIDE, NOTHING = "", "-"


@dataclass(frozen=True, slots=True)
class Spelling:
    """One type of CloudFormation, as the head of ``spellings.toml`` says. ``apart`` are its parts that are resources
    there, by member: ``link`` is theirs."""

    type: str
    ref: str = "id"
    told: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    only: Sequence[str] = ()
    negated: Sequence[str] = ()
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    referred: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    filled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    copied: Mapping[str, str] = field(default_factory=dict)
    before: bool = False
    apart: Mapping[str, Spelling] = field(default_factory=dict)
    link: Mapping[str, str] = field(default_factory=dict)

    @property
    def named(self) -> str:
        """The attribute that is its name in the account.

        >>> spelling("AWS::SageMaker::Endpoint").named, spelling("AWS::SageMaker::Pipeline").named
        ('name', 'pipeline_name')
        """
        return next(iter(self.told.values()), self.ref)

    def argument(self, path: Sequence[str]) -> str | None:
        """What the member at ``path`` is called, by the longest part of the path that is known; None where nothing is
        said of it.

        >>> spelling("AWS::SageMaker::EndpointConfig").argument(("DataCaptureConfig", "KmsKeyId"))
        'kms_key_id'
        >>> spelling("AWS::SageMaker::EndpointConfig").argument(("KmsKeyId",))
        'kms_key_arn'
        """
        tails = (".".join(path[start:]) for start in range(len(path)))
        return next((self.members[tail] for tail in tails if tail in self.members), None)


@cache
def _spellings() -> Mapping[str, Spelling]:
    text = files(__name__).joinpath("spellings.toml").read_text(encoding="utf-8")
    return {kind: _spelling(told) for kind, told in tomllib.loads(text).items()}


def _spelling(told: Mapping[str, Any]) -> Spelling:
    parts = {part["member"]: _spelling(part) for part in told.get("apart", ())}
    return Spelling(**{key: value for key, value in told.items() if key not in ("apart", "member")}, apart=parts)


def spelling(kind: str) -> Spelling | None:
    """None for a type that the provider does not have, or that is not known here."""
    return _spellings().get(kind)


@cache
def _known() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(files(__name__).joinpath("types.json").read_text(encoding="utf-8"))
    return found


def provider() -> str:
    """The version of the provider that ``types.json`` is of."""
    return str(_known()["provider"])


def schema(kind: str) -> Mapping[str, Any]:
    """A block: ``attributes`` by name, ``string!`` one that has to be there, ``string=`` one that only the provider
    tells; ``blocks`` inside of it, each with its ``nesting``, with ``min`` and ``max`` where how many there are is
    bounded.

    >>> schema("aws_sagemaker_pipeline")["attributes"]["pipeline_name"]
    'string!'
    """
    found: Mapping[str, Any] = _known()["resources"][kind]
    return found
