"""`python -m inference.download URI FOLDER`: the artifact's bytes from the object store, and nothing else.

Its last line on stderr says why it failed.
"""

from __future__ import annotations

import sys

from kserve_storage import Storage


def main() -> int:
    """Download, and return 0, or 1 after one line that says what went wrong."""
    try:
        Storage.download(*sys.argv[1:])
    except Exception as error:
        print(" ".join(f"{type(error).__name__}: {error}".split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
