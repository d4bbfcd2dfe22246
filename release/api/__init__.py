"""The controller over HTTP: what it shows, its metrics, and the registry's webhook."""
