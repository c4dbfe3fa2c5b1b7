"""The tables of ``mlops.toml``, held against each other, against the pipelines that they name and against what is
declared beside these."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops.check.templates.template import Told
from mlops.ir import Finding, Severity, Where
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
