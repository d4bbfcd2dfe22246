"""What carries the alias of a registered model to the tenants."""
