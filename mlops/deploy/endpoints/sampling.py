"""Asking an endpoint the requests that came with a version."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping

from mlops.account import Account, answers
from mlops.deploy.models.registry import Version
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said to one sample request."""

    sample: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Samples:
    """``requests`` by the name of their file. ``also`` are those of other versions, of their own content types."""

    requests: Mapping[str, bytes]
    content_type: str
    accept: str
    also: tuple[Samples, ...] = ()

    @property
    def count(self) -> int:
        return len(self.requests) + sum(item.count for item in self.also)

    def ask(
        self, account: Account, endpoint: str, variant: str | None = None, *, component: str | None = None
    ) -> list[Answer]:
        """A variant, an inference component, or the endpoint. Raises Refusal for the first that is not answered."""
        target = {} if variant is None else {"TargetVariant": variant}
        if component is not None:
            target = {"InferenceComponentName": component}
        found = []
        for name, body in self.requests.items():
            try:
                with answers():
                    reply = account.client("sagemaker-runtime").invoke_endpoint(
                        EndpointName=endpoint, Body=body, ContentType=self.content_type, Accept=self.accept, **target
                    )
                    answer = reply["Body"].read()
            except Exception as error:
                raise Refusal(f"the smoke test with {name} failed: {error}") from error
            if not answer.strip():
                raise Refusal(f"the smoke test with {name} got an empty answer")
            found.append(Answer(name, str(reply.get("ContentType", self.accept)), answer))
        for others in self.also:
            found += others.ask(account, endpoint, variant)
        return found


NO_SAMPLES = Samples({}, "text/csv", "text/csv")


def types_of(version: Version) -> tuple[str, str]:
    """Content type and accepted type of its requests."""
    specification = version.details.get("InferenceSpecification") or {}
    content_type = str((specification.get("SupportedContentTypes") or ["text/csv"])[0])
    return content_type, str((specification.get("SupportedResponseMIMETypes") or [content_type])[0])


def samples_of(account: Account, version: Version) -> Samples:
    """Those in the version's sample payload; ``account`` holds it. Raises Refusal for what is no archive, as somebody
    else may have registered it."""
    uri = version.details.get("SamplePayloadUrl")
    if not uri:
        return Samples({}, *types_of(version))
    bucket, key = split_uri(str(uri))
    with answers():
        content = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        return Samples(dict(_files(content)), *types_of(version))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise Refusal(
            f"the samples of version {version.number} of {version.group} cannot be read: {uri} is no whole archive in "
            f"gzip: {error}",
            hint="register a version whose sample payload is one; `mlops promote --sample FILE` asks another request",
        ) from None


def _files(content: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, file.read()
