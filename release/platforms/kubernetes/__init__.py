"""A cluster as a platform: a version is an InferenceService, a route is an HTTPRoute with weights."""
