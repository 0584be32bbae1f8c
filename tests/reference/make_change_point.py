"""Reference values of the change point: python3 make_change_point.py > change-point.json

Curves of three seeds that rise to a plateau, with noise. Least squares with a level per seed by
numpy's lstsq; the place by scipy's bounded minimisation between neighbouring places; the interval
by the profile of the residual sum of squares, its ends by brentq.
"""

import json

import numpy as np
import scipy
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import t as student

random = np.random.RandomState(3)
x = np.array([0, 1, 2, 3, 4, 5, 6], float)
y = np.array(
    [0.5 + 0.02 * seed - 0.06 * np.maximum(0, 3.6 - x) + 0.012 * random.randn(7) for seed in range(3)]
)


def residual(place):
    ramp = -np.maximum(0, place - x)
    design = np.zeros((y.size, len(y) + 1))
    for seed in range(len(y)):
        rows = slice(seed * len(x), (seed + 1) * len(x))
        design[rows, seed] = 1
        design[rows, -1] = ramp
    solved = np.linalg.lstsq(design, y.ravel(), rcond=None)[0]
    return np.sum((y.ravel() - design @ solved) ** 2), solved[-1]


fits = [
    minimize_scalar(lambda p: residual(p)[0], bounds=(a, b), method="bounded", options={"xatol": 1e-10})
    for a, b in zip(x[:-1], x[1:])
]
best = min(fits, key=lambda fit: fit.fun)
df = y.size - len(y) - 2
bound = best.fun * (1 + student.ppf(0.975, df) ** 2 / df)
over = lambda p: residual(p)[0] - bound

print(
    json.dumps(
        {
            "made with": f"numpy {np.__version__}, scipy {scipy.__version__}",
            "x": x.tolist(),
            "y": y.tolist(),
            "from": best.x,
            "slope": residual(best.x)[1],
            "interval": [brentq(over, 1.5, best.x), brentq(over, best.x, 5.9)],
        },
        indent=2,
    )
)
