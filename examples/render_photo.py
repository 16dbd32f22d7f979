"""Render photo.png: a photograph that nobody took, so that the examples owe nothing to anybody.

    python examples/render_photo.py [output.png]

One camera and one evening sun. Hills and shore are height fields met by real rays; the sign is met by rays too;
leaves and grass are drawn one by one. All of it is linear light, three samples a pixel each way, until `develop`.
World: metres, x right, y up from the lake, z away from the camera. The same seed gives the same picture.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, SCALE = 768, 512, 3
W, H = WIDTH * SCALE, HEIGHT * SCALE
FOCAL = 0.83 * W  # 62 degrees across
HORIZON = 0.43 * H  # a shifted lens: the horizon is off centre, yet upright things stay upright
EYE = 2.1
SUN = np.array([-0.80, 0.27, 0.535])  # low, to the left, a little ahead: side light, long shadows
SUNLIGHT = np.array([1.0, 0.63, 0.33], np.float32) * 3.6
SKYLIGHT = np.array([0.42, 0.52, 0.72], np.float32) * 0.62

Array = np.ndarray
Field = Callable[[Array, Array], Array]
rng = np.random.default_rng(2024)


def noise(size: int, power: float, stretch: float = 1.0) -> Array:
    """A tile of Gaussian noise with the spectrum 1/f^power, unit variance; stretched along x."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None] * stretch
    radius = np.hypot(fx, fy)
    radius[0, 0] = np.inf
    tile = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * radius ** (-power / 2))
    return (tile / tile.std()).astype(np.float32)


def cells(size: int, grid: int) -> tuple[Array, Array]:
    """A tile of jittered ellipses: 1 at a centre, 0 at a rim and outside; and a number for each of them."""
    y, x = np.mgrid[:size, :size].astype(np.float32) * (grid / size)
    shape = rng.random((grid, grid, 6), np.float32)
    best, name = np.zeros((2, size, size), np.float32)
    for dy, dx in np.ndindex(3, 3):
        gy, gx = np.floor(y) + dy - 1, np.floor(x) + dx - 1
        jx, jy, turn, big, flat, own = np.moveaxis(shape[gy.astype(int) % grid, gx.astype(int) % grid], -1, 0)
        u, v, c, s = x - gx - jx, y - gy - jy, np.cos(6.3 * turn), np.sin(6.3 * turn)
        wide = 0.3 + 0.45 * big
        value = 1 - np.hypot((u * c + v * s) / wide, (v * c - u * s) / (wide * (0.6 + 0.4 * flat)))
        name = np.where(value > best, own, name)
        best = np.maximum(best, value)
    return best, name


def sample(tile: Array, u: Array, v: Array) -> Array:
    """Read a tile at (u, v), in tiles, bilinear and without end."""
    n = len(tile)
    x, y = u * n, v * n
    left, top = np.floor(x), np.floor(y)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    x0, y0 = left.astype(np.int64) & (n - 1), top.astype(np.int64) & (n - 1)
    x1, y1 = (x0 + 1) & (n - 1), ((y0 + 1) & (n - 1)) * n
    y0, flat = y0 * n, tile.ravel()
    upper, lower = flat[y0 + x0], flat[y1 + x0]
    upper = upper + fx * (flat[y0 + x1] - upper)
    return upper + fy * (lower + fx * (flat[y1 + x1] - lower) - upper)


def smooth(low: float, high: float, value: Array) -> Array:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array | Sequence[float], b: Array | Sequence[float], t: Array) -> Array:
    return np.asarray(a, np.float32) * (1 - t[..., None]) + np.asarray(b, np.float32) * t[..., None]


ROUGH, SOFT, FIBRE = noise(1024, 2.4), noise(1024, 3.4), noise(1024, 2.2, stretch=14)
TREES, TREE_NAMES = cells(1024, 40)
STONES, STONE_NAMES = cells(1024, 20)


# -- the sky ---------------------------------------------------------------------------------------


def clear_sky(x: Array, y: Array) -> Array:
    """Blue above, peach at the horizon, brighter towards the sun."""
    near = np.clip((x * SUN[0] + y * SUN[1] + SUN[2]) / np.sqrt(1 + x * x + y * y), 0, 1)
    colour = mix([0.95, 0.70, 0.50], [0.20, 0.36, 0.66], 1 - np.exp(-7.0 * np.maximum(y, 0)))
    return colour * (0.62 + 0.3 * near[..., None]) + np.float32([1.1, 0.55, 0.2]) * near[..., None] ** 7 * 0.9


def cloud_density(x: Array, z: Array, level: float) -> Array:
    shape = sample(SOFT, x / 17 + 0.31, z / 26 + 0.12) + 0.42 * sample(ROUGH, x / 5, z / 7)
    return smooth(0.35 + 1.1 * level, 1.5 + 1.1 * level, shape)


def sky(x: Array, y: Array) -> Array:
    """March up through a slab of cloud; what lies between a sample and the sun dims it."""
    colour, clear = np.zeros((*x.shape, 3), np.float32), np.ones_like(x)
    for level in np.linspace(0, 1, 12):
        far = (1 + 0.28 * level) / (np.maximum(y, 0) + 0.035)
        cx, cz = x * far, far
        here = cloud_density(cx, cz, level)
        shade = cloud_density(cx - 0.55, cz + 0.3, level + 0.1) + 0.5 * here
        lit = mix([0.40, 0.38, 0.50], [1.75, 1.22, 0.85], np.exp(-1.9 * shade) * (0.55 + 0.45 * level))
        veil = 1 - np.exp(-0.5 * here * np.exp(-far / 26))
        colour += lit * (clear * veil)[..., None]
        clear = clear * (1 - veil)
    wisps = 0.28 * smooth(-0.2, 2.2, sample(FIBRE, x / (y + 0.3) / 3.1 + 0.2 * y, 0.9 / (y + 0.3)))
    blue = mix(clear_sky(x, y), [1.25, 0.98, 0.82], wisps)
    return colour + blue * clear[..., None]


# -- height fields -----------------------------------------------------------------------------------


def forest(x: Array, z: Array) -> Array:
    return smooth(-0.3, 0.3, sample(SOFT, x / 1700 + 0.4, z / 2300) + 0.35 * sample(ROUGH, x / 400, z / 400) + 0.5)


def far_land(x: Array, z: Array) -> Array:
    """The other side of the lake: a wooded shore, hills, and mountains behind."""
    inland = z - 620 - 190 * sample(SOFT, x / 2600 + 0.15, z / 9000)
    bumps = sample(SOFT, x / 5200 + 0.63, z / 6400 + 0.2) + 0.16 * sample(ROUGH, x / 1500, z / 1500)
    hills = 0.02 * inland + smooth(0, 2600, inland) * (130 + 120 * bumps)
    peaks = 1 - np.abs(sample(SOFT, x / 21000 + 0.05, z / 23000 + 0.4) + 0.22 * sample(ROUGH, x / 5200, z / 5200))
    land = hills + smooth(4200, 10500, z) * (330 + 900 * peaks)
    trees = 17 * sample(TREES, x / 330, z / 330) * forest(x, z) * (land < 650)
    return np.where(inland > 0, np.maximum(land, 0.3) + trees * smooth(0, 25, inland), -50)


def meadow(x: Array, z: Array) -> Array:
    """How much grass grows on the near bank: a stony way to the water stays free."""
    way = np.abs(x - 0.1 - 0.10 * z + 0.35 * np.sin(0.8 * z)) - 0.62 - 0.03 * z
    return smooth(-0.1, 0.5, way + 0.25 * sample(ROUGH, x / 6, z / 6)) * smooth(0.5, 2.0, shore(x) - z)


def shore(x: Array) -> Array:
    return 9.6 + 0.9 * sample(SOFT, x / 24 + 0.77, 0 * x) - 0.12 * np.abs(x)


def bank(x: Array, z: Array) -> Array:
    rise = 0.5 * (1 - np.exp(-(shore(x) - z) / 3.0))
    return np.maximum(rise, -0.6) + 0.022 * sample(ROUGH, x / 5, z / 5)


def near_land(x: Array, z: Array) -> Array:
    gravel = 0.022 * np.sqrt(sample(STONES, x / 0.8, z / 0.8))
    rocks = 0.10 * np.sqrt(np.maximum(sample(STONES, x / 5.1 + 0.3, z / 5.1 + 0.1) - 0.45, 0))
    return bank(x, z) + (gravel + rocks) * (1 - 0.75 * meadow(x, z))


def depth_map(height: Field, steps: Array) -> Array:
    """Where each pixel's ray meets the land: columns rise front to back and hide what is behind."""
    slope = ((np.arange(W) + 0.5) - W / 2) / FOCAL
    depth = np.full((H, W), np.inf, np.float32)
    top, before, z0 = np.full(W, H), np.full(W, float(H)), steps[0]
    for z in steps:
        row = HORIZON - (height(slope * z, np.full(W, z)) - EYE) / z * FOCAL
        first = np.ceil(row).clip(0, H).astype(int)
        run = np.maximum(top - first, 0)
        column = np.repeat(np.arange(W), run)
        line = top[column] - 1 - np.arange(len(column)) + np.repeat(np.cumsum(run) - run, run)
        part = (before[column] - line) / np.maximum(before[column] - row[column], 1e-6)
        depth[line, column] = z0 + (z - z0) * np.clip(part, 0, 1)
        top, before, z0 = np.minimum(top, first), row, z
    return depth


def light(height: Field, x: Array, z: Array, reach: float, eps: Array) -> tuple[Array, Array]:
    """Sunlight that arrives (cosine times shadow), and how open the sky is above."""
    y = height(x, z)
    dx, dz = (height(x + eps, z) - y) / eps, (height(x, z + eps) - y) / eps
    facing = (SUN[1] - dx * SUN[0] - dz * SUN[2]) / np.sqrt(1 + dx * dx + dz * dz)
    free = np.ones_like(y)
    for t in reach * np.geomspace(0.02, 1, 9):
        above = height(x + SUN[0] * t, z + SUN[2] * t) - y - SUN[1] * t
        free = np.minimum(free, 1 - smooth(-0.02 * t, 0.04 * t, above))
    return np.maximum(facing, 0) * free, 1 / np.sqrt(1 + 0.6 * (dx * dx + dz * dz))


def haze(colour: Array, x: Array, y: Array, z: Array) -> Array:
    """Air: thin above, a little mist on the water."""
    seen = np.exp(-z / 15000 - z / 5200 * np.exp(-np.maximum(y, 0) / 90))
    air = clear_sky(x / z, 0.02 + 0 * x) * np.float32([0.62, 0.68, 0.80])
    return mix(air, colour, seen)


def add_far_land(picture: Array) -> None:
    depth = depth_map(far_land, np.geomspace(380, 24000, 1700))
    rows, cols = np.nonzero(np.isfinite(depth))
    z = depth[rows, cols]
    x, y = (cols + 0.5 - W / 2) / FOCAL * z, EYE + (HORIZON - rows) / FOCAL * z
    rows, cols, x, y, z = (a[y > 0] for a in (rows, cols, x, y, z))
    sun, open_sky = light(far_land, x, z, 1500, np.maximum(1.0, z / 1200))
    wood, kind = forest(x, z) * (y < 700), sample(TREE_NAMES, x / 330, z / 330)
    grass = mix([0.17, 0.15, 0.05], [0.09, 0.11, 0.035], smooth(-1, 1, sample(ROUGH, x / 700, z / 700)))
    rock = mix(grass, [0.19, 0.165, 0.15], smooth(250, 800, y + 130 * sample(ROUGH, x / 900, z / 900)))
    albedo = mix(rock, mix([0.022, 0.042, 0.018], [0.085, 0.085, 0.02], kind**2), wood)
    colour = albedo * (SUNLIGHT * sun[:, None] + SKYLIGHT * open_sky[:, None])
    picture[rows, cols] = haze(colour, x, y, z)


def add_water(picture: Array, where: Array) -> None:
    """The picture above, mirrored in ripples: several of them share a pixel, so several are averaged."""
    rows, cols = np.nonzero(where)
    down, across = (rows + 0.5 - HORIZON) / FOCAL, (cols + 0.5 - W / 2) / FOCAL
    z = EYE / down
    colour = np.zeros((len(rows), 3), np.float32)
    for _ in range(TAPS):
        pz = z + (rng.random(len(z)) - 0.5) * z * z / (EYE * FOCAL) * 1.5
        px = across * pz
        wind = 0.25 + smooth(-0.8, 1.6, sample(SOFT, px / 170 + 0.2, pz / 330))
        slope = wind * (0.020 * sample(SOFT, px / 21, pz / 7) + 0.017 * sample(ROUGH, px / 6, pz / 3.4))
        tilt = wind * 0.03 * sample(ROUGH, px / 5 + 0.5, pz / 5)
        steep = np.maximum(down + slope, 0.002)
        up, side = np.abs(down + 2 * slope), across - 2 * steep * tilt - 0.05 * tilt
        line = np.abs(HORIZON - up * FOCAL).clip(0, HORIZON - 1).astype(int)
        mirror = picture[line, (side * FOCAL + W / 2).clip(0, W - 1).astype(int)]
        sparkle = np.exp(-(((side + 0.5) / 0.24) ** 2) - ((up - 0.24) / 0.05) ** 2)
        fresnel = 0.02 + 0.98 * (1 - np.minimum(steep, 1)) ** 5
        colour += mirror * fresnel[:, None] * 0.9 + SUNLIGHT * (sparkle * 2.5)[:, None]
    depth = -bank(across * z, z)
    body = mix([0.10, 0.085, 0.05], [0.012, 0.035, 0.038], smooth(0, 0.5, depth))
    picture[rows, cols] = colour / TAPS + body * 0.6


def add_near_land(picture: Array) -> None:
    """Water up to the near bank, then gravel, wet at its edge."""
    depth = depth_map(near_land, np.geomspace(2.4, 14, 2600))
    lines = np.arange(H)[:, None]
    height = EYE + (HORIZON - lines) / FOCAL * np.where(np.isfinite(depth), depth, 0)
    land = np.isfinite(depth) & (height > 0)
    add_water(picture, ~land & (lines > HORIZON + 2))
    rows, cols = np.nonzero(land)
    z, y = depth[land], height[land]
    x = (cols + 0.5 - W / 2) / FOCAL * z
    sun, open_sky = light(near_land, x, z, 0.5, 0.0015 * z)
    name = np.where(sample(STONES, x / 0.8, z / 0.8) > 0.02, sample(STONE_NAMES, x / 0.8, z / 0.8), 0.3)
    stone = mix([0.10, 0.085, 0.07], [0.36, 0.33, 0.30], name) * np.exp(0.2 * sample(ROUGH, x, z))[:, None]
    soil = mix([0.035, 0.03, 0.015], [0.09, 0.075, 0.03], smooth(-1, 1, sample(ROUGH, x / 2, z / 2)))
    wet = 1 - smooth(0.02, 0.12, y + 0.015 * sample(ROUGH, x / 3, z / 3))
    albedo = mix(stone, soil, meadow(x, z)) * (1 - 0.62 * wet)[:, None]
    sun = sun * sign_shadow(x, z) * (1 - 0.6 * smooth(-0.2, 0.5, sample(SOFT, x / 4, z / 4) - 0.25 * x - 0.5))
    lit = albedo * (SUNLIGHT * sun[:, None] + SKYLIGHT * open_sky[:, None])
    picture[rows, cols] = lit + SKYLIGHT * (wet * 0.12 * open_sky**3)[:, None]


# -- the sign ---------------------------------------------------------------------------------------

POST, TURN = np.array([1.12, 0.0, 4.55]), 0.42  # the boards look a little to the left
BOARDS = (("SLIC", 1.78, 0.66, -0.55), ("ORIGINAL", 1.43, 0.72, -0.70))  # text, height, right end, left end


def sign_shadow(x: Array, z: Array) -> Array:
    """The post's shadow, softer with distance, as the sun has a size."""
    along = ((x - POST[0]) * -SUN[0] + (z - POST[2]) * -SUN[2]) / np.hypot(SUN[0], SUN[2])
    aside = ((x - POST[0]) * SUN[2] - (z - POST[2]) * SUN[0]) / np.hypot(SUN[0], SUN[2])
    soft = 0.015 + 0.02 * np.maximum(along, 0)
    return 1 - (along > 0) * (1 - smooth(0.05 - soft, 0.05 + soft, np.abs(aside)))


def lettering(text: str) -> Array:
    font = ImageFont.load_default(400)
    box = font.getbbox(text)
    image = Image.new("L", (box[2] - box[0], box[3] - box[1]))
    ImageDraw.Draw(image).text((-box[0], -box[1]), text, 255, font)
    return np.asarray(image, np.float32) / 255


def grain(u: Array, v: Array) -> Array:
    """Weathered wood: year rings cut lengthwise, bent round a knot, and fibres."""
    knot = 0.035 * np.exp(-(((u - 0.34) / 0.10) ** 2) - ((v % 0.35 - 0.2) / 0.05) ** 2)
    bend = v + knot + 0.012 * sample(SOFT, u / 3, v * 2)
    return 0.55 * np.sin(190 * bend + 3 * sample(SOFT, u / 2, v)) + 0.6 * sample(FIBRE, u / 2.2, bend / 1.1)


def timber(u: Array, v: Array, sunlit: Array) -> Array:
    """Grey-brown wood in grazing sun, which makes its relief show."""
    relief = grain(u, v) - grain(u + 0.002, v - 0.003)
    old = mix([0.10, 0.062, 0.036], [0.30, 0.215, 0.145], smooth(-1.6, 1.6, grain(u, v)))
    return old * (SUNLIGHT * (sunlit * np.clip(0.42 + 0.20 * relief, 0.04, 1))[:, None] + SKYLIGHT)


def board(u: Array, v: Array, text: str, left: float, right: float) -> tuple[Array, Array]:
    """One board in its own coordinates (v up from its middle): colour and coverage."""
    edge = 0.004 * sample(ROUGH, u / 1.5, v)
    inside = (np.abs(v) < 0.145 + edge) & (u > left + edge) & (u < right - 0.6 * np.abs(v) + edge)
    colour = timber(u, v + 0.35 * len(text), 1 - 0.0 * u)
    letters = lettering(text)
    high = 0.155
    wide = high * letters.shape[1] / letters.shape[0]
    row, col = (0.5 - v / high) * letters.shape[0], ((u - (left + right - 0.08) / 2) / wide + 0.5) * letters.shape[1]
    within = (row >= 0) & (row < letters.shape[0]) & (col >= 0) & (col < letters.shape[1])
    ink = within * letters[row.astype(int).clip(0, len(letters) - 1), col.astype(int).clip(0, letters.shape[1] - 1)]
    worn = ink * (0.94 * smooth(-2.3, -1.2, grain(u, v + 0.35 * len(text)) + 0.5 * sample(ROUGH, u * 2, v * 2)))
    paint = timber(u, v + 0.35 * len(text), 1) * 0.5 + np.float32([0.84, 0.80, 0.70]) * (SUNLIGHT * 0.30 + SKYLIGHT * 0.6)
    colour = mix(colour, 0 * colour, 0 * u) * (1 - worn[:, None]) + paint * worn[:, None]
    for nail_v in (-0.085, 0.085):
        near = np.hypot(u + 0.02, v - nail_v) / 0.011
        rust = np.exp(-(((u + 0.02) / 0.010) ** 2)) * smooth(0.09, 0, nail_v - v) * (v < nail_v)
        colour *= 1 - np.float32([0.35, 0.5, 0.6]) * rust[:, None]
        head = 0.10 + 0.5 * np.exp(-((u + 0.024) ** 2 + (v - nail_v - 0.004) ** 2) / 1.2e-5)
        colour = np.where((near < 1)[:, None], head[:, None] * (SKYLIGHT + 0.5 * SUNLIGHT), colour)
    bevel = smooth(0.012, 0, 0.145 - v) * 0.9 - smooth(0.02, 0, v + 0.145) * 0.6
    return colour * (1 + bevel[:, None]), inside
