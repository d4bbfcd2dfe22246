"""KServe's ModelServer with our REST front and our gRPC service, on one address of our choice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import Any

import grpc
import kserve
from kserve.model_server import app as kserve_app
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from kserve.protocol.rest.server import RESTServer

from inference.front import Front
from inference.grpc_service import GrpcService
from inference.limits import BODY_BYTES
from inference.service import Service

__all__ = ["PredictorServer", "SentimentModel"]

_GRACE_SECONDS = 25
_log = logging.getLogger("inference")


class SentimentModel(kserve.Model):  # type: ignore[misc] # kserve ships no types
    """The model as KServe's own routes (listings, health) see it."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.model)
        self._service = service

    def load(self) -> bool:
        """Report ready: the pipeline was loaded, after its digest was checked, before the server began."""
        self.ready = self._service.ready
        return bool(self.ready)


class PredictorServer(kserve.ModelServer):  # type: ignore[misc]
    """Binds to ``host`` where KServe binds to every interface, and drains on SIGTERM, not waiting for idle clients."""

    def __init__(self, service: Service, host: str, http_port: int, grpc_port: int) -> None:
        super().__init__(http_port=http_port, grpc_port=grpc_port, workers=1, enable_latency_logging=False)
        logging.getLogger("kserve").setLevel(logging.WARNING)
        self._service = service
        self._host = host

    def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, then end what is in flight and return."""
        model = SentimentModel(self._service)
        model.load()
        self._register_and_check_atleast_one_model_is_ready([model])
        asyncio.run(self._run())

    async def _run(self) -> None:
        rest = self._rest()
        rpc = grpc.aio.server(options=[("grpc.max_receive_message_length", 4 * BODY_BYTES)])
        add_GRPCInferenceServiceServicer_to_server(GrpcService(self._service), rpc)
        if rpc.add_insecure_port(f"{self._host}:{self.grpc_port}") == 0:
            raise OSError(f"port {self.grpc_port} is taken")
        await rpc.start()
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
        serving = asyncio.create_task(rest.start())
        stopping = asyncio.create_task(asked.wait())
        _log.info(
            "version %s serves %s on %s:%d", self._service.version, self._service.tenant, self._host, self.http_port
        )
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        self._service.ready = False
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
        # KServe has no settings for these: interface, application in front, access log, signals (ours drain gRPC too).
        rest.config.host = self._host
        rest.config.app = Front(self._service, kserve_app)
        rest.config.access_log = False
        rest._server.capture_signals = contextlib.nullcontext
        return rest
