"""The server: which files are open, which are being checked, what was published of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from mlops import __version__
from mlops.check.target_files import declares, is_definition
from mlops.cli.language_server import positions
from mlops.ir import MlopsError
from mlops.project.environments import TIME_LIMIT, read_project
from mlops.project.root import find_root

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}
_LATER = 15.0
"""Seconds after a file's own time limit: the check itself tells of that, with the line, where it can. It may have
started a process for the file, which has ten of its own."""
_SIGNALLED = 128

_Findings = Sequence[Mapping[str, Any]]


class _Server(LanguageServer):
    """``shown`` remembers, per opened file, which files its findings stood in: they are cleared by the next check.
    ``found`` are its own findings, ``running`` the processes that look for new ones."""

    def __init__(self, environment: str) -> None:
        super().__init__("mlops", __version__)
        self.environment = environment
        self.shown: dict[str, frozenset[str]] = {}
        self.found: dict[str, _Findings] = {}
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
        self.give_up(uri)
        found = await self._findings(uri, path)
        if found is None:
            return
        by_file: dict[str, list[types.Diagnostic]] = {uri: []}
        root = find_root(Path(path).resolve())
        lines: dict[Path, Sequence[str]] = {}
        own = []
        for finding in found:
            file = Path(path) if finding["file"] is None else root / finding["file"]
            same = file.resolve() == Path(path).resolve()
            place = uri if same else uris.from_fs_path(str(file)) or uri
            by_file.setdefault(place, []).append(_diagnostic(finding, _lines(file, lines)))
            if same:
                own.append(finding)
        for place in self.shown.get(uri, frozenset()) - by_file.keys():
            by_file[place] = []
        for place, diagnostics in by_file.items():
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(place, diagnostics))
        self.shown[uri] = frozenset(by_file)
        self.found[uri] = own

    async def check_project(self, uri: str) -> None:
        """Of a file that was saved: it, and the open pipelines that may import, ship or be configured by it."""
        path = uris.to_fs_path(uri)
        root = find_root(Path(path).resolve()) if path is not None else None
        others = [
            other
            for other in self.shown
            if other != uri and (known := uris.to_fs_path(other)) and find_root(Path(known).resolve()) == root
        ]
        await asyncio.gather(self.check(uri), *map(self.check, others))

    def clear(self, uri: str) -> None:
        """Take back what was published for a file, and look for nothing more."""
        self.give_up(uri)
        self.found.pop(uri, None)
        for place in self.shown.pop(uri, frozenset()):
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(place, []))

    def give_up(self, uri: str) -> None:
        process = self.running.pop(uri, None)
        if process is not None:
            _end(process)

    def give_all_up(self) -> None:
        for uri in [*self.running]:
            self.give_up(uri)

    async def _findings(self, uri: str, path: str) -> _Findings | None:
        """None where a later check took over; what ends without a report is told to the person."""
        root = find_root(Path(path).resolve())
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mlops.cli.language_server.checking", path, self.environment),
            cwd=root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # What the file starts ends with it.
            start_new_session=True,
        )
        self.running[uri] = process
        limit, began = _time_limit(root), time.monotonic()
        try:
            out, err = await asyncio.wait_for(process.communicate(), limit + _LATER)
        except TimeoutError:
            out, err = b"", b""
        except asyncio.CancelledError:
            _end(process)
            raise
        if self.running.get(uri) is not process:
            return None
        self.give_up(uri)
        try:
            found: _Findings = json.loads(out)["findings"]
        except (ValueError, KeyError, TypeError):
            if time.monotonic() - began >= limit:
                return [_never_ends(limit)]
            self._tell(err.decode(errors="replace").strip()[-2000:] or f"mlops check {path} said nothing")
            return None
        return found

    def _tell(self, text: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, text))


def serve(environment: str) -> None:
    """Until the editor closes standard input; what is under way then is ended."""
    server = _Server(environment)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(params: types.DidOpenTextDocumentParams) -> None:
        await server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(params: types.DidSaveTextDocumentParams) -> None:
        await server.check_project(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.clear(params.text_document.uri)

    @server.feature(types.SHUTDOWN)
    async def shutdown(params: None) -> None:
        server.give_all_up()

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        from mlops.cli.language_server.hovering import told  # loads the whole language, for who points at something

        uri = params.text_document.uri
        if not uri.endswith(".py"):
            return None
        document = server.workspace.get_text_document(uri)
        text = told(document.source, params.position.line, params.position.character)
        return None if text is None else types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text))

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
    def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        from mlops.cli.language_server.mends import actions

        uri = params.text_document.uri
        path, found = uris.to_fs_path(uri), server.found.get(uri)
        if path is None or not found:
            return []
        file = Path(path).resolve()
        text = server.workspace.get_text_document(uri).source
        return [*actions(uri, file, text, find_root(file), found, params.range)]

    def ended(number: int, frame: object) -> NoReturn:
        sys.exit(_SIGNALLED + number)

    signal.signal(signal.SIGTERM, ended)
    try:
        server.start_io()
    finally:
        server.give_all_up()


def _end(process: asyncio.subprocess.Process) -> None:
    """With all that it started."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _time_limit(root: Path) -> float:
    try:
        return read_project(root).time_limit
    except MlopsError:  # the check tells of it
        return TIME_LIMIT


def _never_ends(seconds: float) -> Mapping[str, Any]:
    """Of a file that took no interruption."""
    return {
        "code": "D107",
        "severity": "error",
        "message": f"running the file was given up: it did not end within {seconds:g} s",
        "help": "`time_limit` of [project] in mlops.toml gives it more seconds",
        "step": None,
        "file": None,
        "line": 1,
        "column": None,
        "edit": None,
    }


def _diagnostic(finding: Mapping[str, Any], lines: Sequence[str]) -> types.Diagnostic:
    step = f"[{finding['step']}] " if finding["step"] else ""
    help_text = f"\n{finding['help']}" if finding["help"] else ""
    return types.Diagnostic(
        range=positions.of_finding(finding, lines),
        message=f"{step}{finding['message']}{help_text}",
        severity=_SEVERITIES[finding["severity"]],
        code=finding["code"],
        source="mlops",
    )


def _lines(file: Path, known: dict[Path, Sequence[str]]) -> Sequence[str]:
    if file not in known:
        try:
            known[file] = file.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError):  # the place is told without its word
            known[file] = ()
    return known[file]
