"""Which channels XGBoost's container takes, and the formats of their data."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.run.algorithms.content_types import parsed
from mlops.run.algorithms.job import UserFault

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
_FORMATS: Mapping[str, str] = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "text/csv": CSV,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "application/x-parquet": PARQUET,
    "application/x-recordio-protobuf": RECORDIO,
}
"""In the order in which the container lists them."""

_PIPED = frozenset(kind for kind, format_ in _FORMATS.items() if format_ != LIBSVM)
_DISTRIBUTIONS = ("ShardedByS3Key", "FullyReplicated")
_DEFAULT = "text/libsvm"


def data_format(content_type: str | None) -> str:
    """Raises :class:`UserFault`."""
    if content_type is None:
        return LIBSVM
    kind, parameters = parsed(content_type.lower())
    if kind not in _FORMATS:
        raise UserFault(f"{content_type} is not an accepted ContentType: {', '.join(_FORMATS)}.")
    if _FORMATS[kind] == CSV and parameters.get("label_size", "1") != "1":
        raise UserFault(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return _FORMATS[kind]


def validated(channels: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """With a content type each. Raises :class:`UserFault`."""
    if "train" not in channels:
        raise UserFault("Missing required channel: train")
    found = {}
    for name, given in channels.items():
        if name not in ("train", "validation", "code"):
            raise UserFault(f"Extraneous channel found: {name}")
        channel = {"ContentType": _DEFAULT, **given}
        if not _supported(name, channel):
            raise UserFault(f"Channel configuration for '{name}' channel is not supported: {channel}")
        found[name] = channel
    return found


def _supported(name: str, channel: Mapping[str, str]) -> bool:
    kind, mode = channel["ContentType"], channel["TrainingInputMode"]
    if name == "code":
        return (kind, mode, channel["S3DistributionType"]) == ("text/python", "File", "FullyReplicated")
    # FastFile looks like File to the container.
    kinds = _PIPED if mode == "Pipe" else _FORMATS
    return kind in kinds and channel["S3DistributionType"] in _DISTRIBUTIONS
