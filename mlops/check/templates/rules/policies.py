"""Policies and roles of IAM, and ARNs where a role or key is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import HOLE, Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity

FINDINGS: Mapping[str, Told] = {
    "T070": Told(
        "arn-of-another-service",
        Severity.ERROR,
        """Where a role, key, topic or function is named, stands an ARN of something else; or a statement's actions
and its resources are of different services, so that it allows nothing.

Bad:  RoleArn: arn:aws:s3:::bucket
Good: RoleArn: arn:aws:iam::111122223333:role/notebook""",
    ),
    "T080": Told(
        "any-action",
        Severity.WARNING,
        """A policy allows every action, or every one of a service.

Bad:  Action: "s3:*"  Resource: "*"
Good: Action: [s3:GetObject]  Resource: arn:aws:s3:::acme/models/*""",
    ),
    "T081": Told(
        "any-resource",
        Severity.WARNING,
        """A policy allows actions on every resource, though they can be bound to some.

Bad:  Action: s3:GetObject  Resource: "*"
Good: Action: s3:GetObject  Resource: arn:aws:s3:::acme/models/*""",
    ),
    "T082": Told(
        "anybody",
        Severity.WARNING,
        """A role may be taken on by anybody, or what is shared be read by anybody: a policy has the principal * without
a condition; or by any token of an identity provider, since no condition asks for its subject.

Bad:  Principal: "*"
Good: Principal: {Service: sagemaker.amazonaws.com}""",
    ),
    "T083": Told(
        "all-but-some",
        Severity.WARNING,
        """A policy allows all actions or resources but some: also what there will be one day.

Bad:  Effect: Allow  NotAction: iam:*
Good: the actions that are needed""",
    ),
    "T084": Told(
        "wrong-policy",
        Severity.ERROR,
        """A policy document has no statements, an effect that there is not, or a statement without actions or
resources.

Bad:  Statement: [{Effect: Permit, Action: s3:GetObject}]
Good: Statement: [{Effect: Allow, Action: s3:GetObject, Resource: …}]""",
    ),
}
_DOCUMENTS = {
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::RolePolicy": ("PolicyDocument",),
    "AWS::IAM::UserPolicy": ("PolicyDocument",),
    "AWS::IAM::GroupPolicy": ("PolicyDocument",),
    "AWS::IAM::Role": (),
    "AWS::IAM::User": (),
    "AWS::IAM::Group": (),
}
_SHARED = {
    "AWS::OpenSearchService::Domain": ("AccessPolicies",),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupPolicy",),
}
_NAMED = {
    "RoleArn": ("iam", "role"),
    "ExecutionRoleArn": ("iam", "role"),
    "ExecutionRole": ("iam", "role"),
    "Role": ("iam", "role"),
    "RoleARN": ("iam", "role"),
    "KmsKeyId": ("kms", ""),
    "KmsKeyArn": ("kms", ""),
    "SuccessTopic": ("sns", ""),
    "ErrorTopic": ("sns", ""),
}
_TYPES = {"iam": "AWS::IAM::Role", "kms": "AWS::KMS::", "sns": "AWS::SNS::"}
_ATTACHED = ("ManagedPolicyArns", "PermissionsBoundary")
_OPEN_ARN = re.compile(r"arn:[^:]*:([\w-]+):[^:]*:[^:]*:(.*)", re.DOTALL)
_ARN = re.compile(r"arn:[\w-]*:([\w-]*):([\w-]*):(\d*|aws):(.*)", re.DOTALL)
_UNBOUND = re.compile(
    r"ecr:GetAuthorizationToken|cloudwatch:(?:PutMetricData|GetMetric\w+)|s3:(?:ListAllMyBuckets|GetAccount\w+)"
    r"|(?!s3:|dynamodb:|secretsmanager:|ssm:)[\w-]+:(?:Describe|List|Get|Search|BatchGet|View|Lookup)\w*\*?"
    r"|(?:application-autoscaling|xray|sts|ec2messages|ssmmessages|bedrock|comprehend|textract|rekognition|translate):[\w*]+"
    r"|ec2:\w*NetworkInterface\w*|logs:\w+|\*|[\w-]+:\*"
)
"""Whose resources IAM cannot bind, or that only look; and what is told as any action."""
_PASSED = "iam:PassRole"


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    for resource in template.resources(scenario):
        if resource.type.startswith(
            ("AWS::SageMaker::", "AWS::KinesisFirehose::", "AWS::Scheduler::", "AWS::Events::")
        ):
            yield from _named(template, resource)
        if resource.type.startswith("AWS::IAM::"):
            yield from _attached(resource)
        for member in _SHARED.get(resource.type, ()):
            # Who reaches a domain in a VPC, its network says.
            if "VPCOptions" not in resource.properties.members:
                yield from _open(resource, resource.properties.get(member), "reach")
        if resource.type not in _DOCUMENTS:
            continue
        yield from _texts_of(resource)
        documents = [resource.properties.get(member) for member in _DOCUMENTS[resource.type]]
        inline = resource.properties.get("Policies") if not _DOCUMENTS[resource.type] else None
        documents += [item.get("PolicyDocument") for item in (inline.items if inline is not None else ())]
        for document in documents:
            if document is not None and document.known:
                yield from _policy(resource, document)
        trust = resource.properties.get("AssumeRolePolicyDocument")
        if trust is not None:
            yield from _open(resource, trust, "take on")


def _texts_of(resource: Resource) -> Iterator[Fault]:
    """A document may be written as a text, which has to be JSON."""
    for member in (*_DOCUMENTS[resource.type], "AssumeRolePolicyDocument"):
        text = resource.properties.text(member)
        if text is None:
            continue
        try:
            json.loads(text)
        except (ValueError, RecursionError) as error:
            at = resource.properties.members[member].at
            yield Fault("T084", at, f"{member} of {resource.label} is no JSON: {error}")


def _attached(resource: Resource) -> Iterator[Fault]:
    url = resource.properties.get("Url") if resource.type == "AWS::IAM::OIDCProvider" else None
    if url is not None and isinstance(url.value, str) and not url.value.startswith("https://"):
        yield Fault("T070", url.at, f"Url of {resource.label} has to begin with https://: {url.value[:80]}")
    for member in _ATTACHED:
        for item in _texts(resource.properties.get(member)):
            found = _ARN.fullmatch(item.value) if isinstance(item.value, str) else None
            if isinstance(item.value, str) and (
                found is None or found[1] != "iam" or not found[4].startswith("policy/")
            ):
                said = f"{member} of {resource.label} is no ARN of a policy: {item.value[:80]}"
                yield Fault("T070", item.at, said, "arn:aws:iam::ACCOUNT:policy/NAME")


def _named(template: Template, resource: Resource) -> Iterator[Fault]:
    """By what is written, and by what a GetAtt leads to."""
    for spot in resource.properties.walk():
        for member, item in spot.members.items():
            if member not in _NAMED:
                continue
            service, kind = _NAMED[member]
            if isinstance(item.value, str):
                found = _ARN.fullmatch(item.value)
                if found is not None and (found[1] != service or not found[4].startswith(kind)):
                    said = f"{member} of {resource.label} is no ARN of {_WORDS[service]}: {item.value[:80]}"
                    yield Fault("T070", item.at, said, f"arn:aws:{service}:…")
                elif found is None and kind == "role":
                    said = f"{member} of {resource.label} is no ARN of a role: {item.value[:80]}"
                    if not item.made or item.value:
                        yield Fault("T070", item.at, said, "arn:aws:iam::ACCOUNT:role/NAME")
            else:
                yield from _led(template, resource, member, item, service)
                if item.draft is not None:
                    yield from _of_draft(resource, member, item, item.draft)


_WORDS = {"iam": "a role", "kms": "a key", "sns": "a topic"}


def _of_draft(resource: Resource, member: str, item: Spot, draft: str) -> Iterator[Fault]:
    """By the parts that are known."""
    service, kind = _NAMED[member]
    begins = draft.partition(HOLE)[0]
    found = _OPEN_ARN.fullmatch(draft)
    if found is not None:
        place = found[2].partition(HOLE)[0]
        wrong = found[1] != service or not (place.startswith(kind) or kind.startswith(place))
    else:
        wrong = bool(kind) and not (begins.startswith("arn:") or "arn:".startswith(begins))
    if wrong:
        shown = draft.replace(HOLE, "…")[:80]
        said = f"{member} of {resource.label} is no ARN of {_WORDS[service]}: {shown}"
        yield Fault("T070", item.at, said, f"arn:aws:{service}:…")


def _led(template: Template, resource: Resource, member: str, item: Spot, service: str) -> Iterator[Fault]:
    written = template.at(item.at)
    match written:
        case {"Ref": str(name)} if service == "iam" and template.type_of(name) == _TYPES["iam"]:
            said = f"{member} of {resource.label} is the name of {name}, and has to be its ARN"
            yield Fault("T070", item.at, said, f"!GetAtt {name}.Arn")
        case {"Fn::GetAtt": [str(name), *_]} | {"Ref": str(name)}:
            kind = template.type_of(name)
            if kind is not None and kind.startswith("AWS::") and not kind.startswith(_TYPES[service]):
                said = f"{member} of {resource.label} leads to {name}, which is {kind} and not {_WORDS[service]}"
                yield Fault("T070", item.at, said)


def _policy(resource: Resource, document: Spot) -> Iterator[Fault]:
    listed = document.get("Statement")
    if not isinstance(document.value, dict):
        return
    if listed is None:
        yield Fault("T084", document.at, f"a policy of {resource.label} has no Statement")
        return
    for statement in listed.items or (listed,):
        if isinstance(statement.value, dict):
            yield from _statement(resource, statement)


def _statement(resource: Resource, statement: Spot) -> Iterator[Fault]:
    effect = statement.get("Effect")
    if effect is None or (effect.known and effect.value not in ("Allow", "Deny")):
        at = effect.at if effect is not None else statement.at
        yield Fault("T084", at, f"a statement of {resource.label} has no Effect of Allow or Deny")
    for members in (("Action", "NotAction"), ("Resource", "NotResource")):
        if not any(member in statement.members for member in members):
            yield Fault(
                "T084", statement.at, f"a statement of {resource.label} has no {members[0]}", f"give {members[0]}"
            )
        for member in members:
            listed = statement.get(member)
            if listed is not None and listed.value == ():
                yield Fault("T084", listed.at, f"{member} of a statement of {resource.label} is empty")
    if effect is None or effect.value != "Allow":
        return
    for member in ("NotAction", "NotResource"):
        if member in statement.members:
            yield Fault(
                "T083",
                statement.members[member].at,
                f"a statement of {resource.label} allows all but some",
                "name what is needed",
            )
    actions, places = statement.get("Action"), statement.get("Resource")
    texts = _texts(actions)
    for action in texts:
        if isinstance(action.value, str) and (action.value == "*" or action.value.endswith(":*")):
            yield Fault("T080", action.at, f"{resource.label} may {action.value}", "name the actions that are needed")
    if places is None:
        return
    resources = _texts(places)
    if any(place.value == "*" for place in resources):
        known = [action for action in texts if isinstance(action.value, str)]
        bound = "Condition" in statement.members
        # Whom a role is passed to says nothing of which one.
        wide = [
            action
            for action in known
            if action.value == _PASSED or (not bound and _UNBOUND.fullmatch(action.value) is None)
        ]
        if wide:
            star = next(place for place in resources if place.value == "*")
            shown = ", ".join(str(action.value) for action in wide[:3])
            yield Fault("T081", star.at, f"{resource.label} may {shown} on every resource", "name the resources")
    yield from _apart(resource, texts, resources)


def _apart(resource: Resource, actions: tuple[Spot, ...], resources: tuple[Spot, ...]) -> Iterator[Fault]:
    """All is known, and nothing goes together."""
    services = {str(action.value).partition(":")[0].lower() for action in actions if isinstance(action.value, str)}
    found = [(_ARN.fullmatch(place.value) if isinstance(place.value, str) else None) for place in resources]
    if not services or "*" in services or len(services) != 1 or not all(isinstance(a.value, str) for a in actions):
        return
    if not found or any(match is None for match in found):
        return
    (service,) = services
    service = _UNDER.get(service, service)
    if all(match is not None and match[1] not in (service, "*", "") for match in found) and service not in _ELSEWHERE:
        said = (
            f"{resource.label} may {actions[0].value} on ARNs of {', '.join(sorted({m[1] for m in found if m}))} alone"
        )
        yield Fault("T070", resources[0].at, said, f"actions of {service} need ARNs of {service}")


_UNDER = {"kafka-cluster": "kafka"}
"""Whose resources have ARNs of another service."""
_ELSEWHERE = frozenset(
    {"sts", "iam", "ec2", "elasticloadbalancing", "apigateway", "execute-api", "tag", "ssmmessages", "cloudwatch"}
)
"""Whose actions are on ARNs of others, too."""


def _open(resource: Resource, document: Spot | None, verb: str) -> Iterator[Fault]:
    listed = document.get("Statement") if document is not None else None
    for statement in (listed.items or (listed,)) if listed is not None else ():
        principal = statement.get("Principal")
        if statement.text("Effect") != "Allow":
            continue
        if "NotPrincipal" in statement.members:
            said = f"all but some may {verb} {resource.label}"
            yield Fault("T082", statement.members["NotPrincipal"].at, said, "Principal, with whom it is for")
        if principal is None:
            continue
        condition = statement.get("Condition")
        inside = principal.get("AWS") if principal.members else principal
        if condition is None and inside is not None and any(item.value == "*" for item in _texts(inside)):
            yield Fault("T082", inside.at, f"anybody may {verb} {resource.label}", "name the service or account")
        provider = principal.get("Federated")
        keys = {key for test in condition.members.values() for key in test.members} if condition is not None else set()
        if provider is not None and all(key.endswith(":aud") for key in keys) and _vouches(provider):
            said = f"any token of {_CI.search(_text(provider))[0]} may take {resource.label} on"  # type: ignore[index]
            at = condition.at if condition is not None else provider.at
            yield Fault("T082", at, said, "a condition on its :sub")


_CI = re.compile(r"token\.actions\.githubusercontent\.com|(?<=oidc-provider/)[\w.-]*gitlab[\w.-]*")
"""Providers whose tokens are of everybody's jobs."""


def _vouches(provider: Spot) -> bool:
    return _CI.search(_text(provider)) is not None


def _text(spot: Spot) -> str:
    return spot.value if isinstance(spot.value, str) else spot.draft or ""


def _texts(spot: Spot | None) -> tuple[Spot, ...]:
    if spot is None:
        return ()
    return spot.items if isinstance(spot.value, tuple) else (spot,)
