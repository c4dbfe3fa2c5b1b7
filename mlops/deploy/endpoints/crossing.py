"""A version of another account or region: what is needed for it to serve here, what of that is there, and how it comes.

Nothing is copied on faith. Each archive goes under a name that says whose it is and what is in it, encrypted by the key
of the environment that it goes to, and is no object before its digest is the one that was recorded. An image is not
moved: it is named by its digest, and whoever serves has to be let at it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.models import lineage
from mlops.deploy.models.registry import Version
from mlops.ir import AccountError, Refusal
from mlops.ir.gate import Digest
from mlops.ir.image_uri import EcrImage, ecr_image
from mlops.ir.placeholders import LOCAL_ACCOUNT
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_DESCRIBE = ("sagemaker:DescribeModelPackage",)
_COPY = re.compile(r"s3://[^/]+/(?:.+/)?copies/([a-z-]+)/(\d{12})/([a-z0-9-]+)/([^/]+)/(\d+)/[0-9a-f]{64}/")


@dataclass(frozen=True, slots=True)
class Need:
    """``there`` is whether it is; ``found`` says what was found, and ``hint`` how to come by it."""

    what: str
    there: bool
    found: str
    hint: str = ""

    @property
    def told(self) -> str:
        return f"needs {self.what}: {'' if self.there else 'is not there, '}{self.found}"


@dataclass(frozen=True, slots=True)
class Copy:
    source: str
    target: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """``containers`` are what a model is made of in place of the package's ARN; none where that is named."""

    needs: tuple[Need, ...]
    copies: tuple[Copy, ...] = ()
    containers: tuple[Mapping[str, Any], ...] = ()


def crosses(version: Version, number: str, environment: Environment) -> bool:
    """``number`` is that of the environment's account."""
    _, region, account = _parts(version.arn)
    return (account, region) != (number, environment.region)


def see(
    source: Account,
    source_there: Account,
    account: Account,
    environment: Environment,
    number: str,
    version: Version,
    how: Literal["copy", "reference"],
    recorded: Mapping[str, Digest],
) -> Crossing:
    """``source`` holds the version, ``source_there`` is the same account in the region that it goes to; ``recorded``
    are digests of its archives by URI, ``number`` is that of ``account``. Raises Refusal for what can be nowhere
    else."""
    told = f"version {version.number} of {version.group}"
    _, _, owner = _parts(version.arn)
    if owner == LOCAL_ACCOUNT:
        raise Refusal(
            f"{told} is of the local account, and {version.arn} is nothing in {number}; nothing was made",
            hint=f"upsert the pipeline to {environment.name}, start it there, and promote what that registers",
        )
    bucket = _bucket(account, environment)
    key = _key(account, environment)
    images = [_image(source_there, account, environment, number, version, item) for item in _containers(version)]
    if how == "reference":
        return Crossing((*_referenced(source, environment, number, version), *(need for need, _ in images)))
    needs = [*bucket, *key]
    copies: list[Copy] = []
    for uri in lineage.artefact_uris(version):
        need, copy = _archive(source, environment, version, uri, recorded)
        needs.append(need)
        copies += [copy] if copy is not None else []
    needs += [need for need, _ in images]
    places = {copy.source: copy.target for copy in copies}
    made = [_container(item, image, places) for item, (_, image) in zip(_containers(version), images, strict=True)]
    return Crossing(tuple(needs), tuple(copies), tuple(made))


def need_all(crossing: Crossing, version: Version, environment: Environment) -> None:
    """Raises Refusal that names each that is missing."""
    missing = [need for need in crossing.needs if not need.there]
    if missing:
        hints = "; ".join(dict.fromkeys(need.hint for need in missing if need.hint))
        raise Refusal(
            f"version {version.number} of {version.group} cannot serve in {environment.name}; nothing was made\n"
            + "\n".join(f"  {need.told}" for need in missing),
            hint=hints or None,
        )


def arn_of_copy(uri: str) -> str | None:
    """The version that an archive was copied of; None for what is no copy.

    >>> digest = "0a" * 32
    >>> arn_of_copy(f"s3://b/mlops/copies/aws/111122223333/eu-west-1/churn/3/{digest}/model.tar.gz")
    'arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/3'
    """
    found = _COPY.match(uri)
    if found is None:
        return None
    partition, account, region, group, number = found.groups()
    return f"arn:{partition}:sagemaker:{region}:{account}:model-package/{group}/{number}"


def _parts(arn: str) -> tuple[str, str, str]:
    _, partition, _, region, account, *_ = arn.split(":")
    return partition, region, account


def _containers(version: Version) -> Sequence[Mapping[str, Any]]:
    return (version.details.get("InferenceSpecification") or {}).get("Containers") or ()


def _container(told: Mapping[str, Any], image: str, places: Mapping[str, str]) -> Mapping[str, Any]:
    uri = str(told.get("ModelDataUrl") or "")
    return {
        **{key: told[key] for key in ("ContainerHostname", "Environment") if told.get(key)},
        "Image": image,
        **({"ModelDataUrl": places.get(uri, uri)} if uri else {}),
    }


def _archive(
    source: Account, environment: Environment, version: Version, uri: str, recorded: Mapping[str, Digest]
) -> tuple[Need, Copy | None]:
    what = f"s3:GetObject on {uri} by whoever promotes"
    if uri.endswith("/"):
        return Need(what, False, "a model of many objects is not copied", "register a model.tar.gz"), None
    try:
        there = lineage.content(source, uri)
    except AccountError as error:
        return Need(what, False, error.message, "with a KMS key also kms:Decrypt"), None
    if there.sha256 is None or there.size is None:
        return Need(what, False, "nothing lies there"), None
    known = recorded.get(uri)
    if known is not None and known.sha256 not in (None, there.sha256):
        why = f"it has the SHA-256 {there.sha256}, and {known.sha256} was registered"
        return Need(what, False, why, "register what lies there as a version of its own"), None
    partition, region, owner = _parts(version.arn)
    name = uri.rpartition("/")[2]
    target = environment.uri("copies", partition, owner, region, version.group, str(version.number), there.sha256, name)
    return Need(what, True, f"{there.size} bytes, SHA-256 {there.sha256}"), Copy(uri, target, there.sha256, there.size)


def _bucket(account: Account, environment: Environment) -> Iterator[Need]:
    what = f"the bucket {environment.bucket} in {environment.region}"
    try:
        with answers():
            reply = unless_missing(lambda: account.client("s3").head_bucket(Bucket=environment.bucket))
    except AccountError as error:
        yield Need(what, False, error.message)
        return
    if reply is None:
        yield Need(what, False, "there is no such bucket", "make it, or correct `bucket` in mlops.toml")
        return
    headers = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = reply.get("BucketRegion") or headers.get("x-amz-bucket-region") or environment.region
    hint = f"models of {environment.region} read archives of that region only"
    yield Need(what, region == environment.region, f"it is in {region}", hint)


def _key(account: Account, environment: Environment) -> Iterator[Need]:
    if not environment.kms_key:
        return
    what = f"kms:GenerateDataKey and kms:Decrypt on {environment.kms_key}"
    try:
        with answers():
            described = partial(account.client("kms").describe_key, KeyId=environment.kms_key)
            reply = unless_missing(described)
    except AccountError as error:
        yield Need(what, False, error.message)
        return
    state = "not there" if reply is None else str(reply["KeyMetadata"].get("KeyState", "Enabled"))
    yield Need(what, state == "Enabled", f"the key is {state}", "correct `kms_key` in mlops.toml")


def _image(
    source: Account,
    account: Account,
    environment: Environment,
    number: str,
    version: Version,
    container: Mapping[str, Any],
) -> tuple[Need, str]:
    """With the URI by which it is named: by digest where one is known."""
    uri = str(container.get("Image") or "")
    what = f"{', '.join(_PULL)} on {uri} by {environment.role}"
    image = ecr_image(uri)
    if image is None:
        return Need(what, False, "it is in no registry of ECR", "push it to one"), uri
    if image.region != environment.region:
        hint = f"replicate {image.repository} to {environment.region}, and register the version with that image"
        return Need(what, False, f"it is in {image.region}, and models there take images of their region", hint), uri
    digest = container.get("ImageDigest") or image.digest
    _, _, owner = _parts(version.arn)
    try:
        if image.account == number:
            digest = digest or _digest(account, image)
            there = digest is not None
            return Need(what, there, "it is the account's own" if there else "there is no such image"), _by(uri, digest)
        if image.account == owner:
            digest = digest or _digest(source, image)
            return _shared(source, image, number, what), _by(uri, digest)
    except AccountError as error:
        return Need(what, False, error.message), uri
    return Need(what, True, f"it is of {image.account}, which is not asked"), _by(uri, digest)


def _digest(account: Account, image: EcrImage) -> str | None:
    with answers():
        asked = partial(
            account.client("ecr").describe_images,
            registryId=image.account,
            repositoryName=image.repository,
            imageIds=[image.id],
        )
        found = (unless_missing(asked) or {}).get("imageDetails") or [{}]
    digest = found[0].get("imageDigest")
    return None if digest is None else str(digest)


def _by(uri: str, digest: Any) -> str:
    return uri if digest is None else f"{re.sub(r'(:[^/:@]+)?(@sha256:[0-9a-f]+)?$', '', uri)}@{digest}"


def _shared(source: Account, image: EcrImage, number: str, what: str) -> Need:
    with answers():
        asked = partial(
            source.client("ecr").get_repository_policy, registryId=image.account, repositoryName=image.repository
        )
        reply = unless_missing(asked)
    hint = f"let arn:aws:iam::{number}:root {' and '.join(_PULL)} in the policy of the repository {image.repository}"
    if reply is None:
        return Need(what, False, "the repository has no policy", hint)
    there = allows(str(reply["policyText"]), number, _PULL)
    return Need(what, there, f"its policy {'lets' if there else 'does not let'} {number} pull", hint)


def _referenced(source: Account, environment: Environment, number: str, version: Version) -> Iterator[Need]:
    """A model is made of the ARN of a package: that works within a region, where its group lets the other account."""
    _, region, _ = _parts(version.arn)
    what = f"{', '.join(_DESCRIBE)} on {version.arn} by {number}"
    if region != environment.region:
        yield Need(
            what, False, f"the package is of {region}, and a model of {environment.region}", 'artefacts = "copy"'
        )
        return
    with answers():
        asked = partial(source.client("sagemaker").get_model_package_group_policy, ModelPackageGroupName=version.group)
        reply = _policy(asked)
    hint = f'let arn:aws:iam::{number}:root in a policy of the group {version.group}, or write artefacts = "copy"'
    if reply is None:
        yield Need(what, False, "the group has no policy", hint)
    else:
        there = allows(str(reply.get("ResourcePolicy")), number, _DESCRIBE)
        yield Need(what, there, f"the group's policy {'lets' if there else 'does not let'} {number}", hint)
    for uri in lineage.artefact_uris(version):
        bucket, _ = split_uri(uri)
        reply = _policy(partial(source.client("s3").get_bucket_policy, Bucket=bucket))
        there = reply is not None and allows(str(reply["Policy"]), number, ("s3:GetObject",))
        found = "it has no policy" if reply is None else f"its policy {'lets' if there else 'does not let'} {number}"
        yield Need(f"s3:GetObject on {uri} by {environment.role}", there, found, f"a policy of the bucket {bucket}")


def _policy(ask: Any) -> Mapping[str, Any] | None:
    with answers():
        found: Mapping[str, Any] | None = unless_missing(ask)
    return found


def allows(policy: str, number: str, actions: Sequence[str]) -> bool:
    """Whether a resource policy lets an account do all of these. Conditions are not judged: what has one counts as yes,
    except for a statement that denies.

    >>> statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "ecr:Batch*"}
    >>> allows(json.dumps({"Statement": statement}), "111122223333", ["ecr:BatchGetImage"])
    True
    >>> allows(json.dumps({"Statement": statement}), "444455556666", ["ecr:BatchGetImage"])
    False
    """
    try:
        told = json.loads(policy).get("Statement") or []
    except (ValueError, AttributeError):
        return False
    statements = [told] if isinstance(told, Mapping) else [item for item in told if isinstance(item, Mapping)]

    def speaks(statement: Mapping[str, Any], action: str) -> bool:
        named = statement.get("Action") or []
        patterns = [named] if isinstance(named, str) else named
        return _is_meant(statement.get("Principal"), number) and any(
            re.fullmatch(re.escape(str(item)).replace(r"\*", ".*").replace(r"\?", "."), action, re.IGNORECASE)
            for item in patterns
        )

    def allowed(action: str) -> bool:
        spoken = [item for item in statements if speaks(item, action)]
        denied = any(item.get("Effect") == "Deny" and not item.get("Condition") for item in spoken)
        return not denied and any(item.get("Effect") == "Allow" for item in spoken)

    return all(map(allowed, actions))


def _is_meant(principal: Any, number: str) -> bool:
    if isinstance(principal, Mapping):
        principal = principal.get("AWS") or []
    listed = [principal] if isinstance(principal, str) else principal or []
    return any(item in ("*", number) or re.match(rf"arn:aws[a-z-]*:iam::{number}:", str(item)) for item in listed)
