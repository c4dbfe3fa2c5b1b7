"""``from mlops.resources import Model``: what :mod:`mlops.declare.resources` has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.declare import resources as _resources
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
# End of names.


def __getattr__(name: str) -> object:
    return getattr(_resources, name)


def __dir__() -> list[str]:
    return dir(_resources)
