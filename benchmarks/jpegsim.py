"""How near do differentiable imitations of JPEG come to the real one?

    python -m benchmarks.jpegsim --images DIR --weights runs/unetjpeg-16/weights.safetensors [--json]

Mean PSNR between what an imitation makes of a picture and what Pillow's JPEG (4:2:0) does, at three
qualities. `identity` does nothing: whoever is not above it imitates nothing. Without `--weights` there
is no row of the UNet.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks.data import EXAMPLES, Pixels, Row, pictures, psnr, show
from training import unetjpeg
from training.attacks.compression import jpeg_dct

QUALITIES = (50, 75, 90)

Imitation = Callable[[Tensor, Tensor], Tensor]
"""(B,3,H,W) in [0,1] and (B,) in 1 … 100 → (B,3,H,W)."""


def imitations(weights: Path | None) -> dict[str, Imitation]:
    out: dict[str, Imitation] = {"identity": lambda x, _: x}
    out |= {
        f"dct {rounding}": partial(jpeg_dct, rounding=rounding) for rounding in ("straight-through", "cubic")
    }
    return out | ({"unet": unetjpeg.load(weights)} if weights else {})


@torch.no_grad()
def measure(images: list[tuple[str, Pixels]], weights: Path | None) -> Iterator[Row]:
    bar = tqdm(imitations(weights).items(), unit="imitation", disable=None)
    for name, imitate in bar:
        row: Row = {"imitation": name, "pictures": len(images)}
        for quality in QUALITIES:
            row[f"q{quality}_db"] = float(np.mean([_nearness(p, quality, imitate) for _, p in images]))
        yield row


def _nearness(pixels: Pixels, quality: int, imitate: Imitation) -> float:
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    y = imitate(x, torch.tensor([float(quality)]))[0].permute(1, 2, 0)
    levels = y.mul(255).round().clamp(0, 255).byte().numpy()
    return psnr(levels, unetjpeg.jpeg(pixels, quality))


@click.command()
@click.option("--images", type=click.Path(exists=True, path_type=Path), default=EXAMPLES, show_default=True)
@click.option("--limit", type=int, default=None, help="Measure on this many pictures only.")
@click.option(
    "--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of training.unetjpeg."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
def main(images: Path, limit: int | None, weights: Path | None, as_json: bool) -> None:
    show(measure(list(pictures(images, limit)), weights), as_json=as_json)


if __name__ == "__main__":
    main()
