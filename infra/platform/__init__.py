"""The platform on a cluster: what tenants stand on, and the tenants themselves. The manifests lie beside the code."""
