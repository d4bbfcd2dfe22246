"""The servers that are measured: how each is started, and what it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from artifact import PublishedArtifact, tree_digest

__all__ = ["HTTP_PORT", "RPC_PORT", "Server", "servers"]

HTTP_PORT, RPC_PORT, _METRICS_PORT = 18500, 18501, 18502
_PEERS = Path(__file__).parent / "peers"
_V1 = "/v1/models/sentiment:predict"

Body = Callable[[Sequence[str]], bytes]


def _v1(texts: Sequence[str]) -> bytes:
    return json.dumps({"instances": list(texts)}).encode()


def _texts(texts: Sequence[str]) -> bytes:
    return json.dumps({"texts": list(texts)}).encode()


def _split(texts: Sequence[str]) -> bytes:
    return json.dumps({"dataframe_split": {"columns": ["text"], "data": [[text] for text in texts]}}).encode()


def _v2(texts: Sequence[str]) -> bytes:
    tensor = {"name": "text", "shape": [len(texts), 1], "datatype": "BYTES", "data": list(texts)}
    column = {**tensor, "parameters": {"content_type": "str"}}
    asked = {"parameters": {"content_type": "pd"}, "inputs": [column], "outputs": [{"name": "predict_proba"}]}
    return json.dumps(asked).encode()


@dataclass(frozen=True)
class Server:
    """One server: ``command`` starts it, ``venv`` is its environment, and it is ready when ``ready`` answers 200."""

    name: str
    title: str
    venv: Path
    command: Sequence[str]
    path: str
    body: Body
    ready: str
    packages: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    rpc: bool = False


def servers(model: Path, home: Path, ours: Path) -> list[Server]:
    """Return every server for a model folder; peers' environments lie in ``home``, ``ours`` is Ferryman's."""
    http, rpc, metrics = str(HTTP_PORT), str(RPC_PORT), str(_METRICS_PORT)
    uri = PublishedArtifact.of("sentiment", 1, tree_digest(model)).uri
    quiet = ["--no-access-log", "--log-level", "warning", "--port", http]
    stock = [str(_PEERS / "kserve" / "serve.py"), "--http_port", http, "--grpc_port", rpc]
    stock += ["--enable_latency_logging", "false", "--model_name", "sentiment"]
    own = [
        "--storage-uri",
        uri,
        "--model-dir",
        str(model),
        "--tenant",
        "bench",
        "--http-port",
        http,
        "--grpc-port",
        rpc,
    ]
    serve = ["models", "serve", "--model-uri", str(model), "--env-manager", "local", "--port", http, "--workers", "1"]

    def venv(name: str) -> Path:
        return home / name / "venv"

    def script(name: str) -> str:
        return str(_PEERS / name / "serve.py")

    return [
        Server(
            "ferryman",
            "Ferryman",
            ours,
            ["python", "-m", "inference", *own],
            _V1,
            _v1,
            "/ready",
            ["uvicorn", "orjson", "numpy"],
            rpc=True,
        ),
        Server(
            "kserve",
            "kserve.Model, scikit-learn (stock)",
            venv("kserve"),
            ["python", *stock],
            _V1,
            _v1,
            "/v1/models/sentiment",
            ["kserve", "scikit-learn"],
            rpc=True,
        ),
        Server(
            "mlflow",
            "mlflow models serve",
            venv("mlflow"),
            ["mlflow", *serve],
            "/invocations",
            _split,
            "/ping",
            ["mlflow", "scikit-learn"],
            {"MLFLOW_DISABLE_ENV_CREATION": "true"},
        ),
        Server(
            "mlserver",
            "MLServer, its sklearn runtime",
            venv("mlserver"),
            ["mlserver", "start", str(home / "mlserver" / "model")],
            "/v2/models/sentiment/infer",
            _v2,
            "/v2/models/sentiment/ready",
            ["mlserver", "mlserver-sklearn"],
            {
                "MLSERVER_HTTP_PORT": http,
                "MLSERVER_GRPC_PORT": rpc,
                "MLSERVER_METRICS_PORT": metrics,
                "MLSERVER_HOST": "127.0.0.1",
                # One core: inference in the server's own process, as its documentation advises.
                "MLSERVER_PARALLEL_WORKERS": "0",
                "MLSERVER_DEBUG": "false",
            },
        ),
        Server(
            "bentoml",
            "BentoML",
            venv("bentoml"),
            ["bentoml", "serve", "serve:Sentiment", "--working-dir", str(_PEERS / "bentoml"), "--port", http],
            "/predict",
            _texts,
            "/readyz",
            ["bentoml"],
            {"BENTOML_DO_NOT_TRACK": "true"},
        ),
        Server(
            "litserve",
            "LitServe",
            venv("litserve"),
            ["python", script("litserve"), http],
            "/predict",
            _texts,
            "/health",
            ["litserve"],
        ),
        Server(
            "fastapi",
            "FastAPI",
            venv("fastapi"),
            ["uvicorn", "serve:app", "--app-dir", str(_PEERS / "fastapi"), *quiet],
            "/predict",
            _texts,
            "/ready",
            ["fastapi", "uvicorn"],
        ),
        Server(
            "kserve-noop",
            "limit: kserve with a model that does nothing",
            venv("kserve"),
            ["python", *stock],
            _V1,
            _v1,
            "/v1/models/sentiment",
            ["kserve"],
            {"BENCH_NOOP": "1"},
            rpc=True,
        ),
        Server(
            "echo",
            "limit: bare ASGI echo",
            ours,
            ["uvicorn", "serve:app", "--app-dir", str(_PEERS / "echo"), *quiet],
            _V1,
            _v1,
            "/",
            ["uvicorn"],
        ),
    ]
