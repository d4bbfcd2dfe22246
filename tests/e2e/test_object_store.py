"""What each S3 user may do, by its own keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from live import TENANTS, Live

ACTIONS: dict[str, Callable[[Any], Any]] = {
    "list what it follows": lambda s3: s3.list_objects_v2(Bucket="released", Prefix="sentiment/", MaxKeys=1),
    "list another model": lambda s3: s3.list_objects_v2(Bucket="released", Prefix="other/", MaxKeys=1),
    "list all that is released": lambda s3: s3.list_objects_v2(Bucket="released", MaxKeys=1),
    "read another model": lambda s3: s3.get_object(Bucket="released", Key="other/1-000000000000/MLmodel"),
    "write what it follows": lambda s3: s3.put_object(Bucket="released", Key="sentiment/e2e", Body=b""),
    "delete what it follows": lambda s3: s3.delete_object(Bucket="released", Key="sentiment/e2e"),
    "list MLflow's bucket": lambda s3: s3.list_objects_v2(Bucket="mlflow", MaxKeys=1),
    "write to MLflow's bucket": lambda s3: s3.put_object(Bucket="mlflow", Key="e2e", Body=b""),
    "make a bucket": lambda s3: s3.create_bucket(Bucket="e2e-bucket"),
    "change a bucket's policy": lambda s3: s3.put_bucket_policy(Bucket="released", Policy="{}"),
}


def _answered(act: Callable[[], Any]) -> int:
    """The status of one call; 404 is an answer to somebody who may look."""
    try:
        return int(act()["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


MAY = {
    ("tenant-a", "s3-reader"): {"list what it follows"},
    ("tenant-b", "s3-reader"): {"list what it follows"},
    ("release", "publisher"): {
        "list what it follows",
        "list another model",
        "list all that is released",
        "read another model",
        "write what it follows",
    },
    ("mlflow", "mlflow"): {"list MLflow's bucket", "write to MLflow's bucket"},
}


@pytest.mark.parametrize("user", MAY, ids="/".join)
def test_an_s3_user_may_do_what_it_is_for_and_nothing_else(serving: Live, user: tuple[str, str]) -> None:
    with serving.s3(*user) as s3:
        allowed = {action for action, act in ACTIONS.items() if _answered(lambda act=act: act(s3)) != 403}
    assert allowed == MAY[user]


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenant_reads_every_file_that_it_serves(serving: Live, tenant: str) -> None:
    service = serving.cluster.find("inferenceservice", "ferryman.dev/model=sentiment", tenant)[0]
    prefix = service["spec"]["predictor"]["model"]["storageUri"].removeprefix("s3://released/")
    with serving.s3(tenant, "s3-reader") as s3:
        files = s3.list_objects_v2(Bucket="released", Prefix=prefix)["Contents"]
        assert any(file["Key"].endswith("model.skops") for file in files)
        assert all(s3.get_object(Bucket="released", Key=file["Key"])["ContentLength"] == file["Size"] for file in files)
