"""Tables of environments against each other, against the pipelines that they name and what is declared beside them. One
project has an environment for each row, and one file an alarm for each."""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from mlops.check.tables import FINDINGS
from mlops.ir import Finding, unheard
from mlops.use_cases.check import Check, look

BASE = """[project]
pipelines = "pipelines"
chain = ["base", "chained"]

[env.base]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
"""
PIPELINE = """from mlops import Pipeline, Processing, RegisterModel

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
with Pipeline("churn") as pipeline:
    pipeline.integer("Depth", default=5)
    evaluate = Processing("Evaluate", image=IMAGE, code="evaluate.py", command=["python3"], instance="ml.m5.large",
                          outputs=["report"], reports={"quality": "report/evaluation.json"})
    RegisterModel("Register", model="s3://acme-ml/model.tar.gz", image=IMAGE, group="churn",
                  content_types=["text/csv"], response_types=["text/csv"], metrics=evaluate.reports["quality"])
"""
OTHERS = """from mlops import Fail, Pipeline

for name in ("rain", "snow"):
    with Pipeline(name):
        Fail("Stop", message="not yet")
"""
EVALUATE = """import json

with open("/opt/ml/processing/output/report/evaluation.json", "w") as file:
    json.dump({"accuracy": 0.9, "folds": {"auc": 0.8, "worst": min(0.7, 0.8)}}, file)
"""
SERVING = """from mlops import resources

model = resources.Model("churn", group="churn")
config = resources.EndpointConfig("churn", model=model.model_name, instance="ml.m5.large")
resources.Endpoint("churn", config=config.config_name)


def alarm(name, metric, statistic="Sum", threshold=1, period=60, **more):
    resources.Alarm(name, metric=metric, statistic=statistic, period=period, comparison="GreaterThanThreshold", threshold=threshold, **more)


def of(name, endpoint="churn", variant="AllTraffic", space="AWS/SageMaker"):
    return resources.Metric(space, name, {"EndpointName": endpoint, "VariantName": variant})


"""


class Row(NamedTuple):
    """``code`` is None where nothing is told; ``words`` are of the message."""

    name: str
    written: str
    code: str | None = None
    words: str = ""
    severity: str = ""


STRATEGY, GATES, JUDGE = "[env.{0}.promote]\nstrategy = ", "[env.{0}.promote.gates]\n", "[env.{0}.promote.judge]\n"
SCHEDULE = '[env.{0}.schedules.daily]\nexpression = "rate(1 day)"\n'
FEEDBACK = '[env.{0}.feedback.drift]\npipeline = "churn"\n'
CRON = '[env.{{0}}.schedules.{}]\nexpression = "cron({})"\npipeline = "churn"\n'
AFTER = """[env.{{0}}.triggers.{0}]
pipeline = "{1}"
[env.{{0}}.triggers.{0}.event]
source = ["aws.sagemaker"]
detail-type = ["SageMaker Model Building Pipeline Execution Status Change"]
detail.currentPipelineExecutionStatus = ["Succeeded"]
detail.pipelineArn = [{{{{ suffix = "/{2}" }}}}]
"""
TRIGGER = '[env.{0}.triggers.new]\npipeline = "churn"\nevent = '
SAGEMAKER = '{{{{ source = ["aws.sagemaker"], detail-type = ["SageMaker {}"], detail = {{{{ {} }}}} }}}}'
OBJECTS = '{{{{ source = ["aws.s3"], detail-type = ["Object Created"], detail = {{{{ bucket = {{{{ name = ["{}"] }}}} }}}} }}}}'
EXECUTION = "Model Building Pipeline Execution Status Change"
PROMOTE = "[env.{0}.promote]\n"
TABLES = [
    Row("a-canary-of-nothing", STRATEGY + "{{ canary = {{ share = 0 }} }}", "A050", "share = 0"),
    Row("a-canary", STRATEGY + "{{ canary = {{ share = 50 }} }}"),
    Row("a-strategy-that-is-none", STRATEGY + '"cannary"', "A050", "did you mean 'canary'?"),
    Row("a-gate-that-is-none", GATES + "aprovals = {{ count = 2 }}", "A050", "did you mean 'approvals'?"),
    Row("a-day-that-is-none", GATES + 'freeze = [{{ days = ["friday13"] }}]', "A050", "friday13"),
    Row("a-measure-without-a-limit", JUDGE + "errors = {{}}", "A050", "no limit"),
    Row("no-time-for-a-verdict", STRATEGY + '{{ canary = {{ bake = "10m" }} }}\n' + JUDGE + 'errors = {{ at_most = "1%", interval = "5m", count = 10 }}', "A059", "without a verdict on errors"),
    Row("time-for-a-verdict", STRATEGY + '{{ canary = {{ bake = "10m" }} }}\n' + JUDGE + 'errors = {{ at_most = "1%", count = 5 }}'),
    Row("the-bucket-of-others", 'account = "444455556666"\nrole = "arn:aws:iam::444455556666:role/r"', "A053", "takes over the bucket of base"),
    Row("a-bucket", 'account = "444455556666"\nrole = "arn:aws:iam::444455556666:role/r"\nbucket = "acme-ml-b"'),
    Row("after-nothing", GATES + 'after = "bose"', "A050", "did you mean 'base'?"),
    Row("after-itself", GATES + 'after = "after-itself"', "A054", "before itself", "error"),
    Row("chained", GATES + 'after = "base"'),
    Row("an-unknown-registry", PROMOTE + 'registry = "nowhere"', "A050", "nowhere"),
    Row("a-missing-gate", GATES + 'python = "none.py:enough"', "A050", "none.py"),
    Row("a-missing-function", GATES + 'python = "gates.py:enuogh"', "A050", "did you mean 'enough'?"),
    Row("a-gate-of-its-own", GATES + 'python = "gates.py:enough"'),
    Row("a-missing-hook", '[env.{0}.promote.hooks]\nbefore = {{ command = ["./warm.py"] }}', "A050", "./warm.py"),
    Row("a-hook", '[env.{0}.promote.hooks]\nbefore = {{ command = ["./gates.py"] }}'),
    Row("guardrails-with-hooks", PROMOTE + 'engine = "guardrails"\nalarms = ["errors"]\nstrategy = "canary"\n'
        '[env.{0}.promote.hooks]\nstage = {{ command = ["./gates.py"] }}', "A050", "wait for no hook"),
    Row("guardrails", PROMOTE + 'engine = "guardrails"\nalarms = ["errors"]\nstrategy = "canary"'),
    Row("a-number-that-no-report-has", GATES + "metrics = {{ acuracy = {{ at_least = 0.9 }} }}", "A054", "did you mean 'accuracy'?", "warning"),
    Row("a-number-of-the-report", GATES + 'metrics = {{ "folds.worst" = {{ at_least = 0.5 }} }}'),
    Row("a-report-that-is-not-brought", GATES + 'reports = ["Bias.Report"]', "A054", "Bias.Report"),
    Row("a-report", GATES + 'reports = ["ModelQuality.Statistics"]'),
    Row("an-alarm-beside", STRATEGY + '"blue-green"\nalarms = ["erors"]'),
    Row("a-start-of-nothing", SCHEDULE + 'pipeline = "chrun"', "A052", "did you mean 'churn'?"),
    Row("a-start-elsewhere", SCHEDULE + 'pipeline = "weather-forecast"'),
    Row("a-parameter-that-is-none", SCHEDULE + 'pipeline = "churn"\nparameters = {{ Dpth = 4 }}', "A051", "Dpth"),
    Row("a-parameter-of-another-type", SCHEDULE + 'pipeline = "churn"\nparameters = {{ Depth = "deep" }}', "A051", "Depth"),
    Row("a-parameter", SCHEDULE + 'pipeline = "churn"\nparameters = {{ Depth = 4 }}'),
    Row("a-default-of-nothing", "[env.{0}.parameters]\nDpth = 4", "A052", "did you mean 'Depth'?"),
    Row("a-role-of-others", SCHEDULE + 'pipeline = "churn"\nrole = "arn:aws:iam::444455556666:role/start"', "A053", "444455556666"),
    Row("a-role", SCHEDULE + 'pipeline = "churn"\nrole = "arn:aws:iam::111122223333:role/start"'),
    Row("a-topic-elsewhere", '[env.{0}.notify]\nsns = "arn:aws:sns:us-east-1:111122223333:on-call"', "A053", "us-east-1"),
    Row("a-group-of-others", FEEDBACK + 'alarm = "drift"\ngroup = "churn-eu"', "A052", "registers in churn"),
    Row("no-such-source", TRIGGER + '{{ source = ["s3"] }}', "A055", "write aws.s3"),
    Row("a-kind-of-another", TRIGGER + '{{ source = ["aws.s3"], detail-type = ["SageMaker Model Package State Change"] }}', "A055", "is of aws.sagemaker"),
    Row("a-misspelt-kind", TRIGGER + '{{ source = ["aws.s3"], detail-type = ["Object Craeted"] }}', "A055", "did you mean 'Object Created'?"),
    Row("a-status-that-is-none", TRIGGER + SAGEMAKER.format("Endpoint State Change", 'EndpointStatus = ["InService"]'), "A055", "IN_SERVICE"),
    Row("a-status", TRIGGER + SAGEMAKER.format("Endpoint State Change", 'EndpointStatus = ["FAILED"]')),
    Row("a-member-in-another-case", TRIGGER + SAGEMAKER.format(EXECUTION, 'CurrentPipelineExecutionStatus = ["Stopped"]'), "A055", "did you mean 'currentPipelineExecutionStatus'?"),
    Row("its-own-end", TRIGGER + SAGEMAKER.format(EXECUTION, 'currentPipelineExecutionStatus = ["Succeeded"]'), "A056", "an execution of churn"),
    Row("anothers-end", TRIGGER + SAGEMAKER.format(EXECUTION, 'pipelineArn = ["arn:aws:sagemaker:eu-west-1:111122223333:pipeline/features"]')),
    Row("its-own-version", TRIGGER + SAGEMAKER.format("Model Package State Change", 'ModelPackageGroupName = ["churn"]'), "A056", "a version of churn"),
    Row("each-other", AFTER.format("there", "rain", "churn") + AFTER.format("back", "churn", "rain"), "A056", "rain starts churn starts rain"),
    Row("a-round-of-three", AFTER.format("one", "rain", "churn") + AFTER.format("two", "snow", "rain") + AFTER.format("three", "churn", "snow"), "A056", "again and again"),
    Row("one-after-another", AFTER.format("one", "rain", "churn") + AFTER.format("two", "snow", "rain")),
    Row("an-approved-version", TRIGGER + SAGEMAKER.format("Model Package State Change", 'ModelPackageGroupName = ["churn"], ModelApprovalStatus = ["Approved"]')),
    Row("its-own-objects", TRIGGER + OBJECTS.format("acme-ml"), "A056", "what it writes of churn"),
    Row("objects-of-others", TRIGGER + OBJECTS.format("acme-raw")),
    Row("nothing-of-the-object", TRIGGER + '{{ source = ["aws.s3"], detail-type = ["Object Created"] }}\nparameters = {{ Depth = "$.detail.object.name" }}', "A055", "no 'name'"),
    Row("something-of-the-object", TRIGGER + '{{ source = ["aws.s3"], detail-type = ["Object Created"] }}\nparameters = {{ Depth = "$.detail.object.size" }}'),
    Row("groups-without-subnets", 'security_groups = ["sg-0a1b2c3d"]', "A057", "no subnets"),
    Row("a-network", 'security_groups = ["sg-0a1b2c3d"]\nsubnets = ["subnet-0a1b2c3d"]'),
    Row("a-deployer-of-others", 'assume_role = "arn:aws:iam::444455556666:role/deploy"\nparallelism = 2', "A053", "444455556666"),
    Row("a-deployer", 'assume_role = "arn:aws:iam::111122223333:role/deploy"\nparallelism = 2'),
    Row("nobody-to-ask", FEEDBACK + 'alarm = "drift"\ngroup = "churn"\napproval = ["promote"]', "A058", "asks by SNS alone"),
    Row("a-text-for-a-number", FEEDBACK + 'alarm = "drift"\nendpoint = "churn"\nparameters = {{ Depth = "{{captures}}" }}', "A051", "Depth takes no text"),
    Row("a-group", FEEDBACK + 'alarm = "drift"\ngroup = "churn"'),
    Row("alarms-of-all-at-once", PROMOTE + 'strategy = "all-at-once"\nalarms = ["errors"]', "A061", "nothing looks at alarms"),
    Row("measures-of-no-strategy", JUDGE + 'errors = {{ at_most = "1%" }}', "A061", "nothing looks at judge"),
    Row("taking-back-all-at-once", PROMOTE + 'strategy = "all-at-once"\nendpoint = "churn"\n' + FEEDBACK + 'alarm = "drift"\nendpoint = "churn"\nrollback = true', "A061", "nothing to take back"),
    Row("all-at-once", STRATEGY + '"all-at-once"\n' + FEEDBACK + 'alarm = "drift"\nendpoint = "weather"\nrollback = true'),
    Row("alarms-of-a-component-at-once", PROMOTE + 'component = "churn"\nalarms = ["errors"]', "A050", "watched in batches"),
    Row("measures-of-a-component-at-once", PROMOTE + 'component = "churn"\n' + JUDGE + 'errors = {{ at_most = "1%" }}', "A061", "nothing looks at judge"),
    Row("component-at-once", PROMOTE + 'component = "churn"'),
    Row("more-than-half-of-a-component", PROMOTE + 'component = "churn"\nstrategy = {{ rolling = {{ batch = 60 }} }}\nalarms = ["errors"]', "A050", "5 to 50 percent, and not 60"),
    Row("copies-one-by-one", PROMOTE + 'component = "churn"\nstrategy = {{ rolling = {{ batch = 2 }} }}\nalarms = ["errors"]', "A050", "5 to 50 percent, and not 2"),
    Row("half-of-a-component", PROMOTE + 'component = "churn"\nstrategy = {{ rolling = {{ batch = 50 }} }}\nalarms = ["errors"]'),
    Row("more-than-half-of-the-instances", STRATEGY + '{{ rolling = {{ batch = 60 }} }}\nalarms = ["errors"]'),
    Row("a-hook-in-clear", '[env.{0}.promote.hooks]\nbefore = {{ webhook = "http://hooks.example.com/a" }}', "A063", "of before"),
    Row("one-of-two-in-clear", '[env.{0}.promote.hooks]\nbefore = {{ webhook = "https://a.example.com" }}\nafter = {{ webhook = "http://a.example.com" }}', "A063", "of after"),
    Row("hooks-of-a-secret-address", '[env.{0}.promote.hooks]\nbefore = {{ webhook = "$HOOK" }}\nafter = {{ webhook = "http://10.0.0.7/a", private = true }}'),
    Row("each-minute", SCHEDULE.replace("1 day", "1 minute") + 'pipeline = "churn"', "A062", "each minute"),
    Row("an-hour-of-minutes", SCHEDULE.replace("rate(1 day)", "cron(0-59 6 * * ? *)") + 'pipeline = "churn"', "A062", "each minute"),
    Row("each-five-minutes", SCHEDULE.replace("rate(1 day)", "cron(0/5 * * * ? *)") + 'pipeline = "churn"'),
    Row("two-of-a-day", SCHEDULE + 'pipeline = "churn"\n' + SCHEDULE.replace("daily", "other").replace("1 day", "24 hours") + 'pipeline = "churn"', "A062", "at the same time"),
    Row("mondays-twice", CRON.format("daily", "0 6 * * ? *") + CRON.format("weekly", "0 6 ? * MON *"), "A062", "daily and weekly"),
    Row("mondays-later", CRON.format("daily", "0 6 * * ? *") + CRON.format("weekly", "30 6 ? * MON *")),
    Row("mondays-otherwise", CRON.format("daily", "0 6 * * ? *") + CRON.format("weekly", "0 6 ? * MON *") + "parameters = {{ Depth = 9 }}"),
    Row("never-so-often", FEEDBACK + 'alarm = "drift"\ncooldown = "12h"\nper_day = 5', "A062", "it is 2 at most"),
    Row("never-thirty", FEEDBACK + 'alarm = "drift"\nper_day = 30', "A062", "it is 24 at most"),
    Row("as-often", FEEDBACK + 'alarm = "drift"\ncooldown = "1d"'),
    Row("two-of-one-alarm", FEEDBACK + 'alarm = "drift"\n' + FEEDBACK.replace("drift", "more") + 'alarm = "drift"', "A062", "churn is started twice"),
    Row("two-of-two-alarms", FEEDBACK + 'alarm = "drift"\n' + FEEDBACK.replace("drift", "more") + 'alarm = "errors"'),
    Row("what-feedback-does-not-give", FEEDBACK + 'alarm = "drift"\nparameters = {{ Since = "{{since}}" }}', "A051", "Since"),
]  # fmt: skip
ASKED = """
[env.asked]
inherits = "base"
[env.asked.promote]
strategy = "rolling"
alarms = ["erors", "late", "hourly", "silent", "some", "prompt"]
endpoint = "chrun"
[env.asked.feedback.drift]
pipeline = "churn"
alarm = "drfit"
endpoint = "churm"
"""
ALARMS = [
    Row("errors", 'of("Invocation5XXErrors")'),
    Row("drift", 'of("feature", space="shop")'),
    Row("machines", 'of("CPUUtilization", space="/aws/sagemaker/Endpoints"), "Average", 80'),
    Row("newer", 'of("TokensPerSecond")'),
    Row("misspelt", 'of("Invocations5XXErrors")', "X835", "did you mean 'Invocation5XXErrors'?"),
    Row("elsewhere", 'of("CPUUtilization")', "X835", "write /aws/sagemaker/Endpoints"),
    Row("no-namespace", 'of("Invocations", space="aws/SageMaker")', "X835", "write AWS/SageMaker"),
    Row("no-endpoint", 'of("Invocations", "chrun")', "X836", "did you mean 'churn'?"),
    Row("another", 'of("Invocations", "weather")'),
    Row("no-variant", 'of("Invocations", variant="Main")', "A052", "it has AllTraffic"),
    Row("turns", 'of("Invocations", variant="blue")'),
    Row("seconds", 'of("ModelLatency"), "Average", 0.25', "X837", "microseconds"),
    Row("microseconds", 'of("ModelLatency"), "Average", 250_000'),
    Row("a-share", 'of("CPUUtilization", space="/aws/sagemaker/Endpoints"), "Average", 0.8', "X837", "write 80"),
    Row("late", 'of("Invocation5XXErrors"), periods=10', "A060", "needs 10m to go off"),
    Row("hourly", 'of("Invocation5XXErrors"), period=3600', "A060", "needs 1h to go off"),
    Row("silent", 'of("Invocation5XXErrors"), missing="breaching"', "A060", "without values"),
    Row("some", 'of("Invocation5XXErrors"), periods=10, datapoints=3, missing="notBreaching"'),
    Row("prompt", 'of("Invocation5XXErrors"), periods=5'),
    Row("of-nobody", 'of("Invocation5XXErrors"), periods=10, missing="breaching"'),
    Row("always-one", 'of("Invocations"), "Average"', "X837", "never another"),
]
COMPOSITE = [
    Row("either", "ALARM(errors) OR ALARM(other-team)"),
    Row("neither", "ALARM(erors)", "X836", "did you mean 'errors'?"),
    Row("itself", "ALARM(itself)", "X836", "hangs on itself"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Finding, ...]]:
    root = tmp_path_factory.mktemp("project")
    tables = [f'[env.{row.name}]\ninherits = "base"\n{row.written.format(row.name)}' for row in TABLES]
    (root / "mlops.toml").write_text("\n".join([BASE, *tables, ASKED]))
    (root / "gates.py").write_text("def enough(asked):\n    return True\n")
    (root / "pipelines").mkdir()
    (root / "pipelines" / "churn.py").write_text(PIPELINE)
    (root / "pipelines" / "others.py").write_text(OTHERS)
    (root / "pipelines" / "evaluate.py").write_text(EVALUATE)
    alarms = [f'alarm("{row.name}", {row.written})' for row in ALARMS]
    alarms += [f'resources.CompositeAlarm("{row.name}", rule="{row.written}")' for row in COMPOSITE]
    (root / "pipelines" / "serving.py").write_text(SERVING + "\n".join(alarms) + "\n")
    return root, look(Check((str(root),), "asked"), unheard).findings


def told(findings: tuple[Finding, ...], row: Row) -> None:
    expected = [] if row.code is None else [row.code]
    assert [item.code for item in findings] == expected, [item.message for item in findings]
    for item in findings:
        assert row.words in f"{item.message} {item.help}"
        assert item.severity.value == (
            row.severity or (FINDINGS[item.code].severity.value if item.code in FINDINGS else "warning")
        )


@pytest.mark.parametrize("row", TABLES, ids=lambda row: row.name)
def test_a_table(found: tuple[Path, tuple[Finding, ...]], row: Row) -> None:
    root, findings = found
    lines = (root / "mlops.toml").read_text().splitlines()
    begin = lines.index(f"[env.{row.name}]") + 1
    end = next(
        (at for at, line in enumerate(lines, 1) if at > begin and line.startswith("[env.") and row.name not in line),
        len(lines) + 1,
    )
    told(
        tuple(
            item
            for item in findings
            if str(item.where.file).endswith(".toml") and begin <= (item.where.line or 0) < end
        ),
        row,
    )


@pytest.mark.parametrize("row", [*ALARMS, *COMPOSITE], ids=lambda row: row.name)
def test_an_alarm(found: tuple[Path, tuple[Finding, ...]], row: Row) -> None:
    kind = "composite-alarm" if row in COMPOSITE else "alarm"
    told(tuple(item for item in found[1] if item.step == f"{kind}-{row.name}"), row)


def test_names_of_what_is_declared_beside(found: tuple[Path, tuple[Finding, ...]]) -> None:
    lines = (found[0] / "mlops.toml").read_text().splitlines()
    begin = lines.index("[env.asked]")
    asked = [item for item in found[1] if str(item.where.file).endswith(".toml") and (item.where.line or 0) > begin]
    assert [item.code for item in asked] == ["A052"] * 4
    assert [item.help for item in asked][:3] == [f"did you mean {name!r}?" for name in ("errors", "churn", "drift")]


def test_of_a_part_of_the_project_nothing_is_told_to_be_missing(found: tuple[Path, tuple[Finding, ...]]) -> None:
    one = look(Check((str(found[0] / "pipelines" / "serving.py"),), "asked"), unheard).findings
    assert "A052" not in {item.code for item in one}
    assert "A050" in {item.code for item in one}


@pytest.mark.parametrize(
    ("globs", "told"),
    [
        (["ml.m55.*"], ["did you mean ml.m5.*?"]),
        (["ml.m5.*", "ml.g5.xxlarge"], ["did you mean ml.g5.*?"]),
        (["ml.m5.*", "ml.[cg]5.*", "ml.p4d.24xlarge"], []),
    ],
)
def test_a_glob_of_no_instance_type(tmp_path: Path, globs: list[str], told: list[str]) -> None:
    (tmp_path / "mlops.toml").write_text(f"[house]\ninstances = {globs}\n")
    (tmp_path / "stop.py").write_text(
        'from mlops import Fail, Pipeline\nwith Pipeline("a"):\n    Fail("Stop", message="b")\n'
    )
    found = [item for item in look(Check((str(tmp_path / "stop.py"),)), unheard).findings if item.code == "A064"]
    assert [item.help for item in found] == told
    assert {item.where.line for item in found} <= {2}
