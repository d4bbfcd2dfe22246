"""The tags on a registered version: written by training and the gate, read by promotion and release."""

__all__ = [
    "ARTIFACT_DIGEST",
    "DATA_DIGEST",
    "GATE_PASSED",
    "GATE_PREFIX",
    "GATE_REASON",
    "GIT_COMMIT",
    "PARAMETERS_DIGEST",
    "RELEASE_PREFIX",
]

ARTIFACT_DIGEST = "artifact.digest"
"""The tree digest of the model folder (see ``artifact.tree_digest``): what publishing and serving check."""

PARAMETERS_DIGEST = "parameters.digest"
"""SHA-256 over the fitted parameters: the same data, code and seed give the same one."""

DATA_DIGEST = "data.digest"
GIT_COMMIT = "git.commit"

GATE_PREFIX = "gate."
GATE_PASSED = GATE_PREFIX + "passed"
"""``true`` or ``false``."""
GATE_REASON = GATE_PREFIX + "reason"
"""One sentence: why the gate passed or did not."""

RELEASE_PREFIX = "release."
"""``release.<tenant>``: what became of this version at that tenant."""
