"""``[env.NAME.ci]``: who may plan, upsert and promote there from CI, by the identity that its platform signs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Repository = Annotated[str, Field(pattern=r"^[\w.\-]+(/[\w.\-]+)+$")]
_Host = Annotated[str, Field(pattern=r"^[a-z0-9.\-]+$")]
_Branch = Annotated[str, Field(pattern=r"^[\w.\-/]+$")]


class Ci(BaseModel):
    """``github`` is OWNER/REPOSITORY, ``gitlab`` GROUP/PROJECT on ``gitlab_host``; ``branch`` is the one that is
    upserted from. GitHub's jobs that change something stand in the environment of the same name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    github: _Repository | None = None
    gitlab: _Repository | None = None
    gitlab_host: _Host = "gitlab.com"
    branch: _Branch = "main"

    @model_validator(mode="after")
    def _of_one(self) -> Ci:
        if (self.github is None) == (self.gitlab is None):
            raise ValueError("give github or gitlab, and not both")
        return self
