"""Findings in an editor, by the language server protocol.

Each file is checked by a process of its own: a pipeline file is a program, and what it prints, imports or ends must not
touch the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from mlops import __version__
from mlops.check.sources import declares, is_definition
from mlops.project.root import find_root

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}
_LONGEST = 120
"""Seconds for one check; a pipeline file may loop for ever."""


class _Server(LanguageServer):
    """``shown`` remembers, per opened file, which files its findings stood in: they are cleared by the next check."""

    def __init__(self, environment: str) -> None:
        super().__init__("mlops", __version__)
        self.environment = environment
        self.shown: dict[str, frozenset[str]] = {}
        self.running: dict[str, asyncio.subprocess.Process] = {}

    async def check(self, uri: str) -> None:
        """Check one file and publish; a check of the same file that is still under way is given up."""
        path = uris.to_fs_path(uri)
        if path is None or not path.endswith((".py", ".json")) or not Path(path).is_file():
            return
        # An editor opens every file of a project; only one that declares a pipeline may run.
        known = uri in self.shown or is_definition(Path(path)) if path.endswith(".json") else declares(Path(path))
        if not known:
            self.clear(uri)
            return
        before = self.running.pop(uri, None)
        if before is not None and before.returncode is None:
            before.kill()
        found = await self._findings(uri, path)
        if found is None:
            return
        by_file: dict[str, list[types.Diagnostic]] = {uri: []}
        root = find_root(Path(path).resolve())
        lines: dict[Path, Sequence[str]] = {}
        for finding in found:
            file = Path(path) if finding["file"] is None else root / finding["file"]
            same = file.resolve() == Path(path).resolve()
            place = uri if same else uris.from_fs_path(str(file)) or uri
            by_file.setdefault(place, []).append(_diagnostic(finding, _lines(file, lines)))
        for place in self.shown.get(uri, frozenset()) - by_file.keys():
            by_file[place] = []
        for place, diagnostics in by_file.items():
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(place, diagnostics))
        self.shown[uri] = frozenset(by_file)

    def clear(self, uri: str) -> None:
        """Take back what was published for a file."""
        for place in self.shown.pop(uri, frozenset()):
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(place, []))

    async def _findings(self, uri: str, path: str) -> Sequence[Mapping[str, Any]] | None:
        """None where a later check took over; what ends without a report is told to the person."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mlops", "check", path, "--format", "json", "--env", self.environment),
            cwd=find_root(Path(path).resolve()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.running[uri] = process
        try:
            out, err = await asyncio.wait_for(process.communicate(), _LONGEST)
        except TimeoutError:
            process.kill()
            self._tell(f"mlops check {path} was given up after {_LONGEST} s")
            return None
        if self.running.get(uri) is not process:
            return None
        try:
            found: Sequence[Mapping[str, Any]] = json.loads(out)["findings"]
        except (ValueError, KeyError, TypeError):
            self._tell(err.decode(errors="replace").strip()[-2000:] or f"mlops check {path} said nothing")
            return None
        return found

    def _tell(self, text: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, text))


def serve(environment: str) -> None:
    """Until the editor closes standard input."""
    server = _Server(environment)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(params: types.DidOpenTextDocumentParams) -> None:
        await server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(params: types.DidSaveTextDocumentParams) -> None:
        await server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.clear(params.text_document.uri)

    server.start_io()


def _diagnostic(finding: Mapping[str, Any], lines: Sequence[str]) -> types.Diagnostic:
    """From the finding's column to the end of that word, or its whole line; in UTF-16 units, as the protocol counts."""
    number = (finding["line"] or 1) - 1
    text = lines[number] if number < len(lines) else ""
    if finding["column"] is None:
        start, end = len(text) - len(text.lstrip()), len(text)
    else:
        start = min(finding["column"] - 1, len(text))
        end = _word_end(text, start)
    step = f"[{finding['step']}] " if finding["step"] else ""
    help_text = f"\n{finding['help']}" if finding["help"] else ""
    return types.Diagnostic(
        range=types.Range(types.Position(number, _units(text[:start])), types.Position(number, _units(text[:end]))),
        message=f"{step}{finding['message']}{help_text}",
        severity=_SEVERITIES[finding["severity"]],
        code=finding["code"],
        source="mlops",
    )


def _word_end(text: str, start: int) -> int:
    quote = text[start : start + 1]
    if quote in ("'", '"'):
        closing = text.find(quote, start + 1)
        return len(text) if closing < 0 else closing + 1
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] in "_-."):
        end += 1
    return max(end, min(start + 1, len(text)))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _lines(file: Path, known: dict[Path, Sequence[str]]) -> Sequence[str]:
    if file not in known:
        try:
            known[file] = file.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError):  # the place is told without its word
            known[file] = ()
    return known[file]
