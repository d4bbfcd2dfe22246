"""The reference as Markdown, from what the code itself says: OpenAPI documents and the kind ModelRelease."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

__all__ = ["PAGES"]

_CRD = Path(__file__).parents[2] / "infra/platform/release/crd.yaml"
_LIMITS = {
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matches `{}`",
    "format": "{}",
    "default": "`{}` if not given",
}


def _type(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(_type(each) for each in schema[several])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _limits(schema: Mapping[str, Any]) -> str:
    """Say in words what a value may be. In a CRD ``exclusiveMinimum`` is true or false, beside the bound."""
    said = []
    for bound, exclusive, without, within in (
        ("minimum", "exclusiveMinimum", "more than", "at least"),
        ("maximum", "exclusiveMaximum", "less than", "at most"),
    ):
        if bound in schema:
            said.append(f"{without if schema.get(exclusive) else within} {schema[bound]}")
    return "; ".join(said + [words.format(schema[name]) for name, words in _LIMITS.items() if name in schema])


def _fields(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, bool, Mapping[str, Any]]]:
    """Yield each field below a schema with its path, whether it must be given, and its own schema."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, name in schema.get("required", ()), field
        yield from _fields(field, here)
        if field.get("type") == "array":
            yield from _fields(field.get("items", {}), f"{here}[]")
        if isinstance(field.get("additionalProperties"), dict):
            yield from _fields(field["additionalProperties"], f"{here}.*")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in line) + " |\n" for line in lines)


def _field_table(schema: Mapping[str, Any]) -> str:
    rows = []
    for path, required, field in _fields(schema):
        says = ". ".join(filter(None, [field.get("description", "").strip().rstrip("."), _limits(field)]))
        rows.append((f"`{path}`" + (" (required)" if required else ""), _type(field), says))
    return _table(("field", "type", ""), rows)


def _openapi(document: Mapping[str, Any]) -> str:
    """Return every operation: a list of all, then the bodies that are taken, field by field, with each answer."""
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    listed = [
        (f"`{name}`", ", ".join(f"`{status}`" for status in operation["responses"])) for name, operation in operations
    ]
    parts = ["## Operations\n", _table(("operation", "answers"), listed)]
    for name, operation in operations:
        said = operation.get("description", "")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if not said and not body:
            continue
        parts += [f"## `{name}`\n", said.strip() + "\n" if said else ""]
        if body:
            alike: dict[str, list[str]] = {}
            for status, answer in operation["responses"].items():
                alike.setdefault(answer["description"], []).append(f"`{status}`")
            answers = [(", ".join(statuses), means) for means, statuses in alike.items()]
            parts += [_field_table(body), _table(("status", "means"), answers)]
    return "\n".join(filter(None, parts))


def _predictor() -> str:
    from artifact.names import MODEL
    from inference.openapi import document

    return _openapi(document(MODEL))


def _controller() -> str:
    from release.api.app import application
    from release.board import Board

    def called(headers: dict[str, str], body: bytes) -> None: ...

    return _openapi(application(Board(), "", called).openapi())


def _modelrelease() -> str:
    (version,) = yaml.safe_load(_CRD.read_text())["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]
    columns = [(column["name"], f"`{column['jsonPath']}`") for column in version["additionalPrinterColumns"]]
    return "\n".join(
        [
            *(f"## {part}\n\n{_field_table(schema[part])}" for part in ("spec", "status")),
            "## Columns of `kubectl get`\n",
            _table(("column", "is"), columns),
        ]
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "predictor-api": _predictor,
    "controller-api": _controller,
    "modelrelease": _modelrelease,
}
"""What makes the tables of each page of `docs/reference`, by the page's name."""
