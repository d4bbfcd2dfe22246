"""REST on uvicorn and gRPC on grpc.aio, on one event loop, on one address of our choice."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from functools import partial

import grpc
import uvicorn
import uvloop
from prometheus_client import REGISTRY

from inference.capacity import Turn
from inference.connection import Connection, end_slow
from inference.front import Front
from inference.grpc_service import GrpcService
from inference.limits import BODY_BYTES
from inference.listen import ListenError, address, listener
from inference.service import Service

__all__ = ["PredictorServer"]

# With the lame duck's, below the 30 s after which Kubernetes kills, and the laptop's supervisor's 35 s.
_GRACE_SECONDS = 15
# Longer than gateways keep an idle connection: the other way round, one is closed just as a request is sent on it.
_KEEP_ALIVE_SECONDS = 65
_GRPC_OPTIONS = [
    # A request over the limit is refused by us, with its field and counted; gRPC itself refuses only what is far over.
    ("grpc.max_receive_message_length", 4 * BODY_BYTES),
    # gRPC's default would let two predictors share a port: one tenant's calls would be answered by another's model.
    ("grpc.so_reuseport", 0),
]
_log = logging.getLogger("inference")


class PredictorServer:
    """Serves until it is told to stop, and then loses no request."""

    def __init__(self, service: Service, host: str, http_port: int, grpc_port: int, lame_duck: float) -> None:
        self._service = service
        self._host = host
        self._http_port = http_port
        self._grpc_port = grpc_port
        self._lame_duck = lame_duck
        self._front = Front(service)

    def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, then end what is in flight and return.

        Raises:
            ListenError: a port is taken, or the host is none of this machine's.
        """
        REGISTRY.register(self._service.metrics)
        # What is there now stays: looking through it for garbage again and again would take a tenth of the time.
        gc.collect()
        gc.freeze()
        uvloop.run(self._run())

    async def _run(self) -> None:
        rest_listener = listener(self._host, self._http_port)
        rpc = await self._rpc()
        await rpc.start()
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
        rest = self._rest()
        serving = asyncio.create_task(rest.serve(sockets=[rest_listener]))
        besides = [asyncio.create_task(end_slow(rest))]
        if self._service.authority is not None:
            besides.append(asyncio.create_task(self._service.authority.refresh()))
        stopping = asyncio.create_task(asked.wait())
        service = self._service
        service.ready = True
        _log.info(
            "%s version %s for %s: REST on port %d, gRPC on port %d of %s",
            *(service.model, service.version, service.tenant, self._http_port, self._grpc_port, self._host),
        )
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        service.ready = False
        self._front.closing = True
        # Who sends requests needs a moment to see that they are no longer wanted here; until then they are answered.
        await asyncio.sleep(self._lame_duck)
        rest.should_exit = True
        await rpc.stop(_GRACE_SECONDS)
        stopping.cancel()
        await serving
        for task in besides:
            task.cancel()
        await asyncio.to_thread(service.close)

    async def _rpc(self) -> grpc.aio.Server:
        rpc = grpc.aio.server(options=_GRPC_OPTIONS)
        GrpcService(self._service).add_to(rpc)
        try:
            rpc.add_insecure_port(address(self._host, self._grpc_port))
        except RuntimeError as error:
            await rpc.stop(None)
            place = address(self._host, self._grpc_port)
            raise ListenError(f"cannot listen on {place} (gRPC): is the port taken?") from error
        return rpc

    def _rest(self) -> uvicorn.Server:
        config = uvicorn.Config(
            self._front,
            http=partial(Connection, self._front, self._service.is_quick, Turn()),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        # uvicorn has no setting for this: signals are ours, for they end gRPC too.
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        self._front.begun = server.server_state.tasks
        return server
