"""Calls the hooks that are declared for a moment, and says what becomes of the promotion where one fails."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict

from mlops.account import Account
from mlops.deploy.endpoints import history
from mlops.deploy.shifting.journal import Journal
from mlops.deploy.shifting.red import Red
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal
from mlops.ir.hook import Around, Coming, Facts, Hook, HookFailed, Moment
from mlops.ir.shift import CallHooks, config_at_end
from mlops.project.environments import Environment


class Hooks:
    def __init__(
        self,
        account: Account,
        environment: Environment,
        settings: PromotionSettings,
        *,
        say: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._environment = environment
        self._hooks = settings.hooks
        self._say = say
        self._around = Around(account.client, settings.root, os.environ, clock.sleep, clock.wall)

    def __call__(self, move: CallHooks, journal: Journal) -> None:
        """Raises Red where one fails that is to abort it."""
        mine = [hook for hook in self._hooks if hook.moment == move.moment]
        if not mine and move.moment != "rollback":
            self._say(f"no hook is declared for {move.moment} here, and there was one where this was begun")
        at = f"{move.moment} {move.stage}" if move.moment == "stage" else move.moment
        self._call(mine, at, lambda hook, number: self._facts(hook, move, journal, number))

    def around(self, moment: Moment, coming: Coming, reason: str | None = None, *, of: str = "") -> None:
        """Of what comes without a shift of traffic; ``of`` is the id of what is done, by whoever goes on with it.
        Raises Refusal where one fails that is to abort it."""
        mine = [hook for hook in self._hooks if hook.moment == moment]

        def facts(hook: Hook, number: int) -> Facts:
            told = f"{of} {coming.endpoint} {coming.version} {coming.before} {coming.config} {moment} {number}"
            return Facts(
                **asdict(coming),
                key=_key(told),
                moment=hook.moment,
                environment=self._environment.name,
                reason=reason,
            )

        try:
            self._call(mine, moment, facts)
        except Red as red:
            what = history.what(coming.group, coming.version)
            raise Refusal(f"{what} does not go to {coming.endpoint}: {red}") from red

    def _call(self, hooks: Sequence[Hook], at: str, facts: Callable[[Hook, int], Facts]) -> None:
        for number, hook in enumerate(hooks, 1):
            try:
                hook.kind.call(hook.settings, facts(hook, number), self._around)
            except HookFailed as failure:
                if hook.failing == "abort":
                    raise Red(f"the {hook.kind.name} hook of {at} failed: {failure}") from failure
                self._say(f"the {hook.kind.name} hook of {at} failed, and it goes on: {failure}")
            else:
                self._say(f"the {hook.kind.name} hook of {at}: ok")

    def _facts(self, hook: Hook, move: CallHooks, journal: Journal, number: int) -> Facts:
        # A shift that an older version began has no id.
        begun = journal.id or f"{journal.endpoint} {journal.version} {journal.old.config}"
        told = f"{begun} {move.moment} {move.stage} {number}"
        return Facts(
            journal.endpoint,
            journal.group,
            journal.version,
            config_at_end(journal.moves),
            journal.old.config,
            journal.engine,
            journal.by,
            key=_key(told),
            moment=hook.moment,
            environment=self._environment.name,
            stage=move.stage,
            share=move.share,
            reason=journal.reason,
        )


def _key(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:32]
