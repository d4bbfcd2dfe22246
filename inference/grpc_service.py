"""The V2 protocol over gRPC: KServe's service definition, answered by this predictor."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceServicer

from inference import v2
from inference.errors import RequestError
from inference.limits import BODY_BYTES, check_texts
from inference.service import PLATFORM, Service

__all__ = ["GrpcService"]

_log = logging.getLogger("inference")


class GrpcService(GRPCInferenceServiceServicer):  # type: ignore[misc] # generated code has no types
    """``inference.GRPCInferenceService`` for one model."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 # names of the protocol
        """Answer that the process lives."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Answer whether requests are taken."""
        return pb.ServerReadyResponse(ready=self._service.ready)

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answer whether this model takes requests; NOT_FOUND for any other."""
        await self._known(request.name, context)
        return pb.ModelReadyResponse(ready=self._service.ready)

    async def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Answer who is serving."""
        return pb.ServerMetadataResponse(
            name="ferryman", version=self._service.version, extensions=["binary_tensor_data"]
        )

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answer what the model takes and gives."""
        await self._known(request.name, context)
        described = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=self._service.model,
            versions=[self._service.version],
            platform=PLATFORM,
            inputs=[described(**tensor) for tensor in v2.INPUTS],
            outputs=[described(**tensor) for tensor in v2.OUTPUTS],
        )

    async def RepositoryModelLoad(self, request: Any, context: Any) -> NoReturn:  # noqa: N802, ARG002
        """Refuse: a predictor serves the one version that it started with."""
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "a predictor serves the one version it started with")
        raise AssertionError

    async def RepositoryModelUnload(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse: see RepositoryModelLoad."""
        await self.RepositoryModelLoad(request, context)
        raise AssertionError

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answer an inference request, counted and logged like one over REST."""
        return await self._counted(context, lambda: self._infer(request))

    async def _infer(self, request: Any) -> Any:
        self._service.check_model(request.model_name)
        if request.ByteSize() > BODY_BYTES:
            raise RequestError(413, f"request: is larger than {BODY_BYTES} bytes")
        texts = _texts(request)
        names = v2.output_names([output.name for output in request.outputs], "outputs")
        held = v2.tensors(await self._service.score(texts))
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

    async def _counted(self, context: Any, answer: Callable[[], Awaitable[Any]]) -> Any:
        begun = time.perf_counter()
        given = dict(context.invocation_metadata() or ())
        request_id = self._service.request_id(given.get("x-request-id"))
        await context.send_initial_metadata(tuple(self._service.headers(request_id).items()))
        try:
            answered = await answer()
        except RequestError as error:
            self._service.answered("grpc", error.grpc_code, begun, request_id)
            await context.abort(grpc.StatusCode[error.grpc_code], error.message)
        except Exception:
            _log.exception("request_id=%s failed", request_id)
            self._service.answered("grpc", "INTERNAL", begun, request_id)
            await context.abort(grpc.StatusCode.INTERNAL, "internal error; the request id finds it in the log")
        self._service.answered("grpc", "OK", begun, request_id)
        return answered

    async def _known(self, name: str, context: Any) -> None:
        try:
            self._service.check_model(name)
        except RequestError as error:
            await context.abort(grpc.StatusCode[error.grpc_code], error.message)


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
        texts = v2.byte_elements(raw[0], "raw_input_contents[0]")
    else:
        field = "inputs[0].contents.bytes_contents"
        texts = [v2.decoded(each, f"{field}[{i}]") for i, each in enumerate(tensor.contents.bytes_contents)]
    check_texts(texts, "inputs[0]")
    v2.check_shape(list(tensor.shape), len(texts), "inputs[0].shape")
    return texts
