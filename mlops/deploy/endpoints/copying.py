"""An archive from one account to another, through this machine: no role of either has to be let into the other."""

from __future__ import annotations

import tempfile

from mlops.account import Account
from mlops.deploy.endpoints.crossing import Copy
from mlops.deploy.pipelines.upload import send
from mlops.ir import Refusal
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

_CHUNK = 1024 * 1024


def copy(source: Account, account: Account, environment: Environment, item: Copy) -> None:
    """The object appears whole or not at all, and only with the digest that was seen: raises Refusal where somebody
    has written it since."""

    def judge(digest: str) -> None:
        if digest != item.sha256:
            raise Refusal(
                f"{item.source} has the SHA-256 {digest} now, and had {item.sha256} before; it was not copied",
                hint="find out who writes there; `mlops models lineage` tells what was registered",
            )

    bucket, key = split_uri(item.source)
    with tempfile.TemporaryFile() as file:
        body = source.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
        while chunk := body.read(_CHUNK):
            file.write(chunk)
        size = file.tell()
        file.seek(0)
        send(account, environment, item.target, file, size, lambda uri, there, whole: None, judge=judge)
