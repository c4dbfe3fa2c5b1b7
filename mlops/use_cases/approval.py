"""Whether an environment may be changed: the one place that decides.

Where ``mlops.toml`` says ``approval = true``, an account can only be looked at
(:class:`~mlops.account.protected.Protected`) until a use case has said here what it is about to do, and somebody has
said yes to that.
"""

from __future__ import annotations

from collections.abc import Callable

from mlops.account.protected import Protected
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.use_cases.connecting import Connected


@dataclass(frozen=True, slots=True)
class Consent:
    """``given`` says yes to whatever comes. ``ask`` puts a question to a person; None where nobody can be asked."""

    given: bool = False
    ask: Callable[[str], bool] | None = None

    @property
    def possible(self) -> bool:
        return self.given or self.ask is not None


@dataclass(frozen=True, slots=True)
class Shared:
    """A protected ``environment`` has the ``endpoint``, too, that is about to be changed by way of another one."""

    environment: str
    endpoint: str


NOBODY = Consent()
GIVEN = Consent(given=True)


def need_consent(
    connected: Connected,
    doing: str,
    consent: Consent,
    *,
    always: bool = False,
    hint: str = "",
    shared: Shared | None = None,
) -> None:
    """``doing`` is what would be done, as ``delete the endpoint churn``; ``always``: asked for in every environment, as
    it cannot be undone. ``hint`` is another way than ``--yes``. ``shared`` is an environment that wants an approval
    where this one wants none.

    Raises Refusal where nobody said yes; after it the account may be changed."""
    name, account = connected.environment.name, connected.account
    wants = connected.environment.approval or shared is not None
    whose = f"{shared.environment}, which has the endpoint {shared.endpoint} too," if shared is not None else name
    if (wants or always) and not consent.given:
        if consent.ask is None:
            why = f"the environment {whose} wants an approval to {doing}" if wants else f"{doing} in {name} is for good"
            raise Refusal(
                f"{why}, and nobody can be asked here; nothing was changed",
                hint=f"{hint}, or give --yes" if hint else "give --yes to do it without being asked",
            )
        also = f", where {shared.environment} has the endpoint {shared.endpoint} too" if shared is not None else ""
        if not consent.ask(f"{doing[0].upper()}{doing[1:]} in {name}{also}?"):
            raise Refusal("not approved; nothing was changed")
    if isinstance(account, Protected):
        account.release()
