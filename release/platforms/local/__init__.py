"""The laptop as a platform: predictors are supervised processes, routes are files that Traefik follows."""
