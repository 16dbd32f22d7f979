"""Exact resume: weights, averages, optimisers, every generator's state, written whole or not at all."""

import os
from pathlib import Path
from typing import Any

import torch


def save(file: Path, state: dict[str, Any]) -> None:
    temporary = file.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, file)


def load(file: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return state
