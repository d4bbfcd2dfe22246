"""The laptop stack: S3, MLflow, gateway and release follower on loopback."""
