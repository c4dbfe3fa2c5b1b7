"""Training jobs of built-in algorithms: what they give to the algorithm, and what its file knows of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops.check.images import parse
from mlops.check.jobs import TRAINING, TUNING, Container, Job, SearchedRange, searched_ranges
from mlops.check.subject import Subject
from mlops.ir import Value
from mlops.ir.dataclass import dataclass
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS
from mlops.knowledge.framework_images import needs_script

if TYPE_CHECKING:
    from mlops.knowledge.algorithms import Algorithm, Condition, Narrowing

_SCRIPT_MODE = frozenset({"sagemaker_program", "sagemaker_submit_directory", "sagemaker_container_log_level"})
SOURCE = "AWS docs, a page per algorithm: hyperparameters, channels, content types, instances, metrics"


@dataclass(frozen=True, slots=True)
class AlgorithmTraining:
    """A training job of a built-in algorithm, not in script mode. ``name`` is that of the image's repository,
    ``member`` has the hyperparameters, ``ranges`` are those of the tuning job around it."""

    name: str
    algorithm: Algorithm
    job: Job
    container: Container
    member: str
    values: Mapping[str, Value]
    tuning: Job | None
    ranges: tuple[SearchedRange, ...]

    @property
    def given(self) -> frozenset[str]:
        return frozenset((*self.values, *(searched.name for searched in self.ranges)))


@lru_cache(maxsize=1)
def trainings(subject: Subject) -> tuple[AlgorithmTraining, ...]:
    """Worked out once for all rules that ask."""
    return tuple(_find(subject))


def _find(subject: Subject) -> Iterator[AlgorithmTraining]:
    tunings = {tuning.placed.pointer: tuning for tuning in subject.jobs[TUNING]}
    for container in subject.containers:
        job, text = container.job, container.image
        if not isinstance(text, str) or container.named != TRAINING.image or needs_script(text):
            continue
        image = parse(text)
        if job is None or image is None or image.account not in ALGORITHM_ACCOUNTS:
            continue
        # Most pipelines have none, and need not wait for the reader of TOML.
        from mlops.knowledge.algorithms import algorithm

        known, tuning = algorithm(image.repository), tunings.get(job.placed.pointer)
        member = "HyperParameters" if tuning is None else "StaticHyperParameters"
        values = job.request.get(member, {})
        if known is None or not isinstance(values, Mapping) or _SCRIPT_MODE & values.keys():
            continue
        if container.settings.get("ContainerEntrypoint") is None:
            ranges = tuple(searched_ranges(tuning, job)) if tuning is not None else ()
            yield AlgorithmTraining(image.repository, known, job, container, member, values, tuning, ranges)


def narrowed(found: AlgorithmTraining) -> Iterator[tuple[Narrowing, str]]:
    """What the values that are given, or stand where none is, leave: each with these values in words."""
    for narrowing in found.algorithm.narrowed:
        plain = deciding(found, narrowing.condition)
        if plain is not None and narrowing.condition.holds(plain):
            yield narrowing, " and ".join(f"{name} {plain[name]}" for name in narrowing.condition.when)


def deciding(found: AlgorithmTraining, condition: Condition) -> Mapping[str, str] | None:
    """The values that it asks for, with defaults; None where one is searched or known to the run alone."""
    known, values = found.algorithm.hyperparameters, found.values
    searched = {item.name for item in found.ranges}
    deciding = {name: values.get(name, known[name].default) for name in condition.when}
    plain = {name: value.strip().strip('"') for name, value in deciding.items() if isinstance(value, str)}
    undecided = searched.intersection(deciding) or any(name in values and name not in plain for name in deciding)
    return None if undecided else plain


def is_number(text: str) -> bool:
    try:
        float(text.strip('"'))
    except ValueError:
        return False
    return True
