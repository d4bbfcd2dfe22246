"""What the gate signs beside the files: which version this is, and why it may be released.

An in-toto statement (https://github.com/in-toto/attestation, spec v1): the subject is the artifact, the predicate ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PAYLOAD_TYPE", "Statement"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE = "https://ferryman.dev/gate/v1"


@dataclass(frozen=True)
class Statement:
    """``digest`` is the tree digest, 64 hex digits; ``override`` is the reason for which a person signed instead."""

    model: str
    version: int
    digest: str
    gate_passed: bool
    gate_reason: str
    gate_numbers: Mapping[str, float] = field(default_factory=dict)
    override: str | None = None

    @property
    def releasable(self) -> bool:
        """Whether the gate passed, or a person took its place."""
        return self.gate_passed or bool(self.override)

    def to_json(self) -> bytes:
        """Return the statement in one canonical form."""
        return json.dumps(
            {
                "_type": _STATEMENT_TYPE,
                "subject": [{"name": self.model, "digest": {"sha256": self.digest}}],
                "predicateType": _PREDICATE_TYPE,
                "predicate": {
                    "version": self.version,
                    "gate": {
                        "passed": self.gate_passed,
                        "reason": self.gate_reason,
                        "numbers": dict(self.gate_numbers),
                    },
                    "override": self.override,
                },
            },
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        ).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> Statement:
        """Parse a statement, whose signature was verified before.

        Raises:
            ValueError: it is something else than a statement of the gate.
        """
        held = json.loads(payload)
        try:
            if held["_type"] != _STATEMENT_TYPE or held["predicateType"] != _PREDICATE_TYPE:
                raise ValueError(f"a {held['predicateType']}")
            (subject,), predicate = held["subject"], held["predicate"]
            gate = predicate["gate"]
            return cls(
                subject["name"],
                predicate["version"],
                subject["digest"]["sha256"],
                gate["passed"],
                gate["reason"],
                gate["numbers"],
                predicate["override"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no statement: {error!r}") from error
