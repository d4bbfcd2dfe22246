"""What a release does in each of its phases, one file a phase."""
