"""A door that answers as the routes for saved objects of OpenSearch Dashboards do."""

from __future__ import annotations

import email.parser
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Door:
    """``answer`` is what an import is answered instead; ``keeps`` whether it does what it says."""

    def __init__(self) -> None:
        self.there: dict[tuple[str, str], dict[str, Any]] = {}
        self.came: list[tuple[str, dict[str, str]]] = []
        self.answer: dict[str, Any] | None = None
        self.keeps = True

    def asked(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        self.came.append((path, headers))
        if headers.get("osd-xsrf") is None:
            return 400, {
                "statusCode": 400,
                "error": "Bad Request",
                "message": "Request must contain a osd-xsrf header.",
            }
        if path.endswith("/_bulk_get"):
            unknown = {"error": {"statusCode": 404, "message": "Not found"}}
            found = [{**item, **self.there.get((item["type"], item["id"]), unknown)} for item in json.loads(body)]
            return 200, {"saved_objects": found}
        head = f"content-type: {headers['content-type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        (part,) = form.iter_parts()
        assert str(part.get_filename()).endswith(".ndjson")
        assert part.get_param("name", header="content-disposition") == "file"
        if self.answer is not None:
            return 200, self.answer
        lines = [json.loads(line) for line in part.get_payload(decode=True).decode().splitlines() if line]
        if self.keeps:
            self.there |= {(item["type"], item["id"]): {**item, "updated_at": "now"} for item in lines}
        return 200, {"success": True, "successCount": len(lines)}


@contextmanager
def opened() -> Iterator[tuple[str, Door]]:
    found = Door()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, told = found.asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/_dashboards", found
    finally:
        server.shutdown()
        server.server_close()
