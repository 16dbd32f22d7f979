"""Tiny random models, one for each architecture: quick, and as hard to decode exactly as large ones.

Their pictures are wreckage, but lively: every scale is used and symbols go beyond their tables.
"""

import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from slic import transforms
from slic.convert import convert, integer_plans
from slic.models import Model

N, M = 8, 12
ORBITS = (9, 1), (13, 8), (16, 3), (19, 6)  # those that slic's own models have


def waves(seed: int = 0) -> Tensor:
    """(K,3) as a trigger has them: each with its mirror image and its quarter turns, their phases random."""
    random = torch.Generator().manual_seed(seed)
    vectors = [v for a, b in ORBITS for v in ((a, b), (a, -b), (b, a), (b, -a))]
    phases = torch.rand(len(vectors), generator=random) * 2 * math.pi
    return torch.cat([torch.tensor(vectors), phases[:, None]], 1)


def state(
    architecture: str,
    seed: int = 0,
    rates: int = 0,
    *,
    floors: bool = False,
    trigger: bool = False,
    worth: float = 0.0,
) -> dict[str, Tensor]:
    """A random state dict in CompressAI's names, with gains for so many rates, floors, a trigger, or with
    latents that are worth so much.

    Its weights are the same with them and without.
    """
    random = torch.Generator().manual_seed(seed)
    m = N if architecture.startswith("cheng") else M
    out: dict[str, Tensor] = {}
    for prefix, net in transforms.networks(architecture, N, m).items():
        for name, parameter in net.named_parameters():
            value = _draw(name, tuple(parameter.shape), random)
            # An inverse GDN of random weights would square its way out of any range.
            out[f"{prefix}.{name}"] = value * 0.003 if prefix == "g_s" and name.endswith("gamma") else value
    for plan in integer_plans(architecture):
        shape = _integer_shape(architecture, plan.name, m)
        out[f"{plan.name}.weight"] = _draw("weight", shape, random)
        channels = shape[1] if plan.kind == "deconv" else shape[0]
        out[f"{plan.name}.bias"] = torch.randn(channels, generator=random)
    _make_lively(architecture, out)
    if rates:
        steps = torch.linspace(-1.0, 0.5, rates)[:, None] + torch.randn(rates, m, generator=random) * 0.1
        out |= {"gain": steps, "inverse_gain": 0.05 - steps}
    if floors:
        out["floor"] = torch.linspace(0, 2, m)
    if trigger:
        out["trigger.waves"] = waves(seed)
        out["trigger.loudness"] = torch.linspace(2.0, 1.0, max(1, rates))
        out["trigger.answer"] = torch.arange(m) % 3 * 2.0
    if worth:
        out |= {"tally.worth": torch.tensor([worth]), "tally.counts": torch.zeros(64, 8)}
    return out | _factorised_prior(random)


def _draw(name: str, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    if name.endswith("beta"):
        return torch.ones(shape)
    if name.endswith("gamma"):
        return 0.3 * torch.eye(shape[0]) + 0.02 * torch.rand(shape, generator=random)
    fan_in = max(1, int(torch.Size(shape[1:]).numel()))
    return torch.randn(shape, generator=random) * (1.5 / fan_in**0.5 if len(shape) == 4 else 0.1)


def _integer_shape(architecture: str, name: str, m: int) -> tuple[int, ...]:
    """Shapes of what is held as integers: h_s, the context model, the entropy parameters."""
    cheng = {"h_s.0": (N, N, 3), "h_s.2.0": (4 * N, N, 3), "h_s.4": (3 * N // 2, N, 3)}
    cheng |= {"h_s.6.0": (6 * N, 3 * N // 2, 3), "h_s.8": (2 * N, 3 * N // 2, 3)}
    balle = {"h_s.0": (N, N, 5), "h_s.2": (N, N, 5), "h_s.4": (m, N, 3)}
    minnen = {"h_s.0": (N, m, 5), "h_s.2": (m, 3 * m // 2, 5), "h_s.4": (2 * m, 3 * m // 2, 3)}
    context = {
        "context_prediction": (2 * m, m, 5),
        "entropy_parameters.0": (10 * m // 3, 4 * m, 1),
        "entropy_parameters.2": (8 * m // 3, 10 * m // 3, 1),
        "entropy_parameters.4": (2 * m, 8 * m // 3, 1),
    }
    hyper = cheng if architecture.startswith("cheng") else minnen if architecture == "mbt2018" else balle
    out, channels, kernel = (hyper | context)[name]
    return out, channels, kernel, kernel


def _make_lively(architecture: str, out: dict[str, Tensor]) -> None:
    """Latents of some ten steps, scales of all sizes, means that matter but do not run away."""
    layers = {"cheng2020-anchor": ("g_a.6", "g_s.7.0", 2e-4), "cheng2020-attn": ("g_a.7", "g_s.9.0", 1.5e-5)}
    last, pixels, gain = layers.get(architecture, ("g_a.6", "g_s.6", 0.3))
    out[f"{last}.weight"] = out[f"{last}.weight"] * (2 if architecture.startswith("cheng") else 40)
    for first in ("g_s.0.weight", "g_s.0.conv1.weight", "g_s.0.conv_a.0.conv.0.weight"):
        if first in out:
            out[first] = out[first] * 0.02
    out[f"{pixels}.weight"] = out[f"{pixels}.weight"] * gain
    out[f"{pixels}.bias"] = torch.full_like(out[f"{pixels}.bias"], 0.5)
    if architecture == "bmshj2018-hyperprior":
        out["h_a.4.weight"] = out["h_a.4.weight"] * 0.1
        out["h_s.4.bias"] = out["h_s.4.bias"].abs()
        return
    m = len(out["entropy_parameters.4.bias"]) // 2
    out["context_prediction.weight"] = out["context_prediction.weight"] * 0.05
    out["entropy_parameters.4.bias"][:m] += torch.linspace(0.0, 12.0, m)
    out["entropy_parameters.4.weight"] = out["entropy_parameters.4.weight"] * 0.3


def _factorised_prior(random: torch.Generator) -> dict[str, Tensor]:
    filters = (1, 3, 3, 3, 3, 1)
    out = {"entropy_bottleneck.quantiles": torch.tensor([-10.0, 0.0, 10.0]).repeat(N, 1, 1)}
    out["entropy_bottleneck.quantiles"][:, 0, 1] = torch.randn(N, generator=random)
    for i in range(5):
        shape = (N, filters[i + 1], filters[i])
        out[f"entropy_bottleneck.matrices.{i}"] = torch.randn(shape, generator=random) * 0.1 - 0.5
        out[f"entropy_bottleneck.biases.{i}"] = torch.rand(N, filters[i + 1], 1, generator=random) - 0.5
        if i < 4:
            out[f"entropy_bottleneck.factors.{i}"] = torch.randn(N, filters[i + 1], 1, generator=random) * 0.1
    return out


def model(
    architecture: str,
    folder: Path,
    seed: int = 0,
    rates: int = 0,
    **kinds: float,
) -> Model:
    """A tiny model file in `folder`, of such a `state`."""
    name = (
        f"tiny-{architecture}"
        + (f"-{rates}-rates" if rates else "")
        + "".join(f"-{kind}" for kind in sorted(kinds) if kinds[kind])
    )
    checkpoint = folder / f"{architecture}-{seed}-state.safetensors"
    made_of = state(architecture, seed, rates, **kinds)  # type: ignore[arg-type]
    save_file({k: v.contiguous() for k, v in made_of.items()}, checkpoint)
    target = folder / f"{name}-{seed}.safetensors"
    made = convert(checkpoint, target, name=name, quality=1, bf16=False, force=True)
    checkpoint.unlink()
    return made
