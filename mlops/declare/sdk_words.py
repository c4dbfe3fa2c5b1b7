"""How the official SDK and SageMaker's requests call what an argument is called here, for who brings their words."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from mlops.ir.fields import Field, Record

_WHEREVER: Mapping[str, str] = {
    "base_job_name": "name",
    "compute": "instance",
    "container_entry_point": "command",
    "env": "environment",
    "estimator": "job",
    "image_uri": "image",
    "inputs": "data",
    "instance_count": "count",
    "instance_type": "instance",
    "job_arguments": "args",
    "max_run": "max_runtime",
    "max_runtime_in_seconds": "max_runtime",
    "model_data": "model",
    "output_kms_key": "kms_key",
    "output_path": "to",
    "role_arn": "role",
    "step_args": "arguments",
    "training_image": "image",
    "volume_size": "volume",
    "volume_size_in_gb": "volume",
}
"""Words that mean an argument in whatever constructor it is; those of one constructor stand at its fields."""


def ours(word: str, known: Sequence[str], fields: Sequence[Field]) -> str | None:
    """The one of ``known`` arguments that means the same: by the fields' members, or by what the SDK calls them.

    >>> from mlops.ir.fields import TEXT
    >>> fields = [Field("code", "", TEXT, sdk=("entry_point",)), Field("instance", "ResourceConfig.InstanceType", TEXT)]
    >>> [ours(word, ["instance", "code"], fields) for word in ("entry_point", "instance_type", "InstanceType", "x")]
    ['code', 'instance', 'instance', None]
    """
    plain = _plain(word)
    for field in fields:
        if field.name in known and plain in map(_plain, (*field.sdk, field.path.rpartition(".")[2].lstrip("/"))):
            return field.name
    return next((name for other, name in _WHEREVER.items() if _plain(other) == plain and name in known), None)


def _plain(word: str) -> str:
    return word.replace("_", "").lower()


def fields_of(record: type) -> list[Field]:
    """Those of a record, which stand in its file."""
    stated = [item for item in vars(sys.modules[record.__module__]).values() if isinstance(item, Record)]
    return [field for item in stated if item.of is record for field in item.fields]
