"""SHAP's values for the artifact's classifier over a zero background: `explain.py TEXTS.json OUT.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
import shap
import skops.io
from common import FOLDER

pipeline = skops.io.load(FOLDER / "model.skops", trusted=[])
rows = sp.csr_matrix(pipeline[:-1].transform(pd.DataFrame({"text": json.loads(Path(sys.argv[1]).read_text())})))
classifier = pipeline[-1]
explained = []
for row in rows:
    # Of a million columns only those of the text: the others' values, and so their contributions, are zero.
    held = row.indices
    model = (classifier.coef_[0][held], float(classifier.intercept_[0]))
    explainer = shap.LinearExplainer(model, np.zeros((1, len(held))))
    values = explainer.shap_values(row.data.astype(np.float64).reshape(1, -1))[0]
    explained.append({"bias": float(explainer.expected_value), "columns": held.tolist(), "values": values.tolist()})
Path(sys.argv[2]).write_text(json.dumps(explained))
