"""Our images for any registry: built from the Dockerfiles, each with a list of what is in it."""
