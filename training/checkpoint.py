"""Exact resume: weights, averages, optimisers, every generator's state, written whole or not at all."""

import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor


def save(file: Path, state: dict[str, Any]) -> None:
    temporary = file.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, file)


def save_weights(file: Path, weights: dict[str, Tensor]) -> None:
    temporary = file.with_suffix(".part")
    save_file(weights, temporary)
    os.replace(temporary, file)


def load(file: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return state
