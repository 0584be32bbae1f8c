"""Writes metrics.json: numbers of classifiers from scikit-learn, statsmodels and SciPy.

The iris case is that of github.com/yandexdataschool/roc_comparison (its test of a fixed variance).

Usage: /usr/bin/python3 tests/reference/make_metrics.py
"""
import json
import pathlib

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy import stats
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from sklearn import metrics
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from statsmodels.stats.multitest import multipletests


def classification(n, classes, present, skill, seed):
    """Predictions of `classes` classes of which only the first `present` occur."""
    state = np.random.RandomState(seed)
    truth = state.randint(0, present, n)
    predicted = np.where(state.rand(n) < skill, truth, state.randint(0, classes, n))
    labels = list(range(classes))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    return {
        "classes": classes,
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).ravel().tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balancedAccuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macroF1": metrics.f1_score(truth, predicted, average="macro"),
    }


def placements(scores, truth):
    """DeLong's structural components by their definition: every positive against every negative."""
    positive, negative = scores[truth == 1], scores[truth == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    return wins.mean(1), wins.mean(0)


def delong(all_scores, truth):
    parts = [placements(scores, truth) for scores in all_scores]
    v01 = np.atleast_2d(np.cov(np.array([a for a, _ in parts])))
    v10 = np.atleast_2d(np.cov(np.array([b for _, b in parts])))
    covariance = v01 / (truth == 1).sum() + v10 / (truth == 0).sum()
    areas = [metrics.roc_auc_score(truth, scores) for scores in all_scores]
    return np.array(areas), covariance


def roc_case(n, skills, levels, seed):
    state = np.random.RandomState(seed)
    truth = (state.rand(n) < 0.4).astype(int)
    noise = state.standard_normal(n)
    scores = [noise + state.standard_normal(n) + skill * truth for skill in skills]
    if levels:
        scores = [np.round(each * levels) / levels for each in scores]
    areas, covariance = delong(scores, truth)
    out = {"truth": truth.tolist(), "scores": [each.tolist() for each in scores]}
    out.update({"areas": areas.tolist(), "covariance": covariance.tolist()})
    if len(skills) == 2:
        difference = areas[0] - areas[1]
        error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        out["p"] = 2 * stats.norm.sf(abs(difference) / error)
        half = stats.norm.ppf(0.975) * error
        out["interval"] = [difference - half, difference + half]
    return out


def iris_case():
    data = load_iris()
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, (data.target == 1).astype(int), test_size=0.8, random_state=42
    )
    model = LogisticRegression(solver="lbfgs").fit(x_train, y_train)
    scores = model.predict_proba(x_test)[:, 1]
    return {"truth": y_test.tolist(), "scores": scores.tolist()}


def calibration_case(n, bins, temperature, levels, seed):
    """Confidences and outcomes; bins of equal mass by array_split, equal values kept together."""
    state = np.random.RandomState(seed)
    confidence = state.rand(n)
    if levels:
        confidence = np.round(confidence * levels) / levels
    right = (state.rand(n) < confidence**temperature).astype(int)
    order = np.argsort(confidence, kind="stable")
    ends = np.cumsum([len(each) for each in np.array_split(order, bins)])
    bin_of_rank = np.searchsorted(ends, np.arange(n), side="right")
    # All images of one confidence are in the bin of the first of them.
    ranked = confidence[order]
    first = np.searchsorted(ranked, ranked, side="left")
    bin_of_rank = bin_of_rank[first]
    plugin = expected = squared = 0.0
    for number in np.unique(bin_of_rank):
        rows = order[bin_of_rank == number]
        share, gap = len(rows) / n, right[rows].mean() - confidence[rows].mean()
        spread = right[rows].mean() * (1 - right[rows].mean())
        deviation = np.sqrt(spread / len(rows))
        plugin += share * abs(gap)
        if deviation > 0:
            expected += share * stats.foldnorm.mean(abs(gap) / deviation, scale=deviation)
        else:
            expected += share * abs(gap)
        squared += share * (gap**2 - spread / (len(rows) - 1))
    out = {"confidence": confidence.tolist(), "right": right.tolist(), "bins": bins}
    out.update({"plugin": plugin, "debiased": 2 * plugin - expected, "debiasedSquared": squared})
    return out


def clustering_case(n, seed):
    state = np.random.RandomState(seed)
    points = state.standard_normal((n, 3))
    distances = np.sqrt(((points[:, None] - points) ** 2).sum(2))
    tree = linkage(squareform(distances, checks=False), method="average")
    return {
        "n": n,
        "distances": distances.ravel().tolist(),
        "merges": tree.tolist(),
        "leaves": leaves_list(tree).tolist(),
    }


def adjusted(n, seed):
    p = np.random.RandomState(seed).rand(n) ** 3
    return {
        "p": p.tolist(),
        "holm": multipletests(p, method="holm")[1].tolist(),
        "benjaminiHochberg": multipletests(p, method="fdr_bh")[1].tolist(),
    }


def t_case(n, seed):
    values = np.random.RandomState(seed).standard_normal(n) + 0.5
    low, high = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    return {
        "values": values.tolist(),
        "interval": [low, high],
        "p": stats.ttest_1samp(values, 0).pvalue,
    }


def threshold_case(n, rate, levels, seed):
    """The highest point of scikit-learn's ROC curve that allows so many false positives."""
    state = np.random.RandomState(seed)
    truth = (state.rand(n) < 0.3).astype(int)
    scores = state.standard_normal(n) + truth
    if levels:
        scores = np.round(scores * levels) / levels
    false, _, thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    threshold = thresholds[np.flatnonzero(false <= rate)[-1]]
    called = scores >= threshold
    return {
        "truth": truth.tolist(),
        "scores": scores.tolist(),
        "rate": rate,
        "called": called.astype(int).tolist(),
    }


z = [-12.0, -6.0, -4.5, -3.9, -1.96, -0.3, 0.0, 0.1, 1.0, 2.5, 3.99, 4.01, 7.0]
t = [(0.3, 1), (12.7, 1), (1.5, 2), (4.0, 5), (2.0, 30), (0.01, 7), (50.0, 3)]
out = {
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "sklearn": sklearn.__version__,
    "statsmodels": statsmodels.__version__,
    "normal": [[v, float(stats.norm.cdf(v))] for v in z],
    "student": [[v, f, float(2 * stats.t.sf(v, f))] for v, f in t],
    "critical": [[f, float(stats.t.ppf(0.975, f))] for f in (1, 2, 4, 9, 99)],
    "classification": [
        classification(50, 3, 3, 0.6, 1),
        classification(80, 6, 4, 0.5, 2),
        classification(30, 5, 2, 0.95, 3),
    ],
    "iris": iris_case(),
    "roc": [roc_case(60, [1.0, 0.5], 0, 1), roc_case(45, [0.2, 1.5], 2, 2), roc_case(30, [1], 1, 3)],
    "calibration": [
        calibration_case(200, 15, 1.0, 0, 1),
        calibration_case(101, 10, 2.0, 0, 2),
        calibration_case(150, 15, 1.5, 8, 3),
        calibration_case(7, 3, 1.0, 0, 4),
    ],
    "clustering": [clustering_case(n, n) for n in (2, 3, 8, 20)],
    "adjusted": [adjusted(n, n) for n in (1, 2, 12, 50)],
    "t": [t_case(n, n) for n in (2, 3, 5, 20)],
    "threshold": [
        threshold_case(60, 0.1, 0, 1),
        threshold_case(60, 0.3, 2, 2),
        threshold_case(15, 0.05, 0, 3),
    ],
}
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text(json.dumps(out) + "\n")
