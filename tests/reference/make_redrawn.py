"""Moments and Cholesky roots of filters, and draws made of them, by NumPy: redrawn.json."""

import json
import pathlib

import numpy as np

shape = (5, 4, 3, 3)
random = np.random.RandomState(7)
mixing = random.normal(size=(9, 9))
filters = (random.normal(size=(20, 9)) @ mixing + random.normal(size=9)).astype(np.float32)
mean = filters.astype(np.float64).mean(axis=0)
covariance = np.cov(filters.T.astype(np.float64), bias=True)
root = np.linalg.cholesky(covariance + 1e-10 * np.trace(covariance) / 9 * np.eye(9))


def stream(seed, name):
    return np.random.RandomState([seed, *name.encode()])


normal = stream(3, 'gaussian/conv.weight').standard_normal((20, 9))
vector = random.normal(2, 3, size=12).astype(np.float32)
single = stream(3, 'gaussian/fc.weight').standard_normal(12)
flat = vector.astype(np.float64)
start = random.uniform(-0.1, 0.1, size=12).astype(np.float32)
pathlib.Path(__file__).with_name('redrawn.json').write_text(json.dumps({
    'shape': shape,
    'filters': filters.ravel().tolist(),
    'mean': mean.tolist(),
    'covariance': covariance.ravel().tolist(),
    'gaussian': (mean + normal @ root.T).ravel().tolist(),
    'vector': vector.tolist(),
    'gaussianVector': (flat.mean() + flat.std() * single).tolist(),
    'permuted': vector[stream(3, 'permute/fc.weight').permutation(12)].tolist(),
    'start': start.tolist(),
    'rescaled': (start * (flat.std() / start.astype(np.float64).std())).tolist(),
}) + '\n')
