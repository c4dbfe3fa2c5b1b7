"""Which engine takes an endpoint along a course: the first row of :data:`ROWS` that holds.

Guardrails need the same variant name in the old and the new configuration; a shift of weights needs another one. Where
the service would fall back to all at once without a word, the guardrails are not taken (guide:
deployment-guardrails-exclusions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from mlops.deploy.shifting.guardrails import Inexpressible, deployment_config
from mlops.ir.dataclass import dataclass
from mlops.ir.shift import Course, Serving, Variant

MOST_VARIANTS = 10
"""ProductionVariants of a configuration (CreateEndpointConfigInput)."""


class Engine(Enum):
    UPDATE = "update"
    """UpdateEndpoint alone."""
    GUARDRAILS = "guardrails"
    WEIGHTS = "weights"
    """Two variants, whose weights and counts are changed stage by stage by who promotes."""
    NONE = "none"
    """Nothing can go this way; the reason says what can."""


@dataclass(frozen=True, slots=True)
class Situation:
    """``marketplace``: a container is of AWS Marketplace. ``shadows``: the old or the new configuration has a shadow
    variant. ``own_verdicts``: what is judged is more than CloudWatch alarms. ``hooks_within``: hooks are
    called between the stages."""

    course: Course
    old: Serving
    new: Variant
    alarms: Sequence[str] = ()
    marketplace: bool = False
    shadows: bool = False
    own_verdicts: bool = False
    hooks_within: bool = False

    @property
    def is_plain(self) -> bool:
        """All at once, and nothing is looked at."""
        return len(self.course.stages) == 1 and not self.course.stages[0].bake

    @property
    def is_serverless(self) -> bool:
        return any(_serverless(variant) for variant in (*self.old.variants, self.new))

    def why_not_guardrails(self) -> str | None:
        """A clause, None where they can express it."""
        try:
            deployment_config(self.course, self.new.count, self.alarms)
        except Inexpressible as error:
            return str(error)
        return None


@dataclass(frozen=True, slots=True)
class Row:
    """``why`` is a clause, or None where the condition itself tells it."""

    engine: Engine
    holds: Callable[[Situation], bool]
    why: str | None


def _serverless(variant: Variant) -> bool:
    return bool(variant.request.get("ServerlessConfig"))


def _of_inf1(situation: Situation) -> bool:
    types = (str(variant.request.get("InstanceType", "")) for variant in (*situation.old.variants, situation.new))
    return any(kind.startswith("ml.inf1.") for kind in types)


ROWS: tuple[Row, ...] = (
    Row(Engine.UPDATE, lambda s: s.is_plain and not s.own_verdicts and not s.alarms, "all traffic goes at once"),
    Row(
        Engine.NONE,
        lambda s: s.is_serverless,
        "a serverless variant stands alone in its configuration and has no guardrails; take `all-at-once`",
    ),
    Row(
        Engine.NONE,
        lambda s: s.shadows and s.why_not_guardrails() is not None,
        "beside a shadow variant there is one production variant, so that weights cannot be shifted; take what "
        "guardrails express: one canary, or equal steps",
    ),
    Row(
        Engine.NONE,
        lambda s: len(s.old.variants) >= MOST_VARIANTS,
        f"a configuration has at most {MOST_VARIANTS} variants, so that there is no room for the new one; take "
        "`all-at-once`",
    ),
    Row(Engine.WEIGHTS, lambda s: len(s.old.variants) > 1, "guardrails do not shift several variants in steps"),
    Row(Engine.WEIGHTS, _of_inf1, "for Inf1 instances guardrails fall back to all at once"),
    Row(Engine.WEIGHTS, lambda s: s.marketplace, "for Marketplace containers guardrails fall back to all at once"),
    Row(
        Engine.WEIGHTS,
        lambda s: s.own_verdicts and not s.shadows,
        "guardrails judge by CloudWatch alarms only, and more than those is declared",
    ),
    Row(Engine.WEIGHTS, lambda s: s.hooks_within and not s.shadows, "guardrails wait for no hook between their steps"),
    Row(Engine.WEIGHTS, lambda s: s.why_not_guardrails() is not None, None),
    Row(Engine.GUARDRAILS, lambda s: True, "SageMaker's guardrails express it"),
)


def pick(situation: Situation, wanted: str = "auto") -> tuple[Engine, str]:
    """With the reason, a clause. ``wanted`` is ``guardrails`` or ``weights`` where one of them is asked for; the other
    one is not taken then."""
    row = next(row for row in ROWS if row.holds(situation))
    why = row.why if row.why is not None else f"guardrails cannot: {situation.why_not_guardrails()}"
    if wanted in ("auto", row.engine.value) or row.engine is Engine.NONE:
        return row.engine, why
    if wanted == Engine.WEIGHTS.value and not situation.is_serverless and not situation.shadows:
        return Engine.WEIGHTS, "mlops.toml asks for it"
    if wanted == Engine.GUARDRAILS.value and row.engine is Engine.UPDATE:
        return Engine.GUARDRAILS, "mlops.toml asks for it"
    return Engine.NONE, f"mlops.toml asks for {wanted}, and {why}"
