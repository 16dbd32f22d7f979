"""Twins of `slic.attacks.geometric`. They move the mask with the picture.

(B,4,H,W) → the same: the fourth channel is 1 where the protected picture is. Parameters are (B,),
one value for each sample; the canvas keeps its size.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

ROUNDING = 1e-4  # 0.9 in float32, times 130, is not quite 117; the real edit, in float64, has 117


def affine(
    x: Tensor,
    degrees: Tensor,
    scale: Tensor,
    shift_x: Tensor,
    shift_y: Tensor,
    left: Tensor,
    top: Tensor,
) -> Tensor:
    """Sampled once, bilinear, where the real edit samples twice."""
    height, width = x.shape[2:]
    angle = torch.deg2rad(degrees)
    cos, sin = torch.cos(angle), torch.sin(angle)
    # Output (i, j) ← point of the turned picture ← point of the picture, in pixels from its centre.
    columns = _back(width, scale, left + (shift_x * width).round())[:, None, :]  # (B,1,W)
    rows = _back(height, scale, top + (shift_y * height).round())[:, :, None]  # (B,H,1)
    cos, sin = cos.view(-1, 1, 1), sin.view(-1, 1, 1)
    from_x = (cos * columns - sin * rows) / (width / 2)
    from_y = (sin * columns + cos * rows) / (height / 2)
    grid = torch.stack([from_x, from_y], 3)
    moved = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    # Turning cuts the corners off, at the canvas; scaling does not bring them back.
    inside = (columns.abs() < width / 2) & (rows.abs() < height / 2)
    return moved * inside[:, None]


def rescale(x: Tensor, factor: Tensor) -> Tensor:
    """Bicubic with a low pass, both times, as Pillow's; the mask stays."""
    height, width = x.shape[2:]
    out = []
    for sample, share in zip(x[:, None, :3], factor.tolist(), strict=True):
        size = max(1, int(share * height + ROUNDING)), max(1, int(share * width + ROUNDING))
        small = F.interpolate(sample, size, mode="bicubic", antialias=True)
        out.append(F.interpolate(small, (height, width), mode="bicubic", antialias=True))
    return torch.cat([torch.cat(out), x[:, 3:]], 1)


def crop(x: Tensor, left: Tensor, top: Tensor, right: Tensor, bottom: Tensor) -> Tensor:
    """The cut picture moves to the upper left; its right and lower edges are repeated, as the codec pads."""
    height, width = x.shape[2:]
    rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    return _taken(
        x,
        rows + top[:, None],
        columns + left[:, None],
        (top, height - 1 - bottom),
        (left, width - 1 - right),
    )


def shift(x: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    height, width = x.shape[2:]
    rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    nothing = torch.zeros_like(dx)
    return _taken(
        x,
        rows - dy[:, None],
        columns - dx[:, None],
        (nothing, nothing + height - 1),
        (nothing, nothing + width - 1),
    )


def turn(x: Tensor, quarters: Tensor) -> Tensor:
    """Of squares, or all of them by as many quarters."""
    return torch.stack([one.rot90(int(count), (1, 2)) for one, count in zip(x, quarters, strict=True)])


def mirror(x: Tensor) -> Tensor:
    return x.flip(3)


def frame(x: Tensor, share: Tensor) -> Tensor:
    height, width = x.shape[2:]
    border = (share * max(height, width) + ROUNDING).floor()[:, None]
    inside = _between(height, border, x)[:, :, None] & _between(width, border, x)[:, None, :]
    return x * inside[:, None]


def paste(x: Tensor, generator: torch.Generator, share: Tensor, foreign: Tensor | None = None) -> Tensor:
    """A rectangle of `foreign` (B,3,H,W) at the same place; without it, of a generated texture."""
    height, width = x.shape[2:]
    other = _texture(x, generator) if foreign is None else foreign.to(x)
    other = F.pad(other, (0, 0, 0, 0, 0, 1))  # the mask is 0 there
    inside = torch.zeros(len(x), 1, height, width, dtype=torch.bool, device=x.device)
    for mask, part in zip(inside, share.tolist(), strict=True):
        rows, columns = round(height * part**0.5), round(width * part**0.5)
        y = int(torch.randint(height - rows + 1, (), generator=generator))
        left = int(torch.randint(width - columns + 1, (), generator=generator))
        mask[:, y : y + rows, left : left + columns] = True
    return torch.where(inside, other, x)


def _back(size: int, scale: Tensor, start: Tensor) -> Tensor:
    """(B,size): where each output pixel lies in the picture before scaling, from its centre.

    The scaled size is cut off to a whole number and begins at `start`, as in the real edit.
    """
    scaled = (scale * size + ROUNDING).floor().clamp(min=1)[:, None]
    place = torch.arange(size, device=scale.device) + 0.5 - start[:, None]
    return place * size / scaled - size / 2


def _taken(
    x: Tensor,
    rows: Tensor,
    columns: Tensor,
    valid_rows: tuple[Tensor, Tensor],
    valid_columns: tuple[Tensor, Tensor],
) -> Tensor:
    """Pixels of the given rows (B,H) and columns (B,W); beyond the valid ones the edge, unkept."""
    out = []
    for i, sample in enumerate(x):
        r = rows[i].clamp(valid_rows[0][i], valid_rows[1][i])
        c = columns[i].clamp(valid_columns[0][i], valid_columns[1][i])
        out.append(sample[:, r.long()][:, :, c.long()])
    moved = torch.stack(out)
    inside_y = (rows >= valid_rows[0][:, None]) & (rows <= valid_rows[1][:, None])
    inside_x = (columns >= valid_columns[0][:, None]) & (columns <= valid_columns[1][:, None])
    inside = (inside_y[:, :, None] & inside_x[:, None, :])[:, None]
    return torch.cat([moved[:, :3], moved[:, 3:] * inside], 1)


def _between(size: int, border: Tensor, x: Tensor) -> Tensor:
    """(B,size): at least `border` from both ends."""
    place = torch.arange(size, device=x.device)
    return (place >= border) & (place < size - border)


def _texture(x: Tensor, generator: torch.Generator) -> Tensor:
    """Coloured noise of several sizes, the coarse ones strongest."""
    count, _, height, width = x.shape
    out = 0.25 + 0.5 * torch.rand(count, 3, 1, 1, generator=generator)
    for step in (64, 16, 4, 1):
        coarse = torch.randn(count, 3, math.ceil(height / step), math.ceil(width / step), generator=generator)
        out = out + 0.16 * (step / 64) ** 0.25 * F.interpolate(coarse, (height, width), mode="bilinear")
    return out.clamp(0, 1).to(x)
