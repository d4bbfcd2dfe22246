"""What the MLflow registry holds and may be trusted for."""
