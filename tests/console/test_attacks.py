"""Who attacks the console over HTTP is refused: by paths, by another site, by another name, by too much and too slowly,
and by what names, logs, reports and files hold."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from serving_here import HOSTILE, OUTPUT, Console, need_plain, serving

from mlops.account.local import LocalAccount, step_records
from mlops.account.local.state import dump, moment
from mlops.console import gate
from mlops.console.serving import Patient, Wanted
from mlops.run.ports import StepRecord

pytestmark = pytest.mark.xdist_group("console")

ESTABLISHED = "01"
"""In /proc/net/tcp."""

NOT_THERE = (
    "/nothing",
    "/executions/nothing",
    "/executions/GOOD/steps/Nothing",
    "/executions/GOOD/steps/Make/log?at=b/1",
    "/executions/GOOD/steps/Make/log?stream=../../account.sqlite",
    f"{OUTPUT}../../../../account.sqlite",
    f"{OUTPUT}/etc/passwd",
    "/executions/GOOD/steps/Make?direction=output&of=../code&file=",
    "/executions?since=yesterday",
    "/executions?since=0001-01-01T00:00%2B14:00",
    "/executions?until=9999-12-31T23:59-14:00",
    "/executions?after=0001-01-01T00:00:00%2B14:00~arn:aws:x",
    "/executions/GOOD/steps/Make/log/download?stream=nobody",
    "/executions?pipeline=nobody",
    "/compare?e=GOOD",
    "/compare?e=GOOD&beside=succeeded",
    "/static/../application.py",
    "/static/%2e%2e/application.py",
    "/static/..%2fapplication.py",
    "/static//etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/models/..%2f..%2fetc/versions/1",
    "/endpoints/..%2f..%2fetc%2fpasswd",
    "/monitors/%2e%2e%2f%2e%2e",
    "/monitors/%00",
    "/endpoints/javascript:alert(1)",
    "/models/%0d%0aSet-Cookie:%20a=b",
    "/models/%e2%80%aechurn/versions/1",
    "/executions/GOOD%00/steps/Make",
    f"/compare?{'e=nothing&' * 800}",
)


@pytest.mark.parametrize("path", NOT_THERE)
def test_what_is_not_there_is_told(path: str, console: Console, executions: tuple[str, str]) -> None:
    answer = console.ask(path.replace("GOOD", executions[1]))
    assert answer.status == 404 or (path.startswith("/static/") and answer.status in (400, 403)), answer.text
    assert "Traceback" not in answer.text and "root:" not in answer.text and "SQLite" not in answer.text
    assert "set-cookie" not in answer.headers


def test_nobody_comes_in_without_the_address(open_console: Console) -> None:
    stranger = Console(open_console.address)
    for path in ("/", "/executions", "/live", "/pipelines"):
        assert stranger.ask(path).status == 403
    assert stranger.ask("/enter?token=guessed").status == 403
    stranger.cookie = f"mlops-console-{open_console.port}=guessed"
    assert stranger.ask("/executions").status == 403
    entered = stranger.ask(open_console.address.partition(str(open_console.port))[2])
    assert "HttpOnly" in entered.headers["set-cookie"] and "SameSite=strict" in entered.headers["set-cookie"]
    assert "token" not in entered.text


def test_each_answer_forbids_what_it_does_not_need(console: Console) -> None:
    for path in ("/executions", "/nothing", "/static/console.css", "/static/drawings.css"):
        headers = console.ask(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert console.ask("/executions").headers["cache-control"] == "no-store"


REFUSED = (
    ("rebinding: another name", "GET", {"Host": "evil.example:PORT"}, 421),
    ("rebinding: another port", "GET", {"Host": "127.0.0.1:1"}, 421),
    ("another method", "PUT", {}, 405),
    ("a long address", "GET", {}, 414),
    ("from another site", "POST", {"Origin": "http://evil.example"}, 403),
    ("from no site", "POST", {"Origin": "null"}, 403),
    ("told by the browser", "POST", {"Sec-Fetch-Site": "cross-site"}, 403),
    ("without the mark", "POST", {}, 403),
    ("a large body", "POST", {}, 413),
    ("a body of no length", "POST", {"Content-Length": "many"}, 400),
)


@pytest.mark.parametrize(("what", "method", "headers", "status"), REFUSED, ids=[row[0] for row in REFUSED])
def test_it_is_refused(
    what: str, method: str, headers: dict[str, str], status: int, console: Console, executions: tuple[str, str]
) -> None:
    path = f"/executions/{executions[0]}/retry" if method == "POST" else "/executions"
    path += "?" + "a" * gate.MOST_PATH if what == "a long address" else ""
    given = {name: value.replace("PORT", str(console.port)) for name, value in headers.items()}
    body = b"a" * (gate.MOST_BODY + 1) if what == "a large body" else b"mark=guessed" if method == "POST" else None
    assert console.ask(path, method, given, body).status == status
    assert console.record == []


def test_a_step_whose_name_is_html_is_refused_and_is_text_where_it_is_kept(root: Path, console: Console) -> None:
    """By the service's pattern nothing is called so; a store that somebody else has written may have it."""
    account = LocalAccount(root / ".mlops", "us-east-1")
    steps = [{"Name": HOSTILE, "Type": "Fail", "Arguments": {"ErrorMessage": HOSTILE}}]
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps})
    role = "arn:aws:iam::123456789012:role/pipelines"
    given = {"PipelineName": "hostile", "RoleArn": role, "ClientRequestToken": "h" * 32}
    with pytest.raises(Exception, match="ValidationException"):
        account.client("sagemaker").create_pipeline(PipelineDefinition=definition, **given)
    store, now = account.state.store, datetime.now(UTC)
    body = {"Parameters": {HOSTILE: HOSTILE}, "PipelineExecutionDisplayName": HOSTILE}
    row = ("hostilehtml0", "churn", 1, "Failed", 0, moment(now), moment(now), HOSTILE, dump(body))
    failed = StepRecord(HOSTILE, "Processing", "Failed", started=now, ended=now, failure=HOSTILE)
    with store.transaction():
        store.write(f"INSERT INTO execution VALUES ({', '.join('?' * len(row))})", *row)
        step_records.keep(account.state, row[0], failed)
    try:
        for path in (f"/executions/{row[0]}", "/executions?parameters=1", f"/search?q={row[0]}"):
            answer = console.ask(path)
            assert answer.status == 200, answer.text
            need_plain(answer.text)
            assert HOSTILE in unescape(answer.text) or row[0] in answer.text
    finally:
        with store.transaction():
            store.write("DELETE FROM step WHERE execution = ?", row[0])
            store.write("DELETE FROM execution WHERE id = ?", row[0])


RAW = (
    ("two names", "GET /executions HTTP/1.1\r\nHost: evil.example\r\nHost: HERE", b"", (400, 421)),
    ("no name", "GET /executions HTTP/1.0", b"", (400, 421)),
    (
        "a name behind a proxy that nobody configured",
        "GET /executions HTTP/1.1\r\nHost: HERE\r\nX-Forwarded-Host: x",
        b"",
        (200,),
    ),
    (
        "a whole address of another",
        "GET http://evil.example/executions HTTP/1.1\r\nHost: evil.example",
        b"",
        (400, 421),
    ),
    ("a head that does not end", f"GET /executions HTTP/1.1\r\nHost: HERE\r\nX: {'a' * 70_000}", b"", (400, 431)),
    ("many headers", "GET /executions HTTP/1.1\r\nHost: HERE" + "\r\nX: a" * 9_000, b"", (400, 431)),
    (
        "a large body in pieces",
        "POST /executions/x/stop HTTP/1.1\r\nHost: HERE\r\nTransfer-Encoding: chunked",
        b"8000\r\n" + b"a" * 0x8000 + b"\r\n8001\r\n" + b"a" * 0x8001 + b"\r\n0\r\n\r\n",
        (413,),
    ),
    (
        "two lengths",
        "POST /executions/x/stop HTTP/1.1\r\nHost: HERE\r\nContent-Length: 4\r\nContent-Length: 40",
        b"mark",
        (400,),
    ),
    (
        "a length and pieces",
        "POST /executions/x/stop HTTP/1.1\r\nHost: HERE\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
        b"0\r\n\r\n",
        (400, 403),
    ),
    ("bytes beyond the end", "GET /static/console.css HTTP/1.1\r\nHost: HERE\r\nRange: bytes=9999999-", b"", (416,)),
    (
        "thousands of parts",
        f"GET /static/console.css HTTP/1.1\r\nHost: HERE\r\nRange: bytes={','.join(['0-0'] * 6000)}",
        b"",
        (200, 206, 400, 416),
    ),
    ("a method that tells it back", "TRACE /executions HTTP/1.1\r\nHost: HERE", b"", (405,)),
    ("another version of HTTP", "PRI * HTTP/2.0\r\nHost: HERE", b"", (400, 405)),
    (
        "another protocol",
        "GET /live HTTP/1.1\r\nHost: HERE\r\nConnection: Upgrade\r\nUpgrade: websocket",
        b"",
        (200, 400),
    ),
)


@pytest.mark.parametrize(("what", "head", "body", "statuses"), RAW, ids=[row[0] for row in RAW])
def test_it_is_refused_however_it_is_written(
    what: str, head: str, body: bytes, statuses: tuple[int, ...], console: Console
) -> None:
    told = head.replace("HERE", f"127.0.0.1:{console.port}")
    with socket.create_connection(("127.0.0.1", console.port), timeout=20) as client:
        client.sendall(f"{told}\r\nCookie: {console.cookie}\r\n\r\n".encode() + body)
        answer = client.recv(1000)
    assert int(answer.split()[1]) in statuses, answer
    assert console.record == []


def test_a_change_is_not_asked_for_by_a_link(console: Console, executions: tuple[str, str]) -> None:
    for path in (f"/executions/{executions[0]}/retry", "/models/churn/versions/2/approve", "/endpoints/door/abort"):
        assert console.ask(path).status in (404, 405), path
        sent = {"Content-Type": "text/plain", "Origin": console.base}
        assert console.ask(path, "POST", sent, b'{"mark": "x"}').status == 403
    assert console.record == []


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1", b"POST /executions/x/stop HTTP/1.1\r\n"])
def test_a_slow_client_is_left(begun: bytes, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patient, "seconds", 0.05)
    with socket.create_connection(("127.0.0.1", console.port), timeout=20) as client:
        client.sendall(begun)
        assert client.recv(1000) == b""


def test_a_slow_body_is_left(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.05)
    head = (
        f"POST /executions/x/stop HTTP/1.1\r\nHost: 127.0.0.1:{console.port}\r\nCookie: {console.cookie}\r\n"
        "Content-Length: 100\r\n\r\nmark="
    )
    with socket.create_connection(("127.0.0.1", console.port), timeout=20) as client:
        client.sendall(head.encode())
        assert b" 408 " in client.recv(1000)
        while client.recv(1000):
            pass


def test_who_takes_nothing_is_left(
    root: Path, console: Console, executions: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that somebody asks for and does not read is not held for him."""
    monkeypatch.setattr(gate, "TAKING_SECONDS", 0.2)
    (file,) = (root / ".mlops" / "executions" / executions[1] / "Make").rglob("log.txt")
    before = file.read_bytes()
    file.write_bytes(before + b"a line of some letters\n" * 400_000)
    path = f"/executions/{executions[1]}/steps/Make/log/download"
    try:
        with socket.socket() as client:
            client.settimeout(20)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", console.port))
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{console.port}\r\nCookie: {console.cookie}\r\n\r\n"
            client.sendall(head.encode())
            wait_until_left(client)
            taken = 0
            while piece := client.recv(1 << 20):
                taken += len(piece)
        assert 0 < taken < 6_000_000
    finally:
        file.write_bytes(before)


def wait_until_left(client: socket.socket) -> None:
    """Until the other side has closed its end: only the kernel knows, for what it sent before lies in the way."""
    ends = tuple(f":{port:04X}" for port in (client.getpeername()[1], client.getsockname()[1]))
    deadline = time.monotonic() + 120
    while any(line.split()[3] == ESTABLISHED for line in Path("/proc/net/tcp").read_text().splitlines()
              if (line.split()[1][8:], line.split()[2][8:]) == ends):  # fmt: skip
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_many_who_say_nothing_keep_nobody_out(console: Console) -> None:
    idle = [socket.create_connection(("127.0.0.1", console.port), timeout=20) for _ in range(100)]
    try:
        for client in idle[::2]:
            client.sendall(b"GET /executions HTTP/1.1\r\nHost: ")
        assert console.ask("/pipelines").status == 200
    finally:
        for client in idle:
            client.close()


def test_who_may_only_look_changes_nothing(
    root: Path, executions: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate.Keys, "fresh", lambda: gate.Keys("token", "session", "mark"))
    with serving(root, wanted=Wanted(port=0)) as console:
        console.enter()
        page = console.ask(f"/executions/{executions[0]}").text
        assert "Retry" not in page and "only shown" in page
        assert console.send(f"/executions/{executions[0]}/retry", mark="nobody's").status == 403
        answer = console.send(f"/executions/{executions[0]}/retry", mark="mark")
        assert answer.status == 409 and "this console only shows" in answer.text
        assert console.record == []
