"""MLflow's users in a cluster: who trains adds versions, who releases reads them and writes back their fate."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from artifact.names import MODEL
from infra.platform.errors import PlatformError

__all__ = ["ensure_mlflow_users", "grant"]

_NAME, _PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
Keys = Mapping[str, str]


def ensure_mlflow_users(url: str, admin_password: str, training: Keys, release: Keys) -> None:
    """Make both users with their permissions; what is there already stays.

    Raises:
        PlatformError: MLflow refuses something.
    """
    with (
        httpx.Client(base_url=url, auth=("admin", admin_password), timeout=20, trust_env=False) as admin,
        httpx.Client(base_url=url, auth=(training[_NAME], training[_PASSWORD]), timeout=20, trust_env=False) as trainer,
    ):
        for user in (training, release):
            _post(admin, "2.0/mlflow/users/create", username=user[_NAME], password=user[_PASSWORD])
        # The model has to be there first: what does not exist is refused, as another's, to whoever is no administrator.
        _post(admin, "2.0/mlflow/registered-models/create", name=MODEL)
        # Whoever makes an experiment owns it. It holds the artifacts, which whoever releases has to read.
        _post(trainer, "2.0/mlflow/experiments/create", name=MODEL)
        found = admin.get("/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": MODEL})
        experiment = found.raise_for_status().json()["experiment"]["experiment_id"]
        for user, kind, resource, permission in (
            (training, "registered_model", MODEL, "EDIT"),
            (release, "registered_model", MODEL, "EDIT"),
            (release, "experiment", experiment, "READ"),
        ):
            grant(admin, user[_NAME], kind, resource, permission)


def grant(admin: httpx.Client, user: str, kind: str, resource: str, permission: str) -> None:
    """Let a user do with an experiment or registered model what MLflow's permission of that name says.

    Raises:
        PlatformError: MLflow refuses it.
    """
    wanted = {"resource_type": kind, "resource_id": resource, "permission": permission}
    _post(admin, "3.0/mlflow/users/permissions/grant", username=user, **wanted)


def _post(client: httpx.Client, path: str, **body: str) -> None:
    made = client.post(f"/api/{path}", json=body)
    if made.status_code != httpx.codes.OK and "RESOURCE_ALREADY_EXISTS" not in made.text:
        raise PlatformError(f"MLflow refuses {path}: {made.status_code} {made.text[:200]}")
