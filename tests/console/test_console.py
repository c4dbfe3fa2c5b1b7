"""The console over HTTP: each page of a store with executions, and what nobody may do."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import boto3
import pytest
from account_definitions import ROLE
from serving_here import HOSTILE, OUTPUT, SECRET, Console, need_plain, serving

from mlops.console import live
from mlops.console.finding import all_pages, navigation
from mlops.console.live import Live
from mlops.console.serving import Wanted
from mlops.deploy.executions.details import parameters_of, parameters_of_each
from mlops.deploy.monitors.running import find
from mlops.ir import Event
from mlops.use_cases.browse import happened
from mlops.use_cases.connecting import connect_here

pytestmark = pytest.mark.xdist_group("console")


PAGES = (
    ("/pipelines", ("churn",), ()),
    ("/pipelines?name=nobody", ("No pipeline has",), ()),
    ("/executions", ("BAD", "GOOD", "Failed", "UTC", "ago"), ()),
    ("/executions?status=Failed&since=1d&words=BAD", ("BAD",), ("GOOD",)),
    ("/executions?order=oldest&size=25&parameters=1", ("Ends", "badly", HOSTILE), ()),
    ("/executions?until=2020-01-01", ("None is so",), ("BAD",)),
    ("/executions/BAD", ("Why it failed", HOSTILE, "mlops run --only End --from BAD", "badly", "mlops-graph"), ()),
    ("/executions/GOOD?whole=1", ("Succeeded", "mlops-gantt", "s3://"), ("Why it failed",)),
    ("/executions/GOOD/metrics", ("19 values", "data-curve"), ()),
    ("/executions/BAD/steps/Make", ("Why it did not run", "GOOD"), ()),
    (f"{OUTPUT}rows.csv", ('<th scope="col">note</th>', "<script>alert(1)"), ()),
    (f"{OUTPUT}facts.json", ("(hidden)", '"rows": 1'), (SECRET,)),
    (f"{OUTPUT}bytes.bin", ("bytes that are no text",), ()),
    (f"{OUTPUT}page.html", (HOSTILE,), ()),
    (f"{OUTPUT}dot.png", ('<img class="preview"',), ()),
    (f"{OUTPUT}notes.ipynb", ("told", f"gave {HOSTILE}", "[7]", "KeyError: missing", "cell=1&amp;output=1"), ()),
    (f"{OUTPUT}notes.ipynb&masked=1", ("told", "print(1)"), ("gave &lt;", "KeyError", "<img")),
    ("/executions/GOOD/steps/Make/log", (HOSTILE, "(hidden)", "line 1199"), (SECRET, "line 12<")),
    ("/executions/GOOD/steps/Make/log?at=head", ("line 0<", "line 498<"), ("line 500<",)),
    ("/executions/GOOD/steps/Make/log?words=LINE+77", ("line 77<", "line 779<", "11 lines have"), ("line 78<",)),
    ("/compare?e=BAD&e=GOOD", ("badly", "well", "In detail"), ("Note",)),
    ("/compare?e=BAD&e=GOOD&all=1", ("Note",), ()),
    ("/compare?e=BAD&e=BAD&e=GOOD", ("badly", "In detail"), ()),
    ("/compare?e=BAD&beside=succeeded", ("GOOD", "badly"), ("What differs, side by side",)),
    ("/models", ("churn", "PendingManualApproval", HOSTILE), ()),
    ("/models?name=nobody", ("No group has",), ()),
    ("/models/churn", ("door/B", "Approved"), ("beside version",)),
    ("/models/churn?v=2&v=1", ("Version 1 beside version 2", "accuracy.value"), ()),
    ("/models/churn?v=2&v=x", ("Choose two versions",), ()),
    ("/models/churn/versions/1", (HOSTILE, "0.75", "door/B", "s3://mlops-tests/one.tar.gz"), ("Approve this",)),
    ("/models/churn/versions/2?gates=1", ("it is PendingManualApproval", "refuses", "Approve this version"), ()),
    ("/endpoints", ("door", "InService"), ()),
    ("/endpoints?name=nobody", ("No endpoint has",), ()),
    ("/endpoints/door", ("InService", "100 %", "model-package/churn/1", "It was not promoted by"), ("Take back",)),
    ("/monitors", ("watched", "ALARM", "churn-red", "Nothing starts by itself"), ()),
    ("/monitors?name=nobody", ("No monitor has", "There is no alarm of that name"), ()),
    ("/monitors/watched", ("door", "drift", "Baseline drift distance", HOSTILE, "2 violations in 7 rows"), ()),
    ("/streams", ("kept", "s3"), ()),
    ("/streams?name=nobody", ("No stream has",), ()),
    ("/cost", ("an execution", "/pipelines?name=churn", "11.55", "a sample", "mlops cost show . --env local"), ()),
    ("/cost?history=1", ("--env local --history", "without how long"), ("<pre",)),
    ("/events", ("execution.ended", "door", "churn/1"), ()),
    ("/events?of=pipeline&is=nobody", ("Nothing of that has happened",), ()),
    ("/events?kind=step.ended&behind=3", ("to the newest", "Make"), ("execution.started",)),
    ("/search?q=watch", ("/monitors/watched",), ()),
    ("/search?q=churn-r", ("/monitors?name=churn-red",), ()),
    ("/search?q=churn/2", ("/models/churn/versions/2",), ()),
    ("/search?q=doo", ("/endpoints/door",), ()),
    ("/search?q=BAD", ("/executions/BAD",), ()),
    ("/search?q=hur", ("churn",), ()),
    ("/search?q=%3Cb%3E", ("<b>",), ()),
)


@pytest.mark.parametrize(("path", "there", "absent"), PAGES, ids=[path for path, _, _ in PAGES])
def test_a_page_shows_what_there_is_and_runs_nothing_of_it(
    path: str,
    there: tuple[str, ...],
    absent: tuple[str, ...],
    console: Console,
    executions: tuple[str, str],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(root)  # as a promotion is judged where somebody stands

    def named(text: str) -> str:
        return text.replace("BAD", executions[0]).replace("GOOD", executions[1])

    answer = console.ask(named(path))
    assert answer.status == 200, answer.text
    need_plain(answer.text)
    main_part = answer.text.partition("<main")[2]
    for text in there:
        assert named(text) in main_part or named(text) in unescape(main_part), text
    for text in absent:
        assert named(text) not in main_part, text


def test_each_page_is_walked() -> None:
    patterns = {name: re.compile(re.sub(r"\{\w+\}", "[^/]+", page.path)) for name, page in all_pages().items()}
    asked = [path.partition("?")[0] for path, _, _ in PAGES]
    walked = {name for name, pattern in patterns.items() if any(map(pattern.fullmatch, asked))}
    assert {*all_pages()} - walked == {"findings"}  # it checks in a process: tests/console/test_in_browser.py


def test_pages_stand_in_the_navigation_by_themselves(console: Console) -> None:
    text = console.ask("/pipelines").text
    assert [f'href="{page.path}"' in text for page in navigation()] == [True] * len(navigation())
    assert console.ask("/").headers["location"] == navigation()[0].path


def test_pictures_in_the_documents_have_the_pages_that_there_are() -> None:
    """By a note of `tests/console/pictures.py`, which takes them."""
    told = ", ".join(page.title for page in navigation()).encode()
    pictures = sorted((Path(__file__).parent.parent.parent / "docs" / "console").glob("*.png"))
    assert len(pictures) > 5
    assert [file.name for file in pictures if b"tEXtPages\0" + told not in file.read_bytes()] == []


def test_a_list_goes_on_behind_a_place(console: Console, executions: tuple[str, str], root: Path) -> None:
    from mlops.deploy.executions.browsing import Wanted, browsed

    account = connect_here("local", root).account
    for oldest_first, order in ((False, executions), (True, executions[::-1])):
        seen, place = [], None
        while True:
            page = browsed(account, Wanted(oldest_first=oldest_first), place, 1)
            seen += [item["PipelineExecutionArn"].rpartition("/")[2] for item in page.summaries]
            place = page.following
            if place is None:
                break
        assert tuple(seen) == order


def test_parameters_of_many_are_those_of_each(root: Path, executions: tuple[str, str]) -> None:
    account = connect_here("local", root).account
    arns = [arn(execution) for execution in executions]
    assert parameters_of_each(account, arns) == [parameters_of(account, one) for one in arns]
    assert parameters_of_each(account, [arn("nobody000000")]) == [{}]


def test_a_log_is_walked_in_both_directions_and_kept(console: Console, executions: tuple[str, str]) -> None:
    path = f"/executions/{executions[1]}/steps/Make/log"
    page = console.ask(path).text
    last = re.findall(r"<code>(line \d+)</code>", page)
    before = unescape(re.findall(r'href="(\?[^"]+)">before these', page)[0])
    middle = console.ask(path + before).text
    assert re.findall(r"<code>(line \d+)</code>", middle)[-1] == f"line {int(last[0].split()[1]) - 1}"
    link = unescape(re.findall(r'id="l3"><a href="([^"#]+)#l3"', middle)[0])
    assert re.findall(r"<code>(.*)</code>", console.ask(path + link).text) == re.findall(r"<code>(.*)</code>", middle)
    found = unescape(re.findall(r'href="([^"]+)"><code>line 777<', console.ask(f"{path}?words=line+777").text)[0])
    place, _, anchor = found.partition("#")
    assert re.search(rf'id="{anchor}">.*<code>line 777<', console.ask(path + place).text)
    whole = console.ask(f"{path}/download")
    assert whole.text.splitlines()[1:1201] == [f"line {number}" for number in range(1200)]
    assert whole.headers["content-disposition"].startswith("attachment")


def test_a_picture_is_sent_as_one(console: Console, executions: tuple[str, str]) -> None:
    base = f"/executions/{executions[1]}/steps/Make/picture?direction=output&of=data&file="
    answer = console.ask(f"{base}dot.png")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert console.ask(f"{base}notes.ipynb&cell=1&output=1").headers["content-type"] == "image/png"
    for other in ("page.html", "notes.ipynb", "notes.ipynb&cell=1&output=0", "notes.ipynb&cell=9&output=9"):
        assert console.ask(f"{base}{other}").status == 404, other


def test_a_change_needs_the_mark_of_a_page_and_is_recorded_with_who(root: Path, executions: tuple[str, str]) -> None:
    wanted = Wanted(port=0, may_change=True, user_header="X-User", names=("console.acme.com",))
    with serving(root, wanted=wanted) as console:
        console.enter()
        path = f"/executions/{executions[0]}"
        assert console.ask(path).status == 403  # the proxy names nobody
        ann = {"X-User": "ann", "Host": "console.acme.com"}
        page = console.ask(path, headers=ann)
        mark = re.findall(r'name="mark" value="([^"]+)"', page.text)[0]
        sent = {**ann, "Origin": "http://console.acme.com"}
        with socket.create_connection(("127.0.0.1", console.port), timeout=20) as client:
            head = f"GET {path} HTTP/1.1\r\nHost: console.acme.com\r\nCookie: {console.cookie}\r\n"
            client.sendall(f"{head}X-User: bob\r\nX-User: ann\r\n\r\n".encode())
            assert b" 403 " in client.recv(1000)  # a proxy that adds its own to what somebody sent
        answer = console.ask(f"{path}/retry", "POST", sent, f"mark={mark}".encode())
        assert (answer.status, answer.headers["location"]) == (303, path)
        assert console.record == [f"local: ann retried the execution {arn(executions[0])}"]
        told = connect_here("local", root).account.events
        assert told is not None
        assert [event.detail["by"] for event in told.read(kinds=["execution.retried"])] == ["ann"]
        assert console.ask(f"{path}/stop", "POST", sent, f"mark={mark}".encode()).status in (303, 409)


def arn(execution: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/churn/execution/{execution}"


PROD = """
[env.prod]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"
endpoint_url = "URL"
"""


def test_an_account_elsewhere_is_shown_and_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_url: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    (tmp_path / "mlops.toml").write_text(PROD.replace("URL", moto_url))
    sagemaker = boto3.client("sagemaker", endpoint_url=moto_url, region_name="us-east-1")
    steps = [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps})
    role = "arn:aws:iam::123456789012:role/pipelines"
    sagemaker.create_pipeline(
        PipelineName="seen", RoleArn=role, PipelineDefinition=definition, ClientRequestToken="0" * 32
    )
    started = sagemaker.start_pipeline_execution(PipelineName="seen", ClientRequestToken="0" * 32)
    id = started["PipelineExecutionArn"].rpartition("/")[2]
    boto3.client("firehose", endpoint_url=moto_url, region_name="us-east-1").create_delivery_stream(
        DeliveryStreamName="kept",
        ExtendedS3DestinationConfiguration={"RoleARN": role, "BucketARN": "arn:aws:s3:::acme-ml"},
    )
    with serving(tmp_path, "prod", Wanted(port=0)) as console:
        console.enter()
        assert "mlops streams replay NAME --env prod" in console.ask("/streams").text
        for path in ("/pipelines", "/executions?pipeline=seen", f"/search?q={id[:8]}"):
            answer = console.ask(path)
            assert answer.status == 200 and id in answer.text, answer.text
            assert "prod · only shown" in answer.text and "<form method" not in answer.text
        refused = console.ask(f"/executions/{id}")
        assert refused.status == 502 and "ListPipelineExecutionSteps" in refused.text  # moto does not know it
        assert console.send(f"/executions/{id}/stop", mark="guessed").status == 403


def test_what_cannot_be_priced_is_told(console: Console, root: Path) -> None:
    prices = root / "prices.toml"
    prices.write_text(f"{json.dumps(HOSTILE)} = 1\n", encoding="utf-8")
    answer = console.ask("/cost")
    prices.unlink()
    need_plain(answer.text)
    assert answer.status == 200 and "date has to be the day of the prices" in answer.text
    assert f"{HOSTILE!r} is not known here" in unescape(answer.text)


DAMAGED = (
    ("run.json", b"{", "is no JSON object"),
    ("run.json", b"[]", "is no JSON object"),
    ("run.json", b"{}", "is no report of a monitor"),
    ("run.json", b'{"kinds": {"drift": 1}, "until": "2026-01-01T00:00:00Z"}', "is no report of a monitor"),
    ("run.json", b'{"kinds": {}, "until": "soon"}', "is no report of a monitor"),
    ("drift/constraint_violations.json", b'{"violations": [1]}', "is no report of a monitor"),
    ("metrics.json", b'{"metrics": [{"Values": ["much"]}]}', "metrics.json has no metrics"),
)


def test_what_a_monitor_left_and_somebody_damaged_is_told(console: Console, root: Path) -> None:
    connected = connect_here("local", root)
    data, bucket = connected.account.client("s3"), connected.environment.bucket
    results = find(connected.account, "watched").results(connected.environment)
    folder = f"{results.partition(f's3://{bucket}/')[2]}/20260102T000000Z-20260102T010000Z"
    for name, content, wanted in DAMAGED:
        before = data.get_object(Bucket=bucket, Key=f"{folder}/{name}")["Body"].read()
        data.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=content)
        answer = console.ask("/monitors/watched")
        data.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=before)
        assert (answer.status, wanted in answer.text) == (409, True), (content, answer.text)


def test_a_search_finds_what_others_refuse_beside(console: Console, root: Path) -> None:
    scheduler = connect_here("local", root).account.client("scheduler")
    scheduler.create_schedule_group(Name="mlops-monitor-theirs")
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob", "RoleArn": ROLE, "Input": "{}"}
    given = {"Name": "theirs", "GroupName": "mlops-monitor-theirs"}
    scheduler.create_schedule(
        **given, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target, State="DISABLED"
    )
    answer = console.ask("/search?q=churn")
    scheduler.delete_schedule(**given)
    assert answer.status == 200 and "/executions?pipeline=churn" in answer.text
    assert "Monitors could not be searched: the schedule theirs starts no monitor of ours" in answer.text


def told(number: int) -> Event:
    return Event("shift.told", datetime.now(UTC), "here", {"endpoint": "many" if number % 2 else "other"})


def test_what_happened_is_walked_from_the_newest(tmp_path: Path) -> None:
    """Of all, and of what an id or a kind chooses; also where that is long ago."""
    connected = connect_here("local", tmp_path)
    events = connected.account.events
    assert events is not None
    events.append(*map(told, range(1, 71)), *map(told, [2] * 100))
    for ids, kinds, wanted in (
        ({"endpoint": "many"}, (), [*range(69, 0, -2)]),
        ({}, ("shift.told",), [*range(170, 0, -1)]),
        ({}, (), [*range(170, 0, -1)]),
        ({"endpoint": "nobody"}, (), []),
    ):
        seen, behind = list[int | None](), None
        while True:
            found = happened(connected, behind, kinds=kinds, ids=ids, most=10)
            assert found is not None
            if behind is None:
                assert found.later is None or found.later < 170
            seen += [event.sequence for event in found.events if event.sequence not in seen]
            behind = found.earlier
            if behind is None:
                break
        assert seen == wanted, (ids, kinds)


@pytest.fixture
def told_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages do not look anyhow, however late something is told."""
    monkeypatch.setattr(live, "_ANYHOW_SECONDS", 600.0)


@pytest.mark.usefixtures("told_alone")
def test_a_place_that_one_page_brings_is_not_that_of_the_others(tmp_path: Path) -> None:
    """As one has it that was open while the account was made anew."""
    account = connect_here("local", tmp_path).account
    events = account.events
    assert events is not None
    events.append(told(1))

    async def listen() -> None:
        listening = Live(account)
        pages = [listening.changes({}, place) for place in (10**6, 0)]
        waiting = [asyncio.ensure_future(anext(page)) for page in pages]
        async with asyncio.timeout(120):
            await waiting[1]  # something had happened behind its place
            events.append(told(1))
            await asyncio.gather(waiting[0], anext(pages[1]))
        for page in pages:
            await page.aclose()

    asyncio.run(listen())


@pytest.mark.usefixtures("told_alone")
def test_what_happens_is_told_to_a_page_at_once(console: Console, root: Path, executions: tuple[str, str]) -> None:
    """What happens between a page and its listening, too."""
    page = console.ask(f"/executions/{executions[1]}").text
    (address,) = re.findall(r'hx-sse:connect="([^"]+)"', page)
    events = connect_here("local", root).account.events
    assert events is not None
    now = events.read()[0].time
    with socket.create_connection(("127.0.0.1", console.port), timeout=120) as client:
        events.append(Event("execution.told", now, "here", {"execution": executions[1]}))
        head = f"GET {unescape(address)} HTTP/1.1\r\nHost: 127.0.0.1:{console.port}\r\n"
        client.sendall(f"{head}Cookie: {console.cookie}\r\n\r\n".encode())
        stream = client.makefile("rb")
        for _ in range(2):
            while b"event: changed" not in stream.readline():
                pass
            events.append(Event("execution.told", now, "here", {"execution": executions[1]}))
