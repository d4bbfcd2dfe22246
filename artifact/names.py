"""What the model is called, and the column that its pipeline reads: training writes them, serving reads them."""

__all__ = ["MODEL", "TEXT_COLUMN"]

MODEL = "sentiment"
"""The registered model's name, which is also its name in every address of the API."""

TEXT_COLUMN = "text"
"""The one column of the table that the pipeline takes."""
