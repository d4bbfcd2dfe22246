"""What the list of an image's contents is made from."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.images import sbom
from infra.images.engine import keep

FILES = {
    "etc/os-release": 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n',
    "var/lib/dpkg/status": (
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u10\n"
        "Description: a library\n of many lines\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n"
    ),
    "usr/local/include/python3.11/patchlevel.h": '#define PY_VERSION              "3.11.16"\n',
    "usr/local/lib/python3.11/site-packages/pip-25.0.dist-info/METADATA": "Name: pip\nVersion: 25.0\n",
    "opt/ferryman/packages/Ruamel_Yaml-1.2.dist-info/METADATA": (
        "Metadata-Version: 2.4\nName: Ruamel_Yaml\nVersion: 1.2\nLicense-Expression: MIT OR Apache-2.0\n"
    ),
    "opt/ferryman/packages/ruamel/__init__.py": "",
}
PURLS = [
    "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12",
    "pkg:generic/python@3.11.16",
    "pkg:pypi/pip@25.0",
    "pkg:pypi/ruamel-yaml@1.2",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "image" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "image"


def test_debians_packages_python_itself_and_its_packages_are_listed_once_and_what_was_removed_is_not(
    root: Path,
) -> None:
    document = sbom.document("predictor", "1.0", root)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    read = json.loads(document)
    assert sorted(part["purl"] for part in read["components"]) == PURLS
    assert (read["metadata"]["component"]["name"], read["metadata"]["component"]["version"]) == ("predictor", "1.0")
    assert sorted(_of_the_image(read)) == PURLS
    licence = next(part["licenses"] for part in read["components"] if part["name"] == "ruamel-yaml")
    assert licence == [{"expression": "MIT OR Apache-2.0"}]


def _of_the_image(read: dict[str, list[dict[str, list[str]]]]) -> list[str]:
    return next(found["dependsOn"] for found in read["dependencies"] if found["ref"] == "image")


def test_of_an_exported_image_only_what_is_read_is_kept_and_the_list_is_the_same(root: Path, tmp_path: Path) -> None:
    export = io.BytesIO()
    with tarfile.open(fileobj=export, mode="w") as archive:
        archive.add(root, arcname=".")
        outside = tarfile.TarInfo("../etc/os-release")
        archive.addfile(outside, io.BytesIO())
    export.seek(0)
    kept = tmp_path / "kept"
    with tarfile.open(fileobj=export, mode="r|") as archive:
        keep(archive, kept)
    assert {str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()} == FILES.keys() - {
        "opt/ferryman/packages/ruamel/__init__.py"
    }
    assert sorted(part.purl.to_string() for part in sbom.components(kept)) == PURLS


def test_a_folder_that_is_no_image_has_no_list(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither Debian's packages nor Python's"):
        sbom.document("predictor", "1.0", tmp_path)
