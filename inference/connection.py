"""One HTTP connection: uvicorn's, with a shortcut for short inference requests, and an end to waiting for half of one.

uvicorn makes a task, an event and four dictionaries for each request, 20 us of the 30 that it takes for one. A short
text is scored in less, without waiting for anything, so its answer is written from where its last byte was read. Every
other request goes uvicorn's way, to the same application.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn import Server
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from inference.capacity import Turn
from inference.front import JSON, READ, Front, Headers

__all__ = ["Connection", "end_slow"]

_REQUEST_SECONDS = 30
_SWEEP_SECONDS = 5
_SHORT_BYTES = 16_384


class Connection(HttpToolsProtocol):
    """Answers short inference requests itself, and knows how long it waits for the next whole request."""

    closes_at: float | None
    """By the event loop's clock. A timer for each request, as uvicorn has it, is made and cancelled in 2 us."""

    def __init__(self, front: Front, is_quick: Callable[[int], bool], turn: Turn, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._front = front
        self._is_quick = is_quick
        self._turn = turn
        self._json, self._identity = _block(JSON), _block(front.identity)
        self._short: bytes | None = None
        self._ending = False
        self._dated: Headers = []
        self._date = b""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self.closes_at = self.loop.time() + _REQUEST_SECONDS

    def on_message_begin(self) -> None:
        """Begin to wait again, for the next request on this connection."""
        super().on_message_begin()
        self.closes_at = self.loop.time() + _REQUEST_SECONDS

    def on_headers_complete(self) -> None:
        """Leave a short inference request to the moment when it is complete."""
        if self._may_be_short():
            self._short = b""
        else:
            super().on_headers_complete()

    def _may_be_short(self) -> bool:
        if self.url not in self._front.short_paths or self.expect_100_continue or self.flow.write_paused:
            return False
        # An answer may not overtake the one before it.
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        return bool(self.parser.get_method() == b"POST" and self.parser.get_http_version() == "1.1")

    def on_body(self, body: bytes) -> None:
        """Collect a short request's body; one that turns out long goes uvicorn's way."""
        if self._short is None:
            super().on_body(body)
            return
        self._short += body
        if len(self._short) > _SHORT_BYTES:
            self._hand_over()

    def on_message_complete(self) -> None:
        """Answer a short request."""
        self.closes_at = None
        body = self._short
        if body is None:
            super().on_message_complete()
        elif not self._is_quick(len(body)):
            self._hand_over()
            super().on_message_complete()
        else:
            self._short = None
            self._answer(body)

    def _hand_over(self) -> None:
        body, self._short = self._short, None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _answer(self, body: bytes) -> None:
        async def read() -> bytes:
            return body

        given = {name: value for name, value in self.headers if name in READ}
        answering = self._front.answer("POST", self.url.decode(), given, read, overloaded=self._turn.is_over())
        try:
            # What waits for nothing is done at its first step.
            answering.send(None)
        except StopIteration as done:
            answer, request_id = done.value
        else:
            raise RuntimeError("a short request waited")
        if self._dated is not self.server_state.default_headers:
            # uvicorn makes them anew each second, for the date.
            self._dated = self.server_state.default_headers
            self._date = _block(self._dated)
        stays = not self._ending and not self._front.closing and self.parser.should_keep_alive()
        self.transport.write(
            b"%b%b%b%bx-request-id: %b\r\n%bcontent-length: %d\r\n\r\n%b"
            % (
                STATUS_LINE[answer.status],
                self._date,
                self._json if answer.headers is JSON else _block(answer.headers),
                self._identity,
                request_id.encode(),
                b"" if stays else b"connection: close\r\n",
                len(answer.content),
                answer.content,
            )
        )
        if stays:
            self.closes_at = self.loop.time() + self.timeout_keep_alive
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """End after the request that is being read, if there is one."""
        if self._short is None:
            super().shutdown()
        else:
            self._ending = True


def _block(headers: Headers) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


async def end_slow(server: Server) -> None:
    """Close connections that have not completed a request in time, or sent none for long, until cancelled."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        now = asyncio.get_running_loop().time()
        for connection in list(server.server_state.connections):
            closes_at = connection.closes_at if isinstance(connection, Connection) else None
            if closes_at is not None and closes_at < now and connection.transport is not None:
                connection.transport.close()
