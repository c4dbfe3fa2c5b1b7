"""Whose a resource is that a stack of CloudFormation made: told by the tags that the stack gives it, and asked of the
stack, since what a stack lets go of keeps them."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.account import Account
from mlops.account.missing import error_code, is_missing
from mlops.ir.dataclass import dataclass

_TAG = "aws:cloudformation:"
_LET_GO = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})
"""Of a resource, as its stack tells it (DescribeStackResource)."""
_MAY_NOT_ASK = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


@dataclass(frozen=True, slots=True)
class StackOwner:
    """``resource`` is its logical id in the stack."""

    stack: str
    resource: str

    def owns(self, what: str) -> str:
        return f"{what} is of the stack {self.stack} ({self.resource})"

    def refuses(self, what: str) -> str:
        return (
            f"{self.owns(what)}: change it in its template, or let go of it: DeletionPolicy: Retain, then an update of "
            "the stack without it"
        )

    def told(self, what: str, *, changes_it: bool) -> str:
        return self.refuses(what) if changes_it else self.owns(what)


def owner(account: Account, tags: Mapping[str, str]) -> StackOwner | None:
    """None for what no stack has, or no more. The local account has no stacks."""
    stack, resource = tags.get(f"{_TAG}stack-name"), tags.get(f"{_TAG}logical-id")
    if stack is None or resource is None or account.here is not None:
        return None
    client = account.client("cloudformation")
    try:
        told = client.describe_stack_resource(StackName=tags.get(f"{_TAG}stack-id", stack), LogicalResourceId=resource)
    except Exception as error:
        if is_missing(error):
            return None
        if error_code(error) not in _MAY_NOT_ASK:
            raise
        return StackOwner(stack, resource)  # whoever may not ask believes the tags
    status = told["StackResourceDetail"]["ResourceStatus"]
    return None if status in _LET_GO else StackOwner(stack, resource)
