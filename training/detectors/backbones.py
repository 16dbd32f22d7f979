"""Networks that make features of pictures: any of torchvision's by name, or a small one of our own.

    Backbone("small", width=8)                      from scratch, for a CPU
    Backbone("resnet50")                            from scratch
    Backbone("squeezenet1_1", pretrained=True)      with ImageNet's weights

Weights are looked for as training/distances.py does it: in $SLIC_BACKBONES if that is set, or downloaded.
A pretrained network keeps its batch-norm statistics, whatever `train` says: batches of a few hundred
pictures, most of one class, would replace those of a million.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.config import ConfigError
from training.distances import Pretrained

SMALL = "small"
HEADS = ("fc", "classifier", "heads", "head")  # as torchvision calls them, one in each network
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


class Backbone(nn.Module):
    mean: Tensor
    spread: Tensor

    def __init__(self, name: str = SMALL, *, pretrained: bool = False, width: int = 8) -> None:
        """`width` is the small network's, of which nobody has weights."""
        super().__init__()
        self.net = _small(width) if name == SMALL else _headless(name, pretrained)
        self.name, self.keeps_statistics = name, pretrained
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("spread", torch.tensor(SPREAD)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """(B,3,H,W) in [0,1] → (B,F)"""
        side = getattr(self.net, "image_size", x.shape[3])  # vision transformers know but one
        if side != x.shape[3]:
            raise ConfigError(f"{self.name} takes pictures of {side} pixels a side, not of {x.shape[3]}")
        found = self.net((x - self.mean) / self.spread)
        features: Tensor = getattr(found, "logits", found)  # Inception has a second head while it learns
        return features.flatten(1)

    def train(self, mode: bool = True) -> "Backbone":
        super().train(mode)
        if self.keeps_statistics:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


def _headless(name: str, pretrained: bool) -> nn.Module:
    import torchvision.models as zoo

    if name not in zoo.list_models(zoo):  # of those that classify whole pictures
        raise ConfigError(f"{name} is no backbone: neither {SMALL} nor one of torchvision's classifiers")
    net: nn.Module = zoo.get_model(name)
    if pretrained:
        _load(net, name, zoo.get_model_weights(name).DEFAULT.url)
    head = next(head for head in HEADS if hasattr(net, head))
    # SqueezeNet alone pools within its head.
    setattr(net, head, nn.AdaptiveAvgPool2d(1) if name.startswith("squeezenet") else nn.Identity())
    return net


def _load(net: nn.Module, name: str, url: str) -> None:
    try:
        net.load_state_dict(Pretrained(name, url, _digest(url)).load(None))
    except FileNotFoundError as error:
        raise ConfigError(str(error)) from error
    except RuntimeError as error:
        raise ConfigError(f"{name}: the file found holds weights of another network") from error


def _digest(url: str) -> str:
    """torchvision puts its first digits at the end of the name."""
    return url.removesuffix(".pth").rsplit("-", 1)[1]


class _Block(nn.Module):
    """Half the size, twice the channels, and what a plain halving would have made besides."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _ in range(2))
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norms[0](self.first(x)))
        y = self.norms[1](self.second(y))
        return F.relu(y + self.skip(F.avg_pool2d(x, 2, ceil_mode=True)))


def _small(width: int) -> nn.Module:
    """Full resolution first: traces of up-sampling are in the finest detail."""
    widths = [width << level for level in range(4)]
    stem = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    blocks = [_Block(a, b) for a, b in pairwise([width, *widths])]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1))
