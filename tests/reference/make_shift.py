"""Reference values of domain shift, transferability and instance transfer.

Usage: /usr/bin/python3 tests/reference/make_shift.py

NumPy, SciPy and scikit-learn on drawn features of a source and a target. TrAdaBoost is a replay of
the paper's algorithm 1 with scikit-learn's learner; KLIEP is solved by a general optimiser.
"""
import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.linalg import fractional_matrix_power, sqrtm
from scipy.optimize import minimize
from scipy.spatial.distance import cdist, pdist
from scipy.stats import entropy, multivariate_normal, weightedtau
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score

state = np.random.RandomState(11)
P, CLASSES, Z = 4, 3, 5
N, M = 45, 36


def features(n, shift, scale):
    labels = np.arange(n) % CLASSES
    centres = np.random.RandomState(3).randn(CLASSES, P) * 1.2
    mixing = np.eye(P) + 0.3 * np.random.RandomState(4).randn(P, P)
    rows = centres[labels] + state.randn(n, P) * scale + shift
    return (rows @ mixing).astype(np.float32).astype(float), labels


source, source_labels = features(N, 0, 1.0)
target, target_labels = features(M, [1, 0, 0.5, 0], 1.4)


def frechet(a, b):
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real))


def mmd(a, b, sigma):
    k = lambda x, y: np.exp(-cdist(x, y, "sqeuclidean") / (2 * sigma**2))
    n, m = len(a), len(b)
    within = lambda x: (k(x, x).sum() - len(x)) / (len(x) * (len(x) - 1))
    return float(within(a) + within(b) - 2 * k(a, b).mean())


def leep(probabilities, labels):
    joint = np.stack([probabilities[labels == y].sum(0) for y in range(CLASSES)]) / len(labels)
    conditional = joint / joint.sum(0, keepdims=True)
    return float(np.log((probabilities @ conditional.T)[np.arange(len(labels)), labels]).mean())


def h_scores(f, y):
    means = np.stack([f[y == c].mean(0) for c in range(CLASSES)])[y]
    between = np.cov(means, rowvar=False, bias=True)
    plain = np.trace(np.linalg.pinv(np.cov(f, rowvar=False, bias=True)) @ between)
    wolf = LedoitWolf().fit(f)
    regularised = np.trace(np.linalg.pinv(wolf.covariance_) @ ((1 - wolf.shrinkage_) * between))
    return {
        "plain": float(plain),
        "regularised": float(regularised),
        "shrinkage": float(wolf.shrinkage_),
    }


def log_evidence(f, y, alpha, beta):
    """Of y ~ N(0, I / beta + F F' / alpha), over the number of rows."""
    covariance = np.eye(len(y)) / beta + f @ f.T / alpha
    return float(multivariate_normal(np.zeros(len(y)), covariance, allow_singular=True).logpdf(y) / len(y))


def best_evidence(f, y):
    """The largest evidence over both precisions, by a general optimiser."""
    grid = np.stack(np.meshgrid(np.arange(-6, 11.0), np.arange(-4, 8.0)), -1).reshape(-1, 2)
    loss = lambda at: -log_evidence(f, y, *np.exp(at))
    start = min(grid, key=loss)
    best = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    return float(-best.fun)


def kliep(sigma, centres):
    k = lambda x: np.exp(-cdist(x, target[centres], "sqeuclidean") / (2 * sigma**2))
    on_target, on_source = k(target), k(source)
    means = on_source.mean(0)
    best = minimize(
        lambda a: -np.log(on_target @ a).mean(),
        np.full(len(centres), 1 / means.sum()),
        jac=lambda a: -(on_target / (on_target @ a)[:, None]).mean(0),
        bounds=[(0, None)] * len(centres),
        constraints={"type": "eq", "fun": lambda a: means @ a - 1, "jac": lambda a: means},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 5000},
    )
    return {
        "bandwidth": sigma,
        "centres": centres,
        "objective": float(-best.fun),
        "weights": (on_source @ best.x).tolist(),
    }


def standardised(rows):
    return (rows - rows.mean(0)) / rows.std(0)


def learner(weights, rows, labels):
    model = LogisticRegression(C=1, solver="newton-cg", tol=1e-10, max_iter=10000)
    return model.fit(rows, labels, sample_weight=weights)


def tradaboost(turns):
    rows = standardised(np.concatenate([source, target]))
    labels = np.concatenate([source_labels, target_labels]).copy()
    labels[:12] = (labels[:12] + 1) % CLASSES  # some source labels are of no use
    weights = np.ones(N + M)
    down = 1 / (1 + np.sqrt(2 * np.log(N) / turns))
    errors, votes = [], []
    for _ in range(turns):
        predicted = learner(weights / weights.mean(), rows, labels).predict(rows)
        wrong = predicted != labels
        error = (weights[N:] * wrong[N:]).sum() / weights[N:].sum()
        errors.append(float(error))
        beta = error / (1 - error)
        votes.append((predicted, -np.log(beta)))
        weights[:N] *= np.where(wrong[:N], down, 1)
        weights[N:] *= np.where(wrong[N:], 1 / beta, 1)
    total = np.zeros((N + M, CLASSES))
    for predicted, vote in votes[int(np.ceil(turns / 2)) - 1 :]:
        total[np.arange(N + M), predicted] += vote
    return {
        "turns": turns,
        "labels": labels.tolist(),
        "errors": errors,
        "effectiveSources": float(weights[:N].sum() ** 2 / (weights[:N] ** 2).sum()),
        "classes": total.argmax(1).tolist(),
    }


logits = state.randn(M, Z) * 1.5
logits[:, :CLASSES] += np.eye(CLASSES)[target_labels]
probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
probabilities = probabilities.astype(np.float32).astype(float)
hard = probabilities.argmax(1)
nce = mutual_info_score(target_labels, hard) - entropy(np.bincount(target_labels) / M)

deficient = np.concatenate([target, target[:, :1] + target[:, 1:2], 0 * target[:, :1]], 1)
indicator = (target_labels == 1).astype(float)
precisions = [[1.0, 1.0], [0.3, 6.0], [20.0, 2.0]]

rankings = [
    (state.randn(9), state.randn(9)),
    (np.array([1.0, 2, 2, 3, 0, 2]), np.array([0.5, 1, 2, 2, 1, 1])),
    (np.arange(6.0), np.arange(6.0) ** 2),
    (np.arange(5.0), -np.arange(5.0)),
]

covariances = np.cov(source, rowvar=False), np.cov(target, rowvar=False)
colours = lambda lam: fractional_matrix_power(
    covariances[0] + lam * np.eye(P), -0.5
) @ fractional_matrix_power(covariances[1] + lam * np.eye(P), 0.5)

weights = state.rand(M) * 3
weighted = learner(weights, standardised(target), target_labels)
sigma = float(np.median(pdist(np.concatenate([source, target]))))

found = {
    "made with": f"numpy {np.__version__}, scipy {scipy.__version__}, "
    f"scikit-learn {sklearn.__version__}",
    "features": P,
    "classes": CLASSES,
    "sourceClasses": Z,
    "source": source.ravel().tolist(),
    "sourceLabels": source_labels.tolist(),
    "target": target.ravel().tolist(),
    "targetLabels": target_labels.tolist(),
    "probabilities": probabilities.ravel().tolist(),
    "frechet": frechet(source, target),
    "medianDistance": sigma,
    "mmd": mmd(source, target, sigma),
    "leep": leep(probabilities, target_labels),
    "nce": float(nce),
    "hScores": h_scores(target, target_labels),
    "evidences": [
        {"alpha": a, "beta": b, "value": log_evidence(target, indicator, a, b)}
        for a, b in precisions
    ],
    "bestEvidences": [
        best_evidence(target, (target_labels == c).astype(float)) for c in range(CLASSES)
    ],
    "deficient": deficient.ravel().tolist(),
    "bestDeficientEvidence": best_evidence(deficient, indicator),
    "weightedTau": [
        {"x": x.tolist(), "y": y.tolist(), "tau": float(weightedtau(x, y)[0])} for x, y in rankings
    ],
    "kliep": [kliep(2.0, list(range(0, M, 3))), kliep(0.7, list(range(0, M, 4)))],
    "coral": {str(lam): ((source - source.mean(0)) @ colours(lam)).ravel().tolist() for lam in (1, 1e-5)},
    "weighted": {
        "weights": weights.tolist(),
        "probabilities": weighted.predict_proba(standardised(target)).ravel().tolist(),
    },
    "tradaboost": tradaboost(4),
}
pathlib.Path(__file__).with_name("shift.json").write_text(json.dumps(found) + "\n")
