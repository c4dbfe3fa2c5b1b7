"""One stack: the pipeline with its role, what starts it, where its models are registered, and what its file
declares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.emit.policies.arns import account_of
from mlops.emit.policies.delivery import delivery_needs, own_roles, roles_in, streams_of
from mlops.emit.policies.execution import execution_needs
from mlops.emit.policies.statements import policy
from mlops.emit.policies.trust import delivery_trust, trust
from mlops.emit.stacks.accompanying import accompanied, ids_beside, placed
from mlops.emit.stacks.body import body_text, definition_place
from mlops.emit.stacks.logical_ids import logical_ids
from mlops.emit.stacks.references import paths, referred, told_by
from mlops.emit.stacks.role_policies import role_policies
from mlops.ir import Checked, Definition, Ref, Step, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import GROUPS, ROOT, Resource, label_of
from mlops.ir.surroundings import Surroundings
from mlops.ir.target import Beside
from mlops.ir.values import Expression, Value, from_json, to_json, transform
from mlops.knowledge.cloudformation import schema

DESCRIPTION_BYTES = 1024
CREATES_ROLE, CREATES_GROUPS, CREATES_LOGS = "CreatesRole", "CreatesModelPackageGroups", "CreatesLogGroups"
CREATES_STREAM_ROLES = "CreatesStreamRoles"
_RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_GROUP, _VERSION = "ModelPackageGroup", "ModelPackage"
_DECLARED_GROUP = "model-package-group"
_PIPELINES = "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline"
_KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
_NONE: Mapping[tuple[str, bool], str] = {}

Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    """``checked`` is a pipeline, or what a file declares without one."""

    checked: Checked
    around: Surroundings
    beside: Beside

    def template(self, *, inline: bool) -> Template:
        """``inline``: the body stands in the template, the bytes that `mlops compile` writes."""
        parts = self.beside.with_declared(self.checked)
        policies = self._policies(parts)
        resources = {
            **dict(self._roles(parts, policies)),
            **self._pipeline(inline, list(policies[self.around.role])),
            **self._declared({role: list(each) for role, each in policies.items()}),
        }
        parameters = {**self._switches(resources), **self._versions()}
        conditions = {
            name: {"Fn::Equals": [{"Ref": switch}, "true"]}
            for name, switch in _SWITCHES.items()
            if switch in parameters
        }
        described = f"{self._name}, in {self.around.environment}: written by mlops emit cloudformation"
        found: dict[str, Any] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": described[:DESCRIPTION_BYTES],
        }
        if parameters:
            found["Parameters"] = parameters
        if conditions:
            found["Conditions"] = conditions
        return {**found, "Resources": resources, "Outputs": self._outputs(resources)}

    @property
    def _definition(self) -> Definition:
        return self.checked.definition

    @property
    def _name(self) -> str:
        return self._definition.name or "pipeline"

    @property
    def _role_name(self) -> str:
        return self.around.role.rpartition("/")[2]

    @property
    def _tags(self) -> list[dict[str, str]]:
        return _listed({**self.around.tags, **self._definition.tags})

    def _pipeline(self, inline: bool, policies: Sequence[str]) -> dict[str, Any]:
        if self._definition.of_resources:
            return {}
        found: dict[str, Any] = {}
        told: dict[str, Any] = {
            "RoleArn": self._role_arn,
            "PipelineDefinition": self._body(inline),
        }
        if self._definition.description:
            told["PipelineDescription"] = self._definition.description
        if self._definition.display_name:
            told["PipelineDisplayName"] = self._definition.display_name
        parallelism = self._definition.parallelism or self.around.parallelism
        if parallelism is not None:
            told["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": parallelism}
        if self._tags:
            told["Tags"] = self._tags
        kind = self.beside.types["pipeline"]
        # So that nothing starts before it may.
        waits = {"DependsOn": list(policies)} if policies else {}
        found["Pipeline"] = {
            "Type": kind.cloudformation,
            **waits,
            "Properties": kind.in_template(self._name, told),
        }
        found.update(self._groups())
        found.update(self._starts())
        found.update(self._logs())
        return found

    def _roles(self, parts: Sequence[Checked], policies: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
        """The environment's, and those that streams have of their own, which Data Firehose alone takes on; each with
        its policies."""
        if self._declared_role is None:
            trusted = trust(self._definition.name, self.around, parts)
            yield "Role", self._made(self.around.role, CREATES_ROLE, trusted)
        yield from policies[self.around.role].items()
        for role, (called, _) in self._called(streams_of(parts)).items():
            yield called, self._made(role, CREATES_STREAM_ROLES, delivery_trust(self.around))
            yield from policies[role].items()

    def _policies(self, parts: Sequence[Checked]) -> Mapping[str, Mapping[str, Any]]:
        """By role, and by logical id. Pipelines of an environment have one role; each has policies of its own there,
        with what its steps need. A stream's own role may what its streams do."""
        allowed = policy([need for each in parts for need in execution_needs(each, self.around)])
        declared = self._declared_role
        made = {"Fn::If": [CREATES_ROLE, {"Ref": "Role"}, self._role_name]}
        its = made if declared is None else {"Ref": declared}
        found = {self.around.role: dict(role_policies("RolePolicy", allowed, its, self._name))}
        streams = streams_of(parts)
        for role, (called, its_policy) in self._called(streams).items():
            allowed = policy([need for step in streams for need in delivery_needs(step, role, self.around)])
            its = {"Fn::If": [CREATES_STREAM_ROLES, {"Ref": called}, role.rpartition("/")[2]]}
            found[role] = dict(role_policies(its_policy, allowed, its, self._name))
        return found

    def _called(self, streams: Sequence[Step]) -> Mapping[str, tuple[str, str]]:
        """Streams' own roles, and what each and its policy are in the template."""
        ids = self._ids()
        return {role: (ids[_stream_role(role)], ids[_stream_policy(role)]) for role in own_roles(streams, self.around)}

    def _ids(self) -> Mapping[tuple[str, str], str]:
        """Of all that stands in the template under the name that somebody gave it: parameters and resources may not
        share one, of whatever kind they are."""
        roles = own_roles(streams_of(self.beside.with_declared(self.checked)), self.around)
        return logical_ids(
            (
                *(key for role in roles for key in (_stream_role(role), _stream_policy(role))),
                *((_GROUP, name) for name in self._group_names),
                *((_VERSION, name) for name in self._followed),
                *((item.type, item.name) for item in (*self.beside.starts, *self.beside.declared)),
            )
        )

    def _made(self, role: str, condition: str, trusted: Mapping[str, Any]) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "RoleName": role.rpartition("/")[2],
            "Path": role.partition(":role")[2].rpartition("/")[0] + "/",
            "AssumeRolePolicyDocument": trusted,
        }
        if self.around.tags:
            properties["Tags"] = _listed(self.around.tags)
        return {"Type": "AWS::IAM::Role", "Condition": condition, **_KEPT, "Properties": properties}

    @property
    def _declared_role(self) -> str | None:
        """The environment's, where the file declares it: its logical id."""
        name = self.around.role.partition(":role/")[2]
        return self._ids()["role", name] if any(item.key == f"role {name}" for item in self.beside.declared) else None

    @property
    def _role_arn(self) -> Mapping[str, Any]:
        if self._declared_role is not None:
            return {"Fn::GetAtt": [self._declared_role, "Arn"]}
        return {"Fn::If": [CREATES_ROLE, {"Fn::GetAtt": ["Role", "Arn"]}, self.around.role]}

    def _body(self, inline: bool) -> Mapping[str, Any]:
        if inline:
            return {"PipelineDefinitionBody": body_text(self._definition)}
        bucket, key = definition_place(self._definition, self.around)
        return {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": key}}

    @property
    def _group_names(self) -> Sequence[str]:
        """Of a pipeline's steps, but for those that the file declares."""
        if self._definition.of_resources:
            return ()
        declared = {item.name for item in self.beside.declared if item.type == _DECLARED_GROUP}
        return sorted(
            {
                group
                for placed in self._definition.placed()
                if isinstance(placed.step.arguments, Mapping)
                and isinstance(group := placed.step.arguments.get("ModelPackageGroupName"), str)
            }
            - declared
        )

    def _groups(self) -> Iterator[tuple[str, Any]]:
        ids = self._ids()
        for name in self._group_names:
            properties: dict[str, Any] = {"ModelPackageGroupName": name}
            if self._tags:
                properties["Tags"] = self._tags
            yield (
                ids[_GROUP, name],
                {
                    "Type": "AWS::SageMaker::ModelPackageGroup",
                    "Condition": CREATES_GROUPS,
                    **_KEPT,
                    "Properties": properties,
                },
            )

    def _starts(self) -> Iterator[tuple[str, Any]]:
        ids = self._ids()
        for start in self.beside.starts:
            kind = self.beside.types[start.type]
            properties = {member: self._told(value, ids, {}) for member, value in start.properties.items()}
            yield (
                ids[start.type, start.name],
                {
                    "Type": kind.cloudformation,
                    "DependsOn": ["Pipeline"],
                    "Properties": kind.in_template(start.name, properties),
                },
            )

    def _logs(self) -> Iterator[tuple[str, Any]]:
        types = (self.checked.type_of(placed.step) for placed in self._definition.placed())
        names = sorted({kind.job.log_group for kind in types if kind is not None and kind.job and kind.job.log_group})
        for name in names:
            properties: dict[str, Any] = {"LogGroupName": name, "RetentionInDays": {"Ref": "LogRetentionInDays"}}
            yield (
                f"LogGroup{name.rpartition('/')[2]}",
                {"Type": "AWS::Logs::LogGroup", "Condition": CREATES_LOGS, **_KEPT, "Properties": properties},
            )

    def _declared(self, policies: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """``policies`` are roles' by role."""
        resources = self.beside.declared
        ids = self._ids()
        by_label = {label_of(resource.type, resource.name): resource for resource in resources}
        names = {label: (ids[item.type, item.name], self._cloudformation(item)) for label, item in by_label.items()}
        found: dict[str, Any] = {}
        for resource in resources:
            texts = self._texts(by_label) if self.beside.types[resource.type].in_text else {}
            properties = {member: self._told(value, ids, names, texts) for member, value in resource.properties.items()}
            written = self._written(resource, properties)
            if resource.type == "endpoint":
                guarded = self.beside.guarded(self._configuration(resource, by_label))
                if guarded:
                    written["DeploymentConfig"] = dict(guarded)
            tags = {**self.around.tags, **{item["Key"]: item["Value"] for item in written.pop("Tags", ())}}
            if tags and _takes_tags(self._cloudformation(resource)):
                written["Tags"] = _listed(tags)
            before = self._policies_first(resource, policies)
            kept = self.beside.types[resource.type].kept
            # What names others by text is told of them; what refers to one waits for it anyhow.
            known, text = {*referred(written)}, json.dumps(written)
            behind = [
                ids[item.type, item.name]
                for item in resources
                # The domain of a user profile or a space stands before its name.
                if kept and item.type in kept.behind and item.name.rpartition("/")[2] in text
            ]
            behind += [names[path.name][0] for value in resource.properties.values() for path in paths(value) if texts]
            before += [one for one in dict.fromkeys(behind) if one not in known]
            waits = {"DependsOn": before} if before else {}
            kind, named = self.beside.types[resource.type], ids[resource.type, resource.name]
            retained = _KEPT if kind.retained else {}
            own = told_by(named, self._cloudformation(resource), arn=False)
            further = kind.accompanied(resource.name, properties)
            beside = ids_beside(named, further, {*ids.values(), *found})
            found[named] = {
                "Type": self._cloudformation(resource),
                **waits,
                **retained,
                "Properties": placed(named, own, beside, written),
            }
            for id_, type_, its in accompanied(named, own, further, beside):
                found[id_] = {"Type": type_, **retained, "Properties": self._tagged(type_, its)}
        return found

    def _texts(self, declared: Mapping[str, Resource]) -> Mapping[tuple[str, bool], str]:
        """What the account calls those that have the name that their author gives, by label; and their ARNs."""
        facts = {"partition": self.around.partition, "region": self.around.region, "account": account_of(self.around)}
        found: dict[tuple[str, bool], str] = {}
        for label, item in declared.items():
            kept = self.beside.types[item.type].kept
            if kept is not None or item.type == "endpoint":
                found[label, False] = item.name
            if kept is not None:
                found[label, True] = kept.arn.format(name=item.name, lower=item.name.lower(), **facts)
        return found

    def _tagged(self, kind: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """What has the tags of the resource that it comes beside has those of the environment, too."""
        if "Tags" not in properties:
            return properties
        tags = {**self.around.tags, **{item["Key"]: item["Value"] for item in properties["Tags"]}}
        rest = {member: value for member, value in properties.items() if member != "Tags"}
        return {**rest, "Tags": _listed(tags)} if tags and _takes_tags(kind) else rest

    def _written(self, resource: Resource, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Raises UsageError for what a template has no form for, with the place where it is declared."""
        try:
            return dict(self.beside.types[resource.type].in_template(resource.name, properties))
        except UsageError as error:
            place = f"{resource.where.file}:{resource.where.line}: " if resource.where.line is not None else ""
            raise UsageError(f"{place}{error.message}", hint=error.hint) from None

    def _policies_first(self, resource: Resource, policies: Mapping[str, Sequence[str]]) -> list[str]:
        """A role has to be able to read a model when that is made, a stream's has to reach its bucket, and that of
        a subscription is tried out."""
        roles = roles_in(resource.plain) if resource.type == "stream" else (self.around.role,)
        if resource.type not in ("log-subscription", "model", "stream"):
            return []
        # What runs as the environment's role waits for that first.
        first = sorted(roles, key=lambda role: role != self.around.role)
        return [called for role in first for called in policies.get(role, ())]

    def _cloudformation(self, resource: Resource) -> str:
        kind = self.beside.types[resource.type].cloudformation
        assert kind is not None  # noqa: S101 - only what has one is declared
        return kind

    def _configuration(self, endpoint: Resource, known: Mapping[str, Resource]) -> Mapping[str, Any]:
        path = value.path if isinstance(value := endpoint.properties.get("EndpointConfigName"), Ref) else None
        config = known.get(path.name) if path is not None and path.root == ROOT else None
        return {} if config is None else config.plain

    def _told(
        self,
        value: Value,
        ids: Mapping[tuple[str, str], str],
        names: Mapping[str, tuple[str, str]],
        texts: Mapping[tuple[str, bool], str] = _NONE,
    ) -> Any:
        """As JSON, with functions of CloudFormation for what another resource is called, but for those whose names, or
        ARNs, are ``texts``. ``names`` are logical ids and types by label."""

        def known(expression: Expression) -> Value:
            path = expression.path if isinstance(expression, Ref) else None
            if path is None:
                return expression
            if path.root == GROUPS:
                return {"Ref": ids[_VERSION, path.name]}
            if path.root != ROOT:
                return expression
            if path.name not in names:
                return {"Fn::Sub": f"{_PIPELINES}/{path.name.lower()}"}
            by_arn = path.segments == ("Arn",)
            found: Value = texts.get((path.name, by_arn)) or from_json(told_by(*names[path.name], by_arn))
            return found

        return to_json(transform(value, known))

    def _switches(self, resources: Mapping[str, Any]) -> dict[str, Any]:
        conditions = {resource.get("Condition") for resource in resources.values()}
        found: dict[str, Any] = {}
        for name, default, described in (
            (CREATES_ROLE, "true", f"false where the role {self._role_name} is there already"),
            (CREATES_STREAM_ROLES, "true", "false where the roles of streams are there already"),
            (CREATES_GROUPS, "true", "false where the model package groups are there already"),
            (CREATES_LOGS, "false", "true makes the log groups, which all jobs of the account share, with a retention"),
        ):
            if name in conditions:
                found[_SWITCHES[name]] = {
                    "Type": "String",
                    "Default": default,
                    "AllowedValues": ["true", "false"],
                    "Description": described,
                }
        if CREATES_LOGS in conditions:
            found["LogRetentionInDays"] = {
                "Type": "Number",
                "Default": 365,
                "AllowedValues": list(_RETENTION),
                "Description": "How long the log groups that are made keep what they have",
            }
        return found

    def _versions(self) -> dict[str, Any]:
        """Which version is the newest approved one, is known to the account alone."""
        ids = self._ids()
        return {
            ids[_VERSION, group]: {
                "Type": "String",
                "AllowedPattern": r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]+:[0-9]{12}:model-package/.+",
                "Description": f"ARN of the version of {group} that serves",
            }
            for group in self._followed
        }

    @property
    def _followed(self) -> Sequence[str]:
        """Groups whose newest version a model takes."""
        return sorted(
            {
                path.name
                for resource in self.beside.declared
                for value in resource.properties.values()
                for path in paths(value)
                if path.root == GROUPS
            }
        )

    def _outputs(self, resources: Mapping[str, Any]) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        if "Pipeline" in resources:
            found["PipelineName"] = {"Description": "What starts it asks for", "Value": {"Ref": "Pipeline"}}
        found["RoleArn"] = {
            "Description": "What the jobs run as",
            "Value": self._role_arn,
        }
        for name, resource in resources.items():
            if resource["Type"] == "AWS::SageMaker::Endpoint":
                found[f"{name}Name"] = {
                    "Description": "Where requests go",
                    "Value": {"Fn::GetAtt": [name, "EndpointName"]},
                }
        return found


_SWITCHES = {
    CREATES_ROLE: "CreateRole",
    CREATES_STREAM_ROLES: "CreateStreamRoles",
    CREATES_GROUPS: "CreateModelPackageGroups",
    CREATES_LOGS: "CreateLogGroups",
}


def _stream_role(role: str) -> tuple[str, str]:
    return "stream-role", role.partition(":role/")[2]


def _stream_policy(role: str) -> tuple[str, str]:
    return "stream-role", f"{role.partition(':role/')[2]} policy"


def _takes_tags(kind: str) -> bool:
    """A schedule has none there: its group has them."""
    known = schema(kind)
    return known is None or "Tags" in known["properties"]


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
