"""A version of another account or region: what is needed for it to serve here, what of that is there, and how it comes.

Nothing is copied on faith. Each archive, and each object of a model of many, goes under a name that says whose it is
and what is in it, encrypted by the key of the environment that it goes to, and is no object before its digest is the
one that was seen. An image is not moved: it is named by its digest, and whoever serves has to be let at it, or to have
a copy.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeAlias

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.models import lineage
from mlops.deploy.models.registry import Version
from mlops.deploy.pages import keys
from mlops.ir import AccountError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Digest
from mlops.ir.image_uri import EcrImage, ecr_image
from mlops.ir.placeholders import LOCAL_ACCOUNT
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_COPIED = "skopeo copy --all --preserve-digests"
_ANEW = "register what lies there as a version of its own"
_DESCRIBE = ("sagemaker:DescribeModelPackage",)
_COPY = re.compile(r"s3://[^/]+/(?:.+/)?copies/([a-z-]+)/(\d{12})/([a-z0-9-]+)/([^/]+)/(\d+)/[0-9a-f]{64}/")

_Known: TypeAlias = Mapping[str, Digest]


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
    images = [
        _image(source, source_there, account, environment, number, version, item) for item in _containers(version)
    ]
    if how == "reference":
        return Crossing((*_referenced(source, environment, number, version), *(need for need, _ in images)))
    needs = [*bucket, *key]
    copies: list[Copy] = []
    places: dict[str, str] = {}
    for container in _containers(version):
        needed, made_of, moved = _content(source, environment, version, container, recorded)
        needs += needed
        copies += made_of
        places |= moved
    needs += [need for need, _ in images]
    made = [_container(item, image, places) for item, (_, image) in zip(_containers(version), images, strict=True)]
    return Crossing(tuple(needs), tuple(dict.fromkeys(copies)), tuple(made))


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
    made = {
        **{key: told[key] for key in ("ContainerHostname", "Environment") if told.get(key)},
        "Image": image,
        **({"ModelDataUrl": places.get(uri, uri)} if uri else {}),
    }
    if told.get("ModelDataSource"):
        made["ModelDataSource"] = _moved(told["ModelDataSource"], places)
    if told.get("AdditionalModelDataSources"):
        made["AdditionalModelDataSources"] = [_moved(item, places) for item in told["AdditionalModelDataSources"]]
    return made


def _moved(told: Mapping[str, Any], places: Mapping[str, str]) -> Mapping[str, Any]:
    """A data source, or one of a channel; what the service noted of the original is not said of its copy."""
    source = {key: value for key, value in told["S3DataSource"].items() if key not in ("ETag", "ManifestEtag")}
    uri = str(source["S3Uri"])
    return {**told, "S3DataSource": {**source, "S3Uri": places.get(uri, uri)}}


def _data(container: Mapping[str, Any]) -> Iterator[tuple[str, bool, str | None]]:
    """The URIs of what a container serves, whether all below one is meant, and why it cannot come, where it cannot."""
    if container.get("ModelDataUrl"):
        yield str(container["ModelDataUrl"]), str(container["ModelDataUrl"]).endswith("/"), None
    also = container.get("AdditionalModelDataSources") or ()
    for told in (container.get("ModelDataSource"), *also):
        source = (told or {}).get("S3DataSource") or {}
        if source:
            why = "a manifest names places of its own" if source.get("ManifestS3Uri") else None
            yield str(source.get("S3Uri")), source.get("S3DataType") == "S3Prefix", why
    source = container.get("AdditionalS3DataSource")
    if source:
        yield str(source.get("S3Uri")), True, "a model of containers has no AdditionalS3DataSource"


def _content(
    source: Account, environment: Environment, version: Version, container: Mapping[str, Any], known: _Known
) -> tuple[list[Need], list[Copy], dict[str, str]]:
    """What is needed for a container's data, how they are copied, and their new places by the old ones."""
    needs: list[Need] = []
    copies: list[Copy] = []
    places: dict[str, str] = {}
    for uri, is_folder, why in _data(container):
        what = f"s3:GetObject on {uri} by whoever promotes"
        if why is not None:
            needs.append(Need(what, False, f"{why}, and is not copied", 'write artefacts = "reference"'))
            continue
        try:
            found = (_folder if is_folder else _archive)(source, environment, version, uri, known)
        except AccountError as error:
            found = Need(what, False, error.message, "with a KMS key also kms:Decrypt"), (), ""
        need, made, place = found
        needs.append(need)
        copies += made
        places[uri] = place
    return needs, copies, places


def _archive(
    source: Account, environment: Environment, version: Version, uri: str, recorded: _Known
) -> tuple[Need, tuple[Copy, ...], str]:
    what = f"s3:GetObject on {uri} by whoever promotes"
    there = lineage.content(source, uri)
    if there.sha256 is None or there.size is None:
        return Need(what, False, "nothing lies there"), (), ""
    known = recorded.get(uri)
    if known is not None and known.sha256 not in (None, there.sha256):
        why = f"it has the SHA-256 {there.sha256}, and {known.sha256} was registered"
        return Need(what, False, why, _ANEW), (), ""
    target = _target(environment, version, there.sha256, uri.rpartition("/")[2])
    copy = Copy(uri, target, there.sha256, there.size)
    return Need(what, True, f"{there.size} bytes, SHA-256 {there.sha256}"), (copy,), target


def _folder(
    source: Account, environment: Environment, version: Version, uri: str, recorded: _Known
) -> tuple[Need, tuple[Copy, ...], str]:
    """Object by object, each with its digest, below a name of all of them."""
    what = f"s3:ListBucket and s3:GetObject on all below {uri} by whoever promotes"
    bucket, prefix = split_uri(uri)
    # Where a prefix ends inside of a name, the service takes all that begin so.
    front = prefix if prefix.endswith("/") or not prefix else prefix[: prefix.rfind("/") + 1]
    with answers():
        listed = keys(source.client("s3"), bucket, prefix)
    if not listed:
        return Need(what, False, "nothing lies there"), (), ""
    known = recorded.get(uri)
    if known is not None and known.etag is not None:
        now = lineage.content(source, uri, whole=False)
        if now.etag not in (None, known.etag):
            return Need(what, False, "its files have other ETags than those that were registered", _ANEW), (), ""
    contents = {key.removeprefix(front): lineage.content(source, f"s3://{bucket}/{key}") for key in listed}
    gone = [name for name, item in contents.items() if item.sha256 is None]
    if gone:
        return Need(what, False, f"{', '.join(gone[:5])} went away meanwhile"), (), ""
    digests = {name: item.sha256 for name, item in contents.items()}
    together = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()
    copies = tuple(
        Copy(item.uri, _target(environment, version, together, name), str(item.sha256), int(item.size or 0))
        for name, item in contents.items()
    )
    told = f"{len(copies)} objects of {sum(copy.size for copy in copies)} bytes, SHA-256 of all {together}"
    return Need(what, True, told), copies, _target(environment, version, together, prefix.removeprefix(front))


def _target(environment: Environment, version: Version, digest: str, name: str) -> str:
    partition, region, owner = _parts(version.arn)
    above = environment.uri("copies", partition, owner, region, version.group, str(version.number), digest)
    return f"{above}/{name}"


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
    source_there: Account,
    account: Account,
    environment: Environment,
    number: str,
    version: Version,
    container: Mapping[str, Any],
) -> tuple[Need, str]:
    """With the URI by which it is named: by digest where one is known. Layers are not copied: where the image can
    serve from where it lies it is named there, else a copy in the account's own registry is looked for by the digest,
    and how one is made is told."""
    uri = str(container.get("Image") or "")
    what = f"{', '.join(_PULL)} on {uri} by {environment.role}"
    image = ecr_image(uri)
    if image is None:
        own = f"{number}.dkr.ecr.{environment.region}.amazonaws.com/{_plain(uri)}"
        hint = f"`{_COPIED} docker://{uri} docker://{own}`, and register the version with that image"
        return Need(what, False, "it is in no registry of ECR", hint), uri
    digest = container.get("ImageDigest") or image.digest
    _, region, owner = _parts(version.arn)
    try:
        if image.account == number and image.region == environment.region:
            digest = digest or _digest(account, image)
            there = digest is not None
            return Need(what, there, "it is the account's own" if there else "there is no such image"), _by(uri, digest)
        if image.account == owner and image.region in (region, environment.region):
            digest = digest or _digest(source_there if image.region == environment.region else source, image)
        need = None
        if image.region != environment.region:
            need = Need(what, False, f"it is in {image.region}, and models there take images of their region")
        elif image.account == owner:
            need = _shared(source_there, image, number, what)
        if need is None or need.there:
            return need or Need(what, True, f"it is of {image.account}, which is not asked"), _by(uri, digest)
        return _mirrored(account, environment, number, image, uri, digest, need)
    except AccountError as error:
        return Need(what, False, error.message), uri


def _mirrored(
    account: Account,
    environment: Environment,
    number: str,
    image: EcrImage,
    uri: str,
    digest: Any,
    need: Need,
) -> tuple[Need, str]:
    """Of an image that cannot serve from where it lies."""
    own = re.sub(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+", f"{number}.dkr.ecr.{environment.region}", uri)
    if digest is None:
        hint = (
            f"its digest is not known, so no copy of it is: register the version with an image of {environment.region}"
        )
        return replace(need, hint="; ".join(filter(None, (need.hint, hint)))), uri
    here = replace(image, account=number, region=environment.region, tag=None, digest=str(digest))
    if _digest(account, here) == digest:
        what = f"{', '.join(_PULL)} on {_by(own, digest)} by {environment.role}"
        return Need(what, True, f"the account's own copy of {uri}, by its digest"), _by(own, digest)
    tagged = own if image.tag else f"{_by(own, None)}:{str(digest).removeprefix('sha256:')[:12]}"
    copy = f"`{_COPIED} docker://{_by(uri, digest)} docker://{tagged.partition('@')[0]}`"
    make = ""
    with answers():
        asked = partial(account.client("ecr").describe_repositories, registryId=number)
        if unless_missing(partial(asked, repositoryNames=[image.repository])) is None:
            make = (
                f"`aws ecr create-repository --repository-name {image.repository} --region {environment.region}`, then "
            )
    hint = f"{make}{copy} copies it with its layers to {number}, where it is found by its digest"
    return replace(need, hint=f"{need.hint}; or {hint}" if need.hint else hint), uri


def _plain(uri: str) -> str:
    """Repository and tag of an image in another registry."""
    first, slash, rest = uri.partition("/")
    return (rest if slash and re.search(r"[.:]|^localhost$", first) else uri).partition("@")[0]


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
    policy = str(reply["policyText"]) if reply is not None else "{}"
    lacking = [action for action in _PULL if not allows(policy, number, (action,))]
    if not lacking:
        return Need(what, True, f"its policy lets {number} pull")
    found = "the repository has no policy" if reply is None else f"its policy does not let {number} {_and(lacking)}"
    let = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{number}:root"}, "Action": lacking}
    hint = f"let arn:aws:iam::{number}:root {_and(lacking)} in the policy of the repository {image.repository}"
    return Need(what, False, found, f"{hint}: {json.dumps(let)}")


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)


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
