"""Writes random.json: values of numpy.random.RandomState that engine/random must reproduce."""
import hashlib
import json
import pathlib

import numpy as np


def draws(seed):
    def fresh():
        return np.random.RandomState(seed)

    return {
        "seed": seed,
        "words": fresh().randint(0, 2**32, 8, dtype=np.uint32).tolist(),
        "samples": fresh().random_sample(5).tolist(),
        # past the first 624 words
        "lateSamples": fresh().random_sample(1000)[-3:].tolist(),
        "normals": fresh().standard_normal(7).tolist(),
        "uniform": [float(v) for v in fresh().uniform(-2.5, 7, 3)],
        "randints": fresh().randint(-4, 5, 12).tolist(),
        "permutation": fresh().permutation(16).tolist(),
        "largePermutationSha256": hashlib.sha256(
            fresh().permutation(150528).astype("<i4").tobytes()
        ).hexdigest(),
    }


seeds = [0, 1, 1234, 2020, 2**32 - 1, [0], [1, 2, 3], [2**32 - 1, 0, 7], list(range(700))]


def stream(seed, *names):
    data = "/".join(str(name) for name in names).encode()
    state = np.random.RandomState([seed, *data])
    return {"seed": seed, "names": list(names), "samples": state.random_sample(4).tolist()}


streams = [stream(0, "init"), stream(7, "augment", 3, "42"), stream(1, "größe/ü")]
out = {"numpy": np.__version__, "states": [draws(s) for s in seeds], "streams": streams}
pathlib.Path(__file__).with_name("random.json").write_text(json.dumps(out) + "\n")
