"""What Git holds for a cluster that Argo CD keeps: Applications in waves, and where credentials come from."""
