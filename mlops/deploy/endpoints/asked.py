"""What somebody wants taken to an environment, and who is told and asked."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.account import Account
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry, Verb
from mlops.deploy.endpoints.promotion import Wanted
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.waiting import Clock
from mlops.ir.dataclass import dataclass
from mlops.ir.saying import Say
from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Asked:
    """``by`` is who wants it, ``reason`` why, ``passed_over`` the gates that refused. ``asks``: somebody is asked by
    ``permit``, which may raise."""

    account: Account
    environment: Environment
    version: Version
    wanted: Wanted
    settings: PromotionSettings
    by: str
    reason: str | None
    passed_over: tuple[str, ...]
    asks: bool
    say: Say
    permit: Say
    clock: Clock

    @property
    def what(self) -> str:
        return f"version {self.version.number} of {self.version.group}"

    def permit_after(self, lines: Iterable[str], whereto: str) -> None:
        """Who is asked sees what would be done."""
        if self.asks:
            for line in lines:
                self.say(line)
        self.permit(f"take {self.what} to {whereto}")

    def entry(self, verb: Verb, config: str, *, before: str | None, way: str) -> Entry:
        """Of the history, where all comes to its end."""
        version = self.version
        return Entry(
            verb,
            version.group,
            version.number,
            config,
            before,
            self.by,
            self.reason,
            history.how(way, self.passed_over),
            version.number,
            version.arn,
        )
