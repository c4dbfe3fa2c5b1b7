"""Images in Amazon's registries, by the parts of their URIs."""

from __future__ import annotations

import re

from mlops.ir.dataclass import dataclass

ECR_URI = re.compile(
    r"(\d{12})\.dkr\.ecr\.([a-z0-9\-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)(?::([^@]+))?(?:@(sha256:\w+))?"
)


@dataclass(frozen=True, slots=True)
class EcrImage:
    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def id(self) -> dict[str, str]:
        """As ECR's operations name it: by its digest where that is known."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}


def ecr_image(uri: str) -> EcrImage | None:
    """None for an image elsewhere.

    >>> ecr_image("111122223333.dkr.ecr.eu-west-1.amazonaws.com/churn:1.2").id
    {'imageTag': '1.2'}
    >>> ecr_image("docker.io/library/python:3.12")
    """
    found = ECR_URI.fullmatch(uri)
    return EcrImage(*found.groups()) if found else None
