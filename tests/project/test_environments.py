"""mlops.toml: what is right is merged, what is wrong is told with file and line, all of it at once."""

from __future__ import annotations

import json
import re
import zoneinfo
from dataclasses import fields
from pathlib import Path

import pytest

from mlops.ir import ConfigurationError
from mlops.project.environments import Environment, read_project
from mlops.project.root import find_root
from mlops.project.schema import schema

STAGING = """
[env.defaults]
instance = "ml.m5.large"
tags = { team = "growth", cost = "1" }
parameters = { Floor = 0.8 }

[env.staging]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
tags = { cost = "2" }
"""


DAILY = "[env.staging.schedules.daily]\n"


def project(tmp_path: Path, text: str) -> Path:
    (tmp_path / "mlops.toml").write_text(text)
    return tmp_path


def test_an_environment_inherits_the_defaults(tmp_path: Path) -> None:
    staging = read_project(project(tmp_path, STAGING)).environment("staging")
    assert staging.instance == "ml.m5.large"
    assert staging.tags == {"team": "growth", "cost": "2"}
    assert staging.parameters == {"Floor": 0.8}
    assert staging.uri("assets", "x") == "s3://acme-ml/mlops/assets/x"


def test_local_needs_no_line(tmp_path: Path) -> None:
    local = read_project(tmp_path).environment("local")
    assert (local.account, local.state) == ("000000000000", tmp_path / ".mlops")
    inherited = read_project(project(tmp_path, STAGING)).environment("local")
    assert inherited.instance == "ml.m5.large"


def test_other_environments_may_be_of_the_local_account(tmp_path: Path) -> None:
    text = '[env.staging]\naccount = "000000000000"\n[env.production]\ninherits = "staging"\napproval = true\n'
    found = read_project(project(tmp_path, text))
    local, production = found.environment("local"), found.environment("production")
    assert production.is_local and (production.state, production.bucket) == (local.state, local.bucket)
    assert (local.option, production.option) == ("", " --env production")
    # Somebody else's account of that number is at its address.
    stack = STAGING.replace("111122223333", "000000000000") + 'endpoint_url = "http://localhost:4566"\n'
    assert not read_project(project(tmp_path, stack)).environment("staging").is_local
    with pytest.raises(ConfigurationError, match="the staging environment has no profile"):
        read_project(project(tmp_path, '[env.staging]\naccount = "000000000000"\nprofile = "me"\n'))


def test_an_empty_prefix_leaves_no_double_slash(tmp_path: Path) -> None:
    text = STAGING + 'prefix = ""\n'
    assert read_project(project(tmp_path, text)).environment("staging").uri("x") == "s3://acme-ml/x"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[env.staging\n", 1, "mlops.toml"),
        ("[projects]\n", 1, "'projects' is not known"),
        ("[project]\npipeline = 'x'\n", 2, "did you mean 'pipelines'?"),
        ("[project]\nroot = 'x'\n", 2, "known: chain, pipelines"),
        (STAGING + "regoin = 'x'\n", 13, "'regoin' is not a key of [env.staging]; did you mean 'region'?"),
        (STAGING + "protected = true\n", 13, "did you mean 'approval'?"),
        (STAGING + "colour = 'x'\n", 13, "'colour' is not a key of [env.staging]; known: account, "),
        (STAGING + "subnets = 'x'\n", 13, "env.staging.subnets = 'x': give a list"),
        (STAGING + "approval = 'yes'\n", 13, "give true or false"),
        (STAGING + "parallelism = '4'\n", 13, "give a whole number, without quotes"),
        (STAGING + "parallelism = 0\n", 13, "greater than or equal to 1"),
        (STAGING + "mlflow = 'x'\n", 13, 'one is, for example, "http'),
        (
            STAGING + "parameters = { Floor = [1] }\n",
            13,
            "staging.parameters.Floor = [1]: give a text, a number, true or",
        ),
        (STAGING + DAILY + "pipelin = 'p'\nexpression = 'rate(1 day)'\n", 14, "did you mean 'pipeline'?"),
        (STAGING + DAILY + "expression = 'rate(1 day)'\n", 13, "[env.staging.schedules.daily] lacks 'pipeline'"),
        (STAGING + DAILY + "pipeline = 'p'\nexpression = 'daily'\n", 15, '"rate(1 day)"'),
        (
            STAGING + "[env.staging.triggers.new]\npipeline = 'p'\nevent = {}\n",
            15,
            ": an empty pattern would match every",
        ),
        (
            STAGING + "[env.staging.triggers.new]\npipeline = 'p'\nevent.Detail-Type = 'x'\n",
            15,
            ": Detail-Type has to be a list of what it may be",
        ),
        (
            STAGING + "[env.staging.triggers.new]\npipeline = 'p'\nevent.source = 'aws.s3'\n",
            15,
            'source has to be a list of what it may be: source = ["aws.s3"]',
        ),
        (STAGING + "[env.staging.schedules.'a b']\npipeline = 'p'\nexpression = 'rate(1 day)'\n", 13, "its name takes"),
        (STAGING + "[env.staging.triggers.'a/b']\npipeline = 'p'\nevent.source = ['x']\n", 13, "its name takes"),
        *(
            (f"{STAGING}[env.staging.feedback.drift]\n{written}\n", line, said)
            for written, line, said in (
                ("pipeline = 'p'", 13, "one of alarm and monitor says when"),
                ("alarm = 'a'\nmonitor = 'm'", 13, "one of alarm and monitor says when"),
                ("alarm = 'a'\npipelin = 'p'", 15, "did you mean 'pipeline'?"),
                ("alarm = 'a'\ncooldown = 'long'", 15, "'long' is no duration"),
                ("alarm = 'a'\npipeline = 'p'\nparameters = { S = '{sinc}' }", 16, "{sinc} is not known here"),
                ("alarm = 'a'\nrollback = true", 13, "rollback needs endpoint"),
                ("alarm = 'a'\ngroup = 'g'", 13, "are for a pipeline, and none is named"),
                ("alarm = 'a'\nnotify = false", 13, "nothing is done"),
                ("alarm = 'a'\npipeline = 'p'\napproval = ['stop']", 16, "approval"),
                ("alarm = 'a'\npipeline = 'p'\napproval = ['rollback']", 13, "needs rollback = true"),
                ("alarm = 'a'\npipeline = 'p'\nper_day = -1", 16, "greater than or equal to 0"),
            )
        ),
        (STAGING + "[env.staging.search]\nurl = 'x'\n", 14, 'one is, for example, "https://search-'),
        (STAGING + "[env.staging.search]\nurl = 'https://a'\nauth = 'basic'\n", 13, "takes user and password_env"),
        (STAGING + "[env.staging.search]\nurl = 'http://a:9200'\n", 13, "take https://"),
        (STAGING + "[env.staging.search]\nurl = 'http://127.0.0.1.evil.example'\n", 13, "take https://"),
        (STAGING + "[env.staging.search]\nurl = 'https://a'\nuser = 'ada'\n", 13, "takes no user and no password"),
        (STAGING + "[env.staging.search]\nurl = 'https://ada:p@a'\n", 14, "one is, for example"),
        (STAGING + "[env.staging.notify]\non = ['fail']\n", 14, "env.staging.notify.on = 'fail'"),
        (STAGING + "[env.staging.notify]\nfile = ''\n", 14, "env.staging.notify.file: give the name of a file"),
        (STAGING + '[env.staging.notify]\nfile = "a\\u0000b"\n', 14, "cannot hold the character NUL"),
        (STAGING + "[env.staging.notify]\nfile = '.'\n", 14, "that is a folder; give a file in it"),
        (STAGING + "[env.staging.notify]\nfile = 'told/'\n", 14, "that is a folder"),
        (STAGING + "[env.staging.notify]\ncommand = []\n", 14, "env.staging.notify.command: give a list of words"),
        (
            STAGING + "[env.staging.notify]\nfile = ''\n[env.b]\ninherits = 'staging'\n",
            14,
            "env.staging.notify.file: give the name of a file",
        ),
        (STAGING + "kms_key = '${}'\n", 13, "env.staging.kms_key: ${} names no variable"),
        (STAGING.replace("eu-west-1", "Europe"), 9, "region"),
        (STAGING.replace('"111122223333"', "111122223333"), 8, "give a text, in quotes"),
        (STAGING.replace("role =", "# role ="), 7, "lacks 'role'"),
        (STAGING.replace("instance =", "instanse ="), 3, "'instanse'"),
        ("[env.local]\naccount = '111122223333'\n", 2, "local"),
        ("[env]\nstaging = 5\n", 2, "env.staging has to be a table"),
        ("env = 5\n", 1, "env has to be a table"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        read_project(project(tmp_path, text))
    assert words in told.value.message
    place = f"{tmp_path / 'mlops.toml'}:{line}:" if line else str(tmp_path / "mlops.toml")
    assert place in told.value.message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        read_project(project(tmp_path, STAGING.replace("eu-west-1", "Europe") + "unknown = 1\n"))
    assert "region" in told.value.message
    assert "'unknown'" in told.value.message


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('region = "eu-west-1"', 'region = "Europe"', 6),
        ("parallelism = 4", 'parallelism = "4"', 10),
        ('tags = { team = "growth" }', "tags = { team = 5 }", 2),
        ('tags = { stage = "staging" }', 'tags = { stage = "${NOT_SET}" }', None),
    ],
)
def test_a_mistake_that_is_inherited_is_told_once_where_it_stands(
    tmp_path: Path, old: str, new: str, line: int | None
) -> None:
    assert old in INHERITING
    (tmp_path / "mlops.toml").write_text(INHERITING.replace(old, new))
    if line is None:
        incomplete = read_project(tmp_path).incomplete
        assert set(incomplete) == {"staging", "prod"}
        assert all("mlops.toml:9: env.staging.tags.stage: the variable NOT_SET" in said for said in incomplete.values())
        return
    with pytest.raises(ConfigurationError) as told:
        read_project(tmp_path)
    assert told.value.message.count("\n") == 0
    assert f"mlops.toml:{line}: " in told.value.message


def test_a_url_where_the_name_of_a_variable_belongs_is_not_repeated(tmp_path: Path) -> None:
    table = "[env.staging.notify]\nwebhook_env = "
    with pytest.raises(ConfigurationError) as told:
        read_project(project(tmp_path, STAGING + table + '"https://hooks.example.org/T0/B0/abcdef"\n'))
    assert ":14: env.staging.notify.webhook_env = (hidden): that is none" in told.value.message
    found = read_project(project(tmp_path, STAGING + table + '"SLACK"\n')).environment("staging").notify
    assert found is not None and found.webhook_env == "SLACK"


def test_a_secret_where_its_place_belongs_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        read_project(project(tmp_path, '[env.local.secrets]\n"prod/db" = "hunter2"\n'))
    assert 'secrets.prod/db = (hidden): that is none; one is, for example, "$DB_PASSWORD"' in told.value.message
    found = read_project(project(tmp_path, '[env.local.secrets]\n"prod/db" = "$DB"\n"b" = "file:b.txt"\n'))
    assert found.environment("local").secrets == {"prod/db": "$DB", "b": "file:b.txt"}
    for table in ("secrets", "datasets"):
        with pytest.raises(ConfigurationError, match=f"{table} are for the account inside .mlops/"):
            read_project(project(tmp_path, f'{STAGING}[env.staging.{table}]\na = "$B"\n'))


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_bytes(b"\xef\xbb\xbf" + STAGING.encode())
    assert read_project(tmp_path).environment("staging").region == "eu-west-1"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("expression = 'cron(0 6 * * ? *)'", None),
        ("expression = 'cron(0/15 8-17 ? * MON-FRI 2026)'", None),
        ("expression = 'cron(0 10 ? * 6#3 *)'", None),
        ("expression = 'rate(1 hour)'", None),
        ("expression = 'rate(36 hours)'", None),
        ("expression = 'at(2026-11-22T06:00:00)'", None),
        ("expression = 'cron(0 6 * * *)'", "six fields"),
        ("expression = 'cron(0 6 * * * *)'", "has to be ?"),
        ("expression = 'cron(0 24 * * ? *)'", "hours goes from 0 to 23, not 24"),
        ("expression = 'cron(0 6 ? * 0 *)'", "day of the week goes from 1 to 7, not 0"),
        ("expression = 'rate(1 days)'", "singular"),
        ("expression = 'rate(0 days)'", "rate is a number"),
        ("expression = 'at(tomorrow)'", "at is a time"),
        ("expression = 'rate(1 day)'\ntimezone = 'Europe/Berlin'", None),
        ("expression = 'rate(1 day)'\ntimezone = 'Europe/Berlim'", "did you mean 'Europe/Berlin'?"),
    ],
)
def test_a_schedule_that_would_never_fire(tmp_path: Path, written: str, said: str | None) -> None:
    if "timezone" in written and not zoneinfo.available_timezones():
        pytest.skip("this machine has no time zones")
    text = STAGING + DAILY + f"pipeline = 'p'\n{written}\n"
    if said is None:
        assert read_project(project(tmp_path, text)).environment("staging").schedules["daily"]
        return
    with pytest.raises(ConfigurationError, match=re.escape(said)) as told:
        read_project(project(tmp_path, text))
    assert f":{14 + len(written.splitlines())}: env.staging.schedules.daily." in told.value.message


def test_parameters_of_a_start_may_be_numbers(tmp_path: Path) -> None:
    written = (
        "pipeline = 'p'\nexpression = 'rate(1 day)'\nparameters = { Least = 0.5, Many = 3, Deep = true, Word = 'x' }\n"
    )
    found = read_project(project(tmp_path, STAGING + DAILY + written)).environment("staging").schedules["daily"]
    assert found.parameters == {"Least": "0.5", "Many": "3", "Deep": "true", "Word": "x"}


def test_an_unknown_environment_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there are: local, staging"):
        read_project(project(tmp_path, STAGING)).environment("prod")


def test_the_root_is_where_the_configuration_is(tmp_path: Path) -> None:
    inner = project(tmp_path, "") / "pipelines" / "churn"
    inner.mkdir(parents=True)
    (inner / "pipeline.py").touch()
    assert find_root(inner / "pipeline.py") == tmp_path


INHERITING = """\
[env.defaults]
tags = { team = "growth" }

[env.staging]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-staging"
tags = { stage = "staging" }
parallelism = 4

[env.prod]
inherits = "staging"
account = "444455556666"
bucket = "acme-prod"
approval = true

[env.staging.feedback.drift]
alarm = "drift"
pipeline = "churn"
parameters = { Days = 7 }

[env.prod.feedback.late]
monitor = "late"

[env.prod.schedules.daily]
pipeline = "churn"
expression = "rate(1 day)"
"""


def test_an_environment_inherits_from_another(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text(INHERITING)
    prod = read_project(tmp_path).environment("prod")
    assert (prod.account, prod.bucket, prod.region, prod.parallelism) == ("444455556666", "acme-prod", "eu-west-1", 4)
    assert prod.tags == {"team": "growth", "stage": "staging"}
    assert prod.approval and prod.schedules["daily"].expression == "rate(1 day)"
    assert [(name, item.watches) for name, item in sorted(prod.feedback.items())] == [
        ("drift", ("alarm", "drift")),
        ("late", ("monitor", "late")),
    ]
    assert prod.feedback["drift"].parameters == {"Days": "7"} and not prod.feedback["late"].parameters
    assert not read_project(tmp_path).environment("staging").approval


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('inherits = "nowhere"', r":15: inherits = 'nowhere'"),
        ('inherits = "prod"', r":15: environments inherit from each other: prod -> prod"),
        ("inherits = 5", r":15: inherits = 5"),
    ],
    ids=["another that is not there", "itself", "a number"],
)
def test_a_wrong_inheritance_is_told_with_its_line(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "mlops.toml").write_text(INHERITING.replace('inherits = "staging"', written))
    with pytest.raises(ConfigurationError) as caught:
        read_project(tmp_path)
    assert re.search(told.replace(":15:", r":1\d:"), caught.value.message)


def test_variables_of_the_process_fill_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlops.toml").write_text(INHERITING.replace('"staging" }', '"${STAGE}-1" }'))
    monkeypatch.delenv("STAGE", raising=False)
    assert read_project(tmp_path).environment("local").name == "local"
    with pytest.raises(ConfigurationError, match="the variable STAGE is not set"):
        read_project(tmp_path).environment("staging")
    monkeypatch.setenv("STAGE", "blue")
    assert read_project(tmp_path).environment("staging").tags["stage"] == "blue-1"


def test_a_secret_variable_is_refused_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlops.toml").write_text(INHERITING.replace('"staging" }', '"${API_KEY}" }'))
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    with pytest.raises(ConfigurationError, match="API_KEY looks like a secret") as caught:
        read_project(tmp_path)
    assert "hunter2" not in caught.value.message


def test_the_schema_knows_every_key_and_no_other() -> None:
    found = schema()
    table = found["properties"]["env"]["additionalProperties"]
    assert set(table["properties"]) == {item.name for item in fields(Environment)} - {"name", "state"} | {"inherits"}
    assert {"Schedule", "Trigger", "Notify"} <= set(found["definitions"])
    assert "$defs" not in json.dumps(found)


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("region", "eu-west-1", True),
        ("region", "${AWS_REGION}", True),
        ("region", "Europe", False),
        ("account", "${ACCOUNT}", True),
        ("account", "12", False),
        ("role", "arn:aws:iam::${ACCOUNT}:role/r", True),
        ("parallelism", "4", False),
    ],
)
def test_an_editor_takes_a_variable_where_a_text_has_a_form(key: str, value: str, fits: bool) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    judge = jsonschema.Draft7Validator(schema())
    assert judge.is_valid({"env": {"staging": {key: value}}}) == fits
