"""Requests to OpenSearch say who asks, and what keeps them from being sent or answered is a sentence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials

from mlops.ir import AccountError, ConfigurationError
from mlops.ir.event_fields import EVENTS
from mlops.observe.search.asking import asking
from mlops.observe.search.querying import Question, ask_for
from mlops.observe.search.setting_up import see
from tests.observe.search.place import At


@pytest.fixture
def door() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Its URL, and the headers of what came."""
    came: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status = 400 if self.path == "/refused" else 200
            body = json.dumps({"error": {"reason": "no such thing"}} if status == 400 else {"ok": True}).encode()
            self.send_response(status)
            self.send_header("content-type", self.path[1:] if self.path.startswith("/text/") else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    server.server_close()


def keys() -> Any:
    return Credentials("AKIDEXAMPLE", "a-secret-of-aws")


def test_requests_say_who_asks(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, came = door
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "p4ss")
    for place in (At(url), At(url, "basic", user="ada", password_env="OPENSEARCH_PASSWORD"), At(url, "aws")):
        assert asking(place, "eu-west-1", keys)("POST", "/x", {"a": 1}) == {"ok": True}
    assert "authorization" not in came[0]
    assert came[1]["authorization"] == "Basic YWRhOnA0c3M="
    assert came[2]["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/es/aws4_request" in came[2]["authorization"]
    asking(At(url, "aws", "aoss"), "eu-west-1", keys)("POST", "/x", {"a": 1})
    assert "/eu-west-1/aoss/aws4_request" in came[3]["authorization"]


def test_what_is_refused_or_not_reached_is_a_sentence(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, _ = door
    with pytest.raises(AccountError, match="POST /refused: OpenSearch answered 400: no such thing"):
        asking(At(url), "eu-west-1", keys)("POST", "/refused", {})
    for page in ("/text/html", "/text/plain"):
        with pytest.raises(AccountError, match=f"POST {page}: what {url} answers is no JSON object"):
            asking(At(url), "eu-west-1", keys)("POST", page, {})
    for other in (lambda ask: see(ask, EVENTS), lambda ask: ask_for(ask, Question())):
        with pytest.raises(AccountError, match=f"what {url} answers has no '(index_templates|hits)'"):
            other(asking(At(url), "eu-west-1", keys))
    with pytest.raises(AccountError, match="cannot be reached"):
        asking(At("http://127.0.0.1:1"), "eu-west-1", keys)("POST", "/x", {})
    with pytest.raises(ConfigurationError, match="no credentials of AWS"):
        asking(At(url, "aws"), "eu-west-1", lambda: None)
    monkeypatch.delenv("NOT_SET", raising=False)
    with pytest.raises(ConfigurationError, match="the variable NOT_SET is not set"):
        asking(At(url, "basic", user="ada", password_env="NOT_SET"), "eu-west-1", keys)
