"""CompressAI's models as slic trains them: one network for several rates, entropy models in float32.

A gain per channel multiplies y before rounding and another one divides it after, chosen by quality.
h_a sees y as it is rounded, so the scales that h_s predicts fit without knowing the quality: the
integer networks are the same for every rate.
"""

from pathlib import Path

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.zoo.image import model_architectures
from safetensors.torch import load_file
from torch import Tensor, nn

from training.config import Model

LAMBDAS = {1: 0.0018, 2: 0.0035, 3: 0.0067, 4: 0.0130, 5: 0.0250, 6: 0.0483, 7: 0.0932, 8: 0.1800}
"""By quality, for squared error on 255: CompressAI's."""


def build(model: Model) -> nn.Module:
    """The network of a configuration, with its start weights if it names any."""
    cls = model_architectures[model.architecture]
    net = cls(model.N) if model.architecture.startswith("cheng") else cls(model.N, model.M)
    if model.gains:
        latents = net.M if hasattr(net, "M") else model.N
        start = torch.tensor(list(LAMBDAS.values())).div(LAMBDAS[6]).sqrt().log()
        for name, rows in (("gain", start), ("inverse_gain", -start)):  # (quality, channel), logarithms
            setattr(net, name, nn.Parameter(rows[:, None].repeat(1, latents)))
    if model.start:
        _start_from(net, Path(model.start))
    net.entropy_bottleneck.__class__ = Bottleneck32
    net.gaussian_conditional.__class__ = Gaussian32
    return net.to(memory_format=torch.channels_last)


@torch.no_grad()
def _start_from(net: nn.Module, file: Path) -> None:
    """Parameters only: bounds such as 1e-9 are buffers, and a float16 file holds them as zero."""
    state = load_file(file)
    for name, parameter in net.named_parameters():
        if name in state or not name.endswith("gain"):  # a start of one rate has none
            parameter.copy_(state[name].float())


class Bottleneck32(EntropyBottleneck):
    """Outside autocast: its tails need more digits than bf16 has."""

    def forward(self, x: Tensor, training: bool | None = None) -> tuple[Tensor, Tensor]:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float(), training)


class Gaussian32(GaussianConditional):
    """Outside autocast, like the bottleneck."""

    def forward(
        self, inputs: Tensor, scales: Tensor, means: Tensor | None = None, training: bool | None = None
    ) -> tuple[Tensor, Tensor]:
        with torch.autocast(inputs.device.type, enabled=False):
            means = None if means is None else means.float()
            return super().forward(inputs.float(), scales.float(), means, training)


def code(net: nn.Module, x: Tensor, quality: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The decoded picture (B,3,H,W) and bits per pixel (B,); `quality` (B,) for a net with gains."""
    y = net.g_a(x)  # (B,M,H/16,W/16)
    if quality is not None:
        y = y * net.gain[quality - 1].exp()[:, :, None, None]
    joint = hasattr(net, "context_prediction")
    z_hat, z_likelihood = net.entropy_bottleneck(net.h_a(y if joint else y.abs()))
    if joint:
        noisy = net.gaussian_conditional.quantize(y, "noise" if net.training else "dequantize")
        around = torch.cat((net.h_s(z_hat), net.context_prediction(noisy)), 1)
        scales, means = net.entropy_parameters(around).chunk(2, 1)
        y_hat, y_likelihood = net.gaussian_conditional(y, scales, means)
        y_hat = noisy if net.training else y_hat
    else:
        y_hat, y_likelihood = net.gaussian_conditional(y, net.h_s(z_hat))
    if quality is not None:
        y_hat = y_hat * net.inverse_gain[quality - 1].exp()[:, :, None, None]
    bits = -(y_likelihood.log2().sum((1, 2, 3)) + z_likelihood.log2().sum((1, 2, 3)))
    return net.g_s(y_hat).float(), bits / (x.shape[2] * x.shape[3])
