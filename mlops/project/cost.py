"""``[env.NAME.cost]``: what may be spent in an environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Money = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Cost(BaseModel):
    """In the currency of ``prices.toml``: ``budget_execution`` for an execution of each pipeline, ``budget_month`` for
    a month of each endpoint configuration that is declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    budget_execution: _Money | None = None
    budget_month: _Money | None = None
