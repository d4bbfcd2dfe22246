"""The API server, by path and JSON: the few verbs that a release needs."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
from urllib3.exceptions import HTTPError

from release.platforms.base import PlatformError
from release.platforms.kubernetes.names import MANAGER

__all__ = ["Api", "ApiRefusedError", "ConflictError", "ExpiredError", "Object", "path"]

Object = dict[str, Any]

_SECONDS = (3.0, 15.0)  # to connect, to answer
# How long one watch lasts, and after how long without its end the connection is taken for dead.
_WATCH_SECONDS = 60
_QUIET_SECONDS = 75.0
_CONNECTIONS = 40
_PAGE = 500
_GROUPS = {
    "modelreleases": "apis/ferryman.dev/v1alpha1",
    "inferenceservices": "apis/serving.kserve.io/v1beta1",
    "httproutes": "apis/gateway.networking.k8s.io/v1",
    "horizontalpodautoscalers": "apis/autoscaling/v2",
    "deployments": "apis/apps/v1",
    "events": "apis/events.k8s.io/v1",
    "services": "api/v1",
    "pods": "api/v1",
}


class ApiRefusedError(PlatformError):
    """The API server answered, and says no: a quota, an admission policy, a missing permission."""


class ConflictError(ApiRefusedError):
    """The object is there already, or was changed since it was read."""


class ExpiredError(ApiRefusedError):
    """The API server no longer knows what happened since then: list anew."""


class _AbsentError(ApiRefusedError):
    pass


_ERRORS: dict[int, type[ApiRefusedError]] = {
    HTTPStatus.NOT_FOUND: _AbsentError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.GONE: ExpiredError,
}


def path(resource: str, namespace: str | None = None, name: str | None = None, *further: str) -> str:
    """Return the path of a collection or an object: ``path("pods", "tenant-a")``."""
    parts = [_GROUPS[resource]]
    if namespace is not None:
        parts += ["namespaces", quote(namespace, safe="")]
    parts += [resource, *(quote(each, safe="") for each in (name, *further) if each is not None)]
    return "/" + "/".join(parts)


class Api:
    """The cluster that this pod runs in, or that ``KUBECONFIG`` names. Safe to share between threads.

    Every method raises :class:`PlatformError` when the API server does not answer, and :class:`ApiRefusedError`, which
    is one, when it says no.
    """

    def __init__(self) -> None:
        configuration = Configuration()
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                load_incluster_config(configuration)  # type: ignore[no-untyped-call]
            else:
                named = os.environ.get("KUBECONFIG")
                load_kube_config(named, client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (ConfigException, OSError) as error:
            raise PlatformError(f"no cluster is configured; KUBECONFIG names one: {error}") from error
        configuration.connection_pool_maxsize = _CONNECTIONS
        self.client = ApiClient(configuration)
        self._calls = 0
        self._lock = threading.Lock()

    def under_way(self) -> int:
        """Return how many calls wait for their answer; watches are none."""
        return self._calls

    def pages(self, at: str, selector: str = "") -> Iterator[Object]:
        """Yield a collection as lists of at most 500 objects, all of one moment."""
        further = ""
        while True:
            query = {"labelSelector": selector, "limit": str(_PAGE), "continue": further}
            page = self._call("GET", f"{at}?{urlencode(query)}")
            yield page
            further = page["metadata"].get("continue", "")
            if not further:
                return

    def watch(self, at: str, since: str, selector: str = "") -> Iterator[Object]:
        """Return, once the API server has agreed, what happens to a collection, bookmarks included, for a minute.

        Raises:
            ExpiredError: what happened since then is not known any more.
        """
        query = {
            "watch": "true",
            "resourceVersion": since,
            "labelSelector": selector,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        answer = self._send("GET", f"{at}?{urlencode(query)}", None, "application/json", (_SECONDS[0], _QUIET_SECONDS))
        return _events(at, answer.response)

    def get(self, at: str) -> Object | None:
        """Return one object, or None when it is not there."""
        try:
            return self._call("GET", at)
        except _AbsentError:
            return None

    def apply(self, at: str, wanted: Object) -> Object:
        """Apply an object on the server's side: fields that others own stay as they are, ours become as given."""
        query = urlencode({"fieldManager": MANAGER, "force": "true"})
        return self._call("PATCH", f"{at}?{query}", wanted, "application/apply-patch+yaml")

    def merge(self, at: str, change: Object) -> Object | None:
        """Change fields of an object (RFC 7386); None when it is not there."""
        query = urlencode({"fieldManager": MANAGER})
        try:
            return self._call("PATCH", f"{at}?{query}", change, "application/merge-patch+json")
        except _AbsentError:
            return None

    def replace(self, at: str, wanted: Object) -> Object:
        """Replace an object if it still has the resource version that ``wanted`` was read with.

        Raises:
            ConflictError: it was changed since.
        """
        return self._call("PUT", f"{at}?{urlencode({'fieldManager': MANAGER})}", wanted)

    def create(self, at: str, made: Object) -> None:
        """Create an object.

        Raises:
            ConflictError: one of that name is there.
        """
        self._call("POST", f"{at}?{urlencode({'fieldManager': MANAGER})}", made)

    def delete(self, at: str) -> None:
        """Delete an object and, in the background, what it owns. Absent: nothing happens."""
        try:
            self._call("DELETE", at, {"propagationPolicy": "Background"})
        except _AbsentError:
            return

    def _call(self, method: str, at: str, body: Object | None = None, content: str = "application/json") -> Object:
        with self._lock:
            self._calls += 1
        try:
            answer = self._send(method, at, body, content, _SECONDS)
            return dict(json.loads(answer.response.data))
        except (HTTPError, OSError, ValueError) as error:
            raise PlatformError(f"the API server broke off: {type(error).__name__}") from error
        finally:
            with self._lock:
                self._calls -= 1

    def _send(self, method: str, at: str, body: Object | None, content: str, seconds: tuple[float, float]) -> Any:
        headers = {"Accept": "application/json", "Content-Type": content}
        request = self.client.param_serialize(
            method, at, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            answer = self.client.call_api(*request, _request_timeout=seconds)
            if answer.status < HTTPStatus.BAD_REQUEST:
                return answer
            said = json.loads(answer.response.data or b"{}")
        except (ApiException, HTTPError, OSError, ValueError) as error:
            raise PlatformError(f"the API server does not answer: {type(error).__name__}") from error
        raise _refusal(method, at.partition("?")[0], answer.status, said)


def _events(at: str, response: Any) -> Iterator[Object]:
    held = b""
    try:
        for chunk in response.stream():
            *lines, held = (held + chunk).split(b"\n")
            for line in filter(None, lines):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _refusal("WATCH", at, event["object"].get("code", 0), event["object"])
                yield event
    except (HTTPError, OSError, ValueError) as error:
        raise PlatformError(f"the API server ended a watch: {type(error).__name__}") from error
    finally:
        response.close()


def _refusal(method: str, at: str, status: int, said: Object) -> PlatformError:
    message = f"the API server refuses {method} {at}: {said.get('message', status)}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return PlatformError(message)
    return _ERRORS.get(status, ApiRefusedError)(message)
