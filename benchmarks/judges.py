"""What PSNR does not see: MS-SSIM and LPIPS (AlexNet's) between 8-bit pictures.

Both are those of training.distances. Where packages or the backbone are missing there is no figure, and
one line on stderr says why: $SLIC_BACKBONES names a folder of backbones for those who are offline.
"""

from collections.abc import Callable

import click
import torch
from torch import Tensor

from benchmarks.data import Pixels

Judge = Callable[[Pixels, Pixels], float | None]

_NAMES = {"ms_ssim": ("ms-ssim", 161), "lpips": ("lpips-alex", 31)}  # distance, least side


def load(device: torch.device) -> dict[str, Judge]:
    """By the names of their columns."""
    return {column: _judge(column, device) for column in _NAMES}


def _judge(column: str, device: torch.device) -> Judge:
    name, least = _NAMES[column]
    try:
        from training import distances  # needs the extra [metrics]

        distance = distances.load(name).to(device)
    except (ImportError, FileNotFoundError) as error:
        click.echo(f"no {column}: {error}", err=True)
        return lambda a, b: None

    @torch.inference_mode()
    def judge(a: Pixels, b: Pixels) -> float | None:
        if min(a.shape[:2]) < least:
            return None
        value = float(distance(_tensor(a, device), _tensor(b, device)))
        return 1 - value if column == "ms_ssim" else value  # training wants distances

    return judge


def _tensor(pixels: Pixels, device: torch.device) -> Tensor:
    """(H,W,3) of levels → (1,3,H,W) in [0,1]."""
    return torch.tensor(pixels, device=device).permute(2, 0, 1)[None].float() / 255
