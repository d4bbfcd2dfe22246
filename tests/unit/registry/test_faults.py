from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError
from mlflow.exceptions import MlflowException, RestException
from requests import ConnectionError as NoConnection

from registry.faults import RegistryError, RegistryUnreachableError, translated


def raised(error: Exception) -> RegistryError:
    with pytest.raises(RegistryError) as caught, translated():
        raise error
    return caught.value


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"])
def test_a_registry_that_refuses_has_answered(code: str) -> None:
    fault = raised(RestException({"error_code": code, "message": "no such alias"}))
    assert type(fault) is RegistryError
    assert "no such alias" in str(fault)


@pytest.mark.parametrize(
    "error",
    [
        RestException({"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"}),
        MlflowException("API request failed: connection refused"),
        NoConnection("connection refused"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
    ],
)
def test_silence_of_the_server_or_of_its_store_is_told_from_a_refusal(error: Exception) -> None:
    assert isinstance(raised(error), RegistryUnreachableError)


def test_a_long_fault_is_one_short_line() -> None:
    said = str(raised(MlflowException("one\n" * 500)))
    assert "\n" not in said
    assert len(said) < 400


def test_faults_of_our_own_pass() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("ours")
