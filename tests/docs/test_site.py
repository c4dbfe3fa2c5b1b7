"""The documents as a site, built strictly: what each page loads and where each link leads is there, and in a real
Chromium it is read, searched and walked without a request to another host."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import mlops
import mlops.resources

ROOT = Path(__file__).parent.parent.parent
SETTINGS = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
_URL = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


class Read(HTMLParser):
    """``loads`` are addresses that a browser asks for by itself, ``leads`` those of links, ``names`` where one may
    lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.names: set[str] = set()
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        for name in ("src", "data", "poster", "action"):
            if tag != "meta" and name in given:
                self.loads.append(given[name])
        self.loads += [item.split()[0] for item in given.get("srcset", "").split(",") if item.strip()]
        self.loads += in_style(given.get("style", ""))
        if "href" in given:
            place = self.leads if tag in ("a", "area") or given.get("rel") in ("prev", "next") else self.loads
            place.append(given["href"])

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.loads += in_style(data)


def in_style(text: str) -> list[str]:
    return [found[1] or found[2] for found in _URL.finditer(text) if not found[0].startswith("url(#")]


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["//fonts.example/a.css"]),
        ('<a href="https://example.com">there</a>', []),
        (
            "<style>@import 'https://example.com/x.css'; p { background: url(#in) }</style>",
            ["https://example.com/x.css"],
        ),
        ('<p style="background: url(http://example.com/a.png)">', ["http://example.com/a.png"]),
        ('<img srcset="a.png 1x, https://example.com/b.png 2x">', ["a.png", "https://example.com/b.png"]),
    ],
)
def test_what_a_page_loads_is_seen(text: str, loads: list[str]) -> None:
    assert Read(text).loads == loads


def test_every_document_has_its_place() -> None:
    told = set(re.findall(r"^ +- (?:\w+: )?([\w/-]+\.md)$", SETTINGS, re.MULTILINE))
    missing = {file.name for file in (ROOT / "docs").glob("*.md")} - told
    assert missing == set(), "put them below `nav` in mkdocs.yml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    return folder


def pages(site: Path) -> Iterator[tuple[Path, Read]]:
    for file in sorted(site.rglob("*.html")):
        yield file, Read(file.read_text(encoding="utf-8"))


@pytest.mark.proof("site")
def test_no_page_asks_another_host(site: Path) -> None:
    asked = [(file.name, load) for file, page in pages(site) for load in page.loads if not is_of(site, file, load)]
    for file in site.rglob("*.css"):
        asked += [(file.name, load) for load in in_style(file.read_text("utf-8")) if not is_of(site, file, load)]
    assert asked == []
    # And a browser refuses what a script would ask for.
    assert {page.policy.partition(";")[0] for _, page in pages(site)} == {"default-src 'self'"}


def is_of(site: Path, file: Path, load: str) -> bool:
    at = place(site, file, load)
    return load.startswith("data:") or (at is not None and at.exists())


def place(site: Path, file: Path, address: str) -> Path | None:
    """None where that is elsewhere."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    return (site / path.lstrip("/") if path.startswith("/") else file.parent / path) if path else file


@pytest.mark.proof("site")
def test_every_link_leads_somewhere(site: Path) -> None:
    found = dict(pages(site))
    read = {file.resolve(): page for file, page in found.items()}
    lost = []
    for file, page in found.items():
        for link in page.leads:
            to = place(site, file, link)
            if to is None:
                continue
            to = (to / "index.html" if to.is_dir() else to).resolve()
            name = unquote(urlsplit(link).fragment)
            if not to.exists() or (name and to in read and name not in read[to].names):
                lost.append((file.name, link))
    assert lost == []


@pytest.mark.proof("site")
def test_the_reference_has_each_public_name(site: Path) -> None:
    names = {name for file, page in pages(site) if file.parent.name == "reference" for name in page.names}
    told = {name.rpartition(".")[2] for name in names}
    assert {*mlops.__all__, *mlops.resources.__all__} - told == set()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


class Seen:
    """A tab. ``faults`` are requests to others, answers that are none, and what the browser complains of."""

    def __init__(self, browser: Any, address: str) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.faults: list[str] = []
        self.page.on("console", self._complaint)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("response", self._answered)
        self._address = address

    def _complaint(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{self.page.url}: {message.text}")

    def _answered(self, response: Any) -> None:
        if not response.url.startswith((self._address, "data:", "blob:")) or response.status >= 400:
            self.faults.append(f"{self.page.url}: {response.status} {response.url}")


@pytest.fixture(scope="module")
def seen(address: str) -> Iterator[Seen]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield Seen(browser, address)
        browser.close()


@pytest.mark.proof("site")
def test_each_page_is_read_in_a_browser(site: Path, address: str, seen: Seen) -> None:
    """What scripts ask for, too."""
    wrong = []
    for file, _ in pages(site):
        seen.page.goto(address + file.relative_to(site).as_posix())
        if not seen.page.inner_text("h1").strip():
            wrong.append(f"{file.name} has no heading that is seen")
        over = seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wrong.append(f"{file.name} is {over} px too wide")
    assert wrong + seen.faults == []


@pytest.mark.proof("site")
def test_a_search_leads_to_its_page(address: str, seen: Seen) -> None:
    page = seen.page
    page.goto(address)
    page.keyboard.press("/")  # as its own help says
    page.keyboard.type("rebinding cookie token console")
    page.wait_for_selector(".md-search-result__item a", timeout=30_000)
    page.click(".md-search-result__item a >> nth=0")
    page.wait_for_url(re.compile(re.escape(address) + r"(?!$|index)"))
    assert "console" in page.inner_text("article").lower()
    assert seen.faults == []
