"""The CustomResourceDefinition of ModelRelease, generated from the classes that the controller reads it with.

``python -m release.crd`` prints it; ``make generate`` keeps the copy that people apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import yaml

from release.model import Document
from release.spec import ReleaseSpec
from release.status import ReleaseStatus

__all__ = ["API_VERSION", "KIND", "PLURAL", "definition", "main"]

GROUP, VERSION, KIND, PLURAL = "ferryman.dev", "v1alpha1", "ModelRelease", "modelreleases"
API_VERSION = f"{GROUP}/{VERSION}"

_COLUMNS = (
    ("Phase", "string", ".status.phase"),
    ("Stable", "integer", ".status.stable.version"),
    ("Canary", "integer", ".status.canary.version"),
    ("Weight", "integer", ".status.canary.weight"),
    ("Since", "date", ".status.phaseSince"),
    ("Age", "date", ".metadata.creationTimestamp"),
)
# What pydantic's validators say in Python, again for the API server: it refuses at `kubectl apply`.
_RULES = {
    "Strategy": [("has(self.canary) != has(self.blueGreen)", "exactly one of canary and blueGreen must be given")],
    "Canary": [
        (
            "self.steps.map(s, s.weight).isSorted()"
            " && self.steps.all(a, self.steps.exists_one(b, a.weight == b.weight))",
            "steps: each weight must be higher than the one before",
        )
    ],
}
_KEPT = {"type", "description", "format", "enum", "pattern", "minimum", "maximum"}
_KEPT |= {"minItems", "maxItems", "minLength", "maxLength"}


def definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition (apiextensions.k8s.io/v1) with a structural schema."""
    columns = [{"name": name, "type": kind, "jsonPath": path} for name, kind, path in _COLUMNS]
    schema = {
        "type": "object",
        "required": ["spec"],
        "properties": {"spec": _structural(ReleaseSpec), "status": _structural(ReleaseStatus)},
    }
    served = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": KIND, "plural": PLURAL, "singular": KIND.lower(), "shortNames": ["mr"]},
            "versions": [served],
        },
    }


def _structural(document: type[Document]) -> dict[str, Any]:
    schema = document.model_json_schema(by_alias=True)
    return _convert(schema, schema.get("$defs", {}))


def _convert(schema: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as Kubernetes takes it: no references, no unions with null, numbers' bounds in its older form."""
    if "$ref" in schema:
        target = known[str(schema["$ref"]).rsplit("/", 1)[-1]]
        return _convert({**target, **{key: value for key, value in schema.items() if key == "description"}}, known)
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        return _convert(choices[0], known)
    if choices:
        # A duration or one word: both are text, and a pattern for each says which.
        patterns = [each.get("pattern") or f"^{each['const']}$" for each in choices]
        return {"type": "string", "pattern": "|".join(patterns)}
    kept = {key: copy(schema[key]) for key in schema if key in _KEPT}
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if bound in schema:
            kept |= {limit: schema[bound], bound: True}
    if "properties" in schema:
        kept["properties"] = {name: _convert(each, known) for name, each in schema["properties"].items()}
        if schema.get("required"):
            kept["required"] = schema["required"]
        rules = _RULES.get(str(schema.get("title")), ())
        if rules:
            kept["x-kubernetes-validations"] = [{"rule": rule, "message": message} for rule, message in rules]
    elif schema.get("type") == "object":
        values = schema.get("additionalProperties")
        if isinstance(values, Mapping):
            kept["additionalProperties"] = _convert(values, known)
        else:
            kept["x-kubernetes-preserve-unknown-fields"] = True
    elif schema.get("type") == "array":
        kept["items"] = _convert(schema["items"], known)
    return kept


def main() -> None:
    """Print the definition as YAML."""
    print("# Generated from release/spec.py and release/status.py by `make generate`.")
    print(yaml.safe_dump(definition(), sort_keys=False, width=120), end="")


if __name__ == "__main__":
    main()
