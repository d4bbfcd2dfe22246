"""Where a release lands."""
