"""``mlops plan``, ``upsert``, ``destroy``, ``assets`` and ``schema`` as a user types them, in the local account."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mlops.cli import main

PIPELINE = """\
from mlops import Pipeline, Processing
from words import WORD
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
with Pipeline("{name}", description=WORD) as pipeline:
    Processing("One", code="{name}.py", image=IMAGE, outputs=["text"], environment={{}})
"""
SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").write_text('[env.local]\ntags = { team = "growth" }\n')
    (tmp_path / "words.py").write_text('WORD = "hello"\n')
    for name in ("first", "second"):
        (tmp_path / f"{name}_pipeline.py").write_text(
            PIPELINE.format(name=name).replace("from words import WORD", "WORD = 'none'")
            if name == "second"
            else PIPELINE.format(name=name)
        )
        (tmp_path / f"{name}.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_from_the_first_plan_to_nothing_left(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", ".", "--exit-code"]) == 1
    assert "plan: 2 to create, 2 objects to upload" in capsys.readouterr().out
    assert main(["upsert", "."]) == 0
    assert capsys.readouterr().out == "first: created in local\nsecond: created in local\n"
    assert main(["plan", ".", "--exit-code"]) == 0
    capsys.readouterr()
    (project / "first.py").write_text("print(2)\n")
    assert main(["plan", ".", "--format", "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["action"], first["steps"], second["action"]) == ("update", {"One": "changed"}, "nothing")
    assert [item["step"] for item in first["cache"]] == ["One"]
    assert main(["plan", ".", "--format", "markdown"]) == 0
    assert "| first | local | update | ~ One | One | no |" in capsys.readouterr().out
    assert main(["upsert", "."]) == 0
    assert capsys.readouterr().out == "first: updated in local\nsecond: unchanged in local\n"
    assert main(["assets", "prune", "--older-than", "0", "--delete"]) == 0
    assert capsys.readouterr().out.count("/first.py\n") == 1
    assert main(["destroy", "first", "second"]) == 0
    assert "would remove pipeline first" in capsys.readouterr().out
    assert main(["destroy", "first", "second", "--yes"]) == 0
    assert main(["assets", "list", "--format", "json"]) == 0
    told = capsys.readouterr().out
    assert [item["referenced"] for item in json.loads(told[told.index("[") :])] == [False, False]


def test_a_schedule_that_is_over_is_told_where_it_would_start_something(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (project / "mlops.toml").open("a") as file:
        file.write('[env.prod]\nregion = "eu-west-1"\nrole = "arn:aws:iam::111122223333:role/r"\nbucket = "acme"\n')
        for name, pipeline, expression, enabled in (
            ("once", "first", "at(2020-01-01T06:00:00)", "true"),
            ("years", "first", "cron(0 6 * * ? 2019-2020)", "true"),
            ("asleep", "first", "at(2020-01-01T06:00:00)", "false"),
            ("later", "first", "cron(0 6 * * ? *)", "true"),
            ("others", "second", "at(2020-01-01T06:00:00)", "true"),
        ):
            file.write(f'[env.prod.schedules.{name}]\npipeline = "{pipeline}"\nexpression = "{expression}"\n')
            file.write(f"enabled = {enabled}\n")
    for command in (["check", "first_pipeline.py", "--env", "prod"], ["check", "first_pipeline.py"]):
        main(command)
        told = [line for line in capsys.readouterr().out.splitlines() if "A020" in line]
        names = [line.partition("schedules.")[2].partition("]")[0] for line in told]
        assert names == (["once", "years"] if "prod" in command else []), command
        assert all(line.startswith("mlops.toml:") for line in told)
    main(["check", "first_pipeline.py", "--env", "prod", "--ignore", "A020"])
    assert "A020" not in capsys.readouterr().out


def test_a_saved_plan_is_applied_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "first_pipeline.py", "--out", "plan.json"]) == 0
    assert main(["upsert", "--plan", "plan.json"]) == 0
    assert main(["upsert", "--plan", "plan.json"]) == 1
    told = capsys.readouterr().err
    assert "the account has moved since the plan was saved and is what the source says: there is nothing to do" in told


def test_a_saved_plan_goes_to_its_own_environment(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / "mlops.toml").open("a") as file:
        file.write('[env.staging]\nregion = "eu-west-1"\nrole = "arn:aws:iam::111122223333:role/r"\nbucket = "acme"\n')
    assert main(["plan", "first_pipeline.py", "--out", "plan.json"]) == 0
    assert main(["upsert", "--plan", "plan.json", "--env", "staging"]) == 2
    assert "the plan was saved for local, not for staging; nothing was written" in capsys.readouterr().err
    assert main(["upsert", "--plan", "plan.json", "--env", "local"]) == 0


def test_what_terraform_made_is_told_and_not_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def state(name: str) -> list[str]:
        made = {"attributes": {"pipeline_name": name, "tags": {"token": "hunter2-hunter2"}}}
        told = {"mode": "managed", "type": "aws_sagemaker_pipeline", "name": "p", "instances": [made]}
        (project / "state.json").write_text(json.dumps({"version": 4, "resources": [told]}))
        return ["first_pipeline.py", "--terraform-state", "state.json"]

    assert main(["plan", *state("another")]) == 0
    capsys.readouterr()
    owned = state("first")
    for command, code in (("plan", 1), ("upsert", 1)):
        assert main([command, *owned]) == code
        told = "".join(capsys.readouterr())
        assert "the pipeline first is Terraform's (aws_sagemaker_pipeline.p in state.json): change it there" in told
        assert "hunter2" not in told
    assert main(["plan", *owned, "--out", "plan.json"]) == 1 and not (project / "plan.json").exists()
    assert main(["upsert", "first_pipeline.py"]) == 0
    capsys.readouterr()
    assert main(["plan", *owned]) == 0
    assert "the pipeline first is Terraform's (aws_sagemaker_pipeline.p in state.json)\n" in capsys.readouterr().out
    settings = (project / "mlops.toml").read_text()
    assert "[env.local]\n" in settings
    own = '[env.local]\nterraform_state = "state.json"\n'
    (project / "mlops.toml").write_text(settings.replace("[env.local]\n", own))
    assert main(["plan", "first_pipeline.py"]) == 0
    assert main(["destroy", "first", "--yes", "--force"]) == 1
    said = capsys.readouterr()
    assert "the pipeline first is Terraform's" in said.out and "terraform state rm" in said.err
    (project / "state.json").write_text("{}")
    assert main(["plan", *owned]) == 2
    assert "state.json is no state of Terraform" in capsys.readouterr().err


def test_a_bootstrap_of_an_account_is_written_to_no_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bootstrap", "--env", "staging", "-o", "bootstrap.yaml"]) == 2
    assert "--output is where what --emit FORM writes goes" in capsys.readouterr().err
    with (project / "mlops.toml").open("a") as file:
        file.write(ENVIRONMENT)
    assert main(["bootstrap", "--env", "other", "--emit", "cloudformation", "-o", "bootstrap.yaml"]) == 0
    assert "AWS::S3::Bucket" in (project / "bootstrap.yaml").read_text()


def test_what_stays_is_not_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "studio.py").write_text(STUDIO)
    assert main(["upsert", "studio.py", "--yes"]) == 0
    capsys.readouterr()
    assert main(["destroy", "research", "absent", "--resources", "--yes"]) == 0
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "studio-domain research stays: it has users; remove these first",
        "there is nothing of absent in local",
    ]
    assert main(["destroy", "research/ada", "--resources", "--yes"]) == 0
    assert main(["destroy", "research", "--resources", "--yes"]) == 0
    assert "removed studio-domain research" in capsys.readouterr().out


STUDIO = """
from mlops import resources
research = resources.StudioDomain("research", vpc="vpc-1", subnets=["subnet-1"])
resources.UserProfile("ada", domain=research)
"""
ENVIRONMENT = """
[env.other]
account = "111122223333"
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-other"
"""
SLIPS = """
[env.local]
parameters = { Flor = 0.5 }
[env.local.schedules.daily]
pipeline = "frist"
expression = "rate(1 day)"
"""


def test_what_mlops_toml_says_of_no_pipeline_is_noted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "first_pipeline.py"
    file.write_text(
        file.read_text().replace("    Processing(", '    pipeline.float("Floor", default=0.1)\n    Processing(')
    )
    assert main(["plan", "."]) == 0
    assert "note:" not in capsys.readouterr().err
    (project / "mlops.toml").write_text('[project]\npipelines = "."\n' + SLIPS)
    assert main(["plan", "first_pipeline.py"]) == 0
    assert "note:" not in capsys.readouterr().err
    assert main(["plan", "."]) == 0
    told = capsys.readouterr().err
    assert "note: [env.local.schedules.daily] starts 'frist', no pipeline here; did you mean 'first'?\n" in told
    assert "note: [env.local] parameters has 'Flor', which no pipeline here takes; did you mean 'Floor'?\n" in told


def test_a_plan_of_nothing_is_saved_and_applied(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".gitignore").write_text("plan.json\n.mlops/\n__pycache__/\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", "-C", str(project), *words], check=True)
    assert main(["plan", "first_pipeline.py", "--changed-since", "HEAD", "--out", "plan.json"]) == 0
    assert main(["upsert", "--plan", "plan.json"]) == 0
    assert "the saved plan has no pipeline: nothing to do" in capsys.readouterr().err


def test_a_refusal_of_everything_is_not_told_a_thousand_times(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, moto_url: str
) -> None:
    one = (project / "first_pipeline.py").read_text().replace('code="first.py"', 'code="../first.py"')
    (project / "many").mkdir()
    for number in range(9):
        (project / "many" / f"p{number}.py").write_text(one.replace('Pipeline("first"', f'Pipeline("p{number}"'))
    toml = ['account = "123456789012"', 'region = "us-east-1"', 'role = "arn:aws:iam::123456789012:role/pipelines"']
    toml += ['bucket = "nobody-made-it"', f'endpoint_url = "{moto_url}"']
    (project / "mlops.toml").write_text("\n".join(["[env.moto]", *toml, ""]))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert main(["plan", "many", "--env", "moto"]) == 0
    assert main(["upsert", "many", "--env", "moto"]) == 3
    told = capsys.readouterr().err
    assert told.count("NoSuchBucket") == 5
    assert "5 of 9 pipelines failed: p0, p1, p2, p3, p4" in told and "4 were not begun" in told


def files_below(folder: Path) -> str:
    return "".join(file.read_bytes().decode("latin-1") for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("environment={}", f'environment={{"API_KEY": "{SECRET}"}}'),
        ("environment={}", f'args=["--password", "{SECRET}"]'),
        ("environment={}", f'environment={{"URL": "https://user:{SECRET}@host/"}}'),
        ("    Processing(", f'    pipeline.string("DbPassword", default="{SECRET}")\n    Processing('),
        ("description=WORD", f'description=WORD, tags={{"api_key": "{SECRET}"}}'),
    ],
    ids=["a variable", "an argument", "a URL", "a default", "a tag"],
)
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["check"], 0),
        (["plan"], 0),
        (["plan", "--format", "json"], 0),
        (["plan", "--format", "markdown"], 0),
        (["plan", "--out", "plan.json"], 0),
        (["upsert"], 1),
        (["upsert", "--force", "--yes"], 1),
        (["run"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_planted_secret_is_shown_and_kept_nowhere(
    project: Path, capfd: pytest.CaptureFixture[str], old: str, new: str, command: list[str], code: int
) -> None:
    file = project / "first_pipeline.py"
    file.write_text(file.read_text().replace(old, new))
    assert SECRET in file.read_text()
    assert main([*command, "first_pipeline.py"]) == code
    told = "".join(capfd.readouterr())
    if "tags" not in new:
        assert "looks like a secret" in told
    elif command[0] in ("upsert", "run"):
        assert "put a secret into .mlops/" in told
    for place in (told, files_below(project / ".mlops"), *(file.read_text() for file in project.glob("plan.json"))):
        assert SECRET not in place
    if (project / ".mlops").exists():
        assert (project / ".mlops").stat().st_mode & 0o077 == 0


def test_a_secret_that_is_allowed_is_shown_nowhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "first_pipeline.py"
    plain = file.read_text().replace("environment={}", f'environment={{"API_KEY": "{SECRET}"}}')
    allowed = plain.replace("    Processing", "    # mlops: allow X840 a demonstration's\n    Processing")
    file.write_text(allowed)
    assert main(["upsert", "."]) == 0
    file.write_text(allowed.replace(SECRET, SECRET[::-1]))
    for format_ in ("text", "json", "markdown"):
        assert main(["plan", ".", "--format", format_]) == 0
    assert main(["upsert", "."]) == 0
    told = capsys.readouterr()
    assert "API_KEY" in told.out and "(hidden)" in told.out
    for secret in (SECRET, SECRET[::-1]):
        assert secret not in told.out + told.err
    # What the account holds is the definition itself; the record beside it is ours.
    records = list((project / ".mlops" / "objects").rglob("pipelines/*.json"))
    assert len(records) == 2
    assert all(SECRET not in file.read_text() for file in records)
    assert any("(hidden)" in file.read_text() for file in records)


def test_a_secret_for_a_parameter_starts_nothing_here(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "first_pipeline.py"
    file.write_text(file.read_text().replace("    Proc", '    pipeline.string("DbPassword", default="none")\n    Proc'))
    assert main(["upsert", "first_pipeline.py"]) == 0
    for command in (["start", "first"], ["run", "first_pipeline.py"]):
        assert main([*command, "-p", f"DbPassword={SECRET}"]) == 1
        assert "DbPassword looks like a secret" in capsys.readouterr().err
    assert SECRET not in files_below(project / ".mlops")


def test_a_suffix_an_alias_and_what_is_wrong_with_them(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upsert", "first_pipeline.py", "--suffix", "ada", "--alias", "live"]) == 0
    assert capsys.readouterr().out == "first-ada: created in local\n"
    assert main(["upsert", "first_pipeline.py", "--suffix", "a_b"]) == 2
    assert main(["upsert", "first_pipeline.py", "--alias", "12"]) == 2
    assert main(["upsert"]) == 2
    assert main(["destroy", "first", "--suffix", "ada", "--yes"]) == 0
    assert "removed pipeline first-ada" in capsys.readouterr().out


def test_an_approval_is_asked_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "mlops.toml").write_text("[env.local]\napproval = true\n")
    assert main(["upsert", "first_pipeline.py"]) == 1
    assert "wants an approval" in capsys.readouterr().err
    assert main(["upsert", "first_pipeline.py", "--yes"]) == 0


def test_a_definition_in_json_is_planned_and_upserted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    (project / "theirs.json").write_text(json.dumps({"Version": "2020-12-01", "Metadata": {}, "Steps": [step]}))
    assert main(["plan", "theirs.json"]) == 0
    assert "+ Stop [Fail]" in capsys.readouterr().out
    assert main(["upsert", "theirs.json"]) == 0
    assert capsys.readouterr().out == "theirs: created in local\n"


def test_the_schema_is_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "mlops.toml"
