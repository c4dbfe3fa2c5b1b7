"""From what is seen back to what is done: an alarm or a violation begins a loop, which goes from stage to stage.

:mod:`deciding` is pure: signals, what was done before and the time come in, stages or a reason to do nothing go out.
What does a stage is :mod:`mlops.use_cases.feedback_running`. The journal lies in the account, so that whoever goes on
finds where it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.ir.feedback_machine import FeedbackMachine
    from mlops.project.environments import Environment


def machines_of(environment: Environment, pipeline: str) -> tuple[FeedbackMachine, ...]:
    """Those that train one pipeline, in another account than the local one."""
    if environment.is_local or not environment.feedback:
        return ()
    from mlops.deploy.feedback.machines import machines  # it reads promotions, and few declare any

    return machines(environment, [pipeline])
