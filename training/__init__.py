"""One job: data, checks, training, evaluation, registration."""
