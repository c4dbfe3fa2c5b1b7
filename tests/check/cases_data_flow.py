"""Places in S3 that one step writes and another reads without waiting: rows for ``test_rules.py``."""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from typing import Any

from rule_cases import WARNING, Case
from sound_definition import get, join

OUT = "Prepare:ProcessingOutputConfig/Outputs/1/S3Output/S3Uri"
READ, BATCH = (
    "Segments:InputDataConfig/0/DataSource/S3DataSource/S3Uri",
    "Batch:TransformInput/DataSource/S3DataSource/S3Uri",
)
PLACE, RUN = get("Parameters.Place"), get("Execution.PipelineExecutionId")
DECLARED = {"/Parameters/-": {"Name": "Place", "Type": "String", "DefaultValue": "s3://acme/here"}}
BARE = {"/Parameters/-": {"Name": "Place", "Type": "String"}}


def _case(name: str, written: Any, read: Any, *, at: str = READ, more: dict[str, Any] | None = None) -> Case:
    bad = {**(more or {}), OUT: written, at: read}
    step = at.partition(":")[0]
    return Case(name, "X832", bad, at, {**bad, f"{step}.DependsOn": ["Prepare"]}, WARNING)


CASES = [
    _case("the same parameter", PLACE, PLACE, more=DECLARED),
    _case("the same parameter without a default", PLACE, PLACE, more=BARE),
    _case("below the same parameter", PLACE, join(PLACE, "train"), more=BARE),
    _case("a parameter and its default", PLACE, "s3://acme/here/train", more=DECLARED),
    _case("a default and its parameter", "s3://acme/here", PLACE, more=DECLARED),
    _case("joined of parts", join("s3://acme", "runs", "a"), "s3://acme/runs/a/", at=READ),
    _case("joined with the execution's id", join("s3://acme", RUN, "a"), join("s3://acme", RUN, "a"), at=READ),
    _case("below the execution's folder", join("s3://acme", RUN), join(join("s3://acme", RUN), "a"), at=READ),
    _case("a batch of the same parameter", PLACE, PLACE, more=DECLARED, at=BATCH),
    Case("two parameters of one default", "X832", {**DECLARED, "Data.DefaultValue": "s3://acme/here", OUT: PLACE, READ: get("Parameters.Data")},
         READ, {**DECLARED, OUT: PLACE, READ: get("Parameters.Data")}, WARNING),
    Case("beside the place", "X832", {**DECLARED, OUT: PLACE, READ: PLACE}, READ, {**DECLARED, OUT: PLACE, READ: "s3://acme/hereafter"}, WARNING),
    Case("the other branch", "X832", {OUT: "s3://acme/branch", READ: "s3://acme/branch"}, READ, {"Train:OutputDataConfig/S3OutputPath": "s3://acme/m"}, WARNING),
    Case("a prefix that takes what stands beside", "X847", {OUT: "s3://acme/here_small", BATCH: "s3://acme/here"}, BATCH,
         {OUT: "s3://acme/here_small", BATCH: "s3://acme/here/"}, WARNING),
    Case("a prefix that is meant to take several", "X847", {OUT: "s3://acme/part1", BATCH: "s3://acme/part"}, BATCH,
         {OUT: "s3://acme/part-1", BATCH: "s3://acme/part-"}, WARNING),
    Case("by a reference", "X832", {**DECLARED, OUT: PLACE, READ: PLACE}, READ,
         {**DECLARED, OUT: PLACE, READ: get("Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")}, WARNING),
]  # fmt: skip
FOLLOW = {"X832": {"X831", "X833"}}
WORDS = frozenset({"X847"})
