"""Images, ARNs and buckets: whether they are what they claim, and whether they are all in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from mlops.check import expressions
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, Placed, Ref, Severity, Where
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.placeholders import LOCAL_ACCOUNT
from mlops.ir.s3_uri import default_bucket_region, split_uri

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(-fips)?[.-](?P<region>[a-z0-9-]+)\.(?P<suffix>amazonaws\.com(\.cn)?|on\.aws|[a-z.]+)"
    r"/(?P<repository>[^:@]*)(:(?P<tag>[^@]*))?(@(?P<digest>.*))?"
)
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z\-]*):(?P<service>[a-z0-9\-]+):(?P<region>[a-z0-9\-]*):(?P<account>\d{12})?:(?P<rest>.+)"
)
_QUEUE = re.compile(r"https://sqs\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<account>\d{12})/.+")
REGION = re.compile(
    r"(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov|us-iso[bef]?|eu-isoe|eusc-[a-z]{2})"
    r"-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE_MEMBERS = ("TrainingImage", "ImageUri", "Image", "RuleEvaluatorImage")


@dataclass(frozen=True, slots=True)
class _Found:
    """A text that says where it belongs. ``kind`` is image, role, key, function, bucket, package, queue, tracking or
    other."""

    at: str
    text: str
    kind: str
    placed: Placed | None
    region: str | None = None
    account: str | None = None
    partition: str | None = None
    where: Where | None = None


_LET_IN = "/Principal/"
"""Where a policy says whom it lets in, who may be of any account."""


def _literals(subject: Subject) -> Iterator[tuple[str, str, Placed | None, Where | None]]:
    for at, text, placed in subject.texts:
        yield at, text, placed, None
    for declared in subject.parameters.values():
        if isinstance(declared.parameter.default, str):
            yield f"{declared.at}/DefaultValue", declared.parameter.default, None, declared.parameter.where
    for placed, feed in subject.feeds:
        joined = expressions.fold(subject, feed.expression) if isinstance(feed.expression, Join) else None
        if joined is not None:
            yield feed.at, joined, placed, None


@lru_cache(maxsize=1)
def _found(subject: Subject) -> tuple[_Found, ...]:
    """Worked out once for the rules below."""
    return tuple(_find(subject))


def _find(subject: Subject) -> Iterator[_Found]:
    for at, text, placed, where in _literals(subject):
        if len(text) > 2048 or "/Std:Join/" in at:
            continue
        if not text.startswith(("arn:", "https://sqs.", "s3://sagemaker-")) and ".dkr" not in text:
            continue  # most texts, spared the matching
        if match := _ECR.fullmatch(text):
            partition = "aws-cn" if match["suffix"].endswith(".cn") else None
            yield _Found(at, text, "image", placed, match["region"], None, partition, where)
        elif match := _ARN.fullmatch(text):
            kind = {"iam": "role", "kms": "key", "sqs": "queue"}.get(match["service"], "other")
            if kind == "role" and (_LET_IN in at or not match["rest"].startswith("role")):
                kind = "other"
            kind = "package" if match["rest"].startswith("model-package") else kind
            kind = "tracking" if match["rest"].startswith("mlflow") else kind
            kind = "function" if match["service"] == "lambda" and at.endswith("/FunctionArn") else kind
            account = match["account"] if kind in ("role", "function") else None
            yield _Found(at, text, kind, placed, match["region"] or None, account, match["partition"], where)
        elif match := _QUEUE.fullmatch(text):
            yield _Found(at, text, "queue", placed, match["region"], None, None, where)
        elif text.startswith("s3://") and (region := default_bucket_region(split_uri(text)[0])):
            yield _Found(at, text, "bucket", placed, region, None, None, where)


def _partition(region: str) -> str:
    """
    >>> _partition("cn-north-1"), _partition("us-gov-west-1"), _partition("us-iso-east-1"), _partition("eu-west-1")
    ('aws-cn', 'aws-us-gov', 'aws-iso', 'aws')
    """
    begins = {
        "cn-": "aws-cn",
        "us-gov-": "aws-us-gov",
        "us-iso-": "aws-iso",
        "us-isob-": "aws-iso-b",
        "eusc-": "aws-eusc",
    }
    return next((partition for start, partition in begins.items() if region.startswith(start)), "aws")


def _majority(values: list[str]) -> str | None:
    """What clearly most say; None where two say it equally often."""
    ranked = Counter(values).most_common(2)
    if len(ranked) < 2 or ranked[0][1] == ranked[1][1]:
        return None
    return ranked[0][0]


@rule(
    "X810",
    "another-region",
    Severity.ERROR,
    source="'Cross region ECR image pulls are not allowed'; KMS keys are regional; Lambda: 'Functions from ... are not "
    "reachable in this region'",
)
def another_region(subject: Subject) -> Iterator[Fault]:
    """An image, a key or a step's function is in another region than most of the document. For buckets, packages,
    queues and other resources, which may work across regions, this is a warning.

    Bad:  an image in us-west-2, everything else in eu-west-1
    Good: the same image in eu-west-1
    """
    found = [item for item in _found(subject) if item.region is not None and item.region != "aws"]
    usual = _majority([item.region for item in found if item.region])
    regional = {item.region for item in found if item.kind in ("image", "key", "function")}
    for item in found:
        if usual is not None and item.region != usual and (item.kind != "key" or REGION.fullmatch(item.region or "")):
            message = f"{shown(item.text)} is in {item.region}, most of the pipeline in {usual}"
            # Packages and buckets of elsewhere say nothing of where a function belongs.
            is_sure = item.kind in ("image", "key") or (item.kind == "function" and usual in regional)
            severity = None if is_sure else Severity.WARNING
            yield Fault(item.at, message, f"use the one of {usual}", item.placed, item.where, severity)
    if usual is None:
        yield from _apart(found)
    regions = {item.region for item in found}
    for at, text, placed in subject.texts if len(regions) == 1 else ():
        if at.endswith("/Environment/SAGEMAKER_REGION") and text not in regions:
            message = f"the container is told {shown(text)}, and the pipeline is in {found[0].region}"
            yield Fault(at, message, f"write {found[0].region}", placed, None, Severity.WARNING)


def _apart(found: Sequence[_Found]) -> Iterator[Fault]:
    """Images and keys of steps that are in two regions, where no region is most of the document's."""
    bound = [item for item in found if item.kind in ("image", "key") and item.placed is not None]
    for item in bound:
        if item.region != bound[0].region:
            message = f"{shown(item.text)} is in {item.region}, and {shown(bound[0].text)} in {bound[0].region}"
            yield Fault(item.at, message, "name both of the pipeline's region", item.placed, item.where)


@rule("X811", "another-account", Severity.ERROR, source="the service passes a role to jobs of its own account only")
def another_account(subject: Subject) -> Iterator[Fault]:
    """A role that a job is given is of another account than the others, or without a name; or (a warning) it is a
    service-linked one, which a service takes for itself and no job can be given; or a function, or a role that a job is
    told of and takes on by itself, is of another account.

    Bad:  "RoleArn" of 111122223333 in three steps and of 999999999999 in one
    Good: one account
    """
    # The local account stands for any, so what is run or checked here may name things of a real one.
    roles = [item for item in _found(subject) if item.kind == "role" and item.account not in (None, LOCAL_ACCOUNT)]
    everywhere = [
        match["account"]
        for at, text, _, _ in _literals(subject)
        if text.startswith("arn:")
        and _LET_IN not in at
        and len(text) <= 2048
        and (match := _ARN.fullmatch(text))
        and match["account"] not in (None, LOCAL_ACCOUNT)
        # Registries are shared between accounts.
        and not match["rest"].startswith("model-package")
    ]
    given = _given_roles(subject)
    passed = [item for item in roles if item.at in given]
    usual = _majority(everywhere) or _majority([item.account for item in passed if item.account])
    said = f"most of the pipeline of {usual}"
    if usual is None and passed:
        roles, usual, said = passed, passed[0].account, f"that of {passed[0].at} of {passed[0].account}"
    for item in _found(subject) if usual is not None else ():
        if item.kind == "function" and item.account not in (None, usual):
            message = f"the function is of account {item.account}, most of the pipeline of {usual}"
            help_text = f"use one of {usual}, or see that its policy lets the pipeline's role in"
            yield Fault(item.at, message, help_text, item.placed, item.where, Severity.WARNING)
    for item in roles:
        if item.text.endswith("/"):
            yield Fault(item.at, f"{shown(item.text)} names no role", "give its name", item.placed, item.where)
        if ":role/aws-service-role/" in item.text:
            message = "a service-linked role is the service's own, and no job can be given it"
            help_text = "use a role that sagemaker.amazonaws.com may assume"
            yield Fault(item.at, message, help_text, item.placed, item.where, Severity.WARNING)
        if usual is not None and item.account != usual:
            message = f"the role is of account {item.account}, {said}"
            severity = None if item in passed and any(other.account == usual for other in passed) else Severity.WARNING
            yield Fault(item.at, message, f"use a role of {usual}", item.placed, item.where, severity)


def _given_roles(subject: Subject) -> frozenset[str]:
    """Places of the roles that the service passes to jobs, and of the defaults of parameters that fill such places."""
    written = {at for at, _, placed in subject.texts if placed is not None and _is_given(at, placed)}
    filled = {
        f"{subject.parameters[path.name].at}/DefaultValue"
        for placed, feed in subject.feeds
        if _is_given(feed.at, placed)
        and (path := feed.expression.path if isinstance(feed.expression, Ref) else None) is not None
        and path.root == "Parameters"
        and path.name in subject.parameters
    }
    return frozenset(written | filled)


def _is_given(at: str, placed: Placed) -> bool:
    """Arguments of Lambda and Callback steps are the author's own words."""
    return at.endswith("RoleArn") and placed.step.type not in ("Lambda", "Callback")


@rule("X812", "another-partition", Severity.ERROR, source="AWS partitions do not reach each other")
def another_partition(subject: Subject) -> Iterator[Fault]:
    """An ARN or a registry of another partition (aws, aws-cn, aws-us-gov) than the rest; or a registry host whose
    suffix does not go with its region.

    Bad:  "111122223333.dkr.ecr.us-east-1.amazonaws.com.cn/fit:1"
    Good: "111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1"
    """
    found = [item for item in _found(subject) if item.region != "aws"]
    said = [item.partition or _partition(item.region or "") for item in found if item.partition or item.region]
    usual = _majority(said) or (said[0] if len(set(said)) > 1 else None)
    for item in found:
        if item.region and item.kind == "image":
            china = item.region.startswith("cn-")
            if china != (item.partition == "aws-cn"):
                message = f"{shown(item.text)}: the host does not go with its region"
                yield Fault(item.at, message, "a region of China has .amazonaws.com.cn, others have not", item.placed)
        elif item.partition and item.region and item.partition != (theirs := _partition(item.region)):
            message = f"{shown(item.text)}: {item.region} is of partition {theirs}"
            yield Fault(item.at, message, f"write arn:{theirs}:", item.placed, item.where)
        elif item.partition and usual is not None and item.partition != usual:
            message = f"{shown(item.text)} is of partition {item.partition}, the rest of {usual}"
            yield Fault(item.at, message, f"name the one of {usual}", item.placed, item.where)


@rule(
    "X813",
    "image-uri",
    Severity.ERROR,
    source="'Please provide a valid Amazon Elastic Container Registry path of the Docker image to run'",
)
def image_uri(subject: Subject) -> Iterator[Fault]:
    """An image is not in ECR, has no repository, or is in a region that does not exist. A model's container may take
    one of a private registry inside a VPC. A repository in upper case is a warning.

    Bad:  "TrainingImage": "python:3.11"
    Good: "TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/python:3.11"
    """
    for at, text, placed, where in _images(subject):
        match = _ECR.fullmatch(text)
        if match is None or not match["suffix"].startswith(("amazonaws.com", "on.aws", "c2s.", "sc2s.", "cloud.")):
            yield Fault(
                at,
                f"{shown(text)} is no ECR image",
                "<account>.dkr.ecr.<region>.amazonaws.com/<name>:<tag>",
                placed,
                where,
            )
        elif not match["repository"]:
            yield Fault(at, f"{shown(text)} has no repository", None, placed, where)
        elif not REGION.fullmatch(match["region"]):
            yield Fault(at, f"{match['region']!r} is no region", None, placed, where)
        elif (match["tag"] is not None and not _TAG.fullmatch(match["tag"])) or (
            match["digest"] is not None and not _DIGEST.fullmatch(match["digest"])
        ):
            what = "tag" if match["tag"] is not None and not _TAG.fullmatch(match["tag"]) else "digest"
            message = f"{what} {shown(match[what])} of the image is none"
            help_text = "e.g. :1.4" if what == "tag" else "@sha256: and 64 hexadecimal digits"
            yield Fault(at, message, help_text, placed, where)
        elif match["repository"] != match["repository"].lower():
            message = f"repository {match['repository']!r} has upper case letters, ECR has none"
            yield Fault(at, message, "use lower case", placed, where, Severity.WARNING)


def _images(subject: Subject) -> Iterator[tuple[str, str, Placed, Where | None]]:
    for placed in subject.placed:
        if not subject.type_of(placed.step):
            continue
        stack = [(f"{placed.pointer}/Arguments", placed.step.arguments)]
        while stack:
            at, value = stack.pop()
            if isinstance(value, tuple):
                stack.extend((f"{at}/{index}", item) for index, item in enumerate(value))
            elif isinstance(value, Mapping):
                for name, item in value.items():
                    if name in ("Environment", "HyperParameters", "StaticHyperParameters", "Tags"):
                        continue
                    if name in _IMAGE_MEMBERS:
                        if "Vpc" in (
                            get(value, "ImageConfig", "RepositoryAccessMode"),
                            get(value, "TrainingImageConfig", "TrainingRepositoryAccessMode"),
                        ):
                            continue  # a private registry
                        if placed.step.type in ("Lambda", "Callback", "EMR", "EMRServerless", "Job"):
                            continue
                        text = expressions.fold(subject, item)
                        if text is not None and isinstance(item, str | Join):
                            yield f"{at}/{name}", text, placed, None
                        elif text and isinstance(item, Ref) and item.path is not None:
                            declared = subject.parameters[item.path.name]
                            yield f"{declared.at}/DefaultValue", text, placed, declared.parameter.where
                    elif isinstance(item, tuple | dict):
                        stack.append((f"{at}/{name}", item))


_BUCKET = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
"""Of names that are reserved only those that nobody can have: aliases of access points stand for buckets."""
_HOST = re.compile(r"(?P<bucket>.+)\.s3([.-][a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
_ADDRESS = re.compile(r"\d+(\.\d+){3}")
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|\$\{.*\}|<[A-Za-z_ -]+>|\{[A-Za-z_]*\}|%\(\w+\)s")


@rule("X820", "s3-uri", Severity.WARNING, source="S3 naming rules; botocore's S3Uri pattern")
def s3_uri(subject: Subject) -> Iterator[Fault]:
    """An S3 URI with a double slash, a star, an impossible bucket name, a host in the place of the bucket or a
    placeholder that nothing filled in; or an https URL in its place. A bucket with a blank or a colon, and the end
    of a line, are errors; what has the form of no URI at all, one of another rule.

    Bad:  "s3://acme//train", "s3://{{ bucket }}/train"
    Good: "s3://acme/train"
    """
    told: set[str] = set()
    for at, value, placed in subject.uris:
        known, owner = expressions.fold(subject, value), None
        whole = known is not None
        if whole and isinstance(value, Ref) and value.path is not None:
            declared = subject.parameters[value.path.name]
            if declared.at in told or not (known or "").startswith("s3://"):
                continue
            told.add(declared.at)
            at, owner = f"{declared.at}/DefaultValue", declared.parameter.where
        text = known if known is not None else expressions.head(subject, value)
        if text.startswith("https://"):
            help_text = "write s3://<bucket>/<key>"
            yield Fault(at, f"{shown(text)} is no S3 URI", help_text, placed)
        if not text.startswith("s3://"):
            continue
        bucket, slash, key = text[5:].partition("/")
        if "?versionId=" in text:
            yield Fault(at, f"{shown(text)} asks for a version, which is part of the key here", None, placed, owner)
        elif text != text.strip() or "*" in text:
            severity = Severity.ERROR if "\n" in text else None
            message = f"{shown(text)} is taken as it is, blanks and stars too"
            yield Fault(at, message, "write a URI without them", placed, owner, severity)
        elif _PLACEHOLDER.search(text):
            yield Fault(at, f"{shown(text)} has a placeholder", "fill it in", placed, owner)
        elif host := _HOST.fullmatch(bucket):
            yield Fault(at, f"{shown(bucket)} is a host, no bucket", f"write {host['bucket']}", placed, owner)
        elif (
            (slash or whole)
            and bucket
            and (".." in bucket or not _BUCKET.fullmatch(bucket) or _ADDRESS.fullmatch(bucket))
            and not bucket.startswith("arn:")
        ):
            # Old buckets have capital letters; this one is Python's, of a variable that nobody set.
            is_none = bucket == "None" or any(letter.isspace() or letter == ":" for letter in bucket)
            severity = Severity.ERROR if is_none else None
            message, help_text = f"{shown(bucket)} is no bucket name", "small letters, digits, - and ."
            yield Fault(at, message, help_text, placed, owner, severity)
        elif "s3://" in key:
            message = f"{shown(text)} has a URI inside of a URI"
            yield Fault(at, message, "join the key to the URI, without another s3://", placed, owner)
        elif "//" in f"/{key}" and slash:
            help_text = "S3 takes // as a folder without a name"
            yield Fault(at, f"{shown(text)} has a double slash", help_text, placed, owner)
