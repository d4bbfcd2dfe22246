"""The tags on a registered version: written by training, the gate and the signer, read by promotion and release."""

__all__ = [
    "ARTIFACT_DIGEST",
    "DATA_DIGEST",
    "GATE_PASSED",
    "GATE_PREFIX",
    "GATE_REASON",
    "GIT_COMMIT",
    "PARAMETERS_DIGEST",
    "RELEASE_PREFIX",
    "SIGNATURE_KEY",
    "SIGNATURE_OVERRIDE",
]

ARTIFACT_DIGEST = "artifact.digest"
"""The tree digest of the model folder (see ``artifact.tree_digest``), for people; programs trust the signed one."""

PARAMETERS_DIGEST = "parameters.digest"
"""SHA-256 over the fitted parameters: the same data, code and seed give the same one."""

DATA_DIGEST = "data.digest"
GIT_COMMIT = "git.commit"

GATE_PREFIX = "gate."
GATE_PASSED = GATE_PREFIX + "passed"
"""``true`` or ``false``."""
GATE_REASON = GATE_PREFIX + "reason"
"""One sentence: why the gate passed or did not."""

SIGNATURE_KEY = "signature.key"
"""The id of the key that signed last. Tags are hints: whoever writes to MLflow can set them."""
SIGNATURE_OVERRIDE = "signature.override"
"""The reason for which a person signed what the gate did not."""

RELEASE_PREFIX = "ferryman."
"""``ferryman.<tenant>``: what this version is at that tenant; ``ferryman.tenants`` sums up where they are many."""
