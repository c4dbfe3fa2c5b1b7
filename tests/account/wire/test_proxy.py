"""The proxy for AWS's own names: whom it lets through, to what, and that nothing goes past it."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ProxyConnectionError
from command_line import in_this_process

from mlops.account.wire.answers import Answers, Told
from mlops.account.wire.aws_names import suffixes
from mlops.account.wire.client_variables import Proxied, variables
from mlops.account.wire.connection import Limits
from mlops.account.wire.proxy import issuers
from mlops.account.wire.proxy.gate import Gate, Turned
from mlops.account.wire.proxy.issuers import Terms, by_cryptography, by_openssl, issuer
from mlops.account.wire.proxy.tunnel import Tunnel
from mlops.account.wire.server import Server
from mlops.ir import UsageError

TERMS = Terms.at(datetime.now(UTC), suffixes())
STS = "sts.eu-west-1.amazonaws.com"
WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


class Running:
    def __init__(self, folder: Path, made: ModuleType = by_cryptography, limits: Limits | None = None) -> None:
        self.told: list[Told] = []
        self.turned: list[Turned] = []
        found = made.made(TERMS)
        assert found is not None
        self.authority = found.authority.decode()
        self.bundle = folder / "authority.pem"
        self.bundle.write_text(self.authority)
        self.gate = Gate(found, self.turned.append)
        answers = Answers(folder / ".mlops", "us-east-1", tell=self.told.append)
        self.server = Server(answers, limits=limits, meet=lambda taken, limits: Tunnel(taken, limits, self.gate))
        self.server.start()
        self.url = self.gate.url(self.server.port)
        self.word = base64.b64encode(self.url.removeprefix("http://").partition("@")[0].encode()).decode()

    def raw(self, text: bytes) -> bytes:
        """All that comes until the proxy closes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as client:
            client.sendall(text)
            parts = []
            while part := client.recv(65_536):
                parts.append(part)
            return b"".join(parts)

    def met(self, name: str, hostname: str | None = None) -> ssl.SSLSocket:
        """A client that has come to ``name``, and takes whom it meets there for ``hostname`` if he can show it."""
        context = ssl.create_default_context(cadata=self.authority)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        client = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        client.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nProxy-Authorization: Basic {self.word}\r\n\r\n".encode())
        assert client.recv(1024).startswith(b"HTTP/1.1 200 ")
        return context.wrap_socket(client, server_hostname=hostname or name)

    def client(self, service: str, url: str, **more: Any) -> Any:
        make: Any = boto3.client
        config = Config(proxies={"https": self.url, "http": self.url}, **more)
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
        return make(service, endpoint_url=url, verify=str(self.bundle), config=config, **keys)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    yield found
    found.server.stop()


AT = f"{STS}:443"
TURNED_AWAY: list[tuple[str, str, list[str], str]] = [
    ("nobody's word", f"CONNECT {AT}", [], "407 "),
    ("another's word", f"CONNECT {AT}", ["Proxy-Authorization: Basic bWxvcHM6eA=="], "407 "),
    ("a word of another kind", f"CONNECT {AT}", ["Proxy-Authorization: Bearer WORD"], "407 "),
    ("another's word, in clear", f"GET http://{STS}/", ["Proxy-Authorization: Basic bWxvcHM6eA=="], "407 "),
    ("a name that is not AWS's", "CONNECT pypi.org:443", ["WORD"], "403 "),
    ("a name that begins as AWS's", f"CONNECT {STS}.example.com:443", ["WORD"], "403 "),
    ("a name that ends as AWS's", "CONNECT notamazonaws.com:443", ["WORD"], "403 "),
    ("this machine", "CONNECT 127.0.0.1:443", ["WORD"], "403 "),
    ("this machine by its name", "CONNECT localhost:443", ["WORD"], "403 "),
    ("where instances get credentials", "GET http://169.254.169.254/latest/meta-data/", ["WORD"], "403 "),
    ("another port", f"CONNECT {STS}:22", ["WORD"], "403 "),
    ("a name that is none", "CONNECT :443", ["WORD"], "400 "),
    ("a port that is none", f"CONNECT {STS}:x", ["WORD"], "400 "),
    ("no place", "GET /", ["WORD"], "400 "),
    ("another protocol", f"GET ftp://{STS}/", ["WORD"], "400 "),
    ("a name with a user before it", f"GET http://me@{STS}/", ["WORD"], "400 "),
    ("no request", "HELO", [], "400 "),
    ("a head that has no end", f"CONNECT {AT}", ["A: " + "x" * 40_000], "431 "),
]  # fmt: skip


def test_who_is_not_let_through_hears_why(running: Running) -> None:
    for title, first, headers, status in TURNED_AWAY:
        told = [header.replace("WORD", f"Proxy-Authorization: Basic {running.word}") for header in headers]
        text = "\r\n".join([f"{first} HTTP/1.1" if " " in first else first, *told, "", ""])
        found = running.raw(text.encode()).decode()
        assert found.startswith(f"HTTP/1.1 {status}"), (title, found[:300])
    assert running.told == [], "nobody was asked anything"
    assert {"pypi.org:443", f"{STS}:22", "169.254.169.254:80"} <= {turned.name for turned in running.turned}


def test_who_sends_before_it_is_answered_is_turned_away(running: Running) -> None:
    head = f"CONNECT {AT} HTTP/1.1\r\nProxy-Authorization: Basic {running.word}\r\n\r\nearly"
    assert running.raw(head.encode()).startswith(b"HTTP/1.1 400 ")


def test_who_says_nothing_is_left(tmp_path: Path) -> None:
    running = Running(tmp_path, limits=Limits(head=0.1))
    assert running.raw(b"CONNECT ") == b""
    running.server.stop()


def test_who_is_in_the_middle_of_a_handshake_is_left_when_the_proxy_ends(tmp_path: Path) -> None:
    running = Running(tmp_path, limits=Limits(head=60))
    running.gate.context(STS)
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=5) as client:
        client.sendall(f"CONNECT {AT} HTTP/1.1\r\nProxy-Authorization: Basic {running.word}\r\n\r\n".encode())
        assert client.recv(1024).startswith(b"HTTP/1.1 200 ")
        running.server.stop(0.05)
        assert client.recv(1) == b"", "and does not keep it for as long as a head may take"


def test_a_name_for_which_no_certificate_is_made_is_told(running: Running, tmp_path: Path) -> None:
    def issue(name: str) -> bytes:
        return by_openssl._Program(tmp_path / "openssl", TERMS).issue(name)

    running.gate._issuer.issue = issue  # type: ignore[method-assign]
    head = f"CONNECT {AT} HTTP/1.1\r\nProxy-Authorization: Basic {running.word}\r\n\r\n"
    assert running.raw(head.encode()).startswith(b"HTTP/1.1 502 ")
    (turned,) = running.turned
    assert turned.name == STS and "it cannot be started: No such file" in turned.why


@pytest.mark.parametrize("made", [by_cryptography, by_openssl], ids=["cryptography", "openssl"])
def test_a_client_meets_at_the_name_what_it_asked_for_and_nobody_else(tmp_path: Path, made: ModuleType) -> None:
    if made is by_openssl and shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    running = Running(tmp_path, made)
    try:
        for name in ("a.b.s3.eu-west-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"):
            with running.met(name) as client:
                client.sendall(f"GET /?x HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
                assert client.recv(12) in (b"HTTP/1.1 404", b"HTTP/1.1 400")
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            running.met("s3.amazonaws.com", STS)
        with running.met("s3.amazonaws.com") as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: {STS}\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 403", "who came to one name asks for another"
        # Had somebody the key, what he makes out for others counts nowhere.
        made_for_others = running.gate._issuer.issue("bank.example")
        running.gate._issuer.issue = lambda name: made_for_others  # type: ignore[method-assign]
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
            running.met(STS, "bank.example")
    finally:
        running.server.stop()
    assert any("trust" in turned.why for turned in running.turned)


def test_clients_that_hard_code_an_address_are_answered_as_all_others(running: Running) -> None:
    sts = running.client("sts", f"https://{STS}")
    assert sts.get_caller_identity()["Account"] == "000000000000"
    assert running.client("sts", "http://sts.amazonaws.com").get_caller_identity()["Account"] == "000000000000"
    s3 = running.client("s3", "https://s3.eu-west-1.amazonaws.com")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="data", Key="a b", Body=b"content")
    assert s3.meta.endpoint_url in s3.generate_presigned_url("list_buckets")
    assert s3.get_object(Bucket="data", Key="a b")["Body"].read() == b"content"
    public = running.client("s3", "https://s3.eu-west-1.amazonaws.com", signature_version=UNSIGNED)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        public.get_object(Bucket="sm-pysdk-t-eu-west-1", Key="telemetry")
    with pytest.raises(ClientError, match=r"does not answer ec2\.eu-west-1"):
        running.client("ec2", "https://ec2.eu-west-1.amazonaws.com", signature_version=UNSIGNED).describe_vpcs()
    with pytest.raises(ProxyConnectionError):
        running.client("s3", "https://storage.example", retries={"max_attempts": 0}).list_buckets()
    assert [told for told in running.told if told.mistake is not None] == []


def test_entries_of_no_proxy_that_would_lead_past_are_not_kept() -> None:
    given = {
        "NO_PROXY": "intranet.example,.amazonaws.com,*,s3.eu-west-1.amazonaws.com,com",
        "ALL_PROXY": "socks5://elsewhere",
        "https_proxy": "http://elsewhere",
        "AWS_BEARER_TOKEN_BEDROCK": "token",
    }
    found = variables("http://127.0.0.1:1", "eu-west-1", given, Proxied("http://127.0.0.1:2", "/bundle")).of(given)
    assert found["NO_PROXY"] == found["no_proxy"] == "intranet.example,127.0.0.1,localhost"
    assert {found[name] for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")} == {
        "http://127.0.0.1:2"
    }
    assert found["AWS_CA_BUNDLE"] == found["REQUESTS_CA_BUNDLE"] == found["SSL_CERT_FILE"] == "/bundle"
    assert not {"ALL_PROXY", "AWS_BEARER_TOKEN_BEDROCK"} & found.keys()
    plain = variables("http://127.0.0.1:1", "eu-west-1", given).of(given)
    assert plain["https_proxy"] == "http://elsewhere" and "AWS_CA_BUNDLE" not in plain, "off unless it is asked for"


def test_where_nothing_makes_certificates_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("by_cryptography", "by_openssl"):
        monkeypatch.setattr(getattr(issuers, name), "made", lambda terms: None)
    with pytest.raises(UsageError, match="makes certificates") as error:
        issuer(TERMS)
    assert "[proxy]" in str(error.value.hint)


# It stands where AWS's own names lead to, and looks whether a key lies anywhere.
CHILD = """
import os, pathlib, socket, stat, sys, urllib.request
real, plain = int(sys.argv[1]), socket.getaddrinfo
def asked(host, *more, **given):
    if str(host).endswith("amazonaws.com"):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", real))]
    return plain(host, *more, **given)
socket.getaddrinfo = asked
body = b"Action=GetCallerIdentity&Version=2011-06-15"
for kind in ("https", "http"):
    print(urllib.request.urlopen(f"{kind}://sts.us-east-1.amazonaws.com/", body).read().decode())
bundle = pathlib.Path(os.environ["AWS_CA_BUNDLE"])
print("BUNDLE", bundle, oct(stat.S_IMODE(bundle.parent.stat().st_mode)), "PRIVATE" in bundle.read_text())
for root in (bundle.parent, pathlib.Path(".mlops"), pathlib.Path(os.environ["TMPDIR"])):
    for path in root.rglob("*"):
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
            print("KEY", path)
print("REAL", [name for name, value in os.environ.items() if "real-secret" in value])
print("FILES", os.environ["AWS_SHARED_CREDENTIALS_FILE"], os.environ["AWS_CONFIG_FILE"])
"""


def test_nothing_real_leaves_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECRET_KEY", "AWS_PROFILE"):
        monkeypatch.setenv(name, "real-secret")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        words = ("--", sys.executable, "-I", "-S", "-c", CHILD, str(listener.getsockname()[1]))
        told = in_this_process(capfd)("local", "exec", "--proxy", *words).out
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert told.count("arn:aws:iam::000000000000:user/local") == 2
    line = next(line for line in told.splitlines() if line.startswith("BUNDLE"))
    bundle = line.split()[1]
    assert line.endswith("0o700 False") and not Path(bundle).exists() and not Path(bundle).parent.exists()
    assert "KEY" not in told and "REAL []" in told and "FILES /dev/null /dev/null" in told
    assert [*(tmp_path / "tmp").iterdir()] == []


ASK = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as client:
    try:
        client.sendall(b"CONNECT sts.amazonaws.com:443 HTTP/1.1\\r\\n")
        client.sendall(f"Proxy-Authorization: Basic {sys.argv[3]}\\r\\n\\r\\n".encode())
        print(client.recv(12).decode())
    except ConnectionError:
        print()
"""


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/proc/net/tcp").exists(), reason="only root can be another user")
def test_another_user_is_not_let_through_even_with_the_word(running: Running) -> None:
    for user, told in (("0", "HTTP/1.1 200"), ("65534", "")):
        command = [sys.executable, "-I", "-S", "-c", ASK, str(running.server.port), user, running.word]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.strip() == told, done.stderr
