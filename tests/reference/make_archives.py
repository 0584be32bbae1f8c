"""Small archives and arrays as Python and NumPy write them, and what is in them.

Needs Debian's python3-numpy. Writes tests/reference/archives/:
    /usr/bin/python3 tests/reference/make_archives.py
"""
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np

OUT = Path(__file__).parent / "archives"
OUT.mkdir(exist_ok=True)
TIME = 1_600_000_000
LONG = "/".join(["a folder with a name of some length"] * 8) + "/an image with a long name.bin"
FILES = {
    "cat/one.bin": bytes(range(256)) * 8,
    "cat/empty.bin": b"",
    "dög/日本.bin": b"names beyond ASCII",
    LONG: b"more than 255 bytes of path",
}


def digests(files):
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def write_zip():
    with zipfile.ZipFile(OUT / "python.zip", "w") as archive:
        for i, (name, data) in enumerate(FILES.items()):
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED if i % 2 == 0 else zipfile.ZIP_STORED
            with archive.open(info, "w", force_zip64=i < 2) as file:
                file.write(data)


def write_tar(name, kind):
    with tarfile.open(OUT / name, "w", format=kind) as archive:
        for path, data in FILES.items():
            info = tarfile.TarInfo("./" + path)
            info.size, info.mtime = len(data), TIME
            archive.addfile(info, io.BytesIO(data))
        for path, of, target in [
            ("cat/symbolic.bin", tarfile.SYMTYPE, "/etc/passwd"),
            ("cat/hard.bin", tarfile.LNKTYPE, "cat/one.bin"),
        ]:
            info = tarfile.TarInfo(path)
            info.type, info.linkname, info.mtime = of, target, TIME
            archive.addfile(info)
        folder = tarfile.TarInfo("cat")
        folder.type, folder.mtime = tarfile.DIRTYPE, TIME
        archive.addfile(folder)


def write_arrays():
    random = np.random.RandomState(0)
    counts = {"train": 6, "val": 3, "test": 4}
    colour, grey, many = {}, {}, {}
    for split, n in counts.items():
        colour[f"{split}_images"] = random.randint(0, 256, (n, 28, 28, 3)).astype(np.uint8)
        colour[f"{split}_labels"] = (np.arange(n) % 2).astype(np.uint8)[:, None]
        grey[f"{split}_images"] = random.randint(0, 256, (n, 28, 28)).astype(np.uint8)
        grey[f"{split}_labels"] = (np.arange(n) % 3 * 4).astype(np.int64)[:, None]
        many[f"{split}_images"] = random.randint(0, 4, (n, 28, 28)).astype(np.uint8)
        many[f"{split}_labels"] = random.randint(0, 2, (n, 14)).astype(np.uint8)
    np.savez(OUT / "pneumoniamnist.npz", **colour)
    np.savez_compressed(OUT / "numbered.npz", **grey)
    np.savez_compressed(OUT / "chestmnist_64.npz", **many)
    return {
        name: {
            key: {
                "shape": list(array.shape),
                "labels": array.tolist() if key.endswith("labels") else None,
                "sha256": [hashlib.sha256(each.tobytes()).hexdigest() for each in array],
            }
            for key, array in arrays.items()
        }
        for name, arrays in [
            ("pneumoniamnist.npz", colour),
            ("numbered.npz", grey),
            ("chestmnist_64.npz", many),
        ]
    }


write_zip()
write_tar("pax.tar", tarfile.PAX_FORMAT)
write_tar("gnu.tar", tarfile.GNU_FORMAT)
expected = {"files": digests(FILES), "arrays": write_arrays()}
(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
