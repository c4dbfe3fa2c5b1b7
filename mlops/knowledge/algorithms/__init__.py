"""SageMaker's own algorithms, a file for each, found by the name of its image's repository and read when that is asked.

A file has ``title``, ``images`` (names of repositories), ``source``, ``input_modes``, ``devices`` (cpu, gpu),
``max_instances`` where it is one host only, ``channels``, ``hyperparameters``, ``required_if``, ``only_if``,
``narrowed`` (what is left of values, machines or input modes where hyperparameters have some values), ``ascending``
(hyperparameters of which none is above the next), ``told_if`` (metrics that it tells only where hyperparameters have
some values), ``only_with`` (channel without which a hyperparameter has no effect,
by hyperparameter), ``aliases`` (a hyperparameter and its other name), ``answers`` (content types of requests that its
model takes), ``answered_label_size`` (that alone which their CSV may be said to have), ``tunable`` (kind of range by
hyperparameter) and ``metrics`` (Maximize or Minimize by name). One that
runs on a machine of one's own has ``here``: the modules that it needs, each with the distribution that brings it; how
it runs is in a module or package of its name in ``mlops/run/algorithms/``; ``hosts_here``: on several hosts too.
``metric_line`` is the regex by which the service finds a metric in its log, with ``{channel}`` and ``{metric}`` for the
two parts of the metric's name.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mlops.ir.dataclass import dataclass

Kind: TypeAlias = Literal["integer", "number", "boolean", "text", "list", "numbers"]

# No other sets: the container reads them with Python, or with JSON.
_BOOLEANS = frozenset({"true", "false", "1", "0"})
_REPOSITORIES: Mapping[str, str] = {"sagemaker-xgboost": "xgboost"}
"""Repositories whose file has another name."""
_NOUNS: Mapping[Kind, str] = {
    "integer": "an integer", "number": "a number", "text": "text", "list": "a list", "numbers": "a list of numbers",
}  # fmt: skip
_FOLDER = Path(__file__).parent  # importlib.resources would load as much again as a check does


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """What a value may be. ``above`` and ``below`` are limits that are not reached; ``alternatives`` are words that may
    stand for a number, such as auto; ``form`` is ``pattern`` in words; ``default`` is known of what conditions speak
    of. Values come as text, because the API knows no other."""

    name: str
    kind: Kind
    required: bool = False
    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    one_of: tuple[str | int, ...] = ()
    alternatives: tuple[str, ...] = ()
    pattern: str | None = None
    form: str | None = None
    default: str | None = None

    @property
    def wanted(self) -> str:
        """In words.

        >>> Hyperparameter("eta", "number", min=0, max=1).wanted
        'a number from 0 to 1'
        >>> Hyperparameter("k", "integer", min=1, alternatives=("auto",)).wanted
        'an integer of at least 1, or auto'
        """
        if self.one_of:
            said = f"one of {', '.join(map(str, self.one_of))}"
            return f"a list of {', '.join(map(str, self.one_of))}" if self.kind == "list" else said
        if self.kind == "boolean":
            return ", or ".join(["true or false", *self.alternatives])
        if self.pattern is not None:
            return self.form or f"text of the form {self.pattern}"
        noun = _NOUNS[self.kind]
        return ", or ".join([f"{noun}{self._limits()}", *self.alternatives])

    def _limits(self) -> str:
        low, high = self.min, self.max
        if low is not None and high is not None:
            return f" from {low} to {high}"
        said = [
            f" {words} {limit}"
            for words, limit in (
                ("of at least", low),
                ("of at most", high),
                ("above", self.above),
                ("below", self.below),
            )
            if limit is not None
        ]
        return " and".join(said)

    def takes(self, text: str) -> bool:
        """
        >>> Hyperparameter("eta", "number", above=0, max=1).takes("0"), Hyperparameter("k", "integer").takes("10.0")
        (False, True)
        """
        # The SDK once wrote every value as JSON: a text in its quotes.
        value = text.strip().strip('"').strip()
        if value in self.alternatives:
            return True
        match self.kind:
            case "integer" | "number":
                return self._takes_number(value)
            case "boolean":
                return value.lower() in _BOOLEANS
            case "list":
                return self._takes_list(text)
            case "numbers":
                return all(self._takes_number(item.strip()) for item in value.strip("[]").split(","))
            case "text":
                if self.one_of:
                    return value in self.one_of
                return self.pattern is None or re.fullmatch(self.pattern, value) is not None

    def is_default(self, text: str) -> bool:
        """
        >>> Hyperparameter("eta", "number", default="0.3").is_default("0.30")
        True
        """
        value = text.strip().strip('"').strip()
        if self.default is None or self.kind not in ("integer", "number"):
            return self.default is not None and value.lower() == self.default.lower()
        try:
            return float(value) == float(self.default)
        except ValueError:
            return value == self.default

    def _takes_number(self, value: str) -> bool:
        try:
            number = float(value)
        except ValueError:
            return False
        # Not a number compares to nothing, so it would be within any limits.
        if number != number or (self.kind == "integer" and not number.is_integer()):
            return False
        if self.one_of:
            return number in self.one_of
        return not (
            (self.min is not None and number < self.min)
            or (self.max is not None and number > self.max)
            or (self.above is not None and number <= self.above)
            or (self.below is not None and number >= self.below)
        )

    def _takes_list(self, text: str) -> bool:
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = text
        items = listed if isinstance(listed, list) else str(listed).split(",")
        return all(
            isinstance(item, str)
            and (item.strip() in self.one_of or (self.pattern and re.fullmatch(self.pattern, item.strip())))
            for item in items
        )


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """Without ``content_types`` nothing is known of them; of these ``not_piped`` are read as files alone. Without
    ``distribution`` it may have any. ``default_type`` is how it is read where nothing says its type, ``label_size`` the
    one that its CSV may be said to have; ``beside`` are
    channels that types of it need."""

    required: bool
    content_types: tuple[str, ...] = ()
    not_piped: tuple[str, ...] = ()
    distribution: str | None = None
    default_type: str | None = None
    label_size: int | None = None
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """``names`` are hyperparameters that are wanted, or have a meaning, only where another has one of some values;
    ``usual`` says that Amazon's own examples write them elsewhere too, ``refused`` that the container ends then."""

    names: tuple[str, ...]
    when: Mapping[str, tuple[str, ...]]
    usual: bool = False
    refused: bool = False

    def holds(self, given: Mapping[str, object]) -> bool:
        return all(given.get(name) in values for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is left where a condition holds: of the values of its names those that are ``one_of`` some, or ``none_of``
    others; of machines ``devices`` and ``max_instances``; of input modes and of content types some; and a ``channel``
    that is wanted then."""

    condition: Condition
    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    max_instances: int | None = None
    input_modes: tuple[str, ...] = ()
    content_types: tuple[str, ...] = ()
    channel: str | None = None

    def refused(self, value: str) -> str | None:
        """The word of a value, or of a list of words, that is not left.

        >>> where = Condition(("loss",), {"predictor_type": ("regressor",)})
        >>> Narrowing(where, one_of=("auto", "squared_loss")).refused("logistic")
        'logistic'
        >>> Narrowing(where, none_of=("auc",)).refused("rmse,auc")
        'auc'
        """
        words = [word.strip().strip('"') for word in value.strip("[] ").split(",")]
        wrong = (word for word in words if word in self.none_of or (self.one_of and word not in self.one_of))
        return next(wrong, None)


@dataclass(frozen=True, slots=True)
class Algorithm:
    name: str
    title: str
    source: str
    input_modes: tuple[str, ...]
    devices: tuple[str, ...]
    channels: Mapping[str, ChannelKind]
    hyperparameters: Mapping[str, Hyperparameter]
    required_if: tuple[Condition, ...] = ()
    only_if: tuple[Condition, ...] = ()
    narrowed: tuple[Narrowing, ...] = ()
    told_if: tuple[Condition, ...] = ()
    ascending: tuple[tuple[str, ...], ...] = ()
    tunable: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    max_instances: int | None = None
    here: Mapping[str, str] | None = None
    hosts_here: bool = False
    metric_line: str | None = None
    only_with: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    answered_label_size: int | None = None
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def metric_definitions(self) -> list[dict[str, str]]:
        """What a job of it has as MetricDefinitions on the service, unasked."""
        if self.metric_line is None:
            return []
        return [{"Name": name, "Regex": _regex(self.metric_line, name)} for name in self.metrics]


def _regex(line: str, metric: str) -> str:
    channel, _, name = metric.partition(":")
    return line.replace("{channel}", channel).replace("{metric}", re.escape(name).replace(r"\-", "-"))


_LABEL_SIZE = re.compile(r";\s*label_size\s*=\s*(\d+)\s*(?:;|$)")


def label_size(content_type: str) -> int | None:
    """How many columns a type of CSV says that labels have.

    >>> label_size("text/csv; label_size=0"), label_size("text/csv")
    (0, None)
    """
    found = _LABEL_SIZE.search(content_type)
    return int(found[1]) if found is not None else None


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))


def algorithm(repository: str) -> Algorithm | None:
    """The one whose images are in that repository, e.g. ``kmeans``; None where it is not known."""
    name = _REPOSITORIES.get(repository, repository)
    return _read(name) if name in names() else None


@cache
def _read(name: str) -> Algorithm:
    written: dict[str, Any] = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Algorithm(
        name,
        written["title"],
        written["source"],
        tuple(written["input_modes"]),
        tuple(written["devices"]),
        {
            channel: ChannelKind(
                said["required"],
                tuple(said.get("content_types", ())),
                tuple(said.get("not_piped", ())),
                said.get("distribution"),
                said.get("default_type"),
                said.get("label_size"),
                said.get("beside", {}),
            )
            for channel, said in written["channels"].items()
        },
        {
            key: Hyperparameter(
                key,
                said["kind"],
                said.get("required", False),
                said.get("min"),
                said.get("max"),
                said.get("above"),
                said.get("below"),
                tuple(said.get("one_of", ())),
                tuple(said.get("or", ())),
                said.get("pattern"),
                said.get("form"),
                said.get("default"),
            )
            for key, said in written["hyperparameters"].items()
        },
        _conditions(written.get("required_if", ())),
        _conditions(written.get("only_if", ())),
        tuple(map(_narrowing, written.get("narrowed", ()))),
        _conditions([{**said, "hyperparameters": said["metrics"]} for said in written.get("told_if", ())]),
        tuple(map(tuple, written.get("ascending", ()))),
        written.get("tunable", {}),
        written.get("metrics", {}),
        written.get("max_instances"),
        written.get("here"),
        written.get("hosts_here", False),
        written.get("metric_line"),
        written.get("only_with", {}),
        tuple(written.get("answers", ())),
        written.get("answered_label_size"),
        tuple((name, other) for name, other in written.get("aliases", ())),
    )


def _narrowing(said: dict[str, Any]) -> Narrowing:
    (condition,) = _conditions([{"hyperparameters": (), **said}])
    lists = ("one_of", "none_of", "devices", "input_modes", "content_types")
    words = {name: tuple(said[name]) for name in lists if name in said}
    return Narrowing(condition, max_instances=said.get("max_instances"), channel=said.get("channel"), **words)


def _conditions(written: list[dict[str, Any]] | tuple[()]) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            (said["hyperparameter"],) if "hyperparameter" in said else tuple(said["hyperparameters"]),
            {name: tuple(values) for name, values in said["when"].items()},
            said.get("usual", False),
            said.get("refused", False),
        )
        for said in written
    )
