"""ARNs that stand where one of another kind is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.rule import Fault, rule
from mlops.check.rules.places import REGION
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Ref, Severity, Where
from mlops.ir.dataclass import dataclass


@rule(
    "X814",
    "wrong-arn",
    Severity.ERROR,
    source="botocore's documentation of the members; AWS service authorization reference: forms of ARNs",
)
def wrong_arn(subject: Subject) -> Iterator[Fault]:
    """A key, a model package, its group, an algorithm or a topic is given by the ARN of something else, or by one whose
    account or region is none; or (a warning) a key or a topic by one without its region or account.

    Bad:  "KmsKeyId": "arn:aws:s3:::acme"
    Good: "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:alias/ml"
    """
    for name, at, text, placed, where in _arns(subject):
        wanted = _ARNS.get("KmsKeyId" if name.endswith("KmsKeyId") else name)
        parts = text.split(":", 5)
        if wanted is not None and len(parts) == 6 and parts[4].isdigit() and len(parts[4]) != 12:
            message = f"account {parts[4]} in {shown(text)} has {len(parts[4])} digits"
            yield Fault(at, message, "an account has 12", placed, where)
            continue
        if wanted is not None and len(parts) == 6 and parts[3] and not REGION.fullmatch(parts[3]):
            yield Fault(at, f"{parts[3]!r} in {shown(text)} is no region", "e.g. eu-west-1", placed, where)
            continue
        if wanted is None or len(parts) < 6 or (parts[2] == wanted.service and parts[5].startswith(wanted.resources)):
            # Marketplace and hub packages are of no account.
            if wanted is not None and wanted.service in ("kms", "sns") and len(parts) == 6 and not all(parts[3:5]):
                message = f"{shown(text)} lacks its {'account' if parts[3] else 'region'}"
                yield Fault(at, message, f"give {wanted.form}", placed, where, Severity.WARNING)
            continue
        yield Fault(at, f"{shown(text)} is no {wanted.title}", f"give {wanted.form}", placed, where)


def _arns(subject: Subject) -> Iterator[tuple[str, str, str, Placed | None, Where | None]]:
    """With the member that they stand in or, as a parameter's default, fill."""
    for at, text, placed in subject.texts:
        if text.startswith("arn:"):
            yield at.rpartition("/")[2], at, text, placed, None
    defaults = {name for name, item in subject.parameters.items() if str(item.parameter.default).startswith("arn:")}
    for placed, feed in subject.feeds if defaults else ():
        path = feed.expression.path if isinstance(feed.expression, Ref) else None
        if path is not None and path.root == "Parameters" and path.name in defaults:
            declared = subject.parameters[path.name]
            text = str(declared.parameter.default)
            yield feed.at.rpartition("/")[2], f"{declared.at}/DefaultValue", text, placed, declared.parameter.where


@dataclass(frozen=True, slots=True)
class _Form:
    """What the ARN of a member is of: ``resources`` are beginnings of its last part."""

    title: str
    form: str
    service: str
    resources: tuple[str, ...] = ("",)


_ARNS: Mapping[str, _Form] = {
    "KmsKeyId": _Form("key", "a KMS key or alias: ...:key/<id> or ...:alias/<name>", "kms", ("key/", "alias/")),
    "ModelPackageGroupName": _Form(
        "model package group", "...:model-package-group/<name>", "sagemaker", ("model-package-group/",)
    ),
    "ModelPackageName": _Form("model package", "...:model-package/<group>/<number>", "sagemaker", ("model-package",)),
    "HubContentArn": _Form(
        "content of a hub", "...:hub-content/<hub>/Model/<name>/<version>", "sagemaker", ("hub-content/",)
    ),
    "AlgorithmName": _Form("algorithm", "...:algorithm/<name>", "sagemaker", ("algorithm/",)),
    "SuccessTopic": _Form("topic", "arn:aws:sns:...", "sns"),
    "ErrorTopic": _Form("topic", "arn:aws:sns:...", "sns"),
}
