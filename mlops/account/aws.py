"""Plain boto3 sessions: AWS, or another AWS API at ``endpoint_url``."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials

from mlops.account.answers import answers
from mlops.account.imitations import put_right
from mlops.ir import ConfigurationError

CONNECT_TIMEOUT_SECONDS = 10
# InvokeEndpoint may answer after 60 s; nothing else takes as long.
READ_TIMEOUT_SECONDS = 70
# Who is behind the credentials is asked first of all: a proxy that takes calls and answers none is told by it.
IDENTITY_TIMEOUT_SECONDS = 10
ATTEMPTS = 5
POLL_SECONDS = 3.0
SESSION_NAME = "mlops"


class AwsAccount:
    """``assume_role`` is taken on with the profile's credentials at the first call, and anew whenever it expires."""

    def __init__(
        self,
        region: str,
        *,
        profile: str | None = None,
        assume_role: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.region = region
        self.events = None
        self.here = None
        self._endpoint_url = endpoint_url
        self._clients: dict[str, Any] = {}
        # Making clients is not thread-safe in boto3, using them is.
        self._lock = Lock()
        with answers():
            self._session = boto3.Session(profile_name=profile, region_name=region)
            if assume_role is not None:
                self._session = self._assuming(assume_role)

    def client(self, service: str) -> Any:
        with self._lock, answers():
            if service not in self._clients:
                # The stubs know each service by a literal.
                make: Any = self._session.client
                try:
                    self._clients[service] = make(
                        service, endpoint_url=self._endpoint_url, config=self._config(service)
                    )
                except ValueError as error:
                    # What botocore says of a URL that is none, wherever that is configured.
                    raise ConfigurationError(
                        f"a client for {service} cannot be made: {error}",
                        hint="correct `endpoint_url` in mlops.toml, or AWS_ENDPOINT_URL",
                    ) from error
                if self._endpoint_url:
                    put_right(self._clients[service])
            return self._clients[service]

    def credentials(self) -> Any:
        with answers():
            return self._session.get_credentials()

    def rest(self, execution: str, seconds: float) -> None:
        # AWS counts calls, an endpoint of one's own does not.
        time.sleep(seconds if self._endpoint_url else max(seconds, POLL_SECONDS))

    def _assuming(self, role: str) -> boto3.Session:
        source = self._session
        make: Any = source.client

        def fetch() -> dict[str, Any]:
            sts = make("sts", endpoint_url=self._endpoint_url, config=self._config("sts"))
            given = sts.assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        core: Any = botocore.session.Session(profile=source.profile_name if source.profile_name != "default" else None)
        # What botocore's own assume-role provider makes; there is no public way to hand them to a session.
        core._credentials = DeferredRefreshableCredentials(fetch, "assume-role")
        return boto3.Session(botocore_session=core, region_name=self.region)

    def _config(self, service: str) -> Config:
        return Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=IDENTITY_TIMEOUT_SECONDS if service == "sts" else READ_TIMEOUT_SECONDS,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            # A single endpoint has no DNS names for buckets.
            s3={"addressing_style": "path"} if self._endpoint_url else {},
        )
