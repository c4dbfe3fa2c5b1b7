"""Roles and topics that tables name, against the account and the region of their environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops.check.tables import finding, of_step
from mlops.ir import Checked, Finding
from mlops.ir.members import get
from mlops.project.environments import Environment, Project, table_place


def starts_elsewhere(environment: Environment, resources: Sequence[Checked]) -> Iterator[Finding]:
    """Of declared approvals: a rule starts what is of its own account and region."""
    for checked in resources if not environment.is_local else ():
        for step in checked.definition.steps:
            arn = get(step.arguments, "Starts") if step.type == "Approval" else None
            parts = arn.split(":") if isinstance(arn, str) else []
            here = (environment.region, environment.account_id)
            if len(parts) > 5 and (parts[3], parts[4]) != here:
                ours = f"{environment.name} of {environment.account_id} in {environment.region}"
                yield of_step("A053", step, f"what it starts is of {parts[4]} in {parts[3]}, and {ours}")


def of_another_account(environment: Environment, project: Project) -> Iterator[Finding]:
    if environment.is_local:
        return
    root = project.root
    account = environment.account_id
    for kind, tables in (("schedules", environment.schedules), ("triggers", environment.triggers)):
        for name, start in tables.items():
            owner = start.role.split(":")[4] if start.role is not None else account
            if owner != account:
                message = f"the role is of account {owner}, and {environment.name} is {account}"
                help_text = f"name a role of {account}, or leave it out for the environment's"
                yield finding("A053", root, environment.name, (kind, name, "role"), message, help_text)
    taken_on = environment.assume_role.split(":")[4] if environment.assume_role is not None else account
    if taken_on != account:
        message = f"assume_role is of account {taken_on}, and {environment.name} is {account}"
        help_text = f"name a role of {account}"
        yield finding("A053", root, environment.name, ("assume_role",), message, help_text)
    giver = project.environments.get(table_place(root, environment.name).path(("bucket",))[1])
    theirs = giver.account_id if giver is not None else account
    if giver is not None and theirs != account:
        message = f"{environment.name} is {account}, and takes over the bucket of {giver.name}, which is {theirs}"
        yield finding("A053", root, environment.name, ("account",), message, "give it a bucket of its own")
    if bool(environment.subnets) != bool(environment.security_groups):
        has, lacks = ("subnets", "security_groups") if environment.subnets else ("security_groups", "subnets")
        message = f"there are {has} and no {lacks}, and a job wants both"
        yield finding("A057", root, environment.name, (has,), message, f"give {lacks} too, or leave {has} out")
    topic = environment.notify.sns if environment.notify is not None else None
    told = environment.promote.get("notify")
    topics: tuple[tuple[tuple[str, ...], object], ...] = (
        (("notify", "sns"), topic),
        (("promote", "notify", "sns"), told.get("sns") if isinstance(told, dict) else None),
    )
    for inside, arn in topics:
        parts = arn.split(":") if isinstance(arn, str) else []
        if len(parts) > 5 and parts[3] != environment.region:
            message = f"the topic is in {parts[3]}, and {environment.name} tells in {environment.region}"
            yield finding("A053", root, environment.name, inside, message, f"name a topic in {environment.region}")
