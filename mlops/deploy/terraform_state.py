"""What Terraform made, by its state: only names and addresses are read, since a state holds secrets, too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops.deploy.resources import resource_types
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.knowledge.terraform import CLOUD_CONTROL, spelling

_PULLED = 4
"""The version of a state's file since Terraform 0.12."""


@dataclass(frozen=True, slots=True)
class TerraformOwner:
    """``address`` is the resource's in the state ``file``."""

    address: str
    file: Path

    def owns(self, what: str) -> str:
        return f"{what} is Terraform's ({self.address} in {self.file})"

    def refuses(self, what: str) -> str:
        return f"{self.owns(what)}: change it there, or let go of it with `terraform state rm '{self.address}'`"


@dataclass(frozen=True, slots=True)
class State:
    """``made`` are an address and an ARN, empty where it is not known, by a type of CloudFormation and a name there."""

    file: Path
    made: Mapping[tuple[str, str], tuple[str, str]]

    def owner(self, kind: str, name: str, account: str, region: str) -> TerraformOwner | None:
        found = self.address(kind, name, account, region)
        return None if found is None else TerraformOwner(found, self.file)

    def address(self, kind: str, name: str, account: str, region: str) -> str | None:
        """Of the resource that the account calls ``name``; None where Terraform did not make it there, or its type has
        no name in a state."""
        known = resource_types()[kind]
        asked = [value for call in known.describe(name) for value in call.request.values() if isinstance(value, str)]
        # What is asked for by its ARN has its name at its end.
        for called in (name, *asked, *(value.rpartition(":")[2] for value in asked)):
            address, arn = self.made.get((known.cloudformation or "", called), ("", ""))
            if address and _is_there(arn, account, region):
                return address
        return None


def _is_there(arn: str, account: str, region: str) -> bool:
    parts = arn.split(":")
    return len(parts) < 6 or (parts[3] in ("", region) and parts[4] in ("", account))


def read(file: Path) -> State:
    """Raises UsageError for what is no state."""
    try:
        told = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", hint=f"`terraform state pull > {file}`") from None
    except (ValueError, RecursionError) as error:
        raise _no_state(file, f"it is no JSON ({error})") from None
    try:
        return State(file, dict(_made(_managed(told))))
    except _AnotherForm as error:
        raise _no_state(file, str(error)) from None


def _no_state(file: Path, why: str) -> UsageError:
    return UsageError(
        f"{file} is no state of Terraform: {why}", hint=f"`terraform state pull > {file}`, or `terraform show -json`"
    )


Managed = tuple[str, str, Mapping[str, Any]]
"""Its type, its address, and what is known of it."""


class _AnotherForm(Exception):
    """What is not as Terraform writes it, in words: read half, it would protect half."""


def _managed(told: Any) -> Iterator[Managed]:
    match told:
        case {"version": int(version)} if version == _PULLED:
            return _pulled(_list(told, "resources"))
        case {"planned_values": _}:
            raise _AnotherForm("it is a plan")
        case {"format_version": str()}:
            return _shown(_mapping(_mapping(told, "values"), "root_module"))
    raise _AnotherForm("it has another form")


def _list(told: Mapping[str, Any], member: str) -> list[Any]:
    """Empty where there is none: Terraform leaves out what is empty."""
    match told.get(member):
        case None:
            return []
        case list(found):
            return found
    raise _AnotherForm(f"{member} is no list")


def _mapping(told: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    match told.get(member):
        case None:
            return {}
        case Mapping() as found:
            return found
    raise _AnotherForm(f"{member} is no object")


def _pulled(resources: list[Any]) -> Iterator[Managed]:
    for resource in resources:
        match resource:
            case {"mode": "managed", "type": str(kind), "name": str(name)}:
                module = f"{resource['module']}." if isinstance(resource.get("module"), str) else ""
                for instance in _list(resource, "instances"):
                    match instance:
                        case {"attributes": Mapping() as values}:
                            index = instance.get("index_key")
                            key = "" if index is None else f"[{json.dumps(index)}]"
                            yield kind, f"{module}{kind}.{name}{key}", values


def _shown(module: Mapping[str, Any]) -> Iterator[Managed]:
    for resource in _list(module, "resources"):
        match resource:
            case {"mode": "managed", "type": str(kind), "address": str(address), "values": Mapping() as values}:
                yield kind, address, values
    for child in _list(module, "child_modules"):
        if not isinstance(child, Mapping):
            raise _AnotherForm("child_modules has what is no object")
        yield from _shown(child)


def _made(found: Iterator[Managed]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    types: dict[str, list[tuple[str, str]]] = {}
    for cloudformation in {kind.cloudformation or "" for kind in resource_types().values()}:
        spelt = spelling(cloudformation)
        if spelt is not None:
            types.setdefault(spelt.type, []).append((cloudformation, spelt.named))
    for kind, address, values in found:
        arn = values.get("arn")
        told = (address, arn if isinstance(arn, str) else "")
        for cloudformation, attribute in types.get(kind, ()):
            if isinstance(values.get(attribute), str):
                yield (cloudformation, values[attribute]), told
        if kind == CLOUD_CONTROL and isinstance(values.get("type_name"), str):
            for name in _names(values):
                yield (values["type_name"], name), told


def _names(values: Mapping[str, Any]) -> Iterator[str]:
    """Of what goes by Cloud Control: its properties' texts, whichever is its name."""
    for text in (values.get("desired_state"), values.get("properties")):
        try:
            said = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            continue
        if isinstance(said, Mapping):
            yield from (value for member, value in said.items() if isinstance(value, str) and member.endswith("Name"))
