"""The HTTP application of the controller."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from release.api.documents import detail, summary
from release.api.page.routes import add_page
from release.board import LATE_SECONDS, Board
from release.exposition import registry_of

__all__ = ["application"]

_MOST_BYTES = 64 * 1024

Accept = Callable[[dict[str, str], bytes], None]


def application(board: Board, registry_url: str, called: Accept) -> FastAPI:
    """Return the application.

    Args:
        board: what is shown.
        registry_url: where people reach MLflow, for links.
        called: takes the headers (lower-case) and body of a webhook call; raises ValueError for one that is refused.
    """
    app = FastAPI(title="Ferryman release controller", docs_url=None, redoc_url=None)
    metrics = registry_of(board)
    add_page(app, board, registry_url)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """200 while the loop goes round; what keeps it from moving is said, but is not the controller's illness."""
        late = time.monotonic() - board.ticked
        if late > LATE_SECONDS:
            raise HTTPException(503, f"the loop has not gone round for {late:.0f} s")
        return {"status": "ok", "trouble": board.trouble}

    @app.get("/metrics")
    def exposition() -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/releases")
    def releases() -> dict[str, Any]:
        """Every release, without its past; ``trouble`` says what keeps all of them from moving, if anything does."""
        return {"trouble": board.trouble, "releases": [summary(shown, registry_url) for shown in board.all()]}

    @app.get("/api/releases/{name:path}")
    def release(name: str) -> dict[str, Any]:
        """One release with its history, its predictors, the judged measures and the last minutes' trace."""
        shown = board.one(name)
        if shown is None:
            raise HTTPException(404, f"there is no release {name}")
        return detail(shown, registry_url)

    @app.post("/webhooks/mlflow", status_code=204)
    async def webhook(request: Request) -> None:
        """A call of MLflow: it says nothing that is believed, and only wakes the loop."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise HTTPException(413, f"body: is larger than {_MOST_BYTES} bytes")
        try:
            called(dict(request.headers), body)
        except ValueError as error:
            raise HTTPException(401, str(error)) from error

    return app
