"""Writes resample.json: torch's bilinear interpolation, which resampleBilinear must reproduce."""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(0)


def case(box, target, width=13, height=11):
    image = torch.randint(0, 256, (height, width, 3))
    left, top, w, h = box
    part = image[top : top + h, left : left + w].permute(2, 0, 1)[None].double()
    scaled = F.interpolate(part, size=(target[1], target[0]), mode="bilinear", align_corners=False)
    return {
        "box": dict(zip(("left", "top", "width", "height"), box)),
        "sourceWidth": width,
        "width": target[0],
        "height": target[1],
        "source": image.flatten().tolist(),
        "expected": [round(v, 6) for v in scaled[0].permute(1, 2, 0).flatten().tolist()],
    }


cases = [
    case((0, 0, 13, 11), (17, 20)),
    case((2, 3, 7, 5), (8, 8)),
    case((4, 1, 9, 10), (8, 9)),
    case((12, 10, 1, 1), (3, 2)),
    case((0, 4, 13, 1), (13, 4)),
]
pathlib.Path(__file__).with_name("resample.json").write_text(json.dumps({"cases": cases}) + "\n")
