"""Reference values of analyses of features: python3 make_analyses.py > analyses.json

Rows of three overlapping groups in five dimensions; PCA by numpy's SVD, nearest neighbours and
logistic regression by scikit-learn.
"""

import json

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

random = np.random.RandomState(7)
labels = np.arange(60) % 3
centres = random.randn(3, 5) * 1.5
rows = (centres[labels] + random.randn(60, 5) * [1, 2, 0.5, 1, 3]).astype(np.float32)

pca = PCA(svd_solver="full").fit(rows.astype(float))
scaled = StandardScaler().fit_transform(rows.astype(float))
probe = LogisticRegression(C=0.5, solver="newton-cg", tol=1e-9, max_iter=10000).fit(scaled, labels)
distances, indices = NearestNeighbors(n_neighbors=5).fit(rows.astype(float)).kneighbors()

print(
    json.dumps(
        {
            "made with": f"numpy {np.__version__}, scikit-learn {sklearn.__version__}",
            "rows": rows.astype(float).ravel().tolist(),
            "labels": labels.tolist(),
            "features": 5,
            "variances": pca.explained_variance_.tolist(),
            "scores": np.abs(pca.transform(rows.astype(float))).ravel().tolist(),
            "neighbours": indices.ravel().tolist(),
            "distances": distances.ravel().tolist(),
            "probabilities": probe.predict_proba(scaled).ravel().tolist(),
        }
    )
)
