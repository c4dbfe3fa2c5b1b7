"""Write ``mlops/knowledge/cloudformation/types.json`` from the provider schemas that come with cfn-lint; ``--check``
fails where it is stale. Needs cfn-lint, which the tests have."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cfnlint

DATA = Path(cfnlint.__file__).parent / "data" / "schemas"
FILE = Path(__file__).resolve().parents[1] / "mlops" / "knowledge" / "cloudformation" / "types.json"
REGION = "us-east-1"
WHOLE = ("AWS::SageMaker", "AWS::IAM", "AWS::KinesisFirehose", "AWS::OpenSearchService")
"""Services of which all types are kept."""
TYPES = (
    *(f"AWS::ApplicationAutoScaling::{name}" for name in ("ScalableTarget", "ScalingPolicy")),
    "AWS::Events::Rule",
    "AWS::IoT::TopicRule",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::Logs::SubscriptionFilter",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
)
KEPT = frozenset(
    {
        *("type", "properties", "patternProperties", "additionalProperties", "required", "items", "enum", "pattern"),
        *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "oneOf", "anyOf", "$ref"),
    }
)


def reduced(schema: Any) -> Any:
    """What can be judged: without texts, formats and patterns that Python does not know."""
    if isinstance(schema, list):
        return [reduced(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            found[key] = {name: reduced(item) for name, item in sorted(value.items())}
        elif key == "pattern":
            if isinstance(value, str) and is_regular(value):
                found[key] = value
        elif key in KEPT:
            found[key] = reduced(value)
    return found


def is_regular(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def page() -> str:
    known = json.loads((DATA / "providers" / f"{REGION}.json").read_text())
    types: dict[str, Any] = {}
    kept = (*TYPES, *(name for name in sorted(known) if name.rpartition("::")[0] in WHOLE))
    for name in kept:
        schema = json.loads((DATA / "resources" / f"{known[name]}.json").read_text())
        told = reduced(schema)
        told["definitions"] = {key: reduced(item) for key, item in sorted(schema.get("definitions", {}).items())}
        told["attributes"] = sorted(
            path.removeprefix("/properties/").replace("/", ".") for path in schema.get("readOnlyProperties", ())
        )
        types[name] = told
    services = {name.rpartition("::")[0] for name in kept}
    names = sorted(name for name in known if name.rpartition("::")[0] in services)
    date = json.loads((DATA / "version.json").read_text())["schema_date"][:10]
    source = f"CloudFormation's provider schemas of {REGION}, as cfn-lint {version('cfn-lint')} has them"
    return json.dumps({"date": date, "source": source, "types": types, "names": names}, sort_keys=True, indent=0) + "\n"


if __name__ == "__main__":
    from generated import written

    sys.exit(written(FILE, page(), "write_cloudformation.py"))
