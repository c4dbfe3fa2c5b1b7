"""``[cards.GROUP]``: what people say, and mistakes in it with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.ir import ConfigurationError
from mlops.project.card_intent import Intent, read_intent
from mlops.project.environments import read_project


def declared(folder: Path, text: str) -> Intent:
    (folder / "mlops.toml").write_text(text)
    read_project(folder)
    return read_intent(folder, "churn")


def test_what_is_declared(tmp_path: Path) -> None:
    assert read_intent(tmp_path, "churn") == Intent() == declared(tmp_path, "[cards.other]\nmodel_owner = 'x'\n")
    found = declared(
        tmp_path,
        """[cards.churn]
model_owner = " growth "
risk_rating = "Low"
line_of_business = ""
status = "Approved"
register = true
[cards.churn.custom_details]
ticket = "7"
[cards.churn.data]
licence = "ours"
private_columns = ["id"]
""",
    )
    assert found.content() == {
        "model_overview": {"model_owner": "growth"},
        "intended_uses": {"risk_rating": "Low"},
        "additional_information": {"custom_details": {"ticket": "7"}},
    }
    assert (found.status, found.register, found.answers, found.private) == (
        "Approved",
        True,
        {"licence": "ours"},
        ("id",),
    )


MANY = "".join(f"d{at} = '{'x' * 1000}'\n" for at in range(100))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "[cards.churn]\nmodel_owners = 'x'\n",
            2,
            "'model_owners' is not a key of [cards.churn]; did you mean 'model_owner'?",
        ),
        ("[cards.churn]\n\nmodel_owner = 1\n", 3, "cards.churn.model_owner has to be a text; it is 1"),
        ("[cards.churn]\nrisk_rating = 'low'\n", 2, "choose one of High, Medium, Low, Unknown; did you mean 'Low'?"),
        ("[cards.churn]\nstatus = 'Done'\n", 2, "choose one of Draft, PendingReview, Approved, Archived"),
        ("[cards.churn]\nregister = 'yes'\n", 2, "write true or false"),
        (f"[cards.churn]\nmodel_owner = '{'x' * 1025}'\n", 2, "has 1025 characters, and a card takes 1024"),
        (f"[cards.churn]\nmodel_owner = 'ghp_{'a1B2' * 9}'\n", 2, "looks like a secret"),
        ("[cards.churn.custom_details]\nDbPassword = 'hunter2-hunter2'\n", 2, "looks like a secret"),
        ("[cards.churn]\ncustom_details = 1\n", 2, "has to be a table of texts"),
        (
            "[cards.churn.data]\nlicense = 'x'\n",
            2,
            "'license' is not a key of [cards.churn.data]; did you mean 'licence'?",
        ),
        ("[cards.churn.data]\nprivate_columns = 'id'\n", 2, "has to be a list of names of columns"),
        ("[cards.churn]\ndata = 1\n", 2, "cards.churn.data has to be a table"),
        (f"[cards.churn.custom_details]\n{MANY}", 1, "characters, and a card takes 100000"),
        ("[cards]\nchurn = 1\n", 2, "cards.churn has to be a table"),
        ("cards = 1\n", 1, "[cards.GROUP] has to be a table"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        declared(tmp_path, text)
    assert str(told.value.message).startswith(f"{tmp_path / 'mlops.toml'}:{line}: ") and said in str(told.value.message)
    with pytest.raises(ConfigurationError, match=r"mlops\.toml"):
        read_intent(tmp_path, "churn")


def test_a_table_that_is_none_is_near_to_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"known: \[project\], .*\[cards.GROUP\]; did you mean 'cards'"):
        declared(tmp_path, "[card.churn]\n")
