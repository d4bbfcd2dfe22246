"""KServe's gRPC messages (grpc_predict_v2.proto), without KServe.

Importing the module by its name would import the package above it: 3 s and 130 MB for one file of descriptors.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["pb"]


def _load() -> ModuleType:
    package = find_spec("kserve")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the package kserve, whose gRPC messages are spoken here, is not installed")
    folder = Path(package.submodule_search_locations[0])
    spec = spec_from_file_location(f"{__name__}_pb2", folder / "protocol" / "grpc" / "grpc_predict_v2_pb2.py")
    if spec is None or spec.loader is None:
        raise ImportError("the package kserve has no gRPC messages where version 0.21 has them")
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pb = _load()
