"""KServe's ModelServer with our REST front and our gRPC service, on one address of our choice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import warnings
from typing import Any

import grpc
import kserve
from kserve.model_server import app as kserve_app
from kserve.protocol.rest.server import RESTServer

from inference.front import Front
from inference.grpc_service import GrpcService
from inference.limits import BODY_BYTES
from inference.listen import ListenError, address, listener
from inference.model import SentimentModel
from inference.service import Service

__all__ = ["PredictorServer"]

# Below the 30 s that Kubernetes, and the 35 s that the laptop's supervisor, wait before they kill.
_GRACE_SECONDS = 25
_GRPC_OPTIONS = [
    # A request over the limit is refused by us, with its field and counted; gRPC itself refuses only what is far over.
    ("grpc.max_receive_message_length", 4 * BODY_BYTES),
    # gRPC's default would let two predictors share a port: one tenant's calls would be answered by another's model.
    ("grpc.so_reuseport", 0),
]
_log = logging.getLogger("inference")


class PredictorServer(kserve.ModelServer):  # type: ignore[misc] # kserve ships no types
    """Binds to ``host`` where KServe binds to every interface, and drains on SIGTERM, not waiting for idle clients."""

    def __init__(self, model: SentimentModel, service: Service, host: str, http_port: int, grpc_port: int) -> None:
        super().__init__(http_port=http_port, grpc_port=grpc_port, workers=1, enable_latency_logging=False)
        self._model = model
        self._service = service
        self._host = host

    def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, then end what is in flight and return.

        Raises:
            ListenError: a port is taken, or the host is none of this machine's.
        """
        # KServe names a response class that FastAPI deprecates: nothing that whoever runs a predictor can act on.
        warnings.filterwarnings("ignore", message="ORJSONResponse is deprecated")
        self._service.ready = True
        self.register_model(self._model)
        asyncio.run(self._run())

    async def _run(self) -> None:
        rest_listener = listener(self._host, self.http_port)
        rpc = grpc.aio.server(options=_GRPC_OPTIONS)
        rpc.add_generic_rpc_handlers((GrpcService(self._service).handlers(),))
        try:
            rpc.add_insecure_port(address(self._host, self.grpc_port))
        except RuntimeError as error:
            await rpc.stop(None)
            place = address(self._host, self.grpc_port)
            raise ListenError(f"cannot listen on {place} (gRPC): is the port taken?") from error
        await rpc.start()
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
        rest = self._rest()
        serving = asyncio.create_task(rest._server.serve(sockets=[rest_listener]))
        stopping = asyncio.create_task(asked.wait())
        service = self._service
        _log.info(
            "%s version %s for %s: REST on port %d, gRPC on port %d of %s",
            *(service.model, service.version, service.tenant, self.http_port, self.grpc_port, self._host),
        )
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        service.ready = False
        rest._server.should_exit = True
        await rpc.stop(_GRACE_SECONDS)
        stopping.cancel()
        await serving

    def _rest(self) -> Any:
        rest = RESTServer(
            "kserve.model_server:app",
            self.dataplane,
            self.model_repository_extension,
            self.http_port,
            grace_period=_GRACE_SECONDS,
        )
        rest.create_application()
        # KServe has no settings for these: the application in front, and signals (ours drain gRPC too).
        rest.config.app = Front(self._service, kserve_app)
        rest._server.capture_signals = contextlib.nullcontext
        return rest
