"""What a predictor may be told, by flag and by variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.settings import Settings

URI = "s3://released/sentiment/7-0123456789ab/"
VARIABLES = {
    "STORAGE_URI": URI,
    "FERRYMAN_TENANT": "tenant-a",
    "FERRYMAN_MODEL_DIR": "/mnt/models",
    "FERRYMAN_HOST": "0.0.0.0",  # noqa: S104 # what a pod is told
    "FERRYMAN_HTTP_PORT": "9080",
    "FERRYMAN_GRPC_PORT": "9081",
    "FERRYMAN_LAME_DUCK": "4.5",
    "FERRYMAN_JWKS": "/etc/keys.json",
}


def test_loopback_and_kserves_ports_are_the_defaults() -> None:
    settings = Settings.parse(["--storage-uri", URI, "--tenant", "tenant-a"], {})
    assert settings == Settings(URI, "tenant-a", None, "127.0.0.1", 8080, 8081, 2, None)


def test_every_flag_has_a_variable() -> None:
    expected = Settings(
        URI, "tenant-a", Path("/mnt/models"), VARIABLES["FERRYMAN_HOST"], 9080, 9081, 4.5, "/etc/keys.json"
    )
    assert Settings.parse([], VARIABLES) == expected


def test_a_flag_wins_over_its_variable() -> None:
    assert Settings.parse(["--http-port", "1", "--tenant", "b"], VARIABLES).http_port == 1
    assert Settings.parse(["--http-port", "1", "--tenant", "b"], VARIABLES).tenant == "b"


@pytest.mark.parametrize(
    ("arguments", "changes", "named"),
    [
        ([], {"STORAGE_URI": ""}, "--storage-uri"),
        ([], {"FERRYMAN_TENANT": ""}, "--tenant"),
        ([], {"FERRYMAN_TENANT": "Tenant A\r\nx: y"}, "--tenant"),
        ([], {"FERRYMAN_HTTP_PORT": "http"}, "--http-port"),
        (["--grpc-port", "65536"], {}, "--grpc-port"),
        (["--grpc", "8081"], {}, "--grpc"),
        (["--lame-duck", "11"], {}, "--lame-duck"),
        (["--lame-duck", "nan"], {}, "--lame-duck"),
    ],
)
def test_what_is_wrong_is_named_and_ends_with_2(
    arguments: list[str], changes: dict[str, str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        Settings.parse(arguments, {**VARIABLES, **changes})
    assert ended.value.code == 2
    assert named in capsys.readouterr().err.splitlines()[-1]
