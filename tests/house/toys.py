"""One new thing of each kind, as the files that a contributor would write: by their paths below the package."""

from __future__ import annotations

STEP = '''"""Toy: a step type that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.references import lower
from mlops.declare.steps.base import Shared, Step
from mlops.ir import StepType, Value
from mlops.ir.shape_notation import STRING_SHAPE, structure

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Toy"]

STEP_TYPE = StepType(
    type="Toy",
    arguments=structure(("Colour",), Colour=STRING_SHAPE),
    permissions=("toys:Play",),
)


class Toy(Step):
    """Plays."""

    step_type = STEP_TYPE

    def __init__(self, name: str, *, colour: str, **shared: Unpack[Shared]) -> None:
        super().__init__(name, **shared)
        self.colour = colour

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {"Colour": lower(self.colour)}
'''

JOB_STEP = '''"""Compilation: a step that starts a job of a kind that no other step starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.references import lower
from mlops.declare.steps.base import Shared, Step
from mlops.ir import JobKind, S3Place, StepType, Value
from mlops.ir.permissions import to_run

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Compilation"]

STEP_TYPE = StepType(
    type="Compilation",
    response="DescribeCompilationJobResponse",
    cache_keys=("InputConfig",),
    envelope=frozenset({"CacheConfig"}),
    action="compilation",
    job=JobKind(
        "CompilationJob",
        "compilation-job",
        destination="OutputConfig",
        outputs=(S3Place(("OutputConfig", "S3OutputLocation"), "compiled"),),
        log_group="/aws/sagemaker/CompilationJobs",
        boxed=False,
    ),
    permissions=to_run("CompilationJob"),
)


class Compilation(Step):
    """Compiles a model."""

    step_type = STEP_TYPE

    def __init__(self, name: str, *, to: str, **shared: Unpack[Shared]) -> None:
        super().__init__(name, **shared)
        self.to = to

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return {"InputConfig": {"Framework": "XGBOOST"}, "OutputConfig": {"S3OutputLocation": lower(self.to)}}
'''

ACTION = '''"""Compilation, as it runs here."""

from __future__ import annotations

from mlops.run.job import Job
from mlops.run.outcome import Done, Task
from mlops.run.work import Work


def start(work: Work) -> Task:
    job = Job(work, work.request)
    job.started()
    work.note("compiled")
    return Done(job.ended("Completed"))
'''

RULE = '''"""Toys."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity


@rule("Y999", "dull-toy", Severity.WARNING, source="children")
def dull_toy(subject: Subject) -> Iterator[Fault]:
    """A toy is grey.

    Bad:  {"Name": "Play", "Type": "Toy", "Arguments": {"Colour": "grey"}}
    Good: {"Name": "Play", "Type": "Toy", "Arguments": {"Colour": "red"}}
    """
    for placed, arguments in subject.of_type("Toy"):
        if arguments.get("Colour") == "grey":
            yield Fault(f"{placed.pointer}/Arguments/Colour", "the toy is grey", "paint it", placed)
'''

TARGET = '''"""The names of the steps."""

from __future__ import annotations

from mlops.ir.target import Source, Target


def _write(source: Source) -> str:
    names = ", ".join(source.checked.order)
    return f"{source.around().environment}: {names}\\n"


TARGET = Target("TARGET as the names of its steps.", _write)
'''

REPORT = '''"""How many."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.ir import Finding


def render(findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str:
    return f"{len(findings)} in {files}: {' '.join(finding.code for finding in findings)}\\n"
'''

COMMAND = '''"""``mlops play``."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Play."""
    click.echo("played")
'''

OPERATION = '''"""What toys answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.state import State


def list_toys(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Images": []}


OPERATIONS = {"ListImages": list_toys}
'''

RESOURCE = '''"""Groups of versions."""

from mlops.ir.resource import Call, Resource, ResourceType

DESCRIPTION = "first"


def declared(environment, pipeline):
    if DESCRIPTION is not None:
        yield Resource("group", f"{pipeline}-models", {"ModelPackageGroupDescription": DESCRIPTION})


def named(operation, name, **more):
    return (Call(operation, {"ModelPackageGroupName": name, **more}),)


RESOURCE_TYPE = ResourceType(
    type="group",
    service="sagemaker",
    cloudformation="AWS::SageMaker::ModelPackageGroup",
    describe=lambda name: named("DescribeModelPackageGroup", name),
    read=lambda reply: {"ModelPackageGroupDescription": reply.get("ModelPackageGroupDescription", "")},
    create=lambda name, properties: named("CreateModelPackageGroup", name, **properties),
    update=None,
    delete=lambda name, inside: named("DeleteModelPackageGroup", name),
)
'''

DECLARED = '''"""A bell."""

from mlops.declare.resources.base import DeclaredResource
from mlops.ir import StepType
from mlops.ir.fields import NUMBER, REQUIRED, Constructor, Field

__all__ = ["Bell"]

STEP_TYPE = StepType(type="Bell", service="cloudwatch", request="PutMetricAlarmInput", response="MetricAlarm")


class Bell(DeclaredResource):
    named_by = "AlarmName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("", "Namespace", NUMBER, "toys"),
            Field("", "MetricName", NUMBER, "pulls"),
            Field("", "Statistic", NUMBER, "Sum"),
            Field("", "Period", NUMBER, 60),
            Field("", "EvaluationPeriods", NUMBER, 1),
            Field("above", "Threshold", NUMBER, REQUIRED),
            Field("", "ComparisonOperator", NUMBER, "GreaterThanThreshold"),
        )
    )

    def __init__(self, name: str, *, above: float) -> None:
        self.known(name, None, None)
        self.above = above
'''

BELL = '''"""Bells."""

from mlops.ir.resource import Call, Kept, ResourceType


def put(name, properties):
    return (Call("PutMetricAlarm", {"AlarmName": name, **properties}),)


RESOURCE_TYPE = ResourceType(
    type="bell",
    service="cloudwatch",
    cloudformation="AWS::CloudWatch::Alarm",
    describe=lambda name: (Call("DescribeAlarms", {"AlarmNames": [name]}),),
    read=lambda reply: {"Threshold": reply["MetricAlarms"][0]["Threshold"]},
    create=put,
    update=put,
    delete=lambda name, inside: (Call("DeleteAlarms", {"AlarmNames": [name]}),),
    kept=Kept(
        called=".+",
        arn="arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceARN": arn}),
        told=lambda reply: {item["Key"]: item["Value"] for item in reply["Tags"]},
        tag=lambda arn, name, tags: Call("TagResource", {"ResourceARN": arn, "Tags": tags}),
        change=lambda name, properties, reply: put(name, properties),
        found=lambda reply: bool(reply["MetricAlarms"]),
        form=lambda properties: {"Threshold": properties["Threshold"]},
    ),
)
'''

STRATEGY = '''"""Half, then all."""

from dataclasses import dataclass

from mlops.ir.shift import Course, Stage
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    half: float = 50.0


STRATEGY = Strategy(
    "halves",
    "half, then all",
    Settings,
    lambda settings, count: Course((Stage(settings.half), Stage(100.0))),
)
'''

MEASURE = '''"""How many toys are broken."""

from dataclasses import dataclass

from mlops.ir.measure import Measure, Query, number


@dataclass(frozen=True, slots=True)
class Settings:
    pass


MEASURE = Measure(
    "broken",
    "how many toys are broken",
    Settings,
    lambda settings, judged: {"broken": Query("Toys", "Broken", "Sum")},
    lambda settings, answers: answers["broken"],
    number,
    str,
)
'''

GATE = '''"""Only toys."""

from mlops.ir.gate import Gate, Judgement

GATE = Gate("toys-only", "only toys", lambda raw: raw, lambda settings, asked: Judgement(True, "it is a toy"))
'''

HOOK = '''"""A bell."""

from mlops.ir.hook import HookKind

HOOK = HookKind("bell", "a bell", lambda table: table["bell"], lambda settings, facts, around: None)
'''

TICKER = '''"""Nothing to wait for."""

from mlops.account.local.process.clock.ticker import Ticker

TICKER = Ticker(lambda state: False, lambda state, now: None)
'''

RECEIVER = '''"""Toys are told."""

import re

from mlops.account.local.process.clock.target import Target

TARGET = Target(re.compile("arn:toys:.*"), lambda state, delivery: {"toy": delivery.text})
'''

PAGE = '''"""Toys."""

from __future__ import annotations

from mlops.console.page import Page, Shown, Visit


def show(visit: Visit) -> Shown:
    return {"told": f"the {visit.query.one('colour')} toys"}


PAGE = Page("/toys", "Toys", show, place=80)
'''
PAGE_TEMPLATE = """{% extends "templates/base.html" %}
{% block content %}<h1>{{ shown.told }}</h1>{% endblock %}
"""

STATES = '''"""A toy in a machine plays by itself."""

from __future__ import annotations

from mlops.emit.states.step_states import StepStates
from mlops.emit.states.work import Work


def _write(work: Work) -> str:
    work.put(work.step.name, {"Type": "Pass", "Output": work.recorded({}), "Next": work.then})
    return work.first


STATES = StepStates("Toy", _write)
'''

TOYS = {
    "a step type": {"declare/steps/toy.py": STEP},
    "a job kind that runs here": {"declare/steps/compilation.py": JOB_STEP, "run/actions/compilation.py": ACTION},
    "a step type that is more than a call in a machine": {"emit/states/steps/toy.py": STATES},
    "a rule": {"check/rules/toy.py": RULE},
    "an emit target": {"emit/targets/toy_names.py": TARGET},
    "a report format": {"check/reports/toy.py": REPORT},
    "a type of resource": {"deploy/resources/group.py": RESOURCE},
    "a declared resource": {"declare/resources/bell.py": DECLARED, "deploy/resources/bell.py": BELL},
    "a strategy": {"deploy/strategies/halves.py": STRATEGY},
    "a gate": {"deploy/gates/toys_only.py": GATE},
    "a kind of hook": {"deploy/hooks/bell.py": HOOK},
    "a measure": {"deploy/measures/broken.py": MEASURE},
    "a page of the console": {
        "console/pages/toys/__init__.py": PAGE,
        "console/pages/toys/page.html": PAGE_TEMPLATE,
    },
    "a command": {"cli/commands/play.py": COMMAND},
    "what the local account's clock does": {"account/local/process/clock/tickers/toys.py": TICKER},
    "whom the clock delivers to": {"account/local/process/clock/targets/toys.py": RECEIVER},
    "an operation of the local account": {"account/local/services/sagemaker/toys.py": OPERATION},
}
