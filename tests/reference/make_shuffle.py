"""Writes shuffle.json: shuffles done with NumPy alone that engine/transforms must reproduce.

The images are (v * 7919 + 13) % 251 over their values in channel, row, column order; with 16 bits
% 65521, little-endian.
"""
import hashlib
import json
import pathlib

import numpy as np


def image(channels, height, width, bits):
    values = np.arange(channels * height * width) * 7919 + 13
    values = values % {8: 251, 16: 65521}[bits]
    return values.astype({8: "u1", 16: "<u2"}[bits]).reshape(channels, height, width)


def shuffled(chw, block, seed):
    channels, height, width = chw.shape
    state = np.random.RandomState(seed + 1234)
    if block == "pixel":
        return chw.ravel()[state.permutation(chw.size)].reshape(chw.shape)
    rows, columns = height // block, width // block
    order = state.permutation(rows * columns)
    blocks = chw.reshape(channels, rows, block, columns, block).transpose(1, 3, 0, 2, 4)
    blocks = blocks.reshape(rows * columns, channels, block, block)[order]
    blocks = blocks.reshape(rows, columns, channels, block, block)
    return blocks.transpose(2, 0, 3, 1, 4).reshape(chw.shape)


def case(channels, height, width, block, seed, bits=8):
    result = shuffled(image(channels, height, width, bits), block, seed)
    return {
        "channels": channels,
        "height": height,
        "width": width,
        "block": block,
        "seed": seed,
        "bits": bits,
        "sha256": hashlib.sha256(result.tobytes()).hexdigest(),
    }


cases = [case(3, 224, 224, b, s) for b in (1, 2, 7, 16, 56, 112, 224, "pixel") for s in (0, 1, 2)]
cases += [case(3, 48, 72, b, 5) for b in (1, 3, 8, 12, 24, "pixel")]
cases += [case(1, 60, 40, b, 2**32 - 1235) for b in (1, 5, 20, "pixel")]
cases += [case(c, 30, 45, b, 3, 16) for c in (1, 2, 3, 4) for b in (5, "pixel")]
cases += [case(c, 30, 45, b, 3) for c in (2, 4) for b in (5, "pixel")]
pathlib.Path(__file__).with_name("shuffle.json").write_text(json.dumps({"cases": cases}) + "\n")
