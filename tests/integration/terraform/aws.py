"""AWS on loopback: moto, and beside it what of EKS moto does not know. `python aws.py PORT`, in the tools' environment.

Add-ons, access entries and Pod Identity associations are kept as they are given and given back, and so is what moto
forgets of a cluster and its node groups; nothing judges these but Terraform's provider.
"""

from __future__ import annotations

import io
import json
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

_COLLECTION = re.compile(
    r"/clusters/(?P<cluster>[^/]+)/(?P<kind>addons|pod-identity-associations|access-entries)(/(?P<name>.+))?"
)
_COMPLETED = re.compile(r"/clusters(/[^/]+(/node-groups(/[^/]+)?)?)?")
_POLICIES = "/access-policies"
_WORD = {"addons": "addon", "pod-identity-associations": "association", "access-entries": "accessEntry"}

Document = dict[str, Any]


class Eks:
    """What was made, by path."""

    def __init__(self) -> None:
        self._held: dict[str, Document] = {}
        self._policies: dict[str, list[Document]] = {}

    def answer(self, method: str, path: str, given: Document) -> tuple[int, Document] | None:
        """Return status and body, or None for a path that is moto's."""
        found = _COLLECTION.fullmatch(path)
        if found is None:
            return None
        kind, name = found["kind"], found["name"]
        if name and name.endswith(_POLICIES):
            return self._entry_policies(method, path, found["cluster"], name.removesuffix(_POLICIES), given)
        if method == "POST":
            made = _made(found["cluster"], kind, given)
            key = made.get("associationId") or made.get("addonName") or made["principalArn"]
            self._held[f"{path}/{key}"] = made
            return 200, {_WORD[kind]: made}
        held = self._held.pop(path, None) if method == "DELETE" else self._held.get(path)
        return (200, {_WORD[kind]: held}) if held else (404, {"message": f"no {path}"})

    def _entry_policies(
        self, method: str, path: str, cluster: str, principal: str, given: Document
    ) -> tuple[int, Document]:
        held = self._policies.setdefault(path, [])
        of = {"clusterName": cluster, "principalArn": principal}
        if method == "POST":
            held.append({**given, "associatedAt": time.time(), "modifiedAt": time.time()})
            return 200, {**of, "associatedAccessPolicy": held[-1]}
        return 200, {**of, "associatedAccessPolicies": held}


def _made(cluster: str, kind: str, given: Document) -> Document:
    now = time.time()
    arn = f"arn:aws:eks:eu-central-1:123456789012:{kind}/{cluster}/{uuid.uuid4()}"
    common = {**given, "clusterName": cluster, "createdAt": now, "modifiedAt": now}
    if kind == "addons":
        return {**common, "addonArn": arn, "status": "ACTIVE", "addonVersion": "v1.0.0-eksbuild.1"}
    if kind == "access-entries":
        return {"type": "STANDARD", "username": given["principalArn"], **common, "accessEntryArn": arn}
    return {**common, "associationArn": arn, "associationId": f"a-{uuid.uuid4().hex[:17]}"}


def _complete(answered: Document, given: Document) -> None:
    """Add what was given and does not come back."""
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(answered.get(key), dict):
            _complete(answered[key], value)
        elif not answered.get(key):
            answered[key] = value


def _forget(answered: Document) -> None:
    """Take out what moto makes up: a key for SSH into every node, and a share of nodes beside their number."""
    answered.pop("remoteAccess", None)
    answered.get("updateConfig", {}).pop("maxUnavailablePercentage", None)


class Completed:
    """Moto, with the clusters and node groups that it was given."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._given: dict[str, Document] = {}

    def __call__(self, environ: Document, start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not _COMPLETED.fullmatch(path):
            return self._moto(environ, start)  # type: ignore[no-any-return]
        if environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            given = json.loads(body)
            if path == "/clusters":
                given["resourcesVpcConfig"] |= {"clusterSecurityGroupId": "sg-0c1u57e2", "vpcId": "vpc-0c1u57e2"}
            self._given[f"{path}/{given.get('nodegroupName') or given['name']}"] = given
            environ = {**environ, "wsgi.input": io.BytesIO(body)}
            path = f"{path}/{given.get('nodegroupName') or given['name']}"
        said: list[Any] = []
        answered = json.loads(b"".join(self._moto(environ, lambda *status: said.extend(status))))
        for document in answered.values():
            if isinstance(document, dict):
                _complete(document, self._given.get(path, {}))
                _forget(document)
        encoded = json.dumps(answered).encode()
        start(said[0], [(name, value) for name, value in said[1] if name.lower() != "content-length"])
        return [encoded]


def main(port: int) -> None:
    """Serve until ended."""
    eks, moto = Eks(), Completed()

    def application(environ: Document, start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not _COLLECTION.fullmatch(path):
            return moto(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        code, document = eks.answer(environ["REQUEST_METHOD"], path, json.loads(body or "{}")) or (404, {})
        headers = [("Content-Type", "application/json")]
        if code == 404:
            headers.append(("X-Amzn-ErrorType", "ResourceNotFoundException"))
        start(f"{code} -", headers)
        return [json.dumps(document).encode()]

    run_simple("127.0.0.1", port, application, threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
