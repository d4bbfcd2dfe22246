"""The predictor: one artifact, served over V1, V2 REST and gRPC."""
