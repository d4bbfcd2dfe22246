"""The page over HTTP: its routes, and the headers that keep hostile text from becoming a program."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined

from release.api.links import version_page
from release.api.page.detail import detail
from release.api.page.numbers import clock, machine_time
from release.api.page.view import overview
from release.board import LATE_SECONDS, Board

__all__ = ["add_page"]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STATIC = Path(__file__).parent / "static"


def add_page(app: FastAPI, board: Board, registry_url: str) -> None:
    """Have the application show the board at ``/`` and each release at ``/releases/<name>``."""
    templates = _templates(registry_url)
    app.mount("/static", StaticFiles(directory=_STATIC))

    def drawn(request: Request, template: str, status: int = 200, **shown: object) -> Response:
        """Draw a page, or answer 304 to who has just this one."""
        text = templates.get_template(template).render(trouble=_trouble(board), **shown)
        body = text.encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(body, status, {"ETag": tag}, "text/html; charset=utf-8")

    @app.get("/", include_in_schema=False)
    def first(request: Request) -> Response:
        return drawn(request, "overview.html", view=overview(board.all()))

    @app.get("/releases/{name:path}", include_in_schema=False)
    def one(request: Request, name: str) -> Response:
        shown = board.one(name)
        if shown is None:
            return drawn(request, "missing.html", 404, name=name)
        return drawn(request, "release.html", view=detail(shown))

    @app.middleware("http")
    async def guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(_HEADERS)
        return response


def _templates(registry_url: str) -> Environment:
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["registry_url"] = registry_url
    made.filters.update(
        clock=clock,
        machine_time=machine_time,
        version_page=lambda version, model: version_page(registry_url, model, version),
    )
    return made


def _trouble(board: Board) -> str:
    if time.monotonic() - board.ticked > LATE_SECONDS:
        return "Its loop does not go round: nothing below is being moved. See its log."
    return board.trouble
