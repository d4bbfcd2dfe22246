"""`python -m release.platforms.kubernetes.daemon`: the controller as one of the replicas of a Deployment."""

from __future__ import annotations

import gc
import logging
import math
import os
import signal
import socket
import sys
import threading
import time

import uvicorn

from release.api.app import application
from release.board import Board
from release.controller import Controller
from release.platforms.base import PlatformError
from release.platforms.kubernetes.api import Api
from release.platforms.kubernetes.election import lead
from release.platforms.kubernetes.platform import KubernetesPlatform
from release.platforms.kubernetes.store import KubernetesStore

__all__ = ["main"]

_PORT = 8090
# Where people's browsers find MLflow, as they find this page: by a port-forward.
_REGISTRY = "http://127.0.0.1:5000"
_AGAIN_SECONDS = 2.0
# Every look makes as many objects as there are releases. With the default of 700 the collector goes through all that
# watches hold again and again: of a thousand tenants that is half of the controller's time.
_OBJECTS_PER_COLLECTION = 100_000
# Not by the module's name: that is `__main__` here.
_log = logging.getLogger("release.kubernetes")


def main() -> int:
    """Stand by until the Lease is ours, then lead; return 1 when it is lost, 0 after SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("release").setLevel(logging.INFO)
    # The controller says itself, once, what does not answer; urllib3 would say it at each attempt.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    board = Board()
    board.ticked, board.trouble = math.inf, "this replica stands by: another one leads"
    _serve(board)
    try:
        api = Api()
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1
    identity, namespace = socket.gethostname(), os.environ.get("POD_NAMESPACE", "release")

    def elect() -> None:
        lead(api.client, namespace, identity, lambda: _control(api, board, stop))
        _log.error("the Lease is lost: this process ends, so that no two controllers act")
        _end(1)

    threading.Thread(target=elect, name="election", daemon=True).start()
    stop.wait()
    return _end(0)


def _control(api: Api, board: Board, stop: threading.Event) -> None:
    """Lead, until told to stop. Watches begin only now: a replica that stands by costs nothing."""
    _log.info("this replica leads")
    store, platform = KubernetesStore(api), KubernetesPlatform(api)
    while not stop.is_set():
        board.ticked, board.trouble = time.monotonic(), "the cluster is being read"
        try:
            store.wait()
            platform.wait()
            break
        except PlatformError as error:
            _log.warning("%s", error)
            stop.wait(_AGAIN_SECONDS)
    Controller(store, platform, board).run(stop)


def _serve(board: Board) -> None:
    """Serve page, metrics and health. MLflow is asked every second here, and calls nobody."""

    def refuse(_: dict[str, str], __: bytes) -> None:
        raise ValueError("no webhook is taken here")

    app = application(board, _REGISTRY, refuse)
    # In a pod: the network policies say who gets through.
    config = uvicorn.Config(app, host="0.0.0.0", port=_PORT, log_level="warning", access_log=False)  # noqa: S104
    threading.Thread(target=uvicorn.Server(config).run, name="api", daemon=True).start()


def _end(code: int) -> int:
    # Work under way may wait for what does not answer. Nothing depends on its end: every state is kept before it is
    # acted on.
    logging.shutdown()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
