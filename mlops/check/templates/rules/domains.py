"""Domains of OpenSearch Service: what the service says of a request, which the schema does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told, speaks_of
from mlops.ir import Severity
from mlops.knowledge.domains import pairing

FINDINGS: Mapping[str, Told] = {
    "T072": Told(
        "domain-members-apart",
        Severity.ERROR,
        """Members of a domain of OpenSearch Service do not go together, or one lacks another: zones and nodes that do
not part evenly, UltraWarm without dedicated masters, fine-grained access without encryption, volumes for instances
that have storage of their own. It is what a declared domain is judged by, too.

Bad:  ClusterConfig: {WarmEnabled: true, WarmType: …, WarmCount: 2}
Good: ClusterConfig: {…, DedicatedMasterEnabled: true, DedicatedMasterType: …, DedicatedMasterCount: 3}""",
    ),
    "T073": Told(
        "domain-better-otherwise",
        Severity.WARNING,
        """A domain of OpenSearch Service is taken as it is, and is better otherwise: an engine that gets no new
versions, an answer that says to be Elasticsearch, what is stored or sent in clear, a password that everybody sees.

Bad:  EngineVersion: Elasticsearch_7.10
Good: EngineVersion: OpenSearch_2.19""",
    ),
}
_TYPE = "AWS::OpenSearchService::Domain"
_LONGEST_NUMBER = 18


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        properties = resource.properties
        if resource.type == _TYPE and isinstance(properties.value, dict):
            told = properties.plain(_told)
            for fault in pairing.faults(told):
                yield Fault("T072", speaks_of(properties, fault), f"{resource.label}: {fault}", "see docs/search.md")
            for remark in pairing.remarks(told):
                yield Fault("T073", speaks_of(properties, remark), f"{resource.label}: {remark}")
            yield from _password(template, resource, properties)


def _password(template: Template, resource: Resource, properties: Spot) -> Iterator[Fault]:
    written = properties.get("AdvancedSecurityOptions", "MasterUserOptions", "MasterUserPassword")
    if written is None:
        return
    match template.at(written.at):
        case {"Ref": str(name)} if str(template.section("Parameters").get(name, {}).get("NoEcho")).lower() == "true":
            return
        case {"Ref": str(name)} if name in template.section("Parameters"):
            said = f"the parameter {name}, which everybody sees who sees the stack"
        case str(text) if isinstance(written.value, str):
            said = "the template" if text else ""
        case _:
            return
    if said:
        said = f"the password of {resource.label} stands in {said}"
        yield Fault("T073", written.at, said, "'{{resolve:secretsmanager:NAME:SecretString:password}}'")


def _told(name: str, value: Any) -> Any:
    """A template may write a switch and a number as texts."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    is_number = isinstance(value, str) and value.isdecimal() and len(value) <= _LONGEST_NUMBER
    return int(value) if is_number else value
