"""The networks of carryover in PyTorch, by the same parameter names."""
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "reference"))
import fixup_resnet  # noqa: E402


def build(architecture, channels, classes):
    """`architecture` is carryover's ArchitectureSpec."""
    name, width, stem = (architecture[key] for key in ("name", "width", "stem"))
    if architecture["dialect"] != "torchvision":
        raise ValueError(f"there is no peer for the dialect {architecture['dialect']}")
    if name.startswith("fixup-"):
        return fixup_resnet.build(name, width, stem, channels, classes)
    if name.startswith("resnet") and (width, stem, channels) != (64, "imagenet", 3):
        return ResNet(name, width, stem, channels, classes)
    standard = {"mobilenetv2": 32, "densenet121": 64}.get(name, 64)
    if name == "convnet" or (width, stem, channels) != (standard, "imagenet", 3):
        raise ValueError(f"there is no peer for {name} of width {width} with {channels} channels")
    try:
        import torchvision
    except ImportError:
        if name.startswith("resnet"):
            return ResNet(name, width, stem, channels, classes)
        raise ValueError(f"{name} needs torchvision (Debian: python3-torchvision)") from None
    builder = getattr(torchvision.models, {"mobilenetv2": "mobilenet_v2"}.get(name, name))
    # Without dropout, which ours has not.
    without = {"dropout": 0.0} if name == "mobilenetv2" else {}
    return builder(num_classes=classes, **without)


def conv(depth, filters, side, stride=1):
    return nn.Conv2d(depth, filters, side, stride, padding=side // 2, bias=False)


def shortcut(depth, filters, stride):
    if stride == 1 and depth == filters:
        return None
    return nn.Sequential(conv(depth, filters, 1, stride), nn.BatchNorm2d(filters))


class Basic(nn.Module):
    expansion = 1

    def __init__(self, depth, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(depth, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(depth, width, stride)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + (self.downsample(x) if self.downsample else x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, depth, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(depth, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(depth, 4 * width, stride)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (self.downsample(x) if self.downsample else x))


DEPTHS = {"resnet18": (Basic, (2, 2, 2, 2)), "resnet34": (Basic, (3, 4, 6, 3)), "resnet50": (Bottleneck, (3, 4, 6, 3))}


class ResNet(nn.Module):
    """ResNet v1.5 (He et al.) at any width, with either stem and any number of channels."""

    def __init__(self, name, width, stem, channels, classes):
        super().__init__()
        block, depths = DEPTHS[name]
        small = stem == "small"
        self.conv1, self.bn1 = conv(channels, width, 5 if small else 7, 2), nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        depth = width
        for i, count in enumerate(depths):
            wide = width * 2**i
            blocks = []
            for j in range(count):
                blocks.append(block(depth, wide, 2 if i > 0 and j == 0 else 1))
                depth = wide * block.expansion
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(depth, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))
