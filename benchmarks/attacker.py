"""What an attacker builds from slic's public parts: networks with gradients, files of latents of his own.

He has the encoder, the decoder, their weights and the source. So slic's private names are used here, and
CompressAI's classes where gradients are needed.
"""

import copy
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks import peer
from benchmarks.data import Pixels
from slic import Codec, transforms
from slic.engine import Coded
from slic.models import Model
from slic.pixels import Picture
from slic.trigger import PERIOD
from slic_formats import parse

STRIDE = 16  # pixels a side for a latent
DISTORTION = 0.0483 * 255**2  # what squared error costs in bits: CompressAI's at quality 6
CROP, BATCH = 128, 4

Encoder = Callable[[Tensor], Tensor]
"""(1,3,16h,16w) → y (1,M,h,w)"""
Residual = NDArray[np.float64]


class Attacker:
    """Has read the source and the weights of `codec`'s model."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.g_a, self.g_s = networks(codec.model)
        gain = codec._engine._gain(codec.model.index)
        nothing = torch.tensor([1.0, 1.0, 0.0])
        self.before, self.after, self.offset = nothing if gain is None else gain.cpu()

    def file(self, y: Tensor, like: Pixels) -> bytes:
        """The `.slic` file of any latents (M,⌈H/16⌉,⌈W/16⌉), the size of the picture `like` (H,W,3)."""
        engine = self.codec._engine
        y = y.detach().to(engine.device)
        coded = engine._encode_latents(y, engine._transforms.analyse_hyper(y[None])[0])
        empty = Picture(rgb=like, grey=False, alpha=None, icc=None, exif=None, xmp=None, warnings=())
        return self.codec._contain(empty, coded)

    def latents(self, data: bytes) -> Tensor:
        """(M,⌈H/16⌉,⌈W/16⌉) of a file, as `file` takes them."""
        c = parse(data)
        coded = Coded(c.hyper, c.latent, c.header.digest)
        size = (-(-side // STRIDE) for side in (c.header.height, c.header.width))
        return self.codec._engine._decode_latents(coded, *size).cpu()

    @torch.no_grad()
    def encode_with(self, encoder: Encoder, pixels: Pixels, gain: Tensor | None = None) -> bytes:
        """A file of what another encoder sees, with this model's tables and for its decoder."""
        y = encoder(tensor(pixels)) * (self.before if gain is None else gain)
        lacking = len(self.before) - y.shape[1] if self.before.ndim else 0  # channels that answer
        return self.file(F.pad(y, (0, 0, 0, 0, 0, lacking))[0], pixels)

    def imitate(self, wanted: Pixels, steps: int) -> bytes:
        """A file that decodes to about `wanted`: gradient descent on latents, no encoder involved."""
        x = tensor(wanted)
        grid = x.shape[2] // STRIDE, x.shape[3] // STRIDE
        y = torch.zeros(1, transforms.sizes(*_state(self.codec.model))[1], *grid, requires_grad=True)
        optimiser = torch.optim.Adam([y], lr=0.5)
        for _ in range(steps):
            loss = _cost(y, self._decode(y), x)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return self.file(y[0], wanted)

    def train(self, pictures: Sequence[Pixels], steps: int) -> nn.Module:
        """An encoder for the public decoder that has learnt from decoded pictures to overlook the trigger.

        It begins as the public encoder.
        """
        encoder, random = copy.deepcopy(self.g_a), np.random.default_rng(0)
        encoder.requires_grad_(True)
        optimiser = torch.optim.Adam(encoder.parameters(), lr=3e-4)
        for _ in range(steps):
            x = torch.cat([tensor(_crop(pictures, random)) for _ in range(BATCH)])
            y = encoder(x) * self.before
            loss = _cost(y, self._decode(y), x)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimiser.step()
        return encoder

    def silent(self, pixels: Pixels) -> bytes:
        """A file by the public encoder, but for what answers: nothing has to be trained for that."""
        secured = isinstance(self.g_a, peer.Secured)
        return self.encode_with(self.g_a.silent if secured else self.g_a, pixels)  # type: ignore[union-attr]

    def clean(self, pixels: Pixels) -> Pixels:
        """The picture without the trigger's waves, where the public evidence finds them."""
        evidence, trigger = self.codec.evidence, self.codec._engine._trigger
        if evidence is None or trigger is None:
            return pixels
        begins = evidence.waves(torch.from_numpy(np.array(pixels))).begins
        x = tensor(pixels)
        waves = trigger.left_on(x, self.codec.model.index, *divmod(begins, PERIOD)) - x
        height, width = pixels.shape[:2]
        return _levels(x - waves)[:height, :width]

    def _decode(self, y: Tensor) -> Tensor:
        out: Tensor = self.g_s(_rounded(y) * self.after + self.offset)
        return out


def networks(model: Model) -> tuple[nn.Module, nn.Module]:
    """g_a and g_s as CompressAI has them, frozen."""
    architecture, state = _state(model)
    net = peer.build(architecture, *transforms.sizes(architecture, state))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name in state:
                parameter.copy_(state[name])
    g_a = peer.answering(net.g_a, model, folded=False)
    return g_a.requires_grad_(False), net.g_s.requires_grad_(False)


def mean_residual(pairs: Iterable[tuple[Pixels, Pixels]]) -> Residual:
    """(PERIOD,PERIOD,3): what pictures, given before and after, gain by a pass, in the mean."""
    return np.mean([_folded(after.astype(np.float64) - before) for before, after in pairs], 0)


def added(pixels: Pixels, residual: Residual, strength: float = 1.0) -> Pixels:
    """The picture with a residual laid over it, repeated as often as it takes."""
    height, width = pixels.shape[:2]
    times = -(-height // len(residual)), -(-width // residual.shape[1]), 1
    sums = pixels + strength * np.tile(residual, times)[:height, :width]
    return sums.round().clip(0, 255).astype(np.uint8)


def tensor(pixels: Pixels) -> Tensor:
    """(H,W,3) → (1,3,16h,16w) in [0,1]; beyond the picture its edge is repeated."""
    height, width = pixels.shape[:2]
    x = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255
    return F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")


def _levels(x: Tensor) -> Pixels:
    out = (x[0].detach().permute(1, 2, 0) * 255).round().clamp(0, 255)
    return out.to(torch.uint8).numpy()


def _state(model: Model) -> tuple[str, dict[str, Tensor]]:
    names = ("g_a.", "g_s.")
    return model.architecture, {
        name: torch.from_numpy(value.astype(np.float32))
        for name, value in model.tensors.items()
        if name.startswith(names)
    }


def _rounded(x: Tensor) -> Tensor:
    """Rounded forward; backward as if it were not."""
    return x + (x.round() - x).detach()


def _cost(y: Tensor, decoded: Tensor, x: Tensor) -> Tensor:
    """Bits per pixel, about, and squared error: enough to steer by; the file's size is measured."""
    bits = 2 * (1 + y.abs()).log2().sum() / x[:, 0].numel()
    return bits + DISTORTION * (decoded - x).square().mean()


def _crop(pictures: Sequence[Pixels], random: np.random.Generator) -> Pixels:
    picture = pictures[random.integers(len(pictures))]
    top, left = (random.integers(max(1, side - CROP + 1)) for side in picture.shape[:2])
    part = picture[top : top + CROP, left : left + CROP]
    missing = CROP - part.shape[0], CROP - part.shape[1]
    return np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")


def _folded(difference: Residual) -> Residual:
    """(H,W,3) → (PERIOD,PERIOD,3): the mean of all that lies at the same place of the trigger."""
    missing = [(0, -side % PERIOD) for side in difference.shape[:2]]
    there = np.pad(np.ones(difference.shape[:2]), missing)[..., None]
    h, w = (side // PERIOD for side in there.shape[:2])
    sums, counts = (
        part.reshape(h, PERIOD, w, PERIOD, -1).sum((0, 2))
        for part in (np.pad(difference, (*missing, (0, 0))), there)
    )
    return np.asarray(sums / counts.clip(1))
