"""A project with executions, and its console on a port of this machine, asked as a browser would."""

from __future__ import annotations

import http.client
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from account_definitions import ROLE
from endpoint_parts import World

from mlops.account.local import LocalAccount
from mlops.cli import main
from mlops.console.serving import Wanted, ready
from mlops.deploy.monitors.running import find
from mlops.use_cases.connecting import connect_here

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tool:1"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\" ' & </pre>"
OUTPUT = "/executions/GOOD/steps/Make?direction=output&of=data&file="
SECRET = "ghp_".ljust(40, "a")
REPORT = {"accuracy": {"value": 0.75}, HOSTILE: {"value": 1}}
PIPELINE = f"""\
from mlops import Pipeline, Processing, Training
with Pipeline("churn", description={HOSTILE!r}) as pipeline:
    note = pipeline.string("Note", default={HOSTILE!r})
    ends = pipeline.string("Ends", default="well")
    made = Processing("Make", code="make.py", image="{IMAGE}", outputs=["data"])
    train = Training("Train", code="train.py", image="{IMAGE}", channels={{"train": made.outputs["data"]}},
        metrics={{"loss": "loss=([0-9.]+)"}})
    Processing("End", code="end.py", image="{IMAGE}", args=[ends], outputs=["text"], after=[train])
"""
MAKE = f"""\
import struct, zlib
out = "/opt/ml/processing/output/data/"
open(out + "rows.csv", "w").write("id,note\\n1,{HOSTILE.replace(chr(34), "")}\\n")
open(out + "facts.json", "w").write('{{"api_key": "{SECRET}", "rows": 1}}')
open(out + "bytes.bin", "wb").write(bytes(range(256)))
open(out + "page.html", "w").write({HOSTILE!r})
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
head = struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0)
body = zlib.compress(bytes(7))
png = bytes([137]) + b"PNG\\r\\n" + bytes([26, 10]) + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
open(out + "dot.png", "wb").write(png)
import base64, json
said = {HOSTILE!r}
outputs = [
    dict(output_type="stream", text=["gave " + said]),
    dict(output_type="display_data", data={{"image/png": base64.b64encode(png).decode()}}),
    dict(output_type="error", ename="KeyError", evalue="missing"),
]
cells = [
    dict(cell_type="markdown", source="told " + said),
    dict(cell_type="code", source=["print(1)"], execution_count=7, outputs=outputs),
]
json.dump(dict(cells=cells), open(out + "notes.ipynb", "w"))
for number in range(1200):
    print("line", number)
print({HOSTILE!r})
print("token", "{SECRET}")
"""
TRAIN = """\
for number in range(1, 20):
    print(f"loss={1 / number};")
open("/opt/ml/model/model", "w").write("1")
"""
END = f"""\
import sys
open("/opt/ml/processing/output/text/said.txt", "w").write("said")
if sys.argv[1] != "well":
    sys.exit({HOSTILE!r})
"""


def write_project(folder: Path) -> None:
    (folder / "mlops.toml").write_text("[project]\n")
    (folder / "pipeline.py").write_text(PIPELINE)
    for name, text in (("make.py", MAKE), ("train.py", TRAIN), ("end.py", END)):
        (folder / name).write_text(text)


WATCHED = """\
from mlops import resources
resources.Monitor(
    "watched", endpoint="door", baseline="s3://mlops-tests/base/", label_column="y", drift=resources.Drift()
)
"""


def watched(root: Path, account: LocalAccount) -> None:
    """A monitor with what two runs left, an alarm that is red, and a stream."""
    (root / "watched.py").write_text(WATCHED)
    assert main(["upsert", "watched.py"]) == 0
    data = account.client("s3")
    environment = connect_here("local", root).environment
    folder = find(account, "watched").results(environment).partition(f"s3://{environment.bucket}/")[2]

    def put(key: str, value: object) -> None:
        data.put_object(Bucket=environment.bucket, Key=f"{folder}/{key}", Body=json.dumps(value).encode())

    violation = {"constraint_check_type": "baseline_drift_check", "description": "Baseline drift distance: 0.5"}
    for day, drift in ((1, 0.1), (2, 0.5)):
        place = f"2026010{day}T000000Z-2026010{day}T010000Z"
        hours = {"since": f"2026-01-0{day}T00:00:00Z", "until": f"2026-01-0{day}T01:00:00Z"}
        kinds = {"drift": {"rows": 7, "violations": 2 if day > 1 else 0}}
        put(f"{place}/run.json", {"monitor": "watched", "endpoint": "door", "lines": 7, **hours, "kinds": kinds})
        found = [{"feature_name": name, **violation} for name in ("age", HOSTILE)] if day > 1 else []
        put(f"{place}/drift/constraint_violations.json", {"violations": found})
        metrics = [{"Namespace": "n", "MetricName": "feature_baseline_drift_age", "Values": [drift]}]
        put(f"{place}/metrics.json", {"metrics": metrics})
    alarms = account.client("cloudwatch")
    alarms.put_metric_alarm(
        AlarmName="churn-red",
        Namespace="shop",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    alarms.set_alarm_state(AlarmName="churn-red", StateValue="ALARM", StateReason=HOSTILE)
    account.client("firehose").create_delivery_stream(
        DeliveryStreamName="kept",
        ExtendedS3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::mlops-tests"},
    )


@contextmanager
def registered(root: Path) -> Iterator[None]:
    """Two versions of a model, and an endpoint that serves one of them and was asked."""
    account = connect_here("local", root).account
    assert isinstance(account, LocalAccount)
    world = World(account)
    data = account.client("s3")
    data.create_bucket(Bucket="mlops-tests")
    world.model("one")
    data.put_object(Bucket="mlops-tests", Key="report.json", Body=json.dumps(REPORT).encode())
    world.sagemaker.create_model_package_group(ModelPackageGroupName="churn", ModelPackageGroupDescription=HOSTILE)
    report = {"ContentType": "application/json", "S3Uri": "s3://mlops-tests/report.json"}
    container = {"Image": IMAGE, "ModelDataUrl": "s3://mlops-tests/one.tar.gz"}
    for status in ("Approved", "PendingManualApproval"):
        arn = world.sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelPackageDescription=HOSTILE,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            ModelMetrics={"ModelQuality": {"Statistics": report}},
            CustomerMetadataProperties={"note": HOSTILE},
        )["ModelPackageArn"]
        if status == "Approved":
            world.sagemaker.create_model(
                ModelName="first", ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": arn}
            )
    world.config("both", ("A", "one", 1), ("B", "first", 0))
    world.serve("both")
    world.ask()
    watched(root, account)
    try:
        yield
    finally:
        world.close()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Console:
    """``cookie`` is what the browser has, empty before it is let in."""

    address: str
    record: list[str] = field(default_factory=list)
    cookie: str = ""

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {"Cookie": self.cookie, **(headers or {})}
        connection.request(method, path, body, {name: value for name, value in given.items() if value})
        reply = connection.getresponse()
        found = Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, "")
        text = reply.read().decode("utf-8", "replace")
        connection.close()
        return Answer(found.status, found.headers, text)

    def enter(self) -> None:
        parts = urlsplit(self.address)
        answer = self.ask(f"{parts.path}?{parts.query}")
        assert answer.status == 200, answer.text
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def send(self, path: str, **form: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.base}
        return self.ask(path, "POST", headers, urlencode(form).encode())


@contextmanager
def serving(root: Path, environment: str = "local", wanted: Wanted | None = None) -> Iterator[Console]:
    record: list[str] = []
    given = wanted or Wanted(port=0, may_change=True, program=(sys.executable, "-m", "mlops"))
    found = ready(connect_here(environment, root), given, record.append)
    thread = threading.Thread(target=found.run, daemon=True)
    thread.start()
    try:
        yield Console(found.address, record)
    finally:
        found.server.should_exit = True
        thread.join(10)


def need_plain(text: str) -> None:
    """No script, style or handler in the page, and nothing from elsewhere."""
    tags = re.findall(r"<[a-zA-Z][^>]*>", text)
    assert [tag for tag in tags if tag.startswith("<script") and not re.search(r' src="/static/[\w./-]+"', tag)] == []
    assert [tag for tag in tags if re.search(r"\s(on\w+|style)\s*=", re.sub(r'"[^"]*"', '""', tag))] == []
    assert "<style" not in text and "javascript:" not in text
    assert [tag for tag in tags if re.search(r'\s(src|href|action)="(?!/|\?|#)', tag)] == []
