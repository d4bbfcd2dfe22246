"""The controller as a process of the laptop stack: loop, API, webhook."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

import uvicorn

from infra.local.secret import webhook_keys
from infra.local.settings import LOOPBACK, Settings
from registry.deliveries import Deliveries
from release.api.app import application
from release.board import Board
from release.controller import Controller
from release.platforms.local.leader import AnotherLeadsError, leading
from release.platforms.local.platform import LocalPlatform
from release.platforms.local.specs import generate
from release.platforms.local.store import LocalStore

__all__ = ["run"]

_REGISTER_AGAIN_SECONDS = 10.0
_log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT and return 0, or 1 when another controller leads."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("release").setLevel(logging.INFO)
    # The controller says itself, once, that the registry is down; urllib3 would say it at each attempt.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    settings.prepare()
    try:
        with leading(settings.home):
            _lead(settings)
    except AnotherLeadsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _lead(settings: Settings) -> None:
    generate(settings.release_specs)
    stop = threading.Event()
    board = Board()
    controller = Controller(LocalStore(settings), LocalPlatform(settings), board)
    keys = webhook_keys(settings.home)
    deliveries = Deliveries(keys.secret)

    def called(headers: dict[str, str], body: bytes) -> None:
        deliveries.accept(headers, body, time.time())
        controller.wake()

    app = application(board, settings.mlflow_url, called)
    server = uvicorn.Server(
        uvicorn.Config(app, host=LOOPBACK, port=settings.controller_port, log_level="warning", access_log=False)
    )

    def ask_to_stop(*_: object) -> None:
        stop.set()
        controller.wake()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    threading.Thread(target=server.run, name="api", daemon=True).start()
    threading.Thread(target=_register, args=(settings, keys.secret, stop), name="webhook", daemon=True).start()
    controller.run(stop)
    # Work under way may wait for a registry that does not answer. Nothing depends on its end: every state is kept
    # before it is acted on.
    logging.shutdown()
    os._exit(0)


def _register(settings: Settings, secret: str, stop: threading.Event) -> None:
    """Have the registry call; until it does, the loop's own questions find every move of an alias."""
    from registry.client import RegistryUnreachableError
    from registry.webhook import register

    said = ""
    while True:
        try:
            register(f"{settings.controller_url}/webhooks/mlflow", secret)
            return
        except RegistryUnreachableError as error:
            if str(error) != said:
                said = str(error)
                _log.warning("%s; the alias is looked at every second all the same", error)
        if stop.wait(_REGISTER_AGAIN_SECONDS):
            return
