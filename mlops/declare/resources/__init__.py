"""What is declared beside pipelines or in a file of its own, what serves and what watches it: ``from mlops import
resources``.

A file each, found by being here. ``mlops check``, ``mlops plan`` and ``mlops upsert`` treat a resource as they do a
pipeline: its request is judged by the model of its service.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

# A function of the name of its module: the module must not stand for it.
from mlops.declare.resources.by_environment import by_environment

if TYPE_CHECKING:
    # Imports: written by `make names`.
    from mlops.declare.resources.alarm import Alarm, Metric, Query
    from mlops.declare.resources.approval import Approval
    from mlops.declare.resources.batch import Batch
    from mlops.declare.resources.bucket import Bucket
    from mlops.declare.resources.component_scaling import ComponentScaling
    from mlops.declare.resources.composite_alarm import CompositeAlarm
    from mlops.declare.resources.domain import Cognito, Domain, Nodes, Volume
    from mlops.declare.resources.endpoint import Endpoint
    from mlops.declare.resources.endpoint_config import Asynchronous, Capture, EndpointConfig, Serverless, Variant
    from mlops.declare.resources.event_rule import EventRule, api_calls
    from mlops.declare.resources.feedback import Feedback
    from mlops.declare.resources.identity_provider import IdentityProvider
    from mlops.declare.resources.key import Key
    from mlops.declare.resources.log_subscription import LogSubscription
    from mlops.declare.resources.model import Container, Model, ModelData, Network
    from mlops.declare.resources.model_package_group import ModelPackageGroup
    from mlops.declare.resources.monitor import (
        Attributions,
        Bias,
        DataQuality,
        Drift,
        FeatureDrift,
        ModelQuality,
        Monitor,
    )
    from mlops.declare.resources.notebook_instance import NotebookInstance
    from mlops.declare.resources.notebook_instance_lifecycle_config import NotebookInstanceLifecycleConfig
    from mlops.declare.resources.notebook_restart import NotebookRestart
    from mlops.declare.resources.replica import Replica
    from mlops.declare.resources.role import Role
    from mlops.declare.resources.scaling import At, Scaling
    from mlops.declare.resources.space import Space
    from mlops.declare.resources.stream import (
        Captured,
        HttpEndpoint,
        Iceberg,
        Kafka,
        Kinesis,
        OpenSearch,
        Redshift,
        Snowflake,
        Splunk,
        Stream,
    )
    from mlops.declare.resources.stream_presets import datadog, new_relic
    from mlops.declare.resources.studio_domain import StudioDomain
    from mlops.declare.resources.topic_rule import TopicRule
    from mlops.declare.resources.user_profile import UserProfile
    # End of imports.

# Names: written by `make names`.
__all__ = [
    "Alarm",
    "Approval",
    "Asynchronous",
    "At",
    "Attributions",
    "Batch",
    "Bias",
    "Bucket",
    "Capture",
    "Captured",
    "Cognito",
    "ComponentScaling",
    "CompositeAlarm",
    "Container",
    "DataQuality",
    "Domain",
    "Drift",
    "Endpoint",
    "EndpointConfig",
    "EventRule",
    "FeatureDrift",
    "Feedback",
    "HttpEndpoint",
    "Iceberg",
    "IdentityProvider",
    "Kafka",
    "Key",
    "Kinesis",
    "LogSubscription",
    "Metric",
    "Model",
    "ModelData",
    "ModelPackageGroup",
    "ModelQuality",
    "Monitor",
    "Network",
    "Nodes",
    "NotebookInstance",
    "NotebookInstanceLifecycleConfig",
    "NotebookRestart",
    "OpenSearch",
    "Query",
    "Redshift",
    "Replica",
    "Role",
    "Scaling",
    "Serverless",
    "Snowflake",
    "Space",
    "Splunk",
    "Stream",
    "StudioDomain",
    "TopicRule",
    "UserProfile",
    "Variant",
    "Volume",
    "api_calls",
    "by_environment",
    "datadog",
    "new_relic",
]

_HOMES = {
    "Alarm": "mlops.declare.resources.alarm",
    "Approval": "mlops.declare.resources.approval",
    "Asynchronous": "mlops.declare.resources.endpoint_config",
    "At": "mlops.declare.resources.scaling",
    "Attributions": "mlops.declare.resources.monitor",
    "Batch": "mlops.declare.resources.batch",
    "Bias": "mlops.declare.resources.monitor",
    "Bucket": "mlops.declare.resources.bucket",
    "Capture": "mlops.declare.resources.endpoint_config",
    "Captured": "mlops.declare.resources.stream",
    "Cognito": "mlops.declare.resources.domain",
    "ComponentScaling": "mlops.declare.resources.component_scaling",
    "CompositeAlarm": "mlops.declare.resources.composite_alarm",
    "Container": "mlops.declare.resources.model",
    "DataQuality": "mlops.declare.resources.monitor",
    "Domain": "mlops.declare.resources.domain",
    "Drift": "mlops.declare.resources.monitor",
    "Endpoint": "mlops.declare.resources.endpoint",
    "EndpointConfig": "mlops.declare.resources.endpoint_config",
    "EventRule": "mlops.declare.resources.event_rule",
    "FeatureDrift": "mlops.declare.resources.monitor",
    "Feedback": "mlops.declare.resources.feedback",
    "HttpEndpoint": "mlops.declare.resources.stream",
    "Iceberg": "mlops.declare.resources.stream",
    "IdentityProvider": "mlops.declare.resources.identity_provider",
    "Kafka": "mlops.declare.resources.stream",
    "Key": "mlops.declare.resources.key",
    "Kinesis": "mlops.declare.resources.stream",
    "LogSubscription": "mlops.declare.resources.log_subscription",
    "Metric": "mlops.declare.resources.alarm",
    "Model": "mlops.declare.resources.model",
    "ModelData": "mlops.declare.resources.model",
    "ModelPackageGroup": "mlops.declare.resources.model_package_group",
    "ModelQuality": "mlops.declare.resources.monitor",
    "Monitor": "mlops.declare.resources.monitor",
    "Network": "mlops.declare.resources.model",
    "Nodes": "mlops.declare.resources.domain",
    "NotebookInstance": "mlops.declare.resources.notebook_instance",
    "NotebookInstanceLifecycleConfig": "mlops.declare.resources.notebook_instance_lifecycle_config",
    "NotebookRestart": "mlops.declare.resources.notebook_restart",
    "OpenSearch": "mlops.declare.resources.stream",
    "Query": "mlops.declare.resources.alarm",
    "Redshift": "mlops.declare.resources.stream",
    "Replica": "mlops.declare.resources.replica",
    "Role": "mlops.declare.resources.role",
    "Scaling": "mlops.declare.resources.scaling",
    "Serverless": "mlops.declare.resources.endpoint_config",
    "Snowflake": "mlops.declare.resources.stream",
    "Space": "mlops.declare.resources.space",
    "Splunk": "mlops.declare.resources.stream",
    "Stream": "mlops.declare.resources.stream",
    "StudioDomain": "mlops.declare.resources.studio_domain",
    "TopicRule": "mlops.declare.resources.topic_rule",
    "UserProfile": "mlops.declare.resources.user_profile",
    "Variant": "mlops.declare.resources.endpoint_config",
    "Volume": "mlops.declare.resources.domain",
    "api_calls": "mlops.declare.resources.event_rule",
    "by_environment": "mlops.declare.resources.by_environment",
    "datadog": "mlops.declare.resources.stream_presets",
    "new_relic": "mlops.declare.resources.stream_presets",
}
# End of names.


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        from mlops.declare.unknown_names import unknown_name

        return unknown_name("resources", name, __all__, __getattr__)
    found: object = getattr(importlib.import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
