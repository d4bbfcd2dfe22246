"""The many ways in which MLflow and the object store behind it fail, as two of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from mlflow.exceptions import MlflowException, RestException
from requests import RequestException

__all__ = ["RegistryError", "RegistryUnreachableError", "translated"]

# Artifacts travel over HTTP through the server, or straight to S3, as the server is set up.
_FAILURES = (MlflowException, RequestException, BotoCoreError, ClientError, Boto3Error)
_DOWN = {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE"}
_SHOWN = 300


class RegistryError(RuntimeError):
    """The registry answered, but refuses, or does not hold what was asked for."""


class RegistryUnreachableError(RegistryError):
    """The registry, or the object store behind it, does not answer."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise what fails in the body as :class:`RegistryError` or, when nobody answers, as its subclass."""
    try:
        yield
    except _FAILURES as error:
        said = " ".join(str(error).split())[:_SHOWN]
        if isinstance(error, RestException) and error.error_code not in _DOWN:
            raise RegistryError(f"MLflow refused: {said}") from error
        raise RegistryUnreachableError(f"MLflow, or the object store behind it, does not answer: {said}") from error
