"""What an image holds, as a CycloneDX document: Debian's packages, Python itself and Python's packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.parser import Parser
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

__all__ = ["NEEDED", "components", "document"]

NEEDED = re.compile(
    r"etc/os-release|usr/lib/os-release|var/lib/dpkg/status|.*\.dist-info/METADATA|usr/(local/)?include/python3\.\d+/patchlevel\.h"
)
"""The files of an image, relative to its root, that this module reads."""

_PACKAGES = ("opt/ferryman/packages", "usr/local/lib/python3*/site-packages", "usr/lib/python3/dist-packages")


def document(name: str, version: str, root: Path) -> str:
    """Return the CycloneDX 1.6 document, as JSON, of the image whose files lie in ``root``.

    Raises:
        ValueError: nothing that is known lies there.
    """
    image = Component(type=ComponentType.CONTAINER, name=name, version=version, bom_ref="image")
    found = list(components(root))
    if not found:
        raise ValueError(f"{root}: neither Debian's packages nor Python's are installed there")
    bom = Bom(components=found)
    bom.metadata.component = image
    bom.register_dependency(image, found)
    return str(JsonV1Dot6(bom).output_as_string(indent=2))


def components(root: Path) -> Iterator[Component]:
    """Every package that is installed in the files of an image."""
    yield from _debian(root)
    yield from _python(root)
    seen = set()
    for place in sorted(found for pattern in _PACKAGES for found in root.glob(pattern)):
        for package in distributions(path=[str(place)]):
            component = _package(package)
            if component.bom_ref.value not in seen:
                seen.add(component.bom_ref.value)
                yield component


def _debian(root: Path) -> Iterator[Component]:
    status = root / "var/lib/dpkg/status"
    release = _os_release(root)
    for paragraph in _paragraphs(status):
        fields = Parser().parsestr(paragraph, headersonly=True)
        if fields["Status"] != "install ok installed":
            continue
        qualifiers = {"arch": fields["Architecture"], "distro": release}
        yield _component(PackageURL("deb", "debian", fields["Package"], fields["Version"], qualifiers))


def _paragraphs(file: Path) -> Iterable[str]:
    return file.read_text().strip().split("\n\n") if file.exists() else ()


def _os_release(root: Path) -> str:
    for place in ("etc/os-release", "usr/lib/os-release"):
        # A link in the image must not lead to this machine's file.
        file = root / place
        if file.is_file() and not file.is_symlink():
            said = dict(re.findall(r'^(\w+)="?([^"\n]*)', file.read_text(), re.MULTILINE))
            return f"{said['ID']}-{said['VERSION_ID']}"
    return ""


def _python(root: Path) -> Iterator[Component]:
    """A Python that somebody built: Debian's own is among Debian's packages."""
    for file in root.glob("usr/local/include/python3.*/patchlevel.h"):
        if version := re.search(r'^#define PY_VERSION\s+"([^"+]+)', file.read_text(), re.MULTILINE):
            yield _component(PackageURL("generic", None, "python", version[1]))


def _package(package: Distribution) -> Component:
    name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
    component = _component(PackageURL("pypi", None, name, package.version))
    if expression := package.metadata.json.get("license_expression"):
        component.licenses.add(LicenseFactory().make_from_string(str(expression)))
    return component


def _component(purl: PackageURL) -> Component:
    return Component(
        type=ComponentType.LIBRARY, name=purl.name, version=purl.version, purl=purl, bom_ref=purl.to_string()
    )
