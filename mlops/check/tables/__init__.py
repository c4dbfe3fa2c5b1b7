"""The tables of ``mlops.toml``, held against each other, against the pipelines that they name and against what is
declared beside these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops.check.templates.template import Told
from mlops.ir import Finding, Severity, Step, Where
from mlops.project.environments import table_place
from mlops.project.toml_places import line_of

FINDINGS: Mapping[str, Told] = {
    "A050": Told(
        "promotion-table",
        Severity.ERROR,
        """`[env.NAME.promote]` has what no promotion takes: a strategy, gate, measure or hook that there is not, a
setting that it does not have, or the name of an environment or a file that is not there. Every promotion would be
refused.

Bad:  strategy = { canary = { share = 0 } }
Good: strategy = { canary = { share = 10 } }""",
    ),
    "A051": Told(
        "start-parameters",
        Severity.ERROR,
        """A schedule, a trigger or feedback starts a pipeline with parameters that it does not take, and nobody is
there when each start fails.

Bad:  parameters = { Dpth = 4 } of a schedule, where the pipeline has Depth
Good: parameters = { Depth = 4 }""",
    ),
    "A052": Told(
        "name-of-nothing",
        Severity.WARNING,
        """A table names an alarm, a monitor, a pipeline, a group, an endpoint or a parameter that the project does not
have, while it has one of nearly that name; an alarm watches a variant that nothing gives its endpoint; or feedback
promotes from a group in which its pipeline registers nothing. It is looked at where the whole project is checked.

Bad:  alarms = ["churn-eror"], where churn-errors is declared
Good: alarms = ["churn-errors"]""",
    ),
    "A053": Told(
        "of-another-account",
        Severity.WARNING,
        """A role that a start is made with is of another account than the environment, or a topic of another region:
the service passes no role to another account, and a topic is told in its own region.

Bad:  role = "arn:aws:iam::111122223333:role/start" where account = "444455556666"
Good: role = "arn:aws:iam::444455556666:role/start\"""",
    ),
    "A054": Told(
        "gate-that-never-passes",
        Severity.WARNING,
        """A gate asks for what no version has: a number that the report of the pipeline does not have, a report that
its registration does not bring, or, an error, that an environment was passed which comes behind this one.

Bad:  gates.metrics = { acuracy = { at_least = 0.9 } }, where evaluation.json has accuracy
Good: gates.metrics = { accuracy = { at_least = 0.9 } }""",
    ),
    "A055": Told(
        "event-that-never-comes",
        Severity.WARNING,
        """A trigger waits for an event that no service sends: of a source or a detail-type that there is not, with a
member or a value that it never has; or a parameter is read from where such an event has nothing.

Bad:  detail = { EndpointStatus = ["InService"] }
Good: detail = { EndpointStatus = ["IN_SERVICE"] }""",
    ),
    "A056": Told(
        "starts-itself",
        Severity.WARNING,
        """A trigger starts a pipeline by an event that this pipeline makes, or by one of another pipeline that this one
starts in turn: it starts itself again and again, and each execution is paid for.

Bad:  source = ["aws.sagemaker"] with the end of any execution
Good: the same with detail = { pipelineArn = ["arn:aws:sagemaker:eu-west-1:111122223333:pipeline/features"] }""",
    ),
    "A057": Told(
        "half-a-network",
        Severity.WARNING,
        """An environment has security groups and no subnets, or subnets and no security groups: a job wants both.

Bad:  security_groups = ["sg-0a1b2c3d"]
Good: security_groups = ["sg-0a1b2c3d"] and subnets = ["subnet-0a1b2c3d"]""",
    ),
    "A058": Told(
        "feedback-nobody-does",
        Severity.ERROR,
        """Feedback declares for an account what neither a rule nor a state machine does there while the laptop is off.

Bad:  approval = ["promote"] without `[env.NAME.notify] sns`
Good: the same with a topic, by which people are asked""",
    ),
    "A059": Told(
        "verdict-that-may-not-come",
        Severity.WARNING,
        """A stage of a promotion is shorter than a measure needs: it may end without a verdict.

Bad:  errors = { at_most = "1%", interval = "5m", count = 10 } of a stage of ten minutes
Good: errors = { at_most = "1%", interval = "1m", count = 5 }""",
    ),
    "A060": Told(
        "alarm-of-no-shift",
        Severity.WARNING,
        """An alarm that a promotion watches cannot do that: it needs longer to go off than a stage lasts, or it takes
periods without values for bad ones, which a version without traffic has from the beginning.

Bad:  period=300, periods=3 of an alarm where the strategy is { canary = { bake = "10m" } }
Good: period=60, periods=3""",
    ),
    "A061": Told(
        "shift-nobody-looks-at",
        Severity.WARNING,
        """A promotion has alarms or measures, or feedback takes it back, and its strategy lets all traffic go at once:
nothing is looked at, and there is nothing to take back.

Bad:  strategy = "all-at-once" with alarms = ["churn-errors"]
Good: strategy = "blue-green" with alarms = ["churn-errors"]""",
    ),
    "A062": Told(
        "starts-too-often",
        Severity.WARNING,
        """Two schedules start one pipeline at the same time with the same parameters, or two tables of feedback do by
one alarm; a schedule starts it each minute; or `per_day` is more than `cooldown` ever lets it be.

Bad:  two schedules of churn with rate(1 day)
Good: one of them""",
    ),
    "A063": Told(
        "webhook-in-clear",
        Severity.WARNING,
        """A hook sends what it tells to another machine by http: everybody on the way can read it, and answer.

Bad:  before = { webhook = "http://hooks.example.com/deploys" }
Good: before = { webhook = "https://hooks.example.com/deploys" }""",
    ),
    "A064": Told(
        "house-of-nothing",
        Severity.WARNING,
        """A glob of `[house]` instances fits no instance type of SageMaker, so that it allows none.

Bad:  instances = ["ml.m55.*"]
Good: instances = ["ml.m5.*"]""",
    ),
}


def finding(
    code: str,
    root: Path,
    environment: str,
    inside: tuple[str, ...],
    message: str,
    help: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """``inside`` is the way to the key below the environment's table, or the one that it inherits from."""
    told = FINDINGS[code]
    place = table_place(root, environment)
    where = Where(str(place.file), line_of(place.text, place.path(inside)))
    return Finding(code, told.name, severity or told.severity, message, help=help, where=where)


def of_step(code: str, step: Step, message: str, help: str | None = None) -> Finding:
    """Of what is declared beside the pipelines."""
    told = FINDINGS[code]
    return Finding(code, told.name, told.severity, message, help=help, step=step.name, where=step.where)
