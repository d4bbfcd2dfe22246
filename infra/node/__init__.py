"""One real Kubernetes node with KServe, as the test rig of the end-to-end suite."""
