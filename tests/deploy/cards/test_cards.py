"""A card of a version that was registered by hand: it fits the schema, says what is known and what is missing, and
holds no secret; the gate asks of it; notes tell what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command_line import in_this_process

from mlops.account import connect
from mlops.deploy.cards.completeness import USUAL, missing, names
from mlops.deploy.cards.content import content
from mlops.deploy.cards.facts import Known, see
from mlops.deploy.endpoints import history, shift_records
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.models.registry import version
from mlops.deploy.shifting.mirroring import Counts, Mirrored, ShadowSamples
from mlops.deploy.shifting.samples import Looked, Samples
from mlops.ir.shift import Stage
from mlops.knowledge.model_cards import schema
from mlops.project.environments import read_project

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"
SECRET = "ghp_" + "a1B2" * 9
TOML = """
[cards.churn]
model_owner = "growth"
intended_uses = "Offers. <script>alert(1)</script>"
risk_rating = "Unknown"
[cards.churn.custom_details]
ticket = "GROW-1"
[cards.churn.data]
licence = "ours"
"""


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "mlops.toml").write_text(TOML)
        self.environment = read_project(folder).environment("local")
        self.account = connect(self.environment)
        self.s3, self.sagemaker = self.account.client("s3"), self.account.client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName="churn")

    def register(self, quality: Any = None, **more: Any) -> int:
        containers = [{"Image": IMAGE, "ModelDataUrl": "s3://mlops-local/model.tar.gz"}]
        self.s3.put_object(Bucket="mlops-local", Key="model.tar.gz", Body=b"one")
        if quality is not None:
            key = f"quality-{len(json.dumps(quality))}.json"
            self.s3.put_object(Bucket="mlops-local", Key=key, Body=json.dumps(quality).encode())
            source = {"ContentType": "application/json", "S3Uri": f"s3://mlops-local/{key}"}
            more["ModelMetrics"] = {"ModelQuality": {"Statistics": source}}
        specification = {
            "Containers": containers,
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName="churn", InferenceSpecification=specification, **more
        )
        return int(made["ModelPackageArn"].rpartition("/")[2])

    def known(self, number: int | None = None, *, whole: bool = True) -> Known:
        found = version(self.account, "churn", number)
        return see(self.account, self.environment, found, self.folder, whole=whole)

    def shift(self, number: int, *looks: tuple[str, str], shadow: ShadowSamples | None = None) -> None:
        looked = [Looked(1, 1000.0, 1000.0 + at, standing, why) for at, (standing, why) in enumerate(looks, 1)]  # type: ignore[arg-type]
        stages = (Stage(10.0, 60.0),)
        samples = Samples("shop", "churn", number, "b", ("a",), stages, 0.0, {}, (), looks=looked, shadow=shadow)
        shift_records.keep(self.account, self.environment, samples)
        entry = Entry(
            "updated", "churn", number, "config", None, "arn:aws:iam::000000000000:user/ada", f"token {SECRET}"
        )
        history.append(self.account, self.environment, "shop", entry)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(tmp_path)


def judged(card: Any) -> Any:
    jsonschema.Draft7Validator(dict(schema())).validate(card)
    assert len(json.dumps(card)) <= 110_000
    return card


def test_a_card_of_little_fits_and_says_what_is_missing(world: World) -> None:
    world.register()
    card = judged(content(world.known()))
    assert card["model_overview"]["model_owner"] == "growth"
    assert card["model_overview"]["model_version"] == 1 and card["intended_uses"]["risk_rating"] == "Unknown"
    assert card["additional_information"]["custom_details"]["ticket"] == "GROW-1"
    assert card["model_package_details"]["inference_specification"]["containers"][0]["image"] == IMAGE
    assert missing(card) == tuple(name for name in USUAL if name not in ("model_owner", "intended_uses"))
    assert {*USUAL} <= {*names()} and missing(card, ["custom_details", "container_image", "notes"]) == ("notes",)


CARRIED = {
    "model_overview": {"model_owner": "sales", "odd": 1, "model_version": 7},
    "intended_uses": ["no object"],
    "evaluation_details": [{"name": "By hand", "evaluation_observation": "looks good"}, "odd"],
    "additional_information": {"custom_details": {"api_key": SECRET, "seen": "yes"}},
}


def test_what_a_version_carries_stands_over_what_is_declared(world: World) -> None:
    world.register(
        {"binary": {"accuracy": {"value": 0.9}}, "odd": float("nan")},
        ModelCard={"ModelCardContent": json.dumps(CARRIED), "ModelCardStatus": "Approved"},
        ModelPackageDescription=f"Who leaves? {SECRET}",
    )
    known = world.known()
    card = judged(content(known))
    assert known.status == "Approved"
    assert (
        card["model_overview"]["model_owner"] == "sales" and "(hidden)" in card["model_overview"]["model_description"]
    )
    assert [item["name"] for item in card["evaluation_details"]] == ["By hand", "ModelQuality.Statistics"]
    groups = card["evaluation_details"][1]["metric_groups"]
    assert groups[0] == {"name": "binary.accuracy", "metric_data": [{"name": "value", "type": "number", "value": 0.9}]}
    assert groups[1]["metric_data"] == [{"name": "odd", "type": "string", "value": "nan"}]
    assert SECRET not in json.dumps(card)


@pytest.mark.parametrize("carried", ["{", "[]", "1", ""])
def test_what_a_version_carries_may_be_anything(world: World, carried: str) -> None:
    world.register(ModelCard={"ModelCardContent": carried, "ModelCardStatus": "Draft"})
    assert judged(content(world.known()))["model_overview"]["model_owner"] == "growth"


def test_a_report_of_many_numbers_still_fits(world: World) -> None:
    world.register({f"number-{at}" * 20: at for at in range(3000)})
    card = judged(content(world.known()))
    assert "further numbers in the report" in card["evaluation_details"][0]["evaluation_observation"]


def test_verdicts_and_what_happened(world: World) -> None:
    first, second = world.register(), world.register({"auc": 0.9})
    world.shift(second, ("green", "as good"), ("red", "errors 3 % against 1 %"), ("green", "late"))
    known = world.known(second)
    (shift,) = known.shifted
    assert (shift.endpoint, shift.standing, shift.why, shift.back, shift.looks) == (
        *("shop", "red", "errors 3 % against 1 %", True),
        3,
    )
    assert world.known(first).shifted == () and world.known(second, whole=False).shifted == ()
    card = judged(content(known))
    assert card["evaluation_details"][-1]["metadata"]["verdict"] == "red"
    details = card["additional_information"]["custom_details"]
    assert details["history 1"].startswith("20") and "updated at shop by arn" in details["history 1"]
    assert SECRET not in json.dumps(card)


def test_what_was_said_of_a_shadow_stands_before_the_stages(world: World) -> None:
    number = world.register()
    looks = [
        Mirrored(900.0, 950.0, "unsure", "few pairs", Counts()),
        Mirrored(900.0, 990.0, "green", "1 of 900", Counts()),
    ]
    world.shift(number, ("green", "as good"), shadow=ShadowSamples({}, "config", "s", looks))
    found = world.known().shifted
    assert [(item.stage, item.standing, item.why, item.looks) for item in found] == [
        ("shadow", "green", "1 of 900", 2),
        ("1 of 1", "green", "as good", 1),
    ]


def test_commands(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.register({"accuracy": 0.9, "same": 1})
    second = world.register({"accuracy": 0.95, "same": 1, "new": 3}, ModelPackageDescription="Better")
    world.shift(second, ("green", "as good"))
    mlops = in_this_process(capfd)
    card = judged(json.loads(mlops("models", "card", "churn", "--format", "json").out))
    assert card["model_overview"]["model_version"] == 2
    told = mlops("models", "card", "churn", "1", "-o", "deep/card.html")
    assert (
        "churn, version 1 is in deep" in told.err and "nobody has said: model_description" in told.err and not told.out
    )
    page = (world.folder / "deep" / "card.html").read_text()
    assert "&lt;script&gt;alert(1)" in page and "<script>" not in page
    mlops("models", "card", "churn", "-o", "card.json", "--format", "markdown")
    assert (world.folder / "card.json").read_text().startswith("# churn, version 2\n")

    sheet = json.loads(mlops("models", "datasheet", "churn", "--format", "json").out)
    answered = {item["name"]: item["answer"] for item in sheet["answers"]}
    assert answered["licence"] == "ours" and answered["consent"] is None and "consent" in sheet["unanswered"]

    notes = json.loads(mlops("models", "notes", "churn", "1", "2", "--format", "json").out)
    metrics = {item["name"]: item["difference"] for item in notes["changes"] if item["topic"] == "metric"}
    assert metrics == {"accuracy": pytest.approx(0.05), "new": None}
    assert [item["standing"] for item in notes["verdicts"]] == ["green"]
    assert "| accuracy | 0.9 | 0.95 | +0.05 |" in mlops("models", "notes", "churn", "1", "2").out
    same = mlops("models", "notes", "churn", "2", "2").out
    assert "Nothing that is known differs." in same
    assert "churn has no version 9; it has 2, 1" in mlops("models", "notes", "churn", "1", "9", code=2).err
    assert "cannot be written" in mlops("models", "card", "churn", "-o", "mlops.toml/x.md", code=2).err


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ("card = true", "gate card refuses: its card lacks model_description, purpose_of_model, risk_rating"),
        (
            'card = { need = ["model_owner"] }',
            "gate card passes: its card has all 1 members that are asked for and is Draft",
        ),
        ('card = { need = ["model_owner"], status = "Approved" }', "its card is Draft, and Approved is wanted"),
        ("card = false", None),
    ],
)
def test_the_gate(world: World, capfd: pytest.CaptureFixture[str], declared: str, says: str | None) -> None:
    world.register(ModelApprovalStatus="Approved")
    (world.folder / "mlops.toml").write_text(f"{TOML}\n[env.local.promote.gates]\n{declared}\n")
    code = 1 if says is not None and "passes" not in says else 0
    told = in_this_process(capfd)("promote", "churn", "--to", "local", "--plan", code=code)
    assert (says or "gate checksum") in told.out + told.err and ("gate card" in told.out + told.err) == (
        says is not None
    )


@pytest.mark.parametrize(
    ("commits", "told"),
    [
        ((None, None), "No commit was recorded."),
        ((None, "b" * 40), "Version 2 was made from bbbbbbbbbbbb. Of version 1 no commit was recorded."),
        (("a" * 40, None), "Version 1 was made from aaaaaaaaaaaa. Of version 2 no commit was recorded."),
        (("a" * 40, "a" * 40), "From aaaaaaaaaaaa to aaaaaaaaaaaa. Both were made from the same commit."),
    ],
    ids=["of neither", "of the new one", "of the old one", "of both"],
)
def test_notes_say_once_of_what_no_commit_was_recorded(
    commits: tuple[str | None, ...], told: str, world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    for commit in commits:
        world.register(**({"MetadataProperties": {"CommitId": commit}} if commit else {}))
    notes = in_this_process(capfd)("models", "notes", "churn", "1", "2").out
    (section,) = (part for part in notes.split("\n## ") if part.startswith("Commits"))
    assert " ".join(section.removeprefix("Commits").split()) == told
