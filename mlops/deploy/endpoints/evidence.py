"""What gates look at beyond a version's own description, asked of the accounts when a gate wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.endpoints.promotion import Wanted, coming_variant
from mlops.deploy.endpoints.sampling import samples_of
from mlops.deploy.endpoints.serving import listed
from mlops.deploy.gates.image import scan_of
from mlops.deploy.models import lineage
from mlops.deploy.models.registry import Version
from mlops.deploy.pages import items
from mlops.deploy.shifting import seeing
from mlops.ir import AccountError
from mlops.ir.gate import Digest, Fleet, Scan, Signature
from mlops.ir.image_uri import ecr_image
from mlops.project.environments import Environment

_LATE = "it was written after the version was registered, so what was registered is not known"


def registered(account: Account, environment: Environment, version: Version) -> Mapping[str, Digest]:
    """As the registry itself noted it at the registration, and as it was recorded then or later; where the two are at
    odds nobody knows."""
    found: dict[str, Digest] = {}
    for container in (version.details.get("InferenceSpecification") or {}).get("Containers") or ():
        source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
        uri = container.get("ModelDataUrl") or source.get("S3Uri")
        etag = container.get("ModelDataETag") or source.get("ETag")
        # Of a prefix nobody says what its ETag is over; a record has our own.
        if uri and etag and not str(uri).endswith("/") and source.get("S3DataType") != "S3Prefix":
            found[str(uri)] = Digest(str(etag).strip('"'))
    recorded = lineage.read(account, environment, version)
    for item in recorded.artefacts if recorded is not None else ():
        noted = found.get(item.uri)
        doubt = _LATE if item.changed else None
        if noted is not None and item.etag is not None and noted.etag != item.etag:
            doubt = "the registry noted another archive than what was recorded"
        first = noted.etag if noted is not None else item.etag
        found[item.uri] = Digest(first, item.sha256, doubt, item.size if first == item.etag else None)
    return found


def stored(account: Account, version: Version, *, whole: bool = True) -> Mapping[str, Digest]:
    """What lies there now; without ``whole`` as S3 tells it, and what may not be asked has a ``doubt``."""
    found = {}
    for uri in lineage.artefact_uris(version):
        try:
            there = lineage.content(account, uri, whole=whole)
        except Refused as refused:
            if whole:
                raise
            # Who promotes within an account need not be able to read its archives.
            found[uri] = Digest(doubt=refused.message)
            continue
        unlisted = "it cannot be listed, or has too many files" if uri.endswith("/") and there.etag is None else None
        found[uri] = Digest(there.etag, there.sha256, None if whole else unlisted, there.size)
    return found


def scans(account: Account, environment: Environment, version: Version) -> Sequence[Scan]:
    found = []
    for container in (version.details.get("InferenceSpecification") or {}).get("Containers") or ():
        uri, digest = str(container.get("Image") or ""), container.get("ImageDigest")
        if uri:
            found.append(_scan(account, environment, uri, digest and str(digest)))
    return found


def _scan(account: Account, environment: Environment, uri: str, digest: str | None) -> Scan:
    if environment.is_local:
        return Scan(uri, unknown="the local account scans no image; declare what a scan found, with file")
    image = ecr_image(uri)
    if image is None:
        return Scan(uri, unknown="it is in no registry of ECR; declare what a scan found, with file")
    if image.region != account.region:
        return Scan(uri, unknown=f"it is in {image.region}, and {environment.name} in {account.region}")
    named = {"imageDigest": digest} if digest else image.id
    try:
        with answers():
            replies = list(
                account.client("ecr")
                .get_paginator("describe_image_scan_findings")
                .paginate(registryId=image.account, repositoryName=image.repository, imageId=named)
            )
    except Refused as refused:
        return Scan(uri, unknown=refused.message)
    return scan_of(uri, *replies)


def fleet(account: Account, environment: Environment, wanted: Wanted) -> Fleet | None:
    sagemaker = account.client("sagemaker")
    with answers():
        there = seeing.see(sagemaker, wanted.endpoint)
        variant = coming_variant(wanted, there.serving if there is not None else None)
        instance = variant.request.get("InstanceType")
        if instance is None or variant.count is None:
            return None
        serving, others = 0, 0
        for item in listed(account):
            name = str(item["EndpointName"])
            state = there if name == wanted.endpoint else seeing.see(sagemaker, name)
            of_it = _instances(state, str(instance))
            serving, others = (of_it, others) if name == wanted.endpoint else (serving, others + of_it)
    quota, unknown = _quota(account, environment, str(instance))
    return Fleet(str(instance), serving, variant.count, others, quota, unknown)


def _instances(state: seeing.Endpoint | None, instance: str) -> int:
    if state is None or state.serving is None:
        return 0
    variants = (item for item in state.serving.variants if item.request.get("InstanceType") == instance)
    return sum(item.count or 0 for item in variants)


def _quota(account: Account, environment: Environment, instance: str) -> tuple[float | None, str | None]:
    if environment.is_local:
        return None, "the local account has no quotas; declare them, with limits"
    wanted = f"{instance} for endpoint usage".lower()
    try:
        with answers():
            for item in items(
                account.client("service-quotas"), "list_service_quotas", "Quotas", ServiceCode="sagemaker"
            ):
                if str(item["QuotaName"]).lower() == wanted:
                    return float(item["Value"]), None
    except AccountError as error:
        return None, error.message
    return None, f"Service Quotas tells none that is called {wanted!r}"


def signature(account: Account, version: Version) -> Signature:
    """``account`` holds the version."""
    specification = version.details.get("InferenceSpecification") or {}
    with answers():
        samples = len(samples_of(account, version).requests)
    return Signature(
        tuple(specification.get("SupportedContentTypes") or ()),
        tuple(specification.get("SupportedResponseMIMETypes") or ()),
        samples,
    )
