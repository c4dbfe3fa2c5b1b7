"""One version of a model: what it is and is made of, where it serves, what the gates say, and the decision on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mlops.console.page import Change, Done, NotThere, Page, Sent, Shown, Visit, address


def show(visit: Visit) -> Shown:
    from mlops.deploy.models.lineage import told
    from mlops.use_cases import models

    group, number = _asked(visit)
    found, origin = models.whole(visit.connected, group, number)
    asks = visit.query.one("gates") == "1"
    return {
        "title": f"{group} version {number}",
        "found": found,
        "details": found.described,
        "containers": [(container.get("Image"), _model(container)) for container in found.containers],
        "origin": origin,
        "made_of": [(name, value) for name, value in told(origin.lineage) if name != "execution"],
        "execution": (origin.lineage.execution or "").rpartition("/")[2],
        "history": [*reversed(models.history(visit.connected, group, number))],
        "gates": _gates(visit, group, number) if asks else None,
        "asked": visit.query.but(gates="1"),
        "promote": f"mlops promote {group} --version {number}{_to(visit)}",
    }


def _asked(visit: Visit) -> tuple[str, int]:
    group, number = visit.path["group"], visit.path["number"]
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NotThere(f"{group} has no version {number[:40]}")
    return group, int(number)


def _model(container: Mapping[str, object]) -> str | None:
    from mlops.deploy.models.lineage import model_uri

    return model_uri(container)


def _to(visit: Visit) -> str:
    return f" --to {visit.connected.environment.name}"


def _gates(visit: Visit, group: str, number: int) -> Shown:
    from mlops.deploy.endpoints.promotion import Target
    from mlops.ir import MlopsError
    from mlops.use_cases.promote import Promotion, gates_of

    asked = Promotion(group, visit.connected.environment.name, Target(""), number)
    try:
        return {"found": gates_of(asked), "error": None}
    except MlopsError as error:
        return {"found": (), "error": error.message}


def card(visit: Visit) -> Sent:
    from mlops.emit.sheets import html
    from mlops.use_cases.cards import card as card_of

    group, number = _asked(visit)
    text = html.emit(card_of(visit.connected, group, number).page)
    return Sent("text/html", text.encode(), f"{group}-{number}-card.html")


def _decide(change: Change, status: Literal["Approved", "Rejected"]) -> Done:
    from mlops.ir import unheard
    from mlops.use_cases.approval import GIVEN
    from mlops.use_cases.models import Decision, decide

    group, number = _asked(change.visit)
    decide(change.connected, Decision(group, number, status, change.reason), unheard, GIVEN)
    verb = "approved" if status == "Approved" else "rejected"
    return Done(address("models", group, "versions", str(number)), f"{verb} version {number} of {group}")


PAGE = Page(
    "/models/{group}/versions/{number}",
    "Version",
    show,
    follows=lambda visit: {},
    changes={
        "approve": lambda change: _decide(change, "Approved"),
        "reject": lambda change: _decide(change, "Rejected"),
    },
    files={"card.html": card},
)
