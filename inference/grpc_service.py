"""The V2 protocol over gRPC: KServe's service definition, answered by this predictor."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # protobuf ships no types

from inference import tensors
from inference.errors import RequestError
from inference.limits import BODY_BYTES, check_count, check_texts
from inference.messages import pb
from inference.service import PLATFORM, Service

__all__ = ["GrpcService"]

_SERVICE = "inference.GRPCInferenceService"
_log = logging.getLogger("inference")


class GrpcService:
    """``inference.GRPCInferenceService`` for one model.

    Requests arrive as bytes and are parsed here: with KServe's generated servicer a message that does not parse is
    answered UNKNOWN with the exception's text, and nobody counts it.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._identity = tuple(service.identity.items())

    def add_to(self, server: grpc.aio.Server) -> None:
        """Add every method to a server that has not started."""
        answers: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._model_infer,
            "RepositoryModelLoad": self._refused,
            "RepositoryModelUnload": self._refused,
        }
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                self._answering(name, answer),
                response_serializer=getattr(pb, f"{name}Response").SerializeToString,
            )
            for name, answer in answers.items()
        }
        # What is registered waits in a queue of its own, inside gRPC: health does not stand behind a thousand texts.
        server.add_registered_method_handlers(_SERVICE, {"ModelInfer": handlers.pop("ModelInfer")})
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))

    def _answering(self, name: str, answer: Callable[[Any], Awaitable[Any]]) -> Callable[[bytes, Any], Awaitable[Any]]:
        kind = getattr(pb, f"{name}Request")

        async def answering(raw: bytes, context: Any) -> Any:
            begun = time.perf_counter()
            given = dict(context.invocation_metadata() or ())
            request_id = self._service.request_id(given.get("x-request-id"))
            answered, code, message = None, "OK", ""
            try:
                await context.send_initial_metadata((*self._identity, ("x-request-id", request_id)))
                if name == "ModelInfer":
                    self._service.check_caller(given.get("authorization"))
                answered = await answer(_parsed(kind, raw))
            except RequestError as error:
                code, message = error.grpc_code, error.message
            except Exception:
                _log.exception("request %s failed", request_id)
                code, message = "INTERNAL", "internal error; the request id finds it in the log"
            if name == "ModelInfer":
                self._service.answered("grpc", code, begun, request_id, given.get("traceparent"))
            if code != "OK":
                await context.abort(grpc.StatusCode[code], message)
            return answered

        return answering

    async def _server_live(self, _: Any) -> Any:
        return pb.ServerLiveResponse(live=True)

    async def _server_ready(self, _: Any) -> Any:
        return pb.ServerReadyResponse(ready=self._service.ready)

    async def _model_ready(self, request: Any) -> Any:
        self._service.check_model(request.name, request.version)
        return pb.ModelReadyResponse(ready=self._service.ready)

    async def _server_metadata(self, _: Any) -> Any:
        return pb.ServerMetadataResponse(**tensors.server_metadata())

    async def _model_metadata(self, request: Any) -> Any:
        self._service.check_model(request.name, request.version)
        described = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=self._service.model,
            versions=[self._service.version],
            platform=PLATFORM,
            inputs=[described(**tensor) for tensor in tensors.INPUTS],
            outputs=[described(**tensor) for tensor in tensors.OUTPUTS],
        )

    async def _refused(self, _: Any) -> NoReturn:
        raise RequestError.fixed_version()

    async def _model_infer(self, request: Any) -> Any:
        self._service.check_model(request.model_name, request.model_version)
        texts = _texts(request)
        names = tensors.output_names([output.name for output in request.outputs], "outputs")
        held = tensors.output_tensors(await self._service.score(texts))
        answer = pb.ModelInferResponse(
            model_name=self._service.model, model_version=self._service.version, id=request.id
        )
        for name in names:
            tensor = held[name]
            output = answer.outputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
            # A client that speaks raw is answered raw: the protocol allows one form for a whole message.
            if request.raw_input_contents:
                answer.raw_output_contents.append(tensor.raw)
            elif tensor.datatype == "BYTES":
                output.contents.bytes_contents.extend(value.encode() for value in tensor.values)
            else:
                output.contents.fp64_contents.extend(tensor.values)
        return answer


def _parsed(kind: Any, raw: bytes) -> Any:
    if len(raw) > BODY_BYTES:
        raise RequestError(413, f"request: is larger than {BODY_BYTES} bytes")
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise RequestError.bad("request", f"is not an {kind.DESCRIPTOR.full_name} message") from error


def _texts(request: Any) -> list[str]:
    """Return the texts of a request, from ``raw_input_contents`` or ``contents``.

    Raises:
        RequestError: naming the field.
    """
    if len(request.inputs) != 1 or request.inputs[0].name != "text":
        raise RequestError.bad("inputs", 'must hold exactly one tensor, named "text"')
    tensor = request.inputs[0]
    if tensor.datatype != "BYTES":
        raise RequestError.bad("inputs[0].datatype", "must be BYTES")
    raw = list(request.raw_input_contents)
    if raw and (len(raw) != 1 or tensor.HasField("contents")):
        raise RequestError.bad("raw_input_contents", "must hold one element and stand without inputs[0].contents")
    if raw:
        texts = tensors.byte_elements(raw[0], "raw_input_contents[0]")
    else:
        field = "inputs[0].contents.bytes_contents"
        check_count(len(tensor.contents.bytes_contents), field)
        texts = [tensors.decoded(each, f"{field}[{i}]") for i, each in enumerate(tensor.contents.bytes_contents)]
    check_texts(texts, "inputs[0]")
    tensors.check_shape(list(tensor.shape), len(texts), "inputs[0].shape")
    return texts
