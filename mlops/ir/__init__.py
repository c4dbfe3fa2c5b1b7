"""The intermediate representation: what a pipeline is, once nobody cares who wrote it.

Frozen records that mirror SageMaker's 2020-12-01 definition document. The DSL lowers to them and the
reader parses to them; check, emit, run and deploy see nothing else. Imports nothing else of this package.
"""

from mlops.ir.checked import Checked
from mlops.ir.definition import Asset, Block, Definition, Parameter, Placed, Step
from mlops.ir.errors import AccountError, ConfigurationError, MlopsError, Refusal, UsageError
from mlops.ir.events import Event, Listener, unheard
from mlops.ir.finding import Edit, Finding, Severity
from mlops.ir.job_kind import JobKind, S3Place
from mlops.ir.step_type import Awaited, StepType
from mlops.ir.values import Join, JsonGet, Ref, Unknown, Value
from mlops.ir.where import Where

__all__ = [
    "AccountError",
    "Asset",
    "Awaited",
    "Block",
    "Checked",
    "ConfigurationError",
    "Definition",
    "Edit",
    "Event",
    "Finding",
    "JobKind",
    "Join",
    "JsonGet",
    "Listener",
    "MlopsError",
    "Parameter",
    "Placed",
    "Ref",
    "Refusal",
    "S3Place",
    "Severity",
    "Step",
    "StepType",
    "Unknown",
    "UsageError",
    "Value",
    "Where",
    "unheard",
]
