"""Boards of a file, brought into an environment's OpenSearch Dashboards."""

from __future__ import annotations

from mlops.check.sources import open_resources
from mlops.emit.dashboards.declared import declared_by, ndjson
from mlops.ir import Listener, UsageError
from mlops.ir.dataclass import dataclass
from mlops.observe.dashboards.importing import HEADERS, bring, changes, objects
from mlops.observe.search.asking import asking
from mlops.project.search import Search
from mlops.use_cases.approval import Consent, need_consent
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.judging import need_sound


@dataclass(frozen=True, slots=True)
class Pushed:
    """``changes`` are what was done, or with ``dry`` what would be; of ``objects`` in all."""

    url: str
    changes: tuple[str, ...]
    objects: int
    dry: bool


def push(target: str, environment: str, consent: Consent, listener: Listener, *, dry: bool = False) -> Pushed:
    """
    Raises:
        UsageError: the environment names no OpenSearch.
        AccountError: not all of it is there behind it.
    """
    opened = open_resources(target, environment)
    need_sound(opened.findings, listener, doing="push boards")
    connected = connect_here(environment, opened.project)
    place = connected.environment.search
    if place is None:
        raise UsageError(
            f"the environment {environment} names no OpenSearch, so there are no Dashboards",
            hint=f'write [env.{environment}.search] with url = "https://..." in mlops.toml',
        )
    url = place.dashboards or f"{place.url.rstrip('/')}/_dashboards"
    there: Search = place.model_copy(update={"url": url})
    ask = asking(there, connected.account.region, connected.account.credentials, headers=HEADERS)
    wanted = objects(ndjson(declared_by((*opened.pipelines, *opened.resources), place.logs, place.captured)))
    todo = changes(ask, wanted)
    if todo and not dry:
        need_consent(connected, f"bring {len(todo)} saved objects into {url}", consent)
        bring(ask, wanted)
    return Pushed(url, tuple(change.label for change in todo), len(wanted), dry)
