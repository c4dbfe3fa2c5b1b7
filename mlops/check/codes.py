"""Every code that a finding can have, without its story: what options, settings and comments may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from mlops.check.nearest import nearest
from mlops.check.plugged import PLUGINS, all_rules

FIRM = ("D", "J", "G101", "G102", "G103", "G104", "G111")
"""Beginnings of codes that nobody can wave through: the file was not understood, or its steps have no order, so
whatever comes after the check would build on sand."""

ALLOWANCES: Mapping[str, tuple[str, str]] = {
    "A001": (
        "idle-allow",
        """An allow comment suppresses nothing: what it was written for is mended or is told elsewhere. Left alone, it
would hide the next fault of that line.

Bad:  Training("Train", …)  # mlops: allow X751 short job
Good: Training("Train", …)""",
    ),
    "A002": (
        "unknown-allow",
        """An allow comment names no code, a code that does not exist, or one that nobody can wave through.

Bad:  # mlops: allow X99999
Good: # mlops: allow X840 a public demo key""",
    ),
}
"""Name and text of what allow comments can have wrong; all warnings."""

SURROUNDINGS: Mapping[str, tuple[str, str]] = {
    "A020": (
        "schedule-is-over",
        """A schedule of the environment has no time left at which it fires: the pipeline is not started by it any more.

Bad:  expression = "at(2020-01-01T06:00:00)"
Good: the next time, or no such table""",
    ),
    "A030": (
        "not-runnable-here",
        """A step cannot run on this machine: it is of a type that only the service has, calls a function whose source
nobody has named, runs the image's own program, or has data in a form that is not read here. `mlops check --env local`
tells it; `mlops run` tells it as an error before anything starts, where the step is surely reached.

Bad:  mlops run pipeline.py  with an EMR step that no branch holds
Good: mlops start in an account, a stub in a test, or mlops run --only the other steps""",
    ),
    "A031": (
        "data-not-here",
        """A step reads a place in S3 that has no object in the local account, and no other step writes there. `mlops
run` tells it as an error before anything starts, where the step is surely reached, and `mlops start` as a warning.

Bad:  mlops run pipeline.py  with the input "s3://acme/raw/" that nobody has brought
Good: mlops local put raw s3://acme/raw/, or -p Raw=raw where a parameter names it""",
    ),
    "A032": (
        "packages-not-here",
        """A step's requirements.txt asks for packages that its image would install and that this Python lacks, or has
in another version. `mlops run` tells a missing one as an error before anything starts, where the step is surely
reached, and another version as a warning: what is here stands in for it.

Bad:  mlops run pipeline.py  with a requirements.txt that asks for lightgbm, which is not installed here
Good: mlops local images build, which builds a virtual environment for the image and its requirements""",
    ),
    "A033": (
        "named-not-here",
        """A step names a model or an endpoint configuration that the local account does not have, and no step before it
makes one. `mlops run` tells it as an error before anything starts, where the step is surely reached.

Bad:  mlops run pipeline.py  with a Transform step of the model "churn-2024" that is in an account only
Good: the model made here by any client, or a Model step whose name the Transform step takes""",
    ),
}
"""Name and text of what lies around the pipelines in an environment; all warnings."""


@cache
def known_codes() -> Mapping[str, str]:
    """Name by code: rules, mistakes of the DSL, the reader's, those of templates and of allow comments."""
    from mlops.check.costs.budgets import FINDINGS as of_budgets
    from mlops.check.machines.judging import FINDINGS as of_machines
    from mlops.check.tables import FINDINGS as of_tables
    from mlops.check.templates.judging import stories
    from mlops.declare.mistakes import MISTAKES
    from mlops.ir.reader import FAULTS

    return {
        **{rule.code: rule.name for rule in all_rules()},
        **{code: mistake.name for code, mistake in MISTAKES.items()},
        **{code: name for code, (name, _) in FAULTS.items()},
        **{code: told.name for code, told in {**stories(), **of_machines, **of_budgets, **of_tables}.items()},
        **{code: name for code, (name, _) in {**ALLOWANCES, **SURROUNDINGS, **PLUGINS}.items()},
    }


def unknown_code(code: str) -> str | None:
    """What to say of a code, or beginning of one, that fits nothing; None where it fits."""
    codes = known_codes()
    if any(known.startswith(code) for known in codes):
        return None
    by_name = {name: known for known, name in codes.items()}
    if code.lower() in by_name:
        return f"{code.lower()!r} is the name of {by_name[code.lower()]}: write the code"
    guess = nearest(code, codes)
    hint = f"did you mean {guess} ({codes[guess]})?" if guess else "`mlops rules` lists all codes"
    return f"there is no code {code!r}; {hint}"


def is_firm(code: str) -> bool:
    return code.startswith(FIRM)


def named(code: str, codes: Iterable[str]) -> str | None:
    """The longest of ``codes`` that is this code or the beginning of its family."""
    return max((item for item in codes if code.startswith(item)), key=len, default=None)
