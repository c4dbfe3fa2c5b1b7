"""Lineage steps: entities of the account and what connects them, once however often they are said."""

from __future__ import annotations

from typing import Any

from ports_for_tests import Account, step

SOURCE = {"SourceUri": "s3://bucket/model.tar.gz"}


def note(*, associations: Any = ()) -> Any:
    return step(
        "Lineage",
        "Note",
        {
            "Actions": [{"ActionName": "train", "Source": SOURCE, "ActionType": "t", "Properties": {"n": 3}}],
            "Artifacts": [{"ArtifactName": "model", "Source": SOURCE, "ArtifactType": "Model"}],
            "Contexts": [{"ContextName": "team", "Source": SOURCE, "ContextType": "t"}],
            "Associations": list(associations),
        },
    )


def end(name: str, kind: str) -> dict[str, str]:
    return {"Name": name, "Type": kind}


MADE = {
    "Source": end("train", "Action"),
    "Destination": end("model", "Artifact"),
    "AssociationType": "Produced",
}


def test_entities_are_made_and_connected(account: Account) -> None:
    read = step("Fail", "Told", {"ErrorMessage": {"Get": "Steps.Note.ActionArns['train']"}})
    assert account.run(note(associations=[MADE]), read) == "Failed"
    arn = str(account.journal.statuses[-1][1]).removeprefix("Step failure: One or multiple steps failed: ")
    metadata = account.journal.last("Note").metadata["Lineage"]
    assert metadata["ActionArns"] == {"train": arn} and arn.endswith(":action/train")
    assert metadata["Associations"] == [{"SourceArn": arn, "DestinationArn": metadata["ArtifactArns"]["model"]}]
    described = account.registry.describe("DescribeAction", {"ActionName": "train"})
    assert described["Properties"] == {"n": "3"}


def test_a_pipeline_that_runs_again_says_the_same_again(account: Account) -> None:
    assert account.run(note(associations=[MADE])) == "Succeeded"
    assert account.run(note(associations=[MADE])) == "Succeeded"
    listed = account.registry.create("AddAssociation", account.journal.last("Note").response["Associations"][0])
    assert listed["SourceArn"].endswith("action/train")
    rows = account.state.store.all("SELECT kind FROM resource WHERE kind LIKE 'Lineage%' OR kind = 'Association'")
    assert sorted(row["kind"] for row in rows) == [
        "Association",
        "LineageAction",
        "LineageArtifact",
        "LineageContext",
    ]


def test_an_end_that_this_step_does_not_make_is_refused(account: Account) -> None:
    wrong = {"Source": end("other", "Action"), "Destination": {"Arn": "arn:aws:sagemaker:x:1:artifact/a"}}
    assert account.run(note(associations=[wrong])) == "Failed"
    assert "this step makes no Action 'other'" in (account.journal.last("Note").failure or "")
