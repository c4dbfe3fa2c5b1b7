"""What a client's environment has to say, so that it talks to a server of the local account, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.account.wire.aws_names import leads_past
from mlops.ir.dataclass import dataclass

KEY, SECRET = "mlopslocal", "mlopslocal"
"""No key of AWS's looks so: whoever sends it elsewhere by mistake is refused there."""
_NOTHING = "/dev/null"
_UNSET = (
    "AWS_ACCESS_KEY",  # so the SDK for Java calls them too
    "AWS_SECRET_KEY",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_OF_A_SERVICE = ("AWS_ENDPOINT_URL_", "AWS_BEARER_TOKEN_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_ANY_PROXY = ("ALL_PROXY", "all_proxy")
_CERTIFICATES = ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Variables:
    """``unset`` are those that would lead a client elsewhere, or give it somebody's credentials."""

    set: Mapping[str, str]
    unset: tuple[str, ...]

    def of(self, environment: Mapping[str, str]) -> dict[str, str]:
        """An environment that has them."""
        return {**{name: value for name, value in environment.items() if name not in self.unset}, **self.set}


@dataclass(frozen=True, slots=True)
class Proxied:
    """A proxy that answers for AWS's names: its URL, and the file with the certificate of its authority."""

    url: str
    bundle: str


def variables(url: str, region: str, environment: Mapping[str, str], proxied: Proxied | None = None) -> Variables:
    """For clients that are started from ``environment``: the AWS SDKs and command lines read them all. With a proxy,
    what asks for AWS's names finds it, and who goes past it trusts nobody whom he meets."""
    here = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    named = [name.strip() for name in here.split(",") if name.strip()]
    if proxied is not None:
        named = [name for name in named if not leads_past(name)]
    beside = ",".join([*named, *(name for name in ("127.0.0.1", "localhost") if name not in named)])
    return Variables(
        {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": _NOTHING,
            "AWS_SHARED_CREDENTIALS_FILE": _NOTHING,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": beside,
            "no_proxy": beside,
            **({} if proxied is None else dict.fromkeys(_PROXIES, proxied.url)),
            **({} if proxied is None else dict.fromkeys(_CERTIFICATES, proxied.bundle)),
        },
        tuple(
            sorted(
                {
                    *_UNSET,
                    *(name for name in environment if name.startswith(_OF_A_SERVICE)),
                    *(() if proxied is None else _ANY_PROXY),
                }
            )
        ),
    )
