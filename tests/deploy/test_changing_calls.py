"""Every call that changes an account stands here, with who asks for it: a line of a plan, or a command by its name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import Session

from mlops.account.protected import is_change
from mlops.deploy.resources import resource_types
from tests.layers.sources import nodes_of

# Where the sources are walked anyway.
pytestmark = pytest.mark.xdist_group("layers")

PACKAGE = Path(__file__).parents[2] / "mlops"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")

CHANGES = {
    # Lines of a plan: an action of mlops.deploy.pipelines.actions each.
    "deploy/pipelines/upload.py": {
        "PutObject": "upload",
        "CreateMultipartUpload": "upload",
        "UploadPart": "upload",
        "CompleteMultipartUpload": "upload",
        "AbortMultipartUpload": "parts of an upload of ours that nobody finishes",
        "CreateBucket": "of the local account alone: tests/deploy/test_local_names.py",
    },
    "deploy/conditional_object.py": {"PutObject": "the record; journal, history and marks of a promotion; notes of gc"},
    "deploy/pipelines/record.py": {"DeleteObject": "destroy: the record"},
    "deploy/resources/pipeline.py": {
        "CreatePipeline": "create the pipeline",
        "UpdatePipeline": "update the pipeline",
        "DeletePipeline": "destroy: the pipeline",
    },
    "deploy/resources/model.py": {
        "CreateModel": "upsert: a declared model",
        "DeleteModel": "destroy --resources",
    },
    "deploy/resources/endpoint_config.py": {
        "CreateEndpointConfig": "upsert: a declared configuration",
        "DeleteEndpointConfig": "destroy --resources",
    },
    "deploy/resources/endpoint.py": {
        "CreateEndpoint": "a declared endpoint is made by the writer of promotions",
        "UpdateEndpoint": "the same",
        "DeleteEndpoint": "destroy --resources",
    },
    "deploy/resources/alarm.py": {
        "PutMetricAlarm": "upsert: a declared alarm",
        "TagResource": "upsert: a declared alarm",
        "DeleteAlarms": "destroy --resources",
    },
    "deploy/resources/monitor.py": {
        "CreateSchedule": "upsert: a declared monitor",
        "UpdateSchedule": "upsert: a declared monitor",
        "TagResource": "upsert: a declared monitor",
    },
    "monitor/by_itself.py": {
        "PutMetricData": "a job that the schedule of a monitor started",
        "PutEvents": "a job that the schedule of a monitor started",
    },
    "monitor/asked_endpoint.py": {
        "CreateEndpointConfig": "a job of a monitor whose attributions are asked of the model",
        "CreateEndpoint": "a job of a monitor whose attributions are asked of the model",
        "DeleteEndpoint": "a job of a monitor whose attributions are asked of the model",
        "DeleteEndpointConfig": "a job of a monitor whose attributions are asked of the model",
    },
    "deploy/resources/feedback.py": {
        "PutRule": "upsert: declared feedback",
        "TagResource": "upsert: declared feedback",
        "DeleteRule": "destroy --resources",
    },
    "deploy/monitors/running.py": {
        "CreateProcessingJob": "monitor run",
        "PutMetricData": "monitor run",
        "PutEvents": "monitor run",
        "PutObject": "monitor run",
    },
    "deploy/resources/composite_alarm.py": {
        "PutCompositeAlarm": "upsert: a declared alarm",
        "TagResource": "upsert: a declared alarm",
        "DeleteAlarms": "destroy --resources",
    },
    "deploy/resources/component_scaling.py": {
        "RegisterScalableTarget": "upsert: a declared scaling of a component",
        "PutScalingPolicy": "upsert: a declared scaling of a component",
        "PutScheduledAction": "upsert: a declared scaling of a component",
        "PutMetricAlarm": "upsert: a declared scaling of a component",
        "TagResource": "upsert: a declared scaling of a component",
        "DeleteScalingPolicy": "upsert: a declared scaling of a component",
        "DeleteScheduledAction": "upsert: a declared scaling of a component",
        "DeleteAlarms": "upsert: a declared scaling of a component",
        "DeregisterScalableTarget": "destroy --resources",
    },
    "deploy/resources/stream.py": {
        "CreateDeliveryStream": "upsert: a declared stream",
        "UpdateDestination": "upsert: a declared stream",
        "StartDeliveryStreamEncryption": "upsert: a declared stream",
        "StopDeliveryStreamEncryption": "upsert: a declared stream",
        "TagDeliveryStream": "upsert: a declared stream",
        "DeleteDeliveryStream": "destroy --resources",
    },
    "deploy/resources/domain.py": {
        "CreateDomain": "upsert: a declared domain",
        "UpdateDomainConfig": "upsert: a declared domain",
        "UpgradeDomain": "upsert: a declared domain",
        "AddTags": "upsert: a declared domain",
        "DeleteDomain": "destroy --resources",
    },
    "deploy/resources/model_package_group.py": {
        "CreateModelPackageGroup": "upsert: a declared group",
        "PutModelPackageGroupPolicy": "upsert: a declared group",
        "DeleteModelPackageGroupPolicy": "upsert: a declared group",
        "AddTags": "upsert: a declared group",
        "DeleteModelPackageGroup": "destroy --resources, of one without versions",
    },
    "deploy/resources/key.py": {
        "CreateKey": "upsert: a declared key",
        "CreateAlias": "upsert: a declared key",
        "UpdateKeyDescription": "upsert: a declared key",
        "EnableKeyRotation": "upsert: a declared key",
        "DisableKeyRotation": "upsert: a declared key",
        "PutKeyPolicy": "upsert: a declared key",
        "TagResource": "upsert: a declared key",
    },
    "deploy/resources/role.py": {
        "CreateRole": "upsert: a declared role; bootstrap",
        "UpdateAssumeRolePolicy": "upsert: a declared role; bootstrap",
        "UpdateRole": "upsert: a declared role; bootstrap",
        "PutRolePolicy": "upsert: a declared role; bootstrap",
        "DeleteRolePolicy": "upsert: a declared role; destroy --resources",
        "AttachRolePolicy": "upsert: a declared role",
        "DetachRolePolicy": "upsert: a declared role; destroy --resources",
        "PutRolePermissionsBoundary": "upsert: a declared role",
        "DeleteRolePermissionsBoundary": "upsert: a declared role",
        "TagRole": "upsert: a declared role; bootstrap",
        "DeleteRole": "destroy --resources",
    },
    "deploy/resources/identity_provider.py": {
        "CreateOpenIDConnectProvider": "upsert: a declared identity provider; bootstrap",
        "AddClientIDToOpenIDConnectProvider": "upsert: a declared identity provider",
        "RemoveClientIDFromOpenIDConnectProvider": "upsert: a declared identity provider",
        "TagOpenIDConnectProvider": "upsert: a declared identity provider; bootstrap",
        "DeleteOpenIDConnectProvider": "destroy --resources",
    },
    "deploy/resources/studio_domain.py": {
        "CreateDomain": "upsert: a declared domain of Studio",
        "UpdateDomain": "upsert: a declared domain of Studio",
        "AddTags": "upsert: a declared domain of Studio",
        "DeleteDomain": "destroy --resources, of one without users and spaces",
    },
    "deploy/resources/user_profile.py": {
        "CreateUserProfile": "upsert: a declared user of Studio",
        "UpdateUserProfile": "upsert: a declared user of Studio",
        "AddTags": "upsert: a declared user of Studio",
        "DeleteUserProfile": "destroy --resources",
    },
    "deploy/resources/space.py": {
        "CreateSpace": "upsert: a declared space of Studio",
        "UpdateSpace": "upsert: a declared space of Studio",
        "AddTags": "upsert: a declared space of Studio",
        "DeleteSpace": "destroy --resources",
    },
    "deploy/resources/batch.py": {
        "CreateSchedule": "upsert: a declared batch",
        "UpdateSchedule": "upsert: a declared batch",
        "TagResource": "upsert: a declared batch",
    },
    "deploy/resources/notebook_restart.py": {
        "CreateSchedule": "upsert: a declared restart of a notebook instance",
        "UpdateSchedule": "upsert: a declared restart of a notebook instance",
        "TagResource": "upsert: a declared restart of a notebook instance",
    },
    "deploy/schedule_groups.py": {
        "CreateScheduleGroup": "upsert: a declared monitor, batch or restart of a notebook instance",
        "DeleteScheduleGroup": "destroy --resources",
    },
    "deploy/event_rules.py": {
        "PutRule": "upsert: a declared approval or rule of a stream",
        "PutTargets": "upsert: a declared approval or rule of a stream",
        "TagResource": "upsert: a declared approval or rule of a stream",
        "RemoveTargets": "destroy --resources",
        "DeleteRule": "destroy --resources",
    },
    "deploy/resources/log_subscription.py": {
        "CreateLogGroup": "upsert: a declared subscription whose group has no lines yet",
        "PutSubscriptionFilter": "upsert: a declared subscription",
        "TagResource": "upsert: a declared subscription",
        "UntagResource": "destroy --resources",
        "DeleteSubscriptionFilter": "destroy --resources",
    },
    "deploy/resources/topic_rule.py": {
        "CreateTopicRule": "upsert: a declared rule of IoT",
        "ReplaceTopicRule": "upsert: a declared rule of IoT",
        "TagResource": "upsert: a declared rule of IoT",
        "DeleteTopicRule": "destroy --resources",
    },
    "deploy/resources/bucket.py": {
        "CreateBucket": "upsert: a declared bucket",
        "PutPublicAccessBlock": "upsert: a declared bucket",
        "PutBucketOwnershipControls": "upsert: a declared bucket",
        "PutBucketEncryption": "upsert: a declared bucket",
        "PutBucketVersioning": "upsert: a declared bucket",
        "PutBucketLifecycleConfiguration": "upsert: a declared bucket",
        "PutBucketPolicy": "upsert: a declared bucket",
        "DeleteBucketPolicy": "upsert: a declared bucket",
        "PutBucketReplication": "upsert: a declared bucket",
        "DeleteBucketReplication": "upsert: a declared bucket",
        "PutBucketTagging": "upsert: a declared bucket",
        "DeleteBucket": "destroy --resources, of one that is empty",
    },
    "deploy/resources/notebook_instance.py": {
        "CreateNotebookInstance": "upsert: a declared notebook instance",
        "UpdateNotebookInstance": "upsert: a declared notebook instance",
        "StopNotebookInstance": "upsert: a declared notebook instance that is changed; destroy --resources",
        "StartNotebookInstance": "upsert: a declared notebook instance that was stopped to be changed",
        "AddTags": "upsert: a declared notebook instance",
        "DeleteTags": "upsert: a declared notebook instance that was stopped to be changed",
        "DeleteNotebookInstance": "destroy --resources",
    },
    "deploy/resources/notebook_instance_lifecycle_config.py": {
        "CreateNotebookInstanceLifecycleConfig": "upsert: a declared lifecycle configuration",
        "UpdateNotebookInstanceLifecycleConfig": "upsert: a declared lifecycle configuration",
        "AddTags": "upsert: a declared lifecycle configuration",
        "DeleteNotebookInstanceLifecycleConfig": "destroy --resources",
    },
    "deploy/resources/tags.py": {"AddTags": "set the tags", "DeleteTags": "remove the tags"},
    "deploy/resources/schedule.py": {
        "CreateSchedule": "create the schedule",
        "UpdateSchedule": "update the schedule",
        "DeleteSchedule": "remove the schedule",
    },
    "deploy/resources/state_machine.py": {
        "CreateStateMachine": "create the state-machine",
        "UpdateStateMachine": "update the state-machine",
        "DeleteStateMachine": "remove the state-machine",
    },
    "deploy/resources/trigger.py": {
        "PutRule": "create the trigger",
        "PutTargets": "create the trigger",
        "RemoveTargets": "remove the trigger",
        "DeleteRule": "remove the trigger",
    },
    # Asked for by name.
    "deploy/endpoints/writer.py": {
        "CreateModel": "promote",
        "CreateEndpoint": "promote",
        "UpdateEndpoint": "promote",
        "DeleteEndpoint": "promote: one that had failed, before it is made anew",
    },
    "deploy/endpoints/shadow_tests.py": {
        "CreateModel": "endpoints shadow-start",
        "CreateInferenceExperiment": "endpoints shadow-start",
        "UpdateInferenceExperiment": "endpoints shadow-start",
        "StopInferenceExperiment": "endpoints shadow-stop",
    },
    "deploy/endpoints/components.py": {
        "CreateModel": "promote",
        "UpdateInferenceComponent": "promote",
    },
    "deploy/shifting/repair.py": {"UpdateEndpoint": "promote, endpoints resume, abort, promote-now, rollback"},
    "deploy/shifting/mover.py": {
        "UpdateEndpoint": "promote, endpoints resume, abort, promote-now, rollback",
        "UpdateEndpointWeightsAndCapacities": "promote, endpoints resume, abort, promote-now",
        "SetAlarmState": "endpoints abort: a deployment by guardrails ends where an alarm rings",
    },
    "deploy/hooks/lambda_.py": {"Invoke": "promote, endpoints resume, abort, promote-now, rollback: a hook"},
    "deploy/shifting/scaling.py": {
        "RegisterScalableTarget": "promote, endpoints resume, abort, promote-now, rollback: of what is scaled",
        "DeregisterScalableTarget": "promote, endpoints resume, abort, promote-now, rollback: of what is scaled",
        "PutScalingPolicy": "promote, endpoints resume, abort, promote-now, rollback: of what is scaled",
        "PutScheduledAction": "promote, endpoints resume, abort, promote-now, rollback: of what is scaled",
        "DeleteScalingPolicy": "upsert: a declared endpoint that is scaled otherwise",
        "DeleteScheduledAction": "upsert: a declared endpoint that is scaled otherwise",
    },
    "deploy/shifting/lost_answers.py": {
        "CreateEndpointConfig": "promote, endpoints resume, abort, promote-now, rollback"
    },
    "deploy/collecting/removing.py": {
        "DeleteEndpoint": "gc --apply",
        "DeleteEndpointConfig": "gc --apply",
        "DeleteModel": "gc --apply",
    },
    "deploy/endpoints/serving.py": {"DeleteEndpoint": "endpoints delete"},
    "deploy/executions/callbacks.py": {
        "SendPipelineExecutionStepFailure": "executions answer",
        "SendPipelineExecutionStepSuccess": "executions answer",
    },
    "deploy/executions/following.py": {
        "StartPipelineExecution": "start, run",
        "StopPipelineExecution": "executions stop, Ctrl-C of run, selftest",
        "RetryPipelineExecution": "executions retry",
    },
    "deploy/executions/replay.py": {
        "CreateBucket": "run --from-env: in the local account",
        "PutObject": "run --from-env: in the local account",
    },
    "deploy/models/registry.py": {"UpdateModelPackage": "models approve, models reject"},
    "deploy/outcomes/ground_truth.py": {"PutObject": "endpoints outcome"},
    "deploy/pipelines/prune.py": {"DeleteObjects": "assets prune --apply"},
    "deploy/streams/publisher.py": {"PutRecordBatch": "streams put, streams replay; a program's own publisher"},
    "deploy/streams/replay.py": {"DeleteObject": "streams replay", "PutObject": "streams replay: of a part"},
    "deploy/selftest.py": {
        "DeleteModelPackage": "selftest: what it made",
        "DeleteModelPackageGroup": "selftest: what it made",
        "DeleteObjects": "selftest: what it made",
    },
    "use_cases/local_data.py": {
        "CreateBucket": "local put, run -p NAME=FILE: in the local account",
        "PutObject": "local put, run -p NAME=FILE: in the local account",
    },
    "use_cases/local_functions.py": {
        "CreateFunction": "run: functions that the project names, in the local account",
        "UpdateFunctionCode": "run: functions that the project names, in the local account",
        "UpdateFunctionConfiguration": "run: functions that the project names, in the local account",
    },
    "use_cases/stream_measuring.py": {
        "CreateDeliveryStream": "streams tune --measure: in a local account of its own",
        "PutRecordBatch": "streams tune --measure: in a local account of its own",
    },
    "testing/execution.py": {"DeleteEndpoint": "a test's own local account"},
    "observe/experiments.py": {"CreateExperiment": "MLflow's, where mlops.toml or the pipeline asks for it"},
}
NOT_AWS = {
    ("account/wire/proxy/issuers/by_cryptography.py", "Sign"),
    ("cli/commands/endpoints.py", "Invoke"),
    ("cli/commands/streams.py", "PutEvents"),
    ("emit/drawing/svg.py", "Sign"),
    ("run/execute.py", "StopJob"),
    ("use_cases/endpoints.py", "Invoke"),
}
"""Functions of ours that are called like an operation."""
SERVICES = (
    "opensearch",
    "sagemaker",
    "sagemaker-runtime",
    "s3",
    "scheduler",
    "events",
    "sns",
    "sts",
    "iam",
    "logs",
    "ecr",
    "kms",
    "ec2",
    "application-autoscaling",
    "cloudwatch",
    "firehose",
    "iot",
    "stepfunctions",
)
RESOURCES = ("deploy/resources/", "deploy/event_rules.py", "deploy/schedule_groups.py")
ELSEWHERE = ("account/local/", "use_cases/templates/")
"""What answers such calls on this machine; texts."""


def operations() -> dict[str, set[tuple[str, str]]]:
    """Service and operation by what boto3 calls it."""
    session, found = Session(), defaultdict(set)
    for service in (*SERVICES, "lambda", "sqs", "service-quotas"):
        for name in session.get_service_model(service).operation_names:
            found[xform_name(name)].add((service, name))
    return found


@cache
def called() -> list[tuple[str, str, str]]:
    """Module, service and operation of whatever looks like a call of a client, and of each Call of a resource."""
    return sorted(set(_called()))


def _called() -> Iterator[tuple[str, str, str]]:
    known = operations()
    every: dict[str, set[str]] = defaultdict(set)
    for service, name in (pair for found in known.values() for pair in found):
        every[name].add(service)
    for file in sorted(PACKAGE.rglob("*.py")):
        module = file.relative_to(PACKAGE).as_posix()
        if module.startswith(ELSEWHERE):
            continue
        for node in nodes_of(file):
            if isinstance(node, ast.Attribute) and node.attr in known:
                yield from ((module, service, name) for service, name in sorted(known[node.attr]))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if node.value in known and module.startswith("deploy/"):
                    yield from ((module, service, name) for service, name in sorted(known[node.value]))
                elif node.value in every and module.startswith(RESOURCES):
                    yield from ((module, service, node.value) for service in sorted(every[node.value]))


def test_every_change_is_listed_with_who_asks_for_it() -> None:
    found = {(module, name) for module, _, name in called() if is_change(name)} - NOT_AWS
    assert found == {(module, name) for module, names in CHANGES.items() for name in names}


def test_no_bucket_is_made_in_an_account_and_composing_changes_nothing() -> None:
    assert {module for module, names in CHANGES.items() if "CreateBucket" in names} == {
        "deploy/pipelines/upload.py",
        "deploy/resources/bucket.py",
        "deploy/executions/replay.py",
        "use_cases/local_data.py",
    }
    others = ("compose/", "check/", "use_cases/", "cli/")
    assert [module for module in CHANGES if module.startswith(others)] == [
        "use_cases/local_data.py",
        "use_cases/local_functions.py",
        "use_cases/stream_measuring.py",
    ]


ACTIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    **resource_types()["bucket"].policies_say,
}
"""IAM's name where it is another than the operation's."""
PREFIXES = {
    "opensearch": "es",
    "stepfunctions": "states",
    "sagemaker-runtime": "sagemaker",
    "service-quotas": "servicequotas",
}
OF_CI = (
    "deploy/conditional_object.py",
    "deploy/pipelines/",
    *RESOURCES,
    "deploy/endpoints/",
    "deploy/shifting/",
    "deploy/notify.py",
    "account/aws.py",
)
NOT_OF_CI = {
    "DescribeLogStreams": "the local account, for what a model server raised",
    "GetLogEvents": "the local account, for what a model server raised",
    "CreateBucket": "the local account",
    "DeleteObject": "destroy",
    "DeleteObjects": "assets prune",
    "DeletePipeline": "destroy",
    "DeleteBucket": "destroy --resources",
    "DeleteDomain": "destroy --resources",
    "DeleteUserProfile": "destroy --resources",
    "DeleteSpace": "destroy --resources",
    "ListUserProfiles": "destroy --resources",
    "ListSpaces": "destroy --resources",
    "ListApps": "destroy --resources",
    "ListRolePolicies": "destroy --resources",
    "DeleteRole": "destroy --resources",
    "DeleteOpenIDConnectProvider": "destroy --resources",
    "ListObjectVersions": "destroy --resources",
    "DeleteModel": "destroy --resources",
    "DeleteModelPackageGroup": "destroy --resources",
    "DeleteEndpointConfig": "destroy --resources",
    "DeleteAlarms": "destroy --resources",
    "DeleteSubscriptionFilter": "destroy --resources",
    "DeleteTopicRule": "destroy --resources",
    "UntagResource": "destroy --resources",
    "DescribeLogGroups": "destroy --resources",
    "DeleteScheduleGroup": "destroy --resources",
    "DeleteNotebookInstance": "destroy --resources",
    "DeleteNotebookInstanceLifecycleConfig": "destroy --resources",
    "DeleteDeliveryStream": "destroy --resources",
    "AssumeRole": "`assume_role` of an environment",
    "ListEndpoints": "endpoints list, models reject",
    "Search": "a regular expression's",
    "CreateInferenceExperiment": "endpoints shadow-start",
    "DescribeInferenceExperiment": "endpoints shadow-start, shadow-stop",
    "ListInferenceExperiments": "endpoints shadow-start, shadow-stop",
    "StopInferenceExperiment": "endpoints shadow-stop",
    "UpdateInferenceExperiment": "endpoints shadow-start",
}


def test_the_roles_of_ci_may_do_what_is_done() -> None:
    """Several services have operations of one name."""
    services: dict[str, set[str]] = defaultdict(set)
    for module, service, name in called():
        if module.startswith(OF_CI) and name not in NOT_OF_CI:
            services[name].add(service)
    assert services
    lacking = []
    for operation, of in sorted(services.items()):
        actions = [
            f"`{PREFIXES.get(service, service)}:{ACTIONS.get(operation, operation) if service == 's3' else operation}`"
            for service in sorted(of)
        ]
        if not any(action in DOCUMENT for action in actions):
            lacking.append(actions)
    assert lacking == []
