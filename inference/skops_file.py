"""Reading a skops file as data: JSON and arrays, no class of it is imported and none of its code is run.

skops itself imports all of scikit-learn to tell which types it trusts: 3 s and 150 MB of a predictor's start. A model
that is recognised needs its parameters and arrays only. The format is skops' own, protocol 2 (skops 0.16).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

__all__ = ["Saved", "UnreadableError", "read"]

_PROTOCOL = 2


class UnreadableError(ValueError):
    """The file, or the part of it that was asked for, is not in the form that is read here."""


@dataclass(frozen=True, eq=False)
class Saved:
    """An object as it was saved: ``kind`` is its class's full name; attributes are read when they are asked for."""

    kind: str
    _state: dict[str, Any]
    _decode: Callable[[Any], Any]

    def __contains__(self, name: str) -> bool:
        return name in self._state

    def __getitem__(self, name: str) -> Any:
        """Return an attribute.

        Raises:
            UnreadableError: there is none of that name, or it is of a form that is not read here.
        """
        if name not in self._state:
            raise UnreadableError(f"{self.kind} has no {name}")
        return self._decode(self._state[name])

    def get(self, name: str) -> Any:
        """Return an attribute, or None when there is none."""
        return self[name] if name in self._state else None


def read(file: Path) -> Saved:
    """Return the object in a skops file.

    Raises:
        UnreadableError: it is no skops file, or of another protocol.
    """
    try:
        with ZipFile(file) as archive:
            root = json.loads(archive.read("schema.json"))
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            arrays = {name: archive.read(name) for name in names}
        if root["protocol"] != _PROTOCOL:
            raise UnreadableError(f"skops protocol {root['protocol']}")
        found = _Decoder(arrays).decode(root)
    except UnreadableError:
        raise
    except Exception as error:
        raise UnreadableError(f"not a skops file ({type(error).__name__})") from error
    if not isinstance(found, Saved):
        raise UnreadableError("the file holds no object")
    return found


class _Decoder:
    def __init__(self, arrays: dict[str, bytes]) -> None:
        self._arrays = arrays
        self._loaders: dict[str, Callable[[dict[str, Any]], Any]] = {
            "DictNode": self._dict,
            "File": self._file,
            "JsonNode": lambda node: json.loads(node["content"]),
            "ListNode": self._list,
            "ObjectNode": self._object,
            "SetNode": self._list,
            "TupleNode": self._list,
            "TypeNode": _name,
        }

    def decode(self, node: dict[str, Any]) -> Any:
        """Return what a node of the tree stands for."""
        loader = node["__loader__"]
        if loader == "NdArrayNode":
            # Arrays of objects are saved as lists.
            loader = "File" if node["type"] == "numpy" else "ListNode"
        if loader not in self._loaders:
            raise UnreadableError(f"a {loader} is not read here")
        return self._loaders[loader](node)

    def _list(self, node: dict[str, Any]) -> list[Any]:
        return [self.decode(each) for each in node["content"]]

    def _dict(self, node: dict[str, Any]) -> dict[str, Any]:
        return {key: self.decode(value) for key, value in node["content"].items()}

    def _file(self, node: dict[str, Any]) -> Any:
        return np.load(io.BytesIO(self._arrays[node["file"]]), allow_pickle=False)

    def _object(self, node: dict[str, Any]) -> Saved:
        return Saved(_name(node), node["content"]["content"], self.decode)


def _name(node: dict[str, Any]) -> str:
    return f"{node['__module__']}.{node['__class__']}"
