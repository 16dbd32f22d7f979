"""Distances between pictures for training, all (a, b) → (B,): 0 for equal, larger for more different.

    distance = load("lpips-squeeze", weights=Path("backbones"))
    loss = (distance.tau - distance(a, b)).relu().mean()

a and b are (B,3,H,W) in [0,1]; values a little outside are fine, and so are gradients where the
pictures are equal, flat, or beyond repair. Packages leave NaN in such places, so of `lpips` and `piq`
we take layers and weights; tests hold the values against theirs.

`tau` is where destruction earns nothing more: a little below the median that wreckage of 9 dB measures,
in the least of three kinds, so that each kind gets there. One threshold for all would not do: GMSD and
MS-SSIM stay below 1 whatever happens. Medians over 64 held-out crops of 256 pixels, against JPEG of
quality 75 and 30 and against a pattern added until the clipped sum has 9 dB: signs that repeat every
8 pixels, white noise, stripes 8 pixels wide.

    name            JPEG 75   JPEG 30   pattern   noise   stripes    tau
    lpips-squeeze     .031      .123      .771     .762     .683     .65
    lpips-alex        .022      .099     1.097    1.443     .854     .80
    gmsd              .0044     .023      .271     .282     .347     .26
    nlpd              .075      .139      .781     .898    1.324     .75
    ms-ssim           .010      .035      .610     .680     .836     .60
    mse               .0002     .0006     .126     .126     .126     .12

Those of lpips-vgg (1, as the method's authors took), dists (.5) and vgg (10) are not measured: VGG16
was not at hand. Measure before trusting a hinge to them.

Pretrained backbones are looked for in the folder given, else in $SLIC_BACKBONES, else in torch's
cache, where they are downloaded to. A folder that somebody named is never filled by a download.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lpips
import torch
import torch.nn.functional as F
from piq.perceptual import DISTS, ContentLoss
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

State = dict[str, Tensor]


class Distance(nn.Module):
    """Frozen, in float32 whatever the caller's autocast says."""

    def __init__(self, name: str, tau: float, measure: nn.Module) -> None:
        super().__init__()
        self.name, self.tau, self.measure = name, tau, measure
        self.requires_grad_(False).eval()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(B,3,H,W) twice → (B,)."""
        with torch.autocast(a.device.type, enabled=False):
            distance: Tensor = self.measure(a.float(), b.float())
        return distance

    def train(self, mode: bool = True) -> "Distance":
        """Never: LPIPS has dropout, and whoever trains a codec calls `train` on all that hangs together."""
        return super().train(False)


def load(name: str, *, weights: Path | None = None) -> Distance:
    """The distance of that name; its backbone, if it has one, from the folder `weights`."""
    if name not in _DISTANCES:
        raise ValueError(f"unknown distance {name}; there are {', '.join(_DISTANCES)}")
    build, tau = _DISTANCES[name]
    return Distance(name, tau, build(weights))


class MSE(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().mean((1, 2, 3))


class LPIPS(lpips.LPIPS):
    """With a norm that has a gradient also where every channel is zero."""

    def __init__(self, net: str, backbone: State) -> None:
        heads = Path(lpips.__file__).parent / "weights" / "v0.1" / f"{net}.pth"
        with warnings.catch_warnings():  # lpips asks torchvision in a manner that is deprecated
            warnings.simplefilter("ignore", UserWarning)
            super().__init__(net=net, pnet_rand=True, verbose=False, model_path=str(heads))
        names = {key: "features." + key.split(".", 1)[1] for key in self.net.state_dict()}
        self.net.load_state_dict({key: backbone[name] for key, name in names.items()})

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        layers = zip(self.lins, self._features(a), self._features(b), strict=True)
        maps = [lin((p - q).square()) for lin, p, q in layers]  # (B,1,h,w) each
        return torch.stack([m.mean((1, 2, 3)) for m in maps]).sum(0)

    def _features(self, x: Tensor) -> list[Tensor]:
        features = self.net(self.scaling_layer(2 * x - 1))
        return [f / (f.square().sum(1, keepdim=True) + 1e-20).sqrt() for f in features]


class VGG(nn.Module):
    """Squared differences of VGG16's relu1_2, relu2_2, relu3_3 and relu4_3, summed over the layers."""

    TAPS = (3, 8, 15, 22)

    def __init__(self, backbone: State) -> None:
        super().__init__()
        self.features = vgg16(backbone)[: self.TAPS[-1] + 1]
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        a, b = ((x - self.mean) / self.std for x in (a, b))
        total = a.new_zeros(len(a))
        for i, layer in enumerate(self.features):
            a, b = layer(a), layer(b)
            if i in self.TAPS:
                total = total + (a - b).square().mean((1, 2, 3))
        return total


class Dists(DISTS):
    """piq's, from weights at hand; it shrinks pictures larger than 256 pixels to that size."""

    def __init__(self, backbone: State, weights: State) -> None:
        channels = [3, 64, 128, 256, 512, 512]
        parts = [part for w in ("alpha", "beta") for part in weights[w].split(channels, 1)]
        ContentLoss.__init__(
            self,
            vgg16(backbone),
            layers=["3", "8", "15", "22", "29"],
            weights=parts,
            replace_pooling=True,
            reduction="none",
            allow_layers_weights_mismatch=True,
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        for module in self.model:
            if hasattr(module, "kernel"):  # L2 pooling keeps that of the device it saw first
                module.kernel = None
        return super().forward(a, b)


class GMSD(nn.Module):
    """Deviation of the similarity of gradients, on luminance, as Xue et al. (2014)."""

    T = 170 / 255**2

    def __init__(self) -> None:
        super().__init__()
        prewitt = torch.tensor([[1.0, 0, -1]] * 3) / 3
        self.register_buffer("prewitt", torch.stack([prewitt, prewitt.T])[:, None])  # (2,1,3,3)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        p, q = (self._gradient(F.avg_pool2d(luminance(x), 2)) for x in (a, b))
        similarity = (2 * p * q + self.T) / (p.square() + q.square() + self.T)
        return root(similarity.var((1, 2, 3), correction=0))

    def _gradient(self, y: Tensor) -> Tensor:
        return root(F.conv2d(y, self.prewitt, padding=1).square().sum(1, keepdim=True))


class NLPD(nn.Module):
    """Normalised Laplacian pyramid distance, as Laparra et al. (2016): 6 levels, on luminance.

    A level is divided by a constant plus a weighted sum of its neighbours' magnitudes; their published
    values were fitted to photographs. The distance is the root mean square difference, averaged over
    the levels.
    """

    SIGMA = (0.0248, 0.0185, 0.0179, 0.0191, 0.0220, 0.2782)
    NEIGHBOURS = (  # weight of the pixel (dy, dx) away
        {(-1, 0): 0.1015, (1, 0): 0.1011, (0, -1): 0.1460, (0, 1): 0.1493, (0, -2): 0.0072},
        {(-1, 0): 0.0837, (1, 0): 0.0757, (0, -1): 0.1846, (0, 1): 0.1986},
        {(-1, 0): 0.0467, (1, 0): 0.0477, (0, -1): 0.2243, (0, 1): 0.2138},
        {(0, -1): 0.2616, (0, 1): 0.2503},
        {(0, -1): 0.2552, (0, 1): 0.2598},
        {(0, -1): 0.0717, (0, 1): 0.2215},
    )

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([0.05, 0.25, 0.4, 0.25, 0.05])  # Burt and Adelson's
        self.register_buffer("low", torch.outer(row, row)[None, None])
        neighbours = torch.zeros(len(self.SIGMA), 1, 1, 5, 5)
        for level, weights in enumerate(self.NEIGHBOURS):
            for (dy, dx), weight in weights.items():
                neighbours[level, 0, 0, 2 + dy, 2 + dx] = weight
        self.register_buffer("neighbours", neighbours)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        levels = zip(self._normalised(a), self._normalised(b), strict=True)
        return torch.stack([root((p - q).square().mean((1, 2, 3))) for p, q in levels]).mean(0)

    def _normalised(self, x: Tensor) -> list[Tensor]:
        parts = zip(self._pyramid(luminance(x)), self.SIGMA, self.neighbours, strict=True)
        return [y / (sigma + F.conv2d(y.abs(), weights, padding=2)) for y, sigma, weights in parts]

    def _pyramid(self, y: Tensor) -> list[Tensor]:
        levels = []
        for _ in self.SIGMA[1:]:
            coarse = F.conv2d(_mirrored(y, 2), self.low, stride=2)
            levels.append(y - self._enlarged(coarse, y.shape[2], y.shape[3]))
            y = coarse
        return [*levels, y]

    def _enlarged(self, y: Tensor, height: int, width: int) -> Tensor:
        y = F.pad(y, (1, 1, 1, 1), mode="replicate")
        y = F.conv_transpose2d(y, 4 * self.low, stride=2, padding=2, output_padding=1)
        return y[:, :, 2 : 2 + height, 2 : 2 + width]


class MSSSIM(nn.Module):
    """1 − MS-SSIM, with a zero and no NaN for a gradient where contrasts are opposed.

    Five levels of an 11 pixel window, so sides must be above 160: fewer levels would be another measure.
    """

    WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    C1, C2 = 0.01**2, 0.03**2

    def __init__(self) -> None:
        super().__init__()
        window = torch.exp(-(torch.arange(-5.0, 6).square()) / (2 * 1.5**2))
        self.register_buffer("window", (window / window.sum()).repeat(3, 1, 1, 1))  # (3,1,1,11)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        if min(a.shape[2:]) <= 160:
            raise ValueError(f"ms-ssim needs sides above 160, not {a.shape[3]}x{a.shape[2]}")
        product = a.new_ones(a.shape[:2])  # (B,3)
        for level, weight in enumerate(self.WEIGHTS):
            if level:
                pad = [side % 2 for side in a.shape[2:]]
                a, b = (F.avg_pool2d(x, 2, padding=pad) for x in (a, b))
            luminance, contrast = self._similarities(a, b)
            last = level == len(self.WEIGHTS) - 1
            mean = (luminance * contrast if last else contrast).mean((2, 3))
            product = product * torch.where(mean > 0, mean.clamp(min=1e-12) ** weight, 0)
        return 1 - product.mean(1)

    def _similarities(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        mean_a, mean_b = self._blur(a), self._blur(b)
        aa, bb, ab = mean_a.square(), mean_b.square(), mean_a * mean_b
        both = self._blur(a * a) - aa + self._blur(b * b) - bb
        contrast = (2 * (self._blur(a * b) - ab) + self.C2) / (both + self.C2)
        return (2 * ab + self.C1) / (aa + bb + self.C1), contrast

    def _blur(self, x: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(x, self.window, groups=3), self.window.mT, groups=3)


def luminance(x: Tensor) -> Tensor:
    """(B,3,H,W) → (B,1,H,W)."""
    return (x * x.new_tensor([0.299, 0.587, 0.114]).reshape(3, 1, 1)).sum(1, keepdim=True)


def root(x: Tensor) -> Tensor:
    """The square root, off by at most 1e-6, with a finite slope at zero."""
    return (x + 1e-12).sqrt() - 1e-6


def _mirrored(x: Tensor, by: int) -> Tensor:
    """Padded by reflection that repeats the edge, which torch's does not."""
    rows, columns = (_reflected(side, by).to(x.device) for side in x.shape[2:])
    return x[:, :, rows][:, :, :, columns]


def _reflected(side: int, by: int) -> Tensor:
    index = torch.arange(-by, side + by)
    index = torch.where(index < 0, -1 - index, index)
    return torch.where(index >= side, 2 * side - 1 - index, index).clamp(0, side - 1)


def vgg16(backbone: State) -> nn.Sequential:
    """Its convolutions."""
    features = make_layers(cfgs["D"])
    prefix = "features."
    features.load_state_dict({k.removeprefix(prefix): v for k, v in backbone.items() if k.startswith(prefix)})
    return features


@dataclass(frozen=True)
class Pretrained:
    """A file of weights that others trained; in a folder, any file whose name starts with `stem` will do."""

    stem: str
    url: str
    digest: str
    """The first digits of its SHA-256."""

    def load(self, folder: Path | None) -> State:
        """As float32."""
        file = self._find(folder)
        state = load_file(file) if file.suffix == ".safetensors" else _torch_load(file)
        return {key: value.float() for key, value in state.items()}

    def _find(self, folder: Path | None) -> Path:
        named = os.environ.get("SLIC_BACKBONES")
        place = folder or (Path(named) if named else None)
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        found = sorted(f for f in (place or cache).glob(f"{self.stem}*") if f.suffix in _SUFFIXES)
        if found:
            return found[0]
        if place:
            raise FileNotFoundError(f"there is no {self._name} in {place}; fetch it from {self.url}")
        return self._download(cache)

    def _download(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(self.url, str(folder / self._name), self.digest)
        except (OSError, RuntimeError) as error:  # RuntimeError: other bytes than expected
            raise FileNotFoundError(
                f"{self.url} could not be fetched ({error}); put it into a folder that SLIC_BACKBONES names"
            ) from error
        return folder / self._name

    @property
    def _name(self) -> str:
        return self.url.rsplit("/", 1)[1]


def _torch_load(file: Path) -> State:
    state: State = torch.load(file, map_location="cpu", weights_only=True)
    return state


_SUFFIXES = {".pth", ".pt", ".safetensors"}
_TORCHVISION = "https://download.pytorch.org/models"
SQUEEZE = Pretrained("squeezenet1_1", f"{_TORCHVISION}/squeezenet1_1-b8a52dc0.pth", "b8a52dc0")
ALEX = Pretrained("alexnet", f"{_TORCHVISION}/alexnet-owt-7be5be79.pth", "7be5be79")
VGG16 = Pretrained("vgg16", f"{_TORCHVISION}/vgg16-397923af.pth", "397923af")
DISTS_WEIGHTS = Pretrained(
    "dists_weights",
    "https://github.com/photosynthesis-team/piq/releases/download/v0.4.1/dists_weights.pt",
    "",
)

_DISTANCES: dict[str, tuple[Callable[[Path | None], nn.Module], float]] = {
    "lpips-vgg": (lambda folder: LPIPS("vgg", VGG16.load(folder)), 1.0),
    "lpips-alex": (lambda folder: LPIPS("alex", ALEX.load(folder)), 0.8),
    "lpips-squeeze": (lambda folder: LPIPS("squeeze", SQUEEZE.load(folder)), 0.65),
    "dists": (lambda folder: Dists(VGG16.load(folder), DISTS_WEIGHTS.load(folder)), 0.5),
    "gmsd": (lambda _: GMSD(), 0.26),
    "nlpd": (lambda _: NLPD(), 0.75),
    "vgg": (lambda folder: VGG(VGG16.load(folder)), 10.0),
    "ms-ssim": (lambda _: MSSSIM(), 0.6),
    "mse": (lambda _: MSE(), 0.12),
}
