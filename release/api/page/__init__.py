"""The page for people: drawn on the server from what the board shows, kept current by a small script."""
