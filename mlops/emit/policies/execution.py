"""What the role of a pipeline needs: the actions of its steps (:attr:`~mlops.ir.StepType.permissions`), each on what
the step names. How the service names jobs is in the guide: ``pipelines-<execution>-<step>-<random>``, or by the base
that a request gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlops.emit.policies.approvals import approval_needs
from mlops.emit.policies.arns import account_of, arn_of, bucket_arn, key_arn
from mlops.emit.policies.batches import batch_needs
from mlops.emit.policies.delivery import STREAM, delivery_needs
from mlops.emit.policies.elsewhere import elsewhere_needs
from mlops.emit.policies.feedback import feedback_needs
from mlops.emit.policies.feeding import feeding_needs
from mlops.emit.policies.notebooks import is_notebook, notebook_needs, restart_needs
from mlops.emit.policies.places import STAR, Place, members, pattern, places, unknown_places
from mlops.emit.policies.replicating import replicating_needs
from mlops.emit.policies.statements import Need, passing
from mlops.emit.policies.watching import is_anothers, unknown_capture, watching_needs
from mlops.ir import Checked, Definition, Step, StepType, Value
from mlops.ir.image_uri import ecr_image
from mlops.ir.members import get
from mlops.ir.permissions import ANY_JOB, LOGS
from mlops.ir.resource import GROUPS
from mlops.ir.secret import secret_permissions
from mlops.ir.surroundings import Surroundings
from mlops.ir.values import refs

_LOG_IN = "ecr:GetAuthorizationToken"
OF_JOBS = ("ecr:", "logs:", "cloudwatch:", "ec2:", "kms:", "s3:", "secretsmanager:")
"""How actions begin that a job does as its own role: the rest is the pipeline's."""
_PULL = tuple(action for action in ANY_JOB if action.startswith("ecr:") and action != _LOG_IN)
_VERB = re.compile(r"sagemaker:(?:Create|Describe|Stop|Update|Delete)(\w+?)(?:V2)?")
_NAMED = "pipelines-"
"""What the service calls what steps make."""
_KEYS = re.compile(r"\w*KmsKey(?:Id|Arn)?")
_OF_VOLUMES = frozenset({"VolumeKmsKeyId"})
_VOLUMES_OF = frozenset({("EndpointConfig", "KmsKeyId"), ("NotebookInstance", "KmsKeyId")})
"""Keys that are no data's: of disks."""
_IMAGES = re.compile(r"[Ii]mage|ImageUri|TrainingImage|ContainerImage")
_ROLES = re.compile(r"RoleArn|ExecutionRoleArn|Role")
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")
_GROUPS = re.compile(r"ModelPackageGroupName")
_ENDPOINTS = re.compile(r"EndpointName")
_RUNS_NOTHING = frozenset(
    {"Bucket", "IdentityProvider", "Key", "ModelPackageGroup", "Role", "Space", "StudioDomain", "UserProfile"}
)
"""Of what is declared: it takes no role on, or does what people do in it."""
_VPC = re.compile(r"VpcConfig")
_CONNECTED = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
_LOOKED_UP = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
"""IAM knows no resource for them."""
_LINEAGE = ("action", "artifact", "context")
_GROUPS_OF = {
    "AutoML": ("/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs"),
    "Model": ("/aws/sagemaker/Endpoints/*",),
    "Monitor": ("/aws/sagemaker/ProcessingJobs",),
    "NotebookInstance": ("/aws/sagemaker/NotebookInstances",),
    "Tuning": ("/aws/sagemaker/TrainingJobs",),
}
"""Where what is made logs, of types whose jobs have no group of their own. Each endpoint has one, and what its
containers need is the model's role's."""
_AUTOPILOT = (
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:CreateModel",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeModel",
    "sagemaker:InvokeEndpoint",
    "sagemaker:ListTags",
)
"""What a job of Autopilot does as its role (guide: CreateAutoMLJob API, execution role permissions); how it calls what
it makes is not said."""
_PASSED = {"emr-serverless": "emr-serverless.amazonaws.com"}


def execution_needs(checked: Checked, around: Surroundings) -> Iterator[Need]:
    """Of a file's declared resources: what serves them, and not what makes them."""
    definition = checked.definition
    read = _read_by_others(definition)
    for placed in definition.placed():
        known = checked.type_of(placed.step)
        if known is None:
            continue
        if definition.of_resources:
            yield from replicating_needs(placed.step, around)
        if definition.of_resources and placed.step.type in _RUNS_NOTHING:
            continue
        if definition.of_resources and placed.step.type == STREAM:
            yield from delivery_needs(placed.step, around.role, around)
        elif definition.of_resources and not is_anothers(placed.step, around.role):
            yield from _of_step(definition, placed.step, known, ANY_JOB, around, read=False)
            yield from _of_versions(placed.step, around)
            yield from _joined_by_notebook(placed.step, around)
            yield from notebook_needs(definition, placed.step, around)
            yield from restart_needs(definition, placed.step, around)
            yield from watching_needs(definition, placed.step, around)
            yield from batch_needs(definition, placed.step, around)
            yield from approval_needs(placed.step, around)
            yield from feeding_needs(definition, placed.step, around)
        elif known.permissions and not definition.of_resources:
            yield from _of_sagemaker(definition, placed.step, known, around)
            yield from _passed(definition, placed.step, known, around)
            yield from elsewhere_needs(definition, placed.step, known.permissions, around)
            reads = placed.step.name in read
            yield from _of_step(definition, placed.step, known, known.permissions, around, read=reads)
    for statement in secret_permissions(definition, account_of(around), around.region):
        yield Need("ReadSecrets", tuple(statement["Action"]), tuple(statement["Resource"]), "secrets")
    for start in around.starts(definition.name or ""):
        if start.role == around.role:
            arn = arn_of(around, "sagemaker", f"pipeline/{(definition.name or '').lower()}")
            yield Need("StartThePipeline", ("sagemaker:StartPipelineExecution",), (arn,), f"start {start.name}")
    for machine in around.feedback(definition.name or ""):
        yield from feedback_needs(machine, around)


def roles_of(step: Step) -> tuple[str, ...]:
    """That it names as texts: its job runs as one."""
    found = (value for _, value in members(step.arguments, _ROLES))
    return tuple(dict.fromkeys(role for role in found if isinstance(role, str) and _ROLE_ARN.fullmatch(role)))


def unknown_needs(checked: Checked) -> Iterator[str]:
    """What no policy can say before somebody else does, a clause each."""
    definition = checked.definition
    for placed in definition.placed():
        known = checked.type_of(placed.step)
        if known is None or known.permissions is None:
            yield f"what {placed.step.name} needs, of the type {placed.step.type}, is not known here: allow it too"
        captured = unknown_capture(definition, placed.step)
        if captured is not None:
            yield captured
    places = (name for placed in definition.placed() for name in unknown_places(definition, placed.step.arguments))
    for name in dict.fromkeys(places):
        yield f"whoever starts {definition.name} gives {name}, a place: allow the role to read or write there"


def _joined_by_notebook(step: Step, around: Surroundings) -> Iterator[Need]:
    subnet = get(step.arguments, "SubnetId")
    if is_notebook(step, around.role) and subnet is not None:
        yield from _joined((subnet,), get(step.arguments, "SecurityGroupIds"), step, around)


def _of_versions(step: Step, around: Surroundings) -> Iterator[Need]:
    """A model that follows a group: what its version names is known when there is one. Versions lie where the
    environment's pipelines write them; whose image one has, nobody knows."""
    if any(ref.path is not None and ref.path.root == GROUPS for _, ref in refs(step.arguments)):
        below = "/".join(filter(None, (around.bucket, around.prefix)))
        objects = f"{bucket_arn(below, around)}/*"
        images = f"arn:{around.partition}:ecr:{around.region}:*:repository/*"
        yield Need("ReadVersions", ("s3:GetObject",), (objects,), step.name)
        yield from _decrypted(step, around)
        yield Need("PullImagesOfVersions", _PULL, (images,), step.name)
        yield Need("LogInToRegistries", (_LOG_IN,), (STAR,), step.name)


def _read_by_others(definition: Definition) -> frozenset[str]:
    """Steps of which another one, or a condition, says what it reads: an output of theirs is an input there."""
    values = (value for placed in definition.placed() for value in (placed.step.arguments, placed.step.members))
    found = (ref.path for value in values for _, ref in refs(value))
    return frozenset(path.name for path in found if path is not None and path.root == "Steps")


def _of_step(
    definition: Definition, step: Step, known: StepType, actions: Sequence[str], around: Surroundings, *, read: bool
) -> Iterator[Need]:
    """``read``: what it writes is read again."""
    arguments = step.arguments
    yield from _s3(definition, step, actions, around, read=read)
    images = [ecr_image(text) for _, value in members(arguments, _IMAGES) if (text := pattern(definition, value))]
    pulled = tuple(
        f"arn:{around.partition}:ecr:{image.region}:{image.account}:repository/{image.repository}"
        for image in images
        if image is not None
    )
    if pulled and _LOG_IN in actions:
        yield Need("PullImages", _PULL, pulled, step.name)
        yield Need("LogInToRegistries", (_LOG_IN,), (STAR,), step.name)
    log_group = known.job.log_group if known.job is not None else None
    groups = _GROUPS_OF.get(known.type, ()) if log_group is None else (log_group,)
    for group in (arn_of(around, "logs", f"log-group:{name}") for name in groups):
        # Containers of a transform log too, by the role of their model.
        yield Need("WriteLogs", LOGS, (group, f"{group}:log-stream:*"), step.name)
    if groups:
        yield Need(
            "PutMetrics", ("cloudwatch:PutMetricData",), (STAR,), step.name,
            {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        )  # fmt: skip
    yield from _keys(definition, step, around)
    yield from _network(step, around)


def _passed(definition: Definition, step: Step, known: StepType, around: Surroundings) -> Iterator[Need]:
    if "iam:PassRole" in (known.permissions or ()):
        service = _PASSED.get(known.service, "sagemaker.amazonaws.com")
        roles = [text for _, value in members(step.arguments, _ROLES) if (text := pattern(definition, value))]
        passed = tuple(role for role in roles if _ROLE_ARN.fullmatch(role))
        yield passing("PassRoles", service, passed, step.name)


def _s3(
    definition: Definition, step: Step, actions: Sequence[str], around: Surroundings, *, read: bool
) -> Iterator[Need]:
    found = [place for place in places(definition, step.arguments) if place.bucket != STAR]
    if "s3:DeleteObject" in actions:
        found += _written_by_named(definition, step)
    for place in found:
        objects = (f"{bucket_arn(place.bucket, around)}/{place.prefix}",)
        if "s3:DeleteObject" in actions:
            yield Need("DeleteObjects", ("s3:DeleteObject",), objects, step.name)
            yield from _listed(place.bucket, step, around)
        if "s3:GetObject" in actions and (place.reads or read):
            yield Need("ReadObjects", ("s3:GetObject",), objects, step.name)
            if place.bucket == around.bucket:
                yield from _decrypted(step, around)
            if "s3:ListBucket" in actions and place.listed:
                yield from _listed(place.bucket, step, around)
        if "s3:PutObject" in actions and place.writes:
            yield Need("WriteObjects", ("s3:AbortMultipartUpload", "s3:PutObject"), objects, step.name)


def _decrypted(step: Step, around: Surroundings) -> Iterator[Need]:
    """What lies in the environment's bucket was written with its key."""
    if around.kms_key is not None:
        arn, conditions = key_arn(around.kms_key, around)
        yield Need("UseKeys", ("kms:Decrypt",), (arn,), step.name, conditions)


def _written_by_named(definition: Definition, step: Step) -> Iterator[Place]:
    """By the steps whose outputs a Cleanup removes where it names no places."""
    listed = get(step.arguments, "Resources", "S3")
    for item in listed if isinstance(listed, tuple) else ():
        named = get(item, "StepName")
        other = definition.step(named) if isinstance(named, str) and get(item, "S3Uris") is None else None
        for place in places(definition, other.arguments) if other is not None else ():
            if place.writes and place.bucket != STAR:
                yield place


def _listed(bucket: str, step: Step, around: Surroundings) -> Iterator[Need]:
    yield Need("ListBuckets", ("s3:ListBucket",), (bucket_arn(bucket, around),), step.name)


def _of_sagemaker(definition: Definition, step: Step, known: StepType, around: Surroundings) -> Iterator[Need]:
    made: list[str] = []
    for action in known.permissions or ():
        found = _VERB.fullmatch(action)
        if found is None:
            continue
        resources = tuple(_resources(found[1], definition, step, known, around))
        made.extend(resources)
        yield Need(f"Use{found[1]}s", (action,), resources, step.name)
    if "sagemaker:AddTags" in (known.permissions or ()):
        yield Need("TagWhatIsMade", ("sagemaker:AddTags",), tuple(made), step.name)
    if "sagemaker:AddAssociation" in (known.permissions or ()) and get(step.arguments, "Associations"):
        associated = tuple(arn_of(around, "sagemaker", f"{kind}/*") for kind in _LINEAGE)
        yield Need("Associate", ("sagemaker:AddAssociation",), associated, step.name)
    if "sagemaker:CreateAutoMLJobV2" in (known.permissions or ()):
        tried = tuple(arn_of(around, "sagemaker", f"{kind}/*") for kind in ("endpoint", "endpoint-config", "model"))
        yield Need("TryCandidates", _AUTOPILOT, tried, step.name)


def _resources(noun: str, definition: Definition, step: Step, known: StepType, around: Surroundings) -> Iterator[str]:
    kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", noun).lower()
    match noun:
        case "ModelPackage" | "ModelPackageGroup":
            groups = [pattern(definition, value) or STAR for _, value in members(step.arguments, _GROUPS)] or [STAR]
            for group in groups:
                yield arn_of(around, "sagemaker", f"model-package-group/{group.lower()}")
                if noun == "ModelPackage":
                    yield arn_of(around, "sagemaker", f"model-package/{group.lower()}/*")
        case "Endpoint" | "EndpointConfig" | "InferenceComponent":
            member = f"{noun}Name"
            given = pattern(definition, get(step.arguments, member))
            # A name in a definition is a base where the service adds to it.
            yield arn_of(around, "sagemaker", f"{kebab}/{f'{given.lower()}*' if given else STAR}")
            if noun == "InferenceComponent":
                for _, value in members(step.arguments, _ENDPOINTS):
                    yield arn_of(around, "sagemaker", f"endpoint/{(pattern(definition, value) or STAR).lower()}")
            elif noun == "Endpoint":
                yield arn_of(around, "sagemaker", "endpoint-config/*")
        case "Action" | "Artifact" | "Context":
            if get(step.arguments, f"{noun}s"):
                yield arn_of(around, "sagemaker", f"{kebab}/*")
        case "Job":
            category = pattern(definition, get(step.arguments, "JobCategory")) or STAR
            yield arn_of(around, "sagemaker", f"job/{category}/{_NAMED}*")
        case _:
            segment = known.job.segment if known.job is not None else kebab
            given = pattern(definition, get(step.arguments, known.name_member or ""))
            yield arn_of(around, "sagemaker", f"{segment}/{(given or _NAMED).lower()}*")


def _keys(definition: Definition, step: Step, around: Surroundings) -> Iterator[Need]:
    for path, value in members(step.arguments, _KEYS):
        key = pattern(definition, value)
        if not key:
            continue
        arn, conditions = key_arn(key, around)
        if path[-1] in _OF_VOLUMES or (step.type, *path) in _VOLUMES_OF:
            # For volumes the service hands the key on to EC2.
            granted = {**conditions, "Bool": {"kms:GrantIsForAWSResource": "true"}}
            yield Need("GrantKeys", ("kms:CreateGrant",), (arn,), step.name, granted)
            yield Need("SeeKeys", ("kms:DescribeKey",), (arn,), step.name, conditions)
        else:
            used = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
            yield Need("UseKeys", used, (arn,), step.name, conditions)


def _network(step: Step, around: Surroundings) -> Iterator[Need]:
    for _, value in members(step.arguments, _VPC):
        yield from _joined(get(value, "Subnets"), get(value, "SecurityGroupIds"), step, around)


def _joined(subnets: Value, groups: Value, step: Step, around: Surroundings) -> Iterator[Need]:
    named = [
        *(arn_of(around, "ec2", f"subnet/{name}") for name in _plain(subnets)),
        *(arn_of(around, "ec2", f"security-group/{name}") for name in _plain(groups)),
    ]
    interfaces = arn_of(around, "ec2", "network-interface/*")
    yield Need("JoinTheNetwork", _CONNECTED, (interfaces, *named), step.name)
    yield Need("LookAtTheNetwork", _LOOKED_UP, (STAR,), step.name)


def _plain(value: Value) -> tuple[str, ...]:
    """Texts; a star for what only a run knows."""
    return tuple(item if isinstance(item, str) else STAR for item in value) if isinstance(value, tuple) else (STAR,)
