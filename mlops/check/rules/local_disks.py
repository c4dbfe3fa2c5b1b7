"""Volumes of instances that have disks of their own."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.expressions import literal
from mlops.check.instances import own_disks
from mlops.check.jobs import PROCESSING
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity


@rule(
    "X957",
    "volume-beyond-disks",
    Severity.WARNING,
    source="botocore: VolumeSizeInGB of ProcessingClusterConfig and ResourceConfig; EC2's pages of instance types",
)
def volume_beyond_disks(subject: Subject) -> Iterator[Fault]:
    """A job asks for a larger volume than the disks that its instance type has instead of one: of a processing job that
    is refused, any other job has the disks only.

    Bad:  "InstanceType": "ml.g4dn.xlarge", "VolumeSizeInGB": 500
    Good: "InstanceType": "ml.g4dn.4xlarge", "VolumeSizeInGB": 200
    """
    processing = {job.placed.pointer for job in subject.jobs[PROCESSING]}
    for machine in subject.machines:
        kind, size = literal(subject, machine.type), literal(subject, machine.settings.get("VolumeSizeInGB"))
        has = own_disks(kind) if isinstance(kind, str) else None
        if has is not None and isinstance(size, int) and not isinstance(size, bool) and size > has:
            message = f"{kind} has {has} GB of its own disks and gets no volume, {size} GB are asked for"
            help_text = f"at most {has}, or another instance type"
            severity = Severity.ERROR if machine.placed.pointer in processing else None
            yield Fault(f"{machine.at}/VolumeSizeInGB", message, help_text, machine.placed, severity=severity)
