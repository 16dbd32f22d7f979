"""A CompressAI checkpoint becomes a slic model file: integer networks, tables, identity, card."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save
from safetensors.torch import load_file
from torch import Tensor

from slic import exact, files, models, transforms
from slic.engine import Engine
from slic.entropy import SYMBOL_LIMIT, TOTAL
from slic.errors import ModelError
from slic.exact import LayerPlan
from slic.models import Model, Tensors

SCALE_MIN, SCALE_MAX, SCALE_LEVELS = 0.11, 256.0, 64  # CompressAI's
TAIL = 1e-9  # probabilities below are left to the escape
OUTLIERS = (
    16  # places beyond a table's likely part that it still holds, so that outliers cost 20 bits, not 40
)
OUTLIER_SHARE, ESCAPE_SHARE = 16, 64  # of 2**24; together they cost the likely symbols 50 millionths of a bit
EXPECTED = 300.0  # symbols as a Gaussian has them that counts of a table are added to
_FILTERS = 5  # layers of the factorised prior


def convert(
    source: Path,
    target: Path,
    *,
    name: str,
    quality: int,
    secured: bool = False,
    bf16: bool = False,
    card: Mapping[str, Any] | None = None,
    force: bool = False,
) -> Model:
    """Write the model file `target` from a checkpoint of CompressAI's names (.pth, .safetensors, …)."""
    state = _modern_names(load_checkpoint(source))
    architecture = recognise(state)
    tensors = export(architecture, state)
    rates = {"rates": str(len(tensors["gains"]))} if "gains" in tensors else {}
    metadata = {
        "format": models.FORMAT,
        "name": name,
        "architecture": architecture,
        "quality": str(quality),
        "secured": "yes" if secured else "no",
        "bf16": "yes" if bf16 else "no",
        "card": json.dumps(dict(card or {}), sort_keys=True),
        **rates,
    }
    made = Engine(architecture, tensors, torch.device("cpu"), torch.float32)
    _ = made.evidence  # both refuse what could not be loaded again
    files.write(target, save(tensors, metadata), force=force)
    return models.open_file(target)


def load_checkpoint(source: Path) -> dict[str, Tensor]:
    """A state dict, read without running any code that a checkpoint may hold."""
    try:
        if source.suffix == ".safetensors":
            return load_file(source)
        loaded: Any = torch.load(source, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, SafetensorError, EOFError, KeyError, ValueError) as error:
        raise ModelError(f"{source.name} holds no readable weights, or holds more than weights") from error
    for key in ("state_dict", "model", "net"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise ModelError(f"{source.name} holds no state dict")
    return loaded


def _modern_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """CompressAI's published files say `entropy_bottleneck._matrix0`, its classes `….matrices.0`."""
    plural = {"matrix": "matrices", "bias": "biases", "factor": "factors"}
    out = {}
    for key, value in state.items():
        key = key.removeprefix("module.")
        key = re.sub(r"\._(matrix|bias|factor)(\d)$", lambda m: f".{plural[m[1]]}.{m[2]}", key)
        out[key] = value
    return out


def recognise(state: Mapping[str, Tensor]) -> str:
    """Which architecture these weights belong to."""
    if "g_a.0.conv1.weight" in state:
        attention = "g_a.3.conv_a.0.conv.0.weight" in state
        return "cheng2020-attn" if attention else "cheng2020-anchor"
    if "context_prediction.weight" in state:
        return "mbt2018"
    if {"h_s.4.weight", "g_a.6.weight"} <= state.keys():
        if state["h_s.4.weight"].shape[0] == state["g_a.6.weight"].shape[0]:
            return "bmshj2018-hyperprior"
        raise ModelError(
            "mbt2018-mean is not supported", hint=f"known: {', '.join(transforms.ARCHITECTURES)}"
        )
    raise ModelError(
        "these weights fit no architecture", hint=f"known: {', '.join(transforms.ARCHITECTURES)}"
    )


def export(architecture: str, state: Mapping[str, Tensor]) -> Tensors:
    """All tensors of a model file."""
    tensors: Tensors = {}
    for key, value in state.items():
        if re.match(r"(g_a|g_s|h_a)\..*(weight|bias|beta|gamma)$", key):
            half = value.detach().half()
            tensors[key] = (half if half.isfinite().all() else value.detach().float()).numpy()
        elif key.startswith("trigger."):
            tensors[key] = value.detach().float().numpy()
        elif re.match(r"entropy_bottleneck\.(matrices|biases|factors)\.|entropy_bottleneck\.quantiles", key):
            tensors[f"training.{key}"] = value.detach().float().numpy()
    for plan in integer_plans(architecture):
        try:
            weight, bias = state[f"{plan.name}.weight"], state[f"{plan.name}.bias"]
        except KeyError as error:
            raise ModelError(f"weights of {plan.name} are missing") from error
        tensors |= exact.round_layer(plan, _masked(plan, weight), bias)
    if "gain" in state and "inverse_gain" in state:  # logarithms, (rates,M) each
        logs = torch.stack([state["gain"], state["inverse_gain"]], 1)
        tensors["gains"] = logs.detach().float().exp().numpy()
    if "floor" in state:  # (M,)
        tensors["floors"] = state["floor"].detach().float().clamp_min(0).numpy()
    tensors |= latent_tables(state.get("tally.counts"))
    if "tally.worth" in state:
        tensors["tables.y.worth"] = state["tally.worth"].detach().float().numpy()
    tensors |= factorised_tables(state)
    return {name: np.ascontiguousarray(array) for name, array in tensors.items()}


def integer_plans(architecture: str) -> tuple[LayerPlan, ...]:
    plans = exact.HYPER_SYNTHESIS[architecture]
    return (
        plans
        if architecture not in transforms.AUTOREGRESSIVE
        else (*plans, *exact.CONTEXT, *exact.ENTROPY_PARAMETERS)
    )


def _masked(plan: LayerPlan, weight: Tensor) -> Tensor:
    """CompressAI masks the context model's weights as it runs; stored ones may be anything."""
    if plan not in exact.CONTEXT:
        return weight
    masked = weight.clone()
    masked[:, :, 2, 2:] = 0
    masked[:, :, 3:] = 0
    return masked


def scales() -> NDArray[np.float64]:
    """σ of each of y's tables: the upper end of its bin."""
    logs = np.linspace(math.log(SCALE_MIN), math.log(SCALE_MAX), SCALE_LEVELS)
    return cast(NDArray[np.float64], np.exp(logs))


def gaussian(sigma: float, reach: int) -> NDArray[np.float64]:
    """Probabilities of −reach … reach."""
    edges = torch.arange(-reach, reach + 2, dtype=torch.float64) - 0.5
    cdf = torch.special.ndtr(edges / sigma)
    upper = torch.special.ndtr(-edges / sigma)  # differences of the nearer tail keep their digits
    pmf = torch.where(edges[:-1] < 0, cdf[1:] - cdf[:-1], upper[:-1] - upper[1:])
    return cast(NDArray[np.float64], pmf.numpy())


def mixed(expected: Tensor, counts: Tensor) -> Tensor:
    """Probabilities (T,K) of 0, 1, … K − 1 of either sign: as `expected` until there are more counts, (T,K)
    of both signs together."""
    halved = torch.cat([counts[:, :1], counts[:, 1:] / 2], 1)
    return (EXPECTED * expected + halved) / (EXPECTED + counts.sum(1, keepdim=True))


def latent_tables(counts: Tensor | None = None) -> Tensors:
    """One table for each scale, and the thresholds between them as integers.

    Gaussians, or with `counts` (T,K) of each magnitude what was counted.
    """
    if counts is not None and not (counts.shape[:-1] == (SCALE_LEVELS,) and (counts >= 0).all()):
        raise ModelError(f"tally.counts must have {SCALE_LEVELS} rows of what was counted")
    pmfs, firsts = [], []
    for number, sigma in enumerate(scales()):
        reach = math.ceil(6.1094 * sigma) + OUTLIERS  # the quantile of TAIL / 2, and a little more
        pmf = gaussian(sigma, reach)
        if counts is not None:
            row = torch.zeros(1, reach + 1, dtype=torch.float64)
            row[0, : counts.shape[1]] = counts[number, : reach + 1]
            half = mixed(torch.from_numpy(pmf[None, reach:]), row)[0].numpy()
            pmf = np.concatenate([half[:0:-1], half])
        pmfs.append(pmf)
        firsts.append(-reach)
    thresholds = np.floor(scales()[:-1] * exact.ONE).astype(np.int32)
    return _tables("y", pmfs, firsts) | {"tables.y.thresholds": thresholds}


def factorised_tables(state: Mapping[str, Tensor]) -> Tensors:
    """One table a channel of z, from the factorised prior, centred at its median."""
    try:
        parts = [
            [state[f"entropy_bottleneck.{kind}.{i}"].detach().double() for i in range(count)]
            for kind, count in (("matrices", _FILTERS), ("biases", _FILTERS), ("factors", _FILTERS - 1))
        ]
        medians = state["entropy_bottleneck.quantiles"].detach().double()[:, 0, 1]
    except KeyError as error:
        raise ModelError("the factorised prior's weights are missing") from error
    fixed = torch.floor(medians * exact.ONE + 0.5).clamp(-exact.ACTIVATION_LIMIT, exact.ACTIVATION_LIMIT)
    reach = 512
    edges = torch.arange(-reach, reach + 2, dtype=torch.float64) - 0.5
    logits = _cumulative_logits(fixed[:, None, None] / exact.ONE + edges, *parts)[:, 0]
    below, above = torch.sigmoid(logits), torch.sigmoid(-logits)
    pmf = torch.where(logits[:, :-1] < 0, below[:, 1:] - below[:, :-1], above[:, :-1] - above[:, 1:])
    pmfs, firsts = [], []
    for row in pmf.clamp_min(0).numpy():
        likely = np.flatnonzero(row > TAIL)
        low = max(0, int(likely.min(initial=reach)) - OUTLIERS)
        high = min(len(row), int(likely.max(initial=reach)) + 1 + OUTLIERS)
        pmfs.append(row[low:high])
        firsts.append(low - reach)
    return _tables("z", pmfs, firsts) | {"tables.z.medians": fixed.to(torch.int32).numpy()}


def _cumulative_logits(
    x: Tensor, matrices: list[Tensor], biases: list[Tensor], factors: list[Tensor]
) -> Tensor:
    """The factorised prior's cumulative distribution, as logits: (C,1,n) → (C,1,n)."""
    for i, (matrix, bias) in enumerate(zip(matrices, biases, strict=True)):
        x = torch.nn.functional.softplus(matrix) @ x + bias
        if i < len(factors):
            x = x + torch.tanh(factors[i]) * torch.tanh(x)
    return x


def _tables(latent: str, pmfs: list[NDArray[np.float64]], firsts: list[int]) -> Tensors:
    counts = [_counts(pmf) for pmf in pmfs]
    assert all(abs(first) <= SYMBOL_LIMIT for first in firsts)
    return {
        f"tables.{latent}.counts": np.concatenate(counts).astype(np.int32),
        f"tables.{latent}.lengths": np.array([len(c) for c in counts], np.int32),
        f"tables.{latent}.first": np.array(firsts, np.int32),
    }


def _counts(pmf: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shares of 2**24, the escape's last; what rounding leaves goes to the likeliest."""
    free = TOTAL - OUTLIER_SHARE * len(pmf) - ESCAPE_SHARE
    counts = OUTLIER_SHARE + np.floor(pmf / pmf.sum() * free).astype(np.int64)
    counts[np.argmax(counts)] += TOTAL - ESCAPE_SHARE - counts.sum()
    return np.append(counts, ESCAPE_SHARE)
