"""The environment that a shift of traffic was begun with: by what that declares it is judged, whoever has a hand in it
later."""

from __future__ import annotations

from mlops.deploy.endpoints.conductor import unfinished
from mlops.ir import Refusal
from mlops.project.environments import LOCAL, Environment, Project, read_project
from mlops.use_cases.connecting import Connected, Where, connect_here


def connect_to_shift(environment: Where | None, endpoint: str, what: str) -> Connected:
    """For ``mlops endpoints WHAT`` of the shift that is under way; the environment itself where none is."""
    connected = connect_here(environment or LOCAL)
    left = unfinished(connected.account, connected.environment, endpoint)
    if left is None:
        return connected
    command = f"mlops endpoints {what} {endpoint}"
    return begun_with(connected, left.journal.environment, command, given=isinstance(environment, str))


def begun_with(connected: Connected, begun: str, command: str, *, given: bool) -> Connected:
    """The environment ``begun`` of a shift that was found in an account; an older version wrote none.

    Raises Refusal where another one was ``given``, and where mlops.toml has none of that name in that account and none
    was given: one that was renamed is named by whoever goes on."""
    own = connected.environment
    if begun in ("", own.name):
        return connected
    there = _same_place(read_project(connected.root), begun, own)
    told = f"the shift was begun with the environment {begun}"
    if there is None:
        if given:
            return connected
        raise Refusal(
            f"{told}, and mlops.toml has none of that name in this account",
            hint=f"`{command} --env NAME` judges it by what NAME declares",
        )
    if given:
        raise Refusal(
            f"{told}, and is judged by what that declares, not by {own.name}", hint=f"`{command}{there.option}`"
        )
    return connect_here(begun)


def _same_place(project: Project, name: str, own: Environment) -> Environment | None:
    if name not in {*project.environments, *project.incomplete}:
        return None
    found = project.environment(name)
    places = [
        (item.account, item.region, item.endpoint_url, item.bucket, item.prefix, item.state) for item in (own, found)
    ]
    return found if places[0] == places[1] else None
