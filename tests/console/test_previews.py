"""How files begin, as a page shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.deploy.executions.files import Placed
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.previews import preview

WIDE = ",".join(map(str, range(60)))
SEEN = (
    ("wide.csv", WIDE, ("table", True)),
    ("wider.csv", f"{WIDE},60", ("table", False)),
    ("long.csv", "a,b\n" * 51, ("table", True)),
    ("longer.csv", "a,b\n" * 52, ("table", False)),
    ("line.json", '["a' + "é" * 100_000 + '"]', ("text", False)),  # the 128 kB end within a letter
    ("latin.txt", b"\xe9", ("bytes", False)),
    ("cut.txt", "é".encode()[:1], ("bytes", False)),
)


@pytest.mark.parametrize(("name", "content", "wanted"), SEEN, ids=[row[0] for row in SEEN])
def test_a_file_is_seen(name: str, content: str | bytes, wanted: tuple[str, bool], tmp_path: Path) -> None:
    connected = connect_here("local", tmp_path)
    data = connected.account.client("s3")
    data.create_bucket(Bucket="mlops-tests")
    data.put_object(Bucket="mlops-tests", Key=name, Body=content)
    found = preview(connected, Placed("output", "data", f"s3://mlops-tests/{name}"), "")
    assert (found.kind, found.whole) == wanted
