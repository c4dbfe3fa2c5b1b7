"""The server's answers: pages, what they send and change, what happens meanwhile, and files of ours."""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mlops.account.answers import Refused
from mlops.account.protected import Protected
from mlops.console import telling
from mlops.console.finding import all_pages, navigation
from mlops.console.live import Live
from mlops.console.page import Change, NotThere, Page, Query, Visit, address
from mlops.ir import AccountError, ConfigurationError, MlopsError, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.use_cases.connecting import Connected, connect_here

_FOLDER = Path(__file__).parent
_STATIC_SECONDS = 3600
_STATUS: Mapping[type[MlopsError], int] = {
    AccountError: 502,
    ConfigurationError: 500,
    Refusal: 409,
    UsageError: 404,
}
_THEMES = ("light", "dark")
_RETRY_MILLISECONDS = 1000
_BEHIND = "behind"
"""In the address of what happens: the number of the last event that a page knows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``connected`` is only looked at. ``mark`` stands in each form. ``record`` is told of each change. ``program`` is
    how the command line is started."""

    connected: Connected
    mark: str
    may_change: bool
    record: Callable[[str], None]
    program: tuple[str, ...]


class Answers:
    """Pages are made in threads, since an account is asked as it answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        connected = settings.connected
        account = connected.account
        reading = account if isinstance(account, Protected) else Protected(account, connected.environment.name)
        self._connected = Connected(connected.environment, reading, connected.root)
        self._live = Live(account)

    def application(self) -> Starlette:
        routes: list[Route | Mount] = [
            Route("/", self._home),
            Route("/live", self._events),
            Route("/static/drawings.css", _drawings),
            Mount("/static", StaticFiles(directory=_FOLDER / "static")),
        ]
        for name, page in all_pages().items():
            for called in page.files:
                routes.append(Route(f"{page.path}/{called}", self._sending(page, called)))
            for called in page.changes:
                routes.append(Route(f"{page.path}/{called}", self._changing(page, called), methods=["POST"]))
            routes.append(Route(page.path, self._showing(name, page)))
        return Starlette(routes=routes, exception_handlers={404: self._nothing, 405: self._nothing})

    @cached_property
    def _templates(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(telling.FILTERS)
        environment.globals.update(address=address, navigation=navigation, pages=all_pages)
        return environment

    async def _home(self, request: Request) -> Response:
        return RedirectResponse(navigation()[0].path, 303)

    def _showing(self, name: str, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(self._told, request, lambda: self._page(request, name, page))

        return answer

    def _page(self, request: Request, name: str, page: Page) -> Response:
        visit = self._visit(request)
        ids, events = page.follows(visit), self._connected.account.events
        if ids is not None and events is not None:
            ids = {**ids, _BEHIND: str(events.newest())}  # before it is looked at: what happens meanwhile is told
        shown = page.show(visit)
        return self._html(
            f"pages/{name.replace('-', '_')}/page.html",
            request,
            200,
            page=page,
            title=shown.get("title", page.title),
            live=f"/live?{urlencode(ids)}" if ids is not None else None,
            visit=visit,
            shown=shown,
        )

    def _sending(self, page: Page, called: str) -> Callable[[Request], Awaitable[Response]]:
        def send(request: Request) -> Response:
            sent = page.files[called](self._visit(request))
            headers = {"x-content-type-options": "nosniff"}
            if sent.name is not None:
                plain = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in sent.name)
                headers["content-disposition"] = f'attachment; filename="{plain.encode("ascii", "replace").decode()}"'
            if isinstance(sent.body, bytes):
                return Response(sent.body, media_type=sent.media_type, headers=headers)
            return StreamingResponse(sent.body, media_type=sent.media_type, headers=headers)

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(self._told, request, lambda: send(request))

        return answer

    def _changing(self, page: Page, called: str) -> Callable[[Request], Awaitable[Response]]:
        def change(request: Request) -> Response:
            visit = self._visit(request)
            if not visit.may_change:
                raise Refusal(
                    "this console only shows", hint="start it with --allow-changes to change an account from it"
                )
            # An account of its own: one that may only be looked at stays so for all others.
            environment = self._connected.environment
            user = visit.who if environment.is_local else None
            connected = connect_here(environment.name, self._connected.root, user=user)
            done = page.changes[called](Change(visit, connected, request.state.form))
            by = visit.who or "whoever started the console"
            self._settings.record(f"{environment.name}: {by} {done.told}")
            return RedirectResponse(done.address, 303)

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(self._told, request, lambda: change(request))

        return answer

    async def _events(self, request: Request) -> Response:
        if self._live.is_full:
            return PlainTextResponse("too many pages are open\n", 503)
        ids = dict(parse_qsl(request.url.query))
        told_until = ids.pop(_BEHIND, "")
        behind = int(told_until) if told_until.isascii() and told_until.isdigit() and len(told_until) < 19 else None

        async def told() -> AsyncIterator[str]:
            yield f"retry: {_RETRY_MILLISECONDS}\n\n"
            async for _ in self._live.changes(ids, behind):
                yield "event: changed\ndata: \n\n"

        return StreamingResponse(told(), media_type="text/event-stream")

    def _visit(self, request: Request) -> Visit:
        query = Query(tuple(parse_qsl(request.url.query, keep_blank_values=True)))
        settings = self._settings
        who = request.state.who
        return Visit(self._connected, request.path_params, query, settings.may_change, who, settings.program)

    def _told(self, request: Request, answer: Callable[[], Response]) -> Response:
        """Whatever went wrong is a page with a sentence, as the command line has one."""
        try:
            return answer()
        except Refused as error:
            if request.method != "POST" and error.code.startswith("Validation"):  # no name that the service takes
                return self._error(request, 404, "nothing can be called so", error.message)
            return self._error(request, 502, error.message, error.hint)
        except MlopsError as error:
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
            return self._error(request, status, error.message, error.hint)
        except NotThere as error:
            return self._error(request, 404, str(error))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            said = f"a mistake in mlops itself: {type(error).__name__}"
            return self._error(request, 500, said, "the console's terminal has more; please report it")

    def _nothing(self, request: Request, error: Exception) -> Response:
        return self._error(request, getattr(error, "status_code", 404), "there is nothing at this address")

    def _error(self, request: Request, status: int, message: str, hint: str | None = None) -> Response:
        return self._html(
            "templates/error.html", request, status, page=None, title=message, live=None, message=message, hint=hint
        )

    def _html(self, template: str, request: Request, status: int, **values: Any) -> Response:
        theme = request.cookies.get("mlops-console-theme")
        environment = self._connected.environment
        text = self._templates.get_template(template).render(
            environment=environment.name,
            mark=self._settings.mark,
            may_change=self._settings.may_change,
            theme=theme if theme in _THEMES else "",
            here=f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path,
            search=request.query_params.get("q", "") if request.url.path == "/search" else "",
            **values,
        )
        return HTMLResponse(text, status)


async def _drawings(request: Request) -> Response:
    from mlops.console.drawings import stylesheet  # what draws is loaded when something is drawn

    return Response(stylesheet(), media_type="text/css", headers={"cache-control": f"max-age={_STATIC_SECONDS}"})
