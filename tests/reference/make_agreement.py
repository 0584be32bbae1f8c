"""Writes agreement.json: agreement statistics from scikit-learn and SciPy on drawn predictions."""
import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.stats import binom, binomtest
from sklearn.metrics import cohen_kappa_score, jaccard_score


def bootstrap(right_a, right_b, groups, seed, replicates=2000):
    """Percentile interval of kappa over whole groups, numbered by first appearance."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    members = [np.flatnonzero(inverse == unit) for unit in np.argsort(first)]
    state = np.random.RandomState([seed, *b"bootstrap"])
    values = []
    for _ in range(replicates):
        rows = np.concatenate([members[i] for i in state.randint(0, len(members), len(members))])
        x, y = right_a[rows], right_b[rows]
        p, q = x.mean(), y.mean()
        expected = p * q + (1 - p) * (1 - q)
        observed = (x == y).mean()
        values.append(1.0 if observed == 1 else (observed - expected) / (1 - expected))
    return np.quantile(values, [0.025, 0.975]).tolist()


def case(n, classes, skill_a, skill_b, shared, groups, seed):
    state = np.random.RandomState(seed)
    truth = state.randint(0, classes, n)
    a = np.where(state.rand(n) < skill_a, truth, state.randint(0, classes, n))
    b = np.where(state.rand(n) < skill_b, truth, state.randint(0, classes, n))
    b = np.where(state.rand(n) < shared, a, b)
    group = state.randint(0, groups, n)
    right_a, right_b = a == truth, b == truth
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    discordant = only_a + only_b
    return {
        "truth": truth.tolist(),
        "a": a.tolist(),
        "b": b.tolist(),
        "groups": group.tolist(),
        "seed": seed,
        "accuracyA": float(right_a.mean()),
        "accuracyB": float(right_b.mean()),
        "kappa": float(cohen_kappa_score(right_a, right_b)),
        "errorJaccard": float(jaccard_score(~right_a, ~right_b)),
        "mcnemarP": float(binomtest(only_a, discordant, 0.5).pvalue) if discordant else 1.0,
        "groupInterval": bootstrap(right_a, right_b, group, seed),
        "imageInterval": bootstrap(right_a, right_b, np.arange(n), seed),
    }


cases = [
    case(40, 3, 0.5, 0.6, 0.0, 12, 1),
    case(150, 10, 0.8, 0.4, 0.3, 40, 2),
    case(300, 5, 0.2, 0.2, 0.5, 300, 3),
    case(97, 2, 0.9, 0.95, 0.0, 5, 4),
]
pairs = [(0, 1), (1, 1), (0, 10), (3, 12), (5, 7), (40, 60), (499, 501), (1000, 1200)]
pairs += [(30000, 31000), (100, 1400), (250000, 250000)]
mcnemar = [
    {"b": b, "c": c, "p": float(min(1, 2 * binom.cdf(min(b, c), b + c, 0.5)))} for b, c in pairs
]
out = {"scipy": scipy.__version__, "sklearn": sklearn.__version__}
out.update({"cases": cases, "mcnemar": mcnemar})
pathlib.Path(__file__).with_name("agreement.json").write_text(json.dumps(out) + "\n")
