"""``[env.NAME.search]``: the OpenSearch that an environment's events and metrics are looked at with."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlops.ir.captured_fields import FeatureKind
from mlops.ir.log_fields import Source

_HERE = re.compile(r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(/|$)")

_MOST_FEATURES = 500
"""An index has 1,000 fields at most (index.mapping.total_fields.limit), others of ours among them."""
_FEATURE = r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"


class Search(BaseModel):
    """``auth`` is how requests say who asks: ``aws`` signs them by the environment's credentials, for ``service`` (a
    domain or a serverless collection); ``basic`` sends ``user`` and what the variable ``password_env`` holds: the
    password is a secret, its name not. ``dashboards`` is where OpenSearch Dashboards is, if not below ``url``. ``logs``
    says whose log lines go there beside events, ``captured`` which features of requests that an endpoint captured, with
    their kinds: nothing of either without a word."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$")]
    auth: Literal["aws", "basic", "none"] = "aws"
    service: Literal["es", "aoss"] = "es"
    dashboards: Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s@?#]*)?$")] | None = None
    logs: list[Source] = []
    captured: dict[str, dict[Annotated[str, Field(pattern=_FEATURE)], FeatureKind]] = {}
    user: str | None = None
    password_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _knows_who(self) -> Search:
        if self.auth == "basic" and (self.user is None or self.password_env is None):
            raise ValueError('auth = "basic" takes user and password_env, the name of the variable with the password')
        if self.auth != "basic" and (self.user is not None or self.password_env is not None):
            raise ValueError(f'auth = "{self.auth}" takes no user and no password')
        kinds: dict[str, FeatureKind] = {}
        for endpoint, features in self.captured.items():
            for name, kind in features.items():
                if kinds.setdefault(name, kind) != kind:
                    raise ValueError(
                        f"{name} of {endpoint} is {kind}, and {kinds[name]} of another endpoint: a field has one kind"
                    )
        if len(kinds) > _MOST_FEATURES:
            raise ValueError(f"captured names {len(kinds)} features: {_MOST_FEATURES} are the most that an index takes")
        bare = (url for url in (self.url, self.dashboards or "") if url.startswith("http://") and not _HERE.match(url))
        if self.auth != "none" and any(bare):
            raise ValueError(f'auth = "{self.auth}" over http:// shows to anybody on the way who asks: take https://')
        return self
