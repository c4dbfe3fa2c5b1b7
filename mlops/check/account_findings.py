"""What ``mlops plan --preflight`` may find in an account: the code, name and story of each; the account itself is asked
by ``mlops.deploy.pipelines.preflight``."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir import Severity
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class AccountFinding:
    name: str
    severity: Severity
    text: str


_ERROR, _INFO = Severity.ERROR, Severity.INFO

ACCOUNT_FINDINGS: Mapping[str, AccountFinding] = {
    "A901": AccountFinding("role-missing", _ERROR, "The role that the pipeline runs as is not in the account."),
    "A902": AccountFinding(
        "role-trust", _ERROR, "The role's trust policy does not let sagemaker.amazonaws.com take it on."
    ),
    "A903": AccountFinding(
        "action-denied", _ERROR, "By IAM's simulation, the role may not do what the pipeline's steps do."
    ),
    "A904": AccountFinding(
        "image-missing", _ERROR, "An image of this account's registry is not there under its tag or digest."
    ),
    "A905": AccountFinding(
        "image-region", _ERROR, "An image lies in another region than the jobs; SageMaker pulls from its own region."
    ),
    "A906": AccountFinding(
        "bucket-missing", _ERROR, "A bucket that is read or written is not there, or not for these credentials."
    ),
    "A907": AccountFinding(
        "bucket-region", _ERROR, "A bucket lies in another region than the jobs; SageMaker refuses or pays transfer."
    ),
    "A908": AccountFinding(
        "kms-key", _ERROR, "The environment's key is not there, is disabled, or waits for its deletion."
    ),
    "A909": AccountFinding(
        "quota", _ERROR, "A step asks for more instances of a type than the account's quota for that kind of job."
    ),
    "A910": AccountFinding(
        "group-missing",
        _INFO,
        "A model package group is not there yet; the service makes it at the first registration.",
    ),
    "A911": AccountFinding(
        "network", _ERROR, "A subnet or security group is not there, or they are of different VPCs."
    ),
    "A913": AccountFinding(
        "function-missing", _ERROR, "A function that a Lambda step calls is not there, or not in this region."
    ),
    "A914": AccountFinding("queue-missing", _ERROR, "The queue that a Callback step sends its token to is not there."),
    "A912": AccountFinding("not-asked", _INFO, "The account could not be asked this; nothing is said about it."),
}
