"""The base of a release's own documents: camelCase outside, snake_case here, unknown fields refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

__all__ = ["Document"]


class Document(BaseModel):
    """An immutable part of a ModelRelease."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")
