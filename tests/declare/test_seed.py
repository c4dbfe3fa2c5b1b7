"""``seed=`` of a pipeline: what gets it, what may be one, what is told of it, and how it comes back as Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mlops.check.programs import compile_program
from mlops.check.sources import Opened
from mlops.emit.targets.python import emit
from mlops.ir.document import document
from mlops.ir.reader import read
from tests.emit.programs import CONSTRUCTORS

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1"
BASE = f"""
sk = "{IMAGE}"
n = p.integer("N", default=1)
job = TrainingJob(image=sk, metrics={{"m": "m=(.*)"}})
"""
MANY = '{f"A{i}": "1" for i in range(16)}'

ENVIRONMENTS: list[tuple[str, str, str, Any]] = [
    ("a job without one", 'Training("X", image=sk)', "/Environment", {"MLOPS_SEED": "42"}),
    (
        "beside its own",
        'Processing("X", image=sk, command=["a"], environment={"A": "1"})',
        "/Environment",
        {"A": "1", "MLOPS_SEED": "42"},
    ),
    (
        "its own wins",
        'Training("X", image=sk, environment={"MLOPS_SEED": n})',
        "/Environment",
        {"MLOPS_SEED": {"Get": "Parameters.N"}},
    ),
    (
        "the job of a tuning",
        'Tuning("X", job=job, ranges={"a": ContinuousRange(1, 3)}, objective=Maximize("m"), max_jobs=2)',
        "/TrainingJobDefinition/Environment",
        {"MLOPS_SEED": "42"},
    ),
    (
        "each job of a tuning",
        'Tuning("X", jobs={k: TrainingJob(image=sk, metrics={"m": "m=(.*)"}, ranges={"a": ContinuousRange(1, 3)}, '
        'objective=Maximize("m")) for k in "kl"}, max_jobs=2)',
        "/TrainingJobDefinitions/1/Environment",
        {"MLOPS_SEED": "42"},
    ),
    ("a transform", 'Transform("X", model="m", data="s3://bkt/x/")', "/Environment", {"MLOPS_SEED": "42"}),
    ("no model", 'Model("X", image=sk, model="s3://bkt/model.tar.gz")', "/PrimaryContainer/Environment", None),
    ("no other type of step", 'Lambda("X", function="arn:aws:lambda:us-east-1:1:function:f")', "/Environment", None),
    (
        "a step as written",
        'as_written.step({"Name": "X", "Type": "Training", "Arguments": {"TrainingJobName": "x"}})',
        "/Environment",
        {"MLOPS_SEED": "42"},
    ),
]


def at(found: Any, pointer: str) -> Any:
    for part in filter(None, pointer.split("/")):
        found = found[int(part)] if isinstance(found, list) else found.get(part, {})
    return found or None


@pytest.mark.parametrize(
    ("line", "pointer", "wanted"), [row[1:] for row in ENVIRONMENTS], ids=[r[0] for r in ENVIRONMENTS]
)
def test_what_gets_it(declare: Callable[..., Opened], line: str, pointer: str, wanted: Any) -> None:
    def made(first: str) -> Any:
        step = document(declare(f"{BASE}{first}\n{line}").pipelines[0].definition)["Steps"][0]
        return at(step["Arguments"], pointer)

    assert made("p.seed = 42") == wanted
    assert "42" not in str(made(""))


def test_it_reaches_steps_inside_of_others(declare: Callable[..., Opened]) -> None:
    body = f'{BASE}p.seed = n\nwith when(n > 2, "C"):\n    Training("T", image=sk)'
    steps = document(declare(body).pipelines[0].definition)["Steps"]
    inner = steps[0]["Arguments"]["IfSteps"][0]["Arguments"]
    assert inner["Environment"] == {"MLOPS_SEED": {"Get": "Parameters.N"}}


TOLD: list[tuple[str, str, str, int | None]] = [
    ("a text", 'p.seed = "42"', "seed should be an integer from 0 to 4294967295, or an integer parameter", 7),
    ("a truth", "p.seed = True", "or an integer parameter; it is True", 7),
    ("a number with a point", "p.seed = 4.0", "it is 4.0 (float)", 7),
    ("below zero", "p.seed = -1", "seed should be an integer from 0 to 4294967295; it is -1", 7),
    ("too large", "p.seed = 2**32", "it is 4294967296", 7),
    ("a parameter of another type", 'p.seed = p.float("S", default=1.0)', "it is the Float parameter S", 7),
    ("a parameter whose default is none", 'p.seed = p.integer("S", default=-1)', "and its default is -1", 7),
    ("a parameter with such a choice", 'p.seed = p.integer("S", 1, choices=[1, -2])', "and a choice is -2", 7),
    ("a parameter of another pipeline", 'p.seed = Pipeline("q").integer("S", 1)', "none of its own parameters", 7),
    ("as an argument", 'Pipeline("q", seed=-5)', "pipeline q: seed should be", 7),
    ("by the word of others", 'Pipeline("q", random_state=5)', "here it is called seed", 7),
    ("of a step", 'Training("X", image=sk, seed=5)', "the seed is the pipeline's", 7),
    (
        "one variable too many",
        f'p.seed = 1\nTransform("X", model="m", data="s3://bkt/x/", environment={MANY})',
        "17 entries, at most 16 allowed one of them is MLOPS_SEED, the pipeline's seed: give one fewer of yours",
        8,
    ),
]


@pytest.mark.parametrize(("line", "told", "at_line"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_told(declare: Callable[..., Opened], line: str, told: str, at_line: int) -> None:
    errors = [item for item in declare(BASE + line).findings if item.code in ("D005", "D040", "S208")]
    assert [(told in f"{item.message} {item.help}", item.where.line) for item in errors] == [(True, at_line)], errors


SOUND = ["p.seed = 0", "p.seed = 2**32 - 1", "p.seed = None", "p.seed = n", 'p.seed = p.integer("S")']


@pytest.mark.parametrize("line", SOUND)
def test_what_is_sound(declare: Callable[..., Opened], line: str) -> None:
    found = declare(f'{BASE}{line}\nTransform("X", model="m", data="s3://bkt/x/", environment={MANY[:-3]}5)}}')
    assert [item for item in found.findings if item.code in ("D005", "S208")] == []


def test_what_an_environment_gives_is_told_at_its_line(declare: Callable[..., Opened]) -> None:
    found = declare(f"{BASE}p.seed = n", toml="[env.local]\nparameters = { N = -3 }\n")
    (told,) = [item for item in found.findings if item.code == "D005"]
    assert told.message.endswith("and the default that the environment local gives is -3")
    assert (str(told.where.file).rpartition("/")[2], told.where.line) == ("mlops.toml", 2)


PROGRAMS: list[tuple[str, str, str, int]] = [
    ("a number", 'p.seed = 42\nTraining("T", image=sk)\nTraining("U", image=sk)', "seed=42", 0),
    ("a parameter", 'p.seed = n\nTraining("T", image=sk)\nTraining("U", image=sk)', "pipeline.seed = n", 0),
    (
        "one job with its own",
        'p.seed = 42\nTraining("T", image=sk)\nTraining("U", image=sk, environment={"MLOPS_SEED": "7"})\n'
        'Transform("V", model="m", data="s3://bkt/x/")',
        "seed=42",
        1,
    ),
    ("one job without", 'Training("T", image=sk)\nTraining("U", image=sk, environment={"MLOPS_SEED": "7"})', "", 1),
    ("no number", 'Training("T", image=sk, environment={"MLOPS_SEED": "07"})', "", 1),
    (
        "inside of others",
        'p.seed = 42\nwith when(n > 2, "C"):\n    Training("T", image=sk)',
        "seed=42",
        0,
    ),
]


@pytest.mark.parametrize(("body", "said", "left"), [row[1:] for row in PROGRAMS], ids=[row[0] for row in PROGRAMS])
def test_it_is_said_once_in_a_program(declare: Callable[..., Opened], body: str, said: str, left: int) -> None:
    text = json.dumps(document(declare(f"{BASE.rpartition('job')[0]}{body}").pipelines[0].definition))
    definition, _ = read(text)
    assert definition is not None
    program = emit(definition, compile_program, CONSTRUCTORS)
    assert (said in program, program.count("MLOPS_SEED"), "as_written" in program) == (True, left, False), program
    again, mistakes = compile_program(program)
    assert again is not None, mistakes
    assert document(again) == json.loads(text)
