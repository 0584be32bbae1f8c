"""Writes auc.json: areas under the ROC curve from scikit-learn on drawn scores, many of them tied.

Usage: /usr/bin/python3 tests/reference/make_auc.py
"""
import json
import pathlib

import numpy as np
from sklearn.metrics import roc_auc_score


def case(n, share, levels, skill, seed):
    state = np.random.RandomState(seed)
    truth = (state.rand(n) < share).astype(int)
    truth[:2] = [0, 1]
    scores = state.standard_normal(n) + skill * truth
    if levels:
        scores = np.round(scores * levels) / levels
    scores = scores.astype(np.float32)
    return {
        "scores": [float(v) for v in scores],
        "truth": truth.tolist(),
        "auc": float(roc_auc_score(truth, scores)),
    }


cases = [
    case(12, 0.5, 0, 1.0, 1),
    case(60, 0.3, 0, 0.5, 2),
    case(60, 0.7, 1, 1.0, 3),
    case(40, 0.5, 2, -1.0, 4),
    case(80, 0.1, 1, 0.0, 5),
]
path = pathlib.Path(__file__).with_name("auc.json")
path.write_text(json.dumps(cases) + "\n")
