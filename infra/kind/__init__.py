"""A cluster in Docker, for people who have that: the same controllers and manifests as on the node rig."""
