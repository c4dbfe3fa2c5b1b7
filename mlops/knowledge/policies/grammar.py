"""What IAM refuses in a policy document, beside effects, actions and resources that lack.

Sources: the IAM guide's pages on the grammar of the JSON policy language, on its elements (Version, Sid, Principal,
Action, Resource, Condition operators), and on quotas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, TypeAlias

from mlops.ir.choices import instead, one_edit
from mlops.ir.dataclass import dataclass


class Kind(Enum):
    """Where a document stands: it says who may, or its place does."""

    PERMISSIONS = "permissions"
    TRUST = "trust"
    RESOURCE = "resource"


Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """``at`` leads to it from the document."""

    at: Path
    said: str
    mend: str | None = None


VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT = frozenset({"Version", "Id", "Statement"})
_STATEMENT = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
        "Condition",
    }
)
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_WHO = ("Principal", "NotPrincipal")
_WHAT = ("Resource", "NotResource")
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_SID = re.compile(r"[A-Za-z0-9]*")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_ARN_PARTS = 6
_SERVICE = re.compile(r"[a-z0-9.*-]+\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)")
_ACCOUNT = re.compile(r"\*|\d{12}|arn:.+|A[A-Z]{3}[A-Z0-9]{12,}")
_COMPARED = (
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike"),
    *("StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"),
    *("NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan"),
    *("DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress"),
    *("NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
)
_OPERATORS = frozenset({"Null", *_COMPARED, *(f"{name}IfExists" for name in _COMPARED)})
_KEYS = tuple(
    f"aws:{name}"
    for name in (
        *("CalledVia", "CalledViaFirst", "CalledViaLast", "CurrentTime", "EpochTime", "FederatedProvider"),
        *("MultiFactorAuthAge", "MultiFactorAuthPresent", "PrincipalAccount", "PrincipalArn", "PrincipalIsAWSService"),
        *("PrincipalOrgID", "PrincipalOrgPaths", "PrincipalServiceName", "PrincipalServiceNamesList", "PrincipalType"),
        *("Referer", "RequestedRegion", "ResourceAccount", "ResourceOrgID", "ResourceOrgPaths", "SecureTransport"),
        *("SourceAccount", "SourceArn", "SourceIdentity", "SourceIp", "SourceOrgID", "SourceOrgPaths", "SourceVpc"),
        *("SourceVpcArn", "SourceVpce", "TagKeys", "TokenIssueTime", "UserAgent", "ViaAWSService", "VpcSourceIp"),
        *("VpceAccount", "VpceOrgID", "VpceOrgPaths", "userid", "username"),
    )
)
"""Of all services."""
_SETS = ("ForAllValues:", "ForAnyValue:")
_TAKEN_BY = (
    (
        re.compile(r"arn:[^:]*:iam::[^:]*:oidc-provider/.*|cognito-identity\.amazonaws\.com"),
        "AssumeRoleWithWebIdentity",
    ),
    (re.compile(r"arn:[^:]*:iam::[^:]*:saml-provider/.*"), "AssumeRoleWithSAML"),
)


def faults(document: Mapping[str, Any], kind: Kind) -> Iterator[PolicyFault]:
    """What is no plain value is left alone."""
    version = document.get("Version")
    if isinstance(version, str) and version not in VERSIONS:
        yield PolicyFault(("Version",), f"there is no version {version!r} of policies", f"Version: {VERSIONS[0]}")
    yield from (
        PolicyFault((name,), f"a policy has no {name}{instead(name, _DOCUMENT)}")
        for name in document
        if name not in _DOCUMENT
    )
    met: set[str] = set()
    for at, statement in _statements(document):
        if isinstance(statement, Mapping):
            yield from _statement(at, statement, kind, met)


def length(document: object) -> int:
    """Characters that count: blanks do not, and what is not known takes none."""
    text = json.dumps(document, separators=(",", ":"), default=lambda unknown: "")
    return len(re.sub(r"\s", "", text))


def _statements(document: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    listed = document.get("Statement")
    if isinstance(listed, list | tuple):
        yield from ((("Statement", index), item) for index, item in enumerate(listed))
    else:
        yield ("Statement",), listed


def _statement(at: Path, statement: Mapping[str, Any], kind: Kind, met: set[str]) -> Iterator[PolicyFault]:
    for name in statement:
        if name not in _STATEMENT:
            yield PolicyFault((*at, name), f"a statement has no {name}{instead(name, _STATEMENT)}")
    for one, other in _PAIRS:
        if one in statement and other in statement:
            yield PolicyFault((*at, other), f"{one} and {other} exclude each other", "leave one of them out")
    yield from _sid(at, statement.get("Sid"), kind, met)
    yield from _who(at, statement, kind)
    for name in ("Action", "NotAction"):
        for place, action in _texts((*at, name), statement.get(name)):
            if _ACTION.fullmatch(action) is None:
                yield PolicyFault(place, f"{action!r} is no action", "name the service, too: s3:GetObject")
    for name in _WHAT:
        for place, resource in _texts((*at, name), statement.get(name)):
            if not _is_resource(resource):
                said = f"{resource!r} is no ARN: that has {_ARN_PARTS} parts"
                yield PolicyFault(place, said, "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE, or *")
    yield from _conditions((*at, "Condition"), statement.get("Condition"))
    if kind is Kind.TRUST:
        yield from _taken(at, statement)


def _sid(at: Path, sid: object, kind: Kind, met: set[str]) -> Iterator[PolicyFault]:
    if not isinstance(sid, str):
        return
    if kind is not Kind.RESOURCE and sid and sid in met:
        yield PolicyFault((*at, "Sid"), f"two statements have the Sid {sid!r}", "call one of them otherwise")
    met.add(sid)
    if kind is not Kind.RESOURCE and _SID.fullmatch(sid) is None:
        yield PolicyFault((*at, "Sid"), f"a Sid has letters and digits alone, and this one is {sid!r}")


def _who(at: Path, statement: Mapping[str, Any], kind: Kind) -> Iterator[PolicyFault]:
    given = [name for name in _WHO if name in statement]
    if kind is Kind.PERMISSIONS:
        said = "{} stands in a policy of permissions, which are of whoever has it"
        yield from (PolicyFault((*at, name), said.format(name), f"leave {name} out") for name in given)
        return
    if not given:
        yield PolicyFault(at, "a statement says not who may: it has no Principal", "give Principal")
    if kind is Kind.TRUST:
        said = "{} stands in a trust policy, whose resource is the role"
        yield from (PolicyFault((*at, name), said.format(name)) for name in _WHAT if name in statement)
    for name in given:
        principal = statement[name]
        if isinstance(principal, Mapping):
            yield from _principals((*at, name), principal)
        elif isinstance(principal, str) and principal != "*":
            yield PolicyFault((*at, name), f"{principal!r} is no principal", "{Service: …} or {AWS: …}")


def _principals(at: Path, principal: Mapping[str, Any]) -> Iterator[PolicyFault]:
    for name, listed in principal.items():
        if name not in _PRINCIPALS:
            yield PolicyFault((*at, name), f"there are no principals of {name}{instead(name, _PRINCIPALS)}")
        for place, text in _texts((*at, name), listed):
            if name == "Service" and _SERVICE.fullmatch(text) is None:
                yield PolicyFault(place, f"{text!r} is no service", "it is NAME.amazonaws.com")
            if name == "AWS" and _ACCOUNT.fullmatch(text) is None:
                yield PolicyFault(place, f"{text!r} is no account and no ARN", "services stand in Service")


def _conditions(at: Path, conditions: object) -> Iterator[PolicyFault]:
    if not isinstance(conditions, Mapping):
        return
    for operator, keys in conditions.items():
        plain = next((operator.removeprefix(prefix) for prefix in _SETS if operator.startswith(prefix)), operator)
        if plain not in _OPERATORS:
            yield PolicyFault((*at, operator), f"there is no operator {operator}{instead(plain, _OPERATORS)}")
        elif isinstance(keys, str | list | tuple):
            yield PolicyFault((*at, operator), f"{operator} compares no key", "{KEY: VALUE} below it")
        elif isinstance(keys, Mapping):
            for key, values in keys.items():
                yield from _compared((*at, operator, key), key, values)
                yield from _values((*at, operator, key), plain.removesuffix("IfExists"), values)


def _values(at: Path, operator: str, values: object) -> Iterator[PolicyFault]:
    """What an operator can compare with; policy variables are filled in when it is asked."""
    for place, text in _texts(at, values):
        if "${" in text:
            continue
        if operator in ("Bool", "Null") and text.lower() not in ("true", "false"):
            yield PolicyFault(place, f"{operator} compares with true or false, and not with {text!r}")
        if operator.endswith("IpAddress") and not _is_network(text):
            yield PolicyFault(place, f"{text!r} is no address and no network", "10.0.0.0/8")
        if operator.startswith("Numeric") and re.fullmatch(r"-?\d+(?:\.\d+)?", text) is None:
            yield PolicyFault(place, f"{text!r} is no number")


def _is_network(text: str) -> bool:
    from ipaddress import ip_network  # few policies name addresses

    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _compared(at: Path, key: str, values: object) -> Iterator[PolicyFault]:
    known = {name.lower(): name for name in _KEYS}
    if key.lower().startswith("aws:") and key.lower() not in known and "/" not in key:
        meant = next((known[item] for item in one_edit(key.lower()) if item in known), None)
        if meant is not None:
            yield PolicyFault(at, f"there is no key {key}; did you mean {meant}?", meant)
    if key.lower() == "iam:passedtoservice":
        for place, text in _texts(at, values):
            if _SERVICE.fullmatch(text) is None and "*" not in text and "${" not in text:
                yield PolicyFault(place, f"{text!r} is no service", "it is NAME.amazonaws.com")


def _taken(at: Path, statement: Mapping[str, Any]) -> Iterator[PolicyFault]:
    """Whom an identity provider vouches for takes a role on by a call of its own."""
    principal = statement.get("Principal")
    actions = [action for _, action in _texts((), statement.get("Action"))]
    listed = principal.get("Federated") if isinstance(principal, Mapping) and len(principal) == 1 else None
    if not actions or not isinstance(statement.get("Action"), str | list | tuple):
        return
    for place, action in _texts((*at, "Action"), statement.get("Action")):
        if _ACTION.fullmatch(action) and not action.lower().startswith("sts:") and action != "*":
            yield PolicyFault(place, f"{action} stands in a trust policy, which is about sts: alone")
    for place, provider in _texts((*at, "Principal", "Federated"), listed):
        needed = next((call for pattern, call in _TAKEN_BY if pattern.fullmatch(provider)), None)
        if needed is not None and not any(_allows(action, f"sts:{needed}") for action in actions):
            yield PolicyFault(place, f"{provider} is taken on by sts:{needed}, and {actions[0]} is allowed")


def _allows(action: str, wanted: str) -> bool:
    pattern = re.escape(action.lower()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, wanted.lower()) is not None


def _texts(at: Path, listed: object) -> Iterator[tuple[Path, str]]:
    if isinstance(listed, str):
        yield at, listed
    elif isinstance(listed, list | tuple):
        yield from (((*at, index), item) for index, item in enumerate(listed) if isinstance(item, str))


def _is_resource(text: str) -> bool:
    if text.startswith(("*", "${")):
        return True
    parts = text.split(":", _ARN_PARTS - 1)
    return parts[0] == "arn" and (len(parts) == _ARN_PARTS or parts[-1] == "*")
