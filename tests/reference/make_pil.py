"""Writes pil.json: PIL's bicubic enlargement and its grey (mode L), which carryover must reproduce."""
import json
import pathlib

import numpy as np
from PIL import Image

random = np.random.RandomState(0)


def bicubic(source, target):
    image = random.randint(0, 256, (source[1], source[0], 3)).astype(np.uint8)
    scaled = Image.fromarray(image).resize(target, Image.BICUBIC)
    return {
        "sourceWidth": source[0],
        "sourceHeight": source[1],
        "width": target[0],
        "height": target[1],
        "source": image.flatten().tolist(),
        "expected": np.asarray(scaled).flatten().tolist(),
    }


colours = random.randint(0, 256, (1, 64, 3)).astype(np.uint8)
reference = {
    "bicubic": [bicubic((7, 5), (16, 16)), bicubic((8, 8), (9, 11)), bicubic((1, 2), (4, 4))],
    "luma": {
        "rgb": colours.flatten().tolist(),
        "grey": np.asarray(Image.fromarray(colours).convert("L")).flatten().tolist(),
    },
}
pathlib.Path(__file__).with_name("pil.json").write_text(json.dumps(reference) + "\n")
