"""Rules that watch a training and end it early: ``Training(…, rules=[rules.NotFinite(), rules.Plateau("loss")])``.

``metric``, ``train`` and ``validation`` are names of the step's ``metrics``. ``then`` is what becomes of the step:
"fail", or "keep", which goes on with the model that lay in ``/opt/ml/model``. What they compute is in
:mod:`mlops.knowledge.training_rules`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

from mlops.declare.by_name import unknown_name
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import Poison
from mlops.ir.training_rule import VARIABLE, Then
from mlops.knowledge.training_rules import WrongRule, written


@record
class LossNotDecreasing:
    """Of ``values`` values none was ``percent`` % better than the best before them."""

    rule: ClassVar[str] = "loss-not-decreasing"

    metric: str
    values: int = 10
    percent: float = 0.1
    then: Then = "fail"


@record
class Overfit:
    """More than ``patience`` times in a row the validation loss was above the mean training loss by more than ``ratio``
    of it; the first ``start`` validation losses do not count."""

    rule: ClassVar[str] = "overfit"

    train: str
    validation: str
    ratio: float = 0.1
    patience: int = 1
    start: int = 0
    then: Then = "fail"


@record
class Overtraining:
    """Neither loss was ``delta`` better than its best for its patience, in values."""

    rule: ClassVar[str] = "overtraining"

    train: str
    validation: str
    patience_train: int = 5
    patience_validation: int = 10
    delta: float = 0.01
    then: Then = "fail"


@record
class NotFinite:
    """``metric``, or any of the job, is nan or, unless ``only_nan``, infinite."""

    rule: ClassVar[str] = "not-finite"

    metric: str | None = None
    only_nan: bool = False
    then: Then = "fail"


@record
class Exploding:
    """``patience`` values in a row were more than ``factor`` times the median of the ``values`` before them."""

    rule: ClassVar[str] = "exploding"

    metric: str
    factor: float = 10.0
    values: int = 10
    patience: int = 3
    then: Then = "fail"


@record
class Vanishing:
    """``values`` values in a row were below ``threshold``, such as a gradient's norm."""

    rule: ClassVar[str] = "vanishing"

    metric: str
    threshold: float = 0.0000001
    values: int = 3
    then: Then = "fail"


@record
class Plateau:
    """``values`` values in a row were the one before them, within ``absolute`` and ``relative`` to it."""

    rule: ClassVar[str] = "plateau"

    metric: str
    values: int = 3
    relative: float = 0.00001
    absolute: float = 0.00000001
    then: Then = "fail"


@record
class Stalled:
    """No value of ``metric``, or of any of the job, came for ``seconds``."""

    rule: ClassVar[str] = "stalled"

    metric: str | None = None
    seconds: float = 1800.0
    then: Then = "fail"


TrainingRule: TypeAlias = (
    LossNotDecreasing | Overfit | Overtraining | NotFinite | Exploding | Vanishing | Plateau | Stalled
)


def variables(
    step: str,
    rules: Sequence[TrainingRule],
    metrics: Mapping[str, object],
    environment: Mapping[str, object],
    own: bool,
) -> dict[str, str]:
    """A rule a variable. ``own``: the job has no metrics but its ``metrics``."""
    found: dict[str, str] = {}
    for number, rule in enumerate(rules, start=1):
        told = {item.name: getattr(rule, item.name) for item in dataclasses.fields(rule)}
        if any(isinstance(value, Poison) for value in told.values()):
            continue  # that is told already
        then, variable = told.pop("then"), f"{VARIABLE}{number}"
        try:
            found[variable] = written(rule.rule, told, then)
            if variable in environment:
                raise WrongRule(f"environment has a {variable}, where rules= writes")
        except WrongRule as error:
            misuse("D092", f"{step}: {error}", step=step)
            continue
        named = [told[key] for key in ("metric", "train", "validation") if told.get(key) is not None]
        for name in named if own else ():
            if name not in metrics:
                unknown_name(step, "metric", name, metrics)
    return found
