"""Writes keras/*: one small network in the layouts that Keras saves, with h5py (Debian: python3-h5py).

Layouts after keras/src/legacy/saving/legacy_h5_format.py and keras/src/saving/saving_lib.py. Value i
of the n-th tensor is n + i / 64.
"""
import json
import zipfile
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np

FOLDER = Path(__file__).parent / "keras"
WHEN = (2024, 1, 1, 0, 0, 0)

# Layer, class, its weights: name, shape.
NORM = [(name, (4,)) for name in ("gamma", "beta", "moving_mean", "moving_variance")]
INNER = [
    ("Conv1", "Conv2D", [("kernel", (3, 3, 3, 4))]),
    ("bn_Conv1", "BatchNormalization", NORM),
    ("Conv1_relu", "ReLU", []),
    ("dw", "DepthwiseConv2D", [("depthwise_kernel", (3, 3, 4, 1))]),
    ("dw_BN", "BatchNormalization", NORM),
    ("point", "Conv2D", [("kernel", (1, 1, 4, 2)), ("bias", (2,))]),
]
HEAD = [("predictions", "Dense", [("kernel", (2, 5)), ("bias", (5,))])]


def values(layers):
    n = 0
    for _, _, weights in layers:
        for name, shape in weights:
            yield (n + np.arange(np.prod(shape)) / 64).astype("f4").reshape(shape)
            n += 1


def config(layers, shape_key, name="small"):
    first = {
        "class_name": "InputLayer",
        "config": {shape_key: [None, 32, 32, 3], "name": "input_1"},
        "name": "input_1",
    }
    rest = [{"class_name": kind, "config": {"name": n}, "name": n} for n, kind, _ in layers]
    return {"class_name": "Functional", "config": {"name": name, "layers": [first, *rest]}}


def save_list(group, name, items, chunks=1):
    """save_attributes_to_hdf5_group; Keras cuts when a list passes 64512 bytes, here when told."""
    if chunks == 1:
        group.attrs[name] = [item.encode() for item in items]
        return
    for i, part in enumerate(np.array_split(np.asarray([item.encode() for item in items]), chunks)):
        group.attrs[f"{name}{i}"] = part


def named_groups(group, layers, weight_name, chunks=1):
    save_list(group, "layer_names", ["input_1", *[name for name, _, _ in layers]], chunks)
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = b"2.9.0"
    group.create_group("input_1").attrs["weight_names"] = []
    tensors = values(layers)
    for layer, _, weights in layers:
        own = group.create_group(layer)
        names = [weight_name(layer, name) for name, _ in weights]
        save_list(own, "weight_names", names, chunks if len(names) > 1 else 1)
        for name in names:
            own.create_dataset(name, data=next(tensors))


def whole_model():
    layers = INNER + HEAD
    with h5py.File(FOLDER / "whole.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config(layers, "batch_input_shape")).encode()
        file.attrs["training_config"] = json.dumps({"loss": "categorical_crossentropy"}).encode()
        file.attrs["keras_version"] = "2.9.0"
        file.attrs["backend"] = "tensorflow"
        group = file.create_group("model_weights")
        named_groups(group, layers, lambda layer, name: f"{layer}/{name}:0")
        group.create_group("top_level_model_weights").attrs["weight_names"] = []
        optimiser = file.create_group("optimizer_weights")
        save_list(optimiser, "weight_names", ["SGD/iter:0"])
        optimiser.create_dataset("SGD/iter:0", data=np.int64(7))


def weights_only():
    with h5py.File(FOLDER / "weights-only.h5", "w") as file:
        named_groups(file, INNER + HEAD, lambda layer, name: f"{layer}/{name}", chunks=3)


def slashed():
    """Layer names with slashes, as the first Keras DenseNet had them; big-endian and compressed, and half floats."""
    with h5py.File(FOLDER / "slashed.h5", "w") as file:
        save_list(file, "layer_names", ["conv1/conv"])
        group = file.create_group("conv1/conv")
        save_list(group, "weight_names", ["conv1/conv/kernel:0", "conv1/conv/bias:0"])
        data = np.arange(6, dtype=">f4").reshape(1, 1, 2, 3)
        group.create_dataset("conv1/conv/kernel:0", data=data, compression="gzip")
        group.create_dataset("conv1/conv/bias:0", data=np.array([0.5, -2, 65504], "f2"))


def store(file, container, layers, named, key_of):
    file.create_group("vars")
    tensors = values(layers)
    for position, (layer, kind, weights) in enumerate(layers):
        group = file.create_group(f"{container}/{key_of(position)}/vars")
        if named:
            group.attrs["name"] = layer
        for number, _ in enumerate(weights):
            group.create_dataset(str(number), data=next(tensors))
    file.create_dataset("optimizer/vars/0", data=np.int64(7))


SNAKE = {
    "Conv2D": "conv2d",
    "BatchNormalization": "batch_normalization",
    "ReLU": "re_lu",
    "DepthwiseConv2D": "depthwise_conv2d",
    "Dense": "dense",
}


def counted(layers, doubled):
    """Keys of saving_lib's containers; Keras 2 meets every layer with weights twice."""
    seen, keys = {}, []
    for _, kind, weights in layers:
        count = seen.get(kind, 0)
        keys.append(SNAKE[kind] if count == 0 else f"{SNAKE[kind]}_{count}")
        seen[kind] = count + (2 if doubled and weights else 1)
    return keys


def write_zip(path, config_json, version, weights):
    with zipfile.ZipFile(path, "w") as archive:
        about = {"keras_version": version, "date_saved": "2024-01-01@00:00:00"}
        for name, data in [
            ("metadata.json", json.dumps(about)),
            ("config.json", json.dumps(config_json)),
            ("model.weights.h5", weights),
        ]:
            archive.writestr(zipfile.ZipInfo(name, WHEN), data)


def archive(path, version, container, *, named, doubled, shape_key):
    layers = INNER + HEAD
    keys = counted(layers, doubled)
    memory = BytesIO()
    with h5py.File(memory, "w") as file:
        store(file, container, layers, named, lambda i: keys[i])
    write_zip(FOLDER / path, config(layers, shape_key), version, memory.getvalue())


def numbered_weights():
    keys = counted(INNER + HEAD, False)
    with h5py.File(FOLDER / "numbered.weights.h5", "w") as file:
        store(file, "layers", INNER + HEAD, True, lambda i: keys[i])


def nested():
    """A model inside a model, as transfer learning with Keras gives it."""
    keys = counted(INNER, False)
    memory = BytesIO()
    with h5py.File(memory, "w") as file:
        store(file, "layers/functional/layers", INNER, False, lambda i: keys[i])
        for number, (_, shape) in enumerate(HEAD[0][2]):
            file.create_dataset(f"layers/dense/vars/{number}", data=np.full(shape, number, "f4"))
    outer = config(HEAD, "batch_shape", "outer")
    trunk = {**config(INNER, "batch_shape", "trunk"), "name": "trunk"}
    outer["config"]["layers"].insert(1, trunk)
    write_zip(FOLDER / "nested.keras", outer, "3.0.0", memory.getvalue())


FOLDER.mkdir(exist_ok=True)
whole_model()
weights_only()
slashed()
numbered_weights()
nested()
archive("keras3.keras", "3.5.0", "layers", named=True, doubled=False, shape_key="batch_shape")
archive("keras30.keras", "3.0.0", "layers", named=False, doubled=False, shape_key="batch_shape")
archive(
    "keras2.keras",
    "2.12.0",
    "_layer_checkpoint_dependencies",
    named=False,
    doubled=True,
    shape_key="batch_input_shape",
)
