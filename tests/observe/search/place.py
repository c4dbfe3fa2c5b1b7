"""An OpenSearch as an environment would name one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class At:
    url: str
    auth: Literal["aws", "basic", "none"] = "none"
    service: Literal["es", "aoss"] = "es"
    user: str | None = None
    password_env: str | None = None
