"""A plain FastAPI application with one route."""

from __future__ import annotations

from common import Model
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = Model()


class Request(BaseModel):
    """What is asked."""

    texts: list[str]


@app.get("/ready")
def ready() -> dict[str, bool]:
    """Say that the model is loaded."""
    return {"ready": True}


@app.post("/predict")
def predict(request: Request) -> dict[str, list[float]]:
    """Return the probabilities; FastAPI runs it in a thread."""
    return {"positive": model.positive(request.texts)}
