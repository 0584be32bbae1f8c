"""Reference values of similarities of features: python3 make_similarity.py > similarity.json

`demo`: the example of google-research, representation_similarity/Demo.ipynb (X 100 x 10, seed 1337,
Y = X + noise), whose notebook prints 0.55761 (biased) and 0.51346 (debiased). All others are
computed from the definitions in double precision: HSIC_1 by its sums over matrices (Song et al.
2012, equation 5), not by the U-centred form that Carryover uses; SVCCA by numpy's SVD and QR;
Procrustes by the nuclear norm from SVD. The features are redrawn by the test, with the same generator.
"""

import json

import numpy as np


def hsic1(k, l):
    n = len(k)
    k, l = k.copy(), l.copy()
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    one = np.ones(n)
    return (
        np.trace(k @ l)
        + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ l @ one)
    ) / (n * (n - 3))


def unbiased(x, y):
    k, l = x @ x.T, y @ y.T
    return hsic1(k, l) / np.sqrt(hsic1(k, k) * hsic1(l, l))


def biased(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(y.T @ x) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)


def minibatch(x, y, size):
    parts = [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]
    grams = [(a @ a.T, b @ b.T) for a, b in parts]
    xy = sum(hsic1(k, l) for k, l in grams)
    return xy / np.sqrt(sum(hsic1(k, k) for k, _ in grams) * sum(hsic1(l, l) for _, l in grams))


def reduced(x, share):
    x = x - x.mean(0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    kept = np.searchsorted(np.cumsum(s**2) / np.sum(s**2), share) + 1
    return u[:, :kept]


def svcca(x, y, share):
    return np.linalg.svd(reduced(x, share).T @ reduced(y, share), compute_uv=False)


def procrustes(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    nuclear = np.linalg.svd(y.T @ x, compute_uv=False).sum()
    return nuclear / np.linalg.norm(x) / np.linalg.norm(y)


def values(x, y):
    x, y = x.astype(np.float32), y.astype(np.float32)
    a, b = x.astype(float), y.astype(float)
    correlations = svcca(a, b, 0.99)
    return {
        "first": [float(x[0, 0]), float(y[0, 0])],
        "rows": len(x),
        "dimensions": [x.shape[1], y.shape[1]],
        "biased": biased(a, b),
        "unbiased": unbiased(a, b),
        "batchesOf10": minibatch(a, b, 10),
        "svcca": float(correlations.mean()),
        "procrustes": procrustes(a, b),
    }


random = np.random.RandomState(1337)
x = random.randn(100, 10)
demo = values(x, x + random.randn(*x.shape))
random = np.random.RandomState(5)
x = random.randn(20, 60) * np.exp(-np.arange(60) / 20) + 3
wide = values(x, x[:, :40] + 0.5 * random.randn(20, 40))

print(json.dumps({"made with": f"numpy {np.__version__}", "demo": demo, "wide": wide}))
