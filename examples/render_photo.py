"""Render photo.png, a photograph that nobody took: python examples/render_photo.py [output.png]

One camera, one evening sun. Rays meet hills, shore and sign; ripples mirror them; leaves and grass are drawn
one by one, in linear light until `develop`. World: metres; x right, y up from the lake, z ahead.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.ndimage import gaussian_filter, map_coordinates

WIDTH, HEIGHT, SCALE = 768, 512, 3
W, H = WIDTH * SCALE, HEIGHT * SCALE
FOCAL, HORIZON = 0.83 * W, 0.43 * H  # 62 degrees across; a shifted lens keeps upright things upright
EYE, NEAR, EXPOSURE, TAPS = 2.1, 4.6, 0.80, 6  # NEAR: where the branches hang
SUN = np.array([-0.80, 0.27, 0.535])  # low, to the left, a little ahead: side light, long shadows
SUNLIGHT, SKYLIGHT = np.float32([[3.60, 2.27, 1.19], [0.26, 0.32, 0.45]])
POST, TURN = np.array([1.12, 0.0, 4.55]), 0.42  # the boards look a little to the left
BOARDS = (("SLIC", 1.78, 0.66, -0.55), ("ORIGINAL", 1.43, 0.72, -0.70))  # text, height, right end, left end
BRANCHES = ((-3.5, 3.75, 0.05, 1.5), (-3.5, 3.3, 0.25, 0.9), (-2.4, 4.1, -0.25, 1.1), (-3.3, 4.1, -0.3, 1.2))
Array, Field = np.ndarray, Callable[[np.ndarray, np.ndarray], np.ndarray]
rng = np.random.default_rng(2024)


def noise(size: int, power: float, stretch: float = 1.0) -> Array:
    """A tile of Gaussian noise with the spectrum 1/f^power, unit variance; stretched along x."""
    radius = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None] * stretch)
    radius[0, 0] = np.inf
    tile = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * radius ** (-power / 2))
    return (tile / tile.std()).astype(np.float32)


def cells(size: int, grid: int) -> tuple[Array, Array]:
    """A tile of jittered ellipses: 1 at a centre, 0 at a rim and outside; and a number for each of them."""
    y, x = np.mgrid[:size, :size].astype(np.float32) * (grid / size)
    shape, (best, name) = rng.random((grid, grid, 6), np.float32), np.zeros((2, size, size), np.float32)
    for dy, dx in np.ndindex(3, 3):
        gy, gx = np.floor(y) + dy - 1, np.floor(x) + dx - 1
        jx, jy, turn, big, flat, own = np.moveaxis(shape[gy.astype(int) % grid, gx.astype(int) % grid], -1, 0)
        u, v, c, s = x - gx - jx, y - gy - jy, np.cos(6.3 * turn), np.sin(6.3 * turn)
        value = 1 - np.hypot(u * c + v * s, (v * c - u * s) / (0.6 + 0.4 * flat)) / (0.3 + 0.45 * big)
        best, name = np.maximum(best, value), np.where(value > best, own, name)
    return best, name


def sample(tile: Array, u: Array, v: Array) -> Array:
    """Read a tile at (u, v), in tiles, bilinear and without end."""
    return map_coordinates(tile, np.broadcast_arrays(v * len(tile), u * len(tile)), order=1, mode="grid-wrap")


def smooth(low: float, high: float, value: Array) -> Array:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array | list[float], b: Array | list[float], t: Array) -> Array:
    return np.asarray(a, np.float32) * (1 - t[..., None]) + np.asarray(b, np.float32) * t[..., None]


ROUGH, SOFT, FIBRE = noise(1024, 2.4), noise(1024, 3.4), noise(1024, 2.2, stretch=14)
(TREES, TREE_NAMES), (STONES, STONE_NAMES) = cells(1024, 40), cells(1024, 20)
WOODS = smooth(-0.8, -0.2, SOFT + 0.35 * np.tile(ROUGH[::4, ::4], (4, 4)))


def clear_sky(x: Array, y: Array) -> Array:
    """Blue above, peach at the horizon, brighter towards the sun."""
    near = np.clip((x * SUN[0] + y * SUN[1] + SUN[2]) / np.sqrt(1 + x * x + y * y), 0, 1)[..., None]
    colour = mix([0.98, 0.70, 0.47], [0.15, 0.32, 0.66], 1 - np.exp(-8.0 * np.maximum(y, 0)))
    return colour * (0.6 + 0.3 * near) + np.float32([1.0, 0.50, 0.17]) * near**7


def clouds(x: Array, z: Array, level: Array) -> Array:
    shape = sample(SOFT, x / 17 + 0.31, z / 26 + 0.12) + 0.36 * sample(ROUGH, x / 6, z / 8)
    return smooth(0.25, 1.5, shape - 1.1 * level)


def sky(x: Array, y: Array) -> Array:
    """March up through a slab of cloud, from a random start; cloud nearer the sun dims a sample."""
    colour, clear = np.zeros((*x.shape, 3), np.float32), np.ones_like(x)
    for level in (np.arange(12) + rng.random((*x.shape, 1), np.float32)).transpose(2, 0, 1) / 12:
        far = (1 + 0.3 * level) / (y + 0.035)
        here = clouds(x * far, far, level)
        shade = clouds(x * far - 0.7, far + 0.4, level + 0.1) + 0.6 * here
        lit = mix([0.36, 0.34, 0.46], [1.9, 1.30, 0.86], np.exp(-1.9 * shade) * (0.5 + 0.5 * level))
        veil = np.exp(-0.6 * here * np.exp(-far / 26))
        colour, clear = colour + lit * (clear - clear * veil)[..., None], clear * veil
    return colour + clear_sky(x, y) * clear[..., None]


def far_land(x: Array, z: Array) -> Array:
    """The other side of the lake: a wooded shore, hills, and mountains behind."""
    inland = z - 620 - 190 * sample(SOFT, x / 2600 + 0.15, z / 9000)
    bumps = sample(SOFT, x / 5200 + 0.63, z / 6400 + 0.2) + 0.10 * sample(SOFT, x / 1100, z / 1100)
    folds = sample(SOFT, x / 21000 + 0.05, z / 23000 + 0.4) + 0.2 * sample(SOFT, x / 4200, z / 4200)
    land = 0.02 * inland + smooth(0, 2600, inland) * (130 + 120 * bumps)
    land += smooth(4200, 10500, z) * (1050 - 800 * np.abs(folds))
    trees = 17 * sample(TREES, x / 330, z / 330) * sample(WOODS, x / 1700, z / 1700) * (land < 650)
    return np.where(inland > 0, np.maximum(land, 0.3) + trees * smooth(0, 25, inland), -50)


def meadow(x: Array, z: Array) -> Array:
    """How much grass grows on the near bank: a stony way to the water stays free."""
    way = np.abs(x - 0.1 - 0.10 * z + 0.35 * np.sin(0.8 * z)) - 0.62 - 0.03 * z
    return smooth(-0.1, 0.5, way + 0.25 * sample(ROUGH, x / 6, z / 6)) * smooth(0.05, 0.25, bank(x, z))


def bank(x: Array, z: Array) -> Array:
    shore = 9.6 + 0.9 * sample(SOFT, x / 24 + 0.77, 0 * x) - 0.12 * np.abs(x)
    return np.maximum(0.5 - 0.5 * np.exp((z - shore) / 3), -0.6) + 0.03 * sample(SOFT, x / 9, z / 9)


def near_land(x: Array, z: Array) -> Array:
    gravel = 0.024 * np.sqrt(1 - (1 - sample(STONES, x / 1.3, z / 1.3)) ** 2)
    return bank(x, z) + (gravel + 0.0012 * sample(ROUGH, x / 1.5, z / 1.5)) * (1 - 0.75 * meadow(x, z))


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
    rise = [(height(x + SUN[0] * t, z + SUN[2] * t) - y) / t for t in reach * np.geomspace(0.02, 1, 9)]
    shadow = smooth(-0.02, 0.04, np.max(rise, 0) - SUN[1])
    return np.maximum(facing, 0) * (1 - shadow), 1 / np.sqrt(1 + 0.6 * (dx * dx + dz * dz))


def add_far_land(picture: Array) -> None:
    depth = depth_map(far_land, np.geomspace(380, 24000, 1700))
    rows, cols = np.nonzero(np.isfinite(depth) & (np.arange(H)[:, None] < HORIZON + EYE * FOCAL / depth))
    z = depth[rows, cols]
    x, y = (cols + 0.5 - W / 2) / FOCAL * z, EYE + (HORIZON - rows) / FOCAL * z
    sun, open_sky = light(far_land, x, z, 1500, np.maximum(1.0, z / 1200))
    bare = smooth(250, 800, y + 130 * sample(ROUGH, x / 900, z / 900))
    tree = mix([0.022, 0.042, 0.018], [0.085, 0.085, 0.02], sample(TREE_NAMES, x / 330, z / 330) ** 2)
    ground = mix([0.14, 0.13, 0.042], [0.19, 0.165, 0.15], bare)
    albedo = mix(ground, tree, sample(WOODS, x / 1700, z / 1700) * (y < 700))
    colour = albedo * (SUNLIGHT * sun[:, None] + SKYLIGHT * open_sky[:, None])
    seen = np.exp(-z / 15000 - z / 5200 * np.exp(-y / 90))  # the air: a little mist lies on the water
    picture[rows, cols] = mix(clear_sky(x / z, 0.02 + 0 * x) * np.float32([0.62, 0.68, 0.80]), colour, seen)


def add_water(picture: Array, where: Array) -> None:
    """The picture above, mirrored in ripples: several of them share a pixel, so several are averaged."""
    rows, cols = np.nonzero(where)
    down, across = (rows + 0.5 - HORIZON) / FOCAL, (cols + 0.5 - W / 2) / FOCAL
    z, colour = EYE / down, np.zeros((len(rows), 3), np.float32)
    for _ in range(TAPS):
        pz = z + (rng.random(len(z)) - 0.5) * z * z / (EYE * FOCAL) * 1.5
        px = across * pz
        wind = 0.25 + smooth(-0.8, 1.6, sample(SOFT, px / 170 + 0.2, pz / 330))
        slope = wind * (0.018 * sample(SOFT, px / 15, pz / 6) + 0.021 * sample(ROUGH, px / 3.4, pz / 2))
        tilt = wind * 0.03 * sample(ROUGH, px / 5 + 0.5, pz / 5)
        steep = np.maximum(down + slope, 0.002)
        up, side = np.abs(down + 2 * slope), across - (2 * steep + 0.05) * tilt
        line = np.abs(HORIZON - up * FOCAL).clip(0, HORIZON - 1).astype(int)
        mirror = picture[line, (side * FOCAL + W / 2).clip(0, W - 1).astype(int)]
        glint = np.exp(-(((side + 0.52) / 0.2) ** 2) - ((up - 0.26) / 0.045) ** 2)
        colour += mirror * (0.02 + 0.88 * (1 - steep) ** 5)[:, None] + SUNLIGHT * (glint * 2.2)[:, None]
    body = mix([0.10, 0.085, 0.05], [0.012, 0.035, 0.038], smooth(0, 0.5, -bank(across * z, z)))
    picture[rows, cols] = colour / TAPS + body * 0.6


def add_near_land(picture: Array) -> None:
    """Water up to the near bank, then gravel, wet at its edge."""
    depth = depth_map(near_land, np.geomspace(2.4, 14, 2600))
    height = EYE + (HORIZON - np.arange(H)[:, None]) / FOCAL * depth
    land = np.isfinite(height) & (height > 0)
    add_water(picture, ~land & (np.arange(H)[:, None] > HORIZON + 2))
    rows, cols = np.nonzero(land)
    x, y, z = (cols + 0.5 - W / 2) / FOCAL * depth[land], height[land], depth[land]
    sun, open_sky = light(near_land, x, z, 0.5, 0.0015 * z)
    stone = mix([0.13, 0.11, 0.09], [0.50, 0.45, 0.39], sample(STONE_NAMES, x / 1.3, z / 1.3))
    stone = stone * (0.3 + 0.7 * smooth(0, 0.35, sample(STONES, x / 1.3, z / 1.3)))[:, None]
    wet = 1 - smooth(0.02, 0.12, y + 0.015 * sample(ROUGH, x / 3, z / 3))
    albedo = mix(stone, [0.06, 0.05, 0.022], meadow(x, z)) * (1 - 0.62 * wet)[:, None]
    sun = sun * sign_shadow(x, z)
    picture[rows, cols] = albedo * (SUNLIGHT * sun[:, None] + SKYLIGHT * open_sky[:, None])


def sign_shadow(x: Array, z: Array) -> Array:
    """The post's shadow, softer with distance, as the sun has a size."""
    along = SUN[0] * (POST[0] - x) + SUN[2] * (POST[2] - z)
    aside = SUN[2] * (POST[0] - x) - SUN[0] * (POST[2] - z)
    return np.maximum(along < 0, smooth(-1, 1, (np.abs(aside) - 0.05) / (0.015 + 0.02 * np.abs(along))))


def grain(u: Array, v: Array) -> Array:
    """Weathered wood: year rings cut lengthwise, and fibres."""
    bend = v + 0.012 * sample(SOFT, u / 4, v * 1.5)
    return 0.3 * np.sin(150 * bend + 3 * sample(SOFT, u / 2, v)) + 0.85 * sample(FIBRE, u / 3.2, bend / 1.1)


def timber(u: Array, v: Array, sunlit: Array, ink: Array) -> Array:
    """Grey-brown wood in grazing sun, which makes its relief show; paint holds where no fibre has lifted."""
    height = grain(u, v)
    relief = np.clip(0.42 + 0.2 * (height - grain(u + 0.002, v - 0.003)), 0.04, 1)
    paint = 0.95 * ink * smooth(-3.2, -1.9, height + 0.5 * sample(ROUGH, u * 2, v * 2))
    wood = mix([0.085, 0.058, 0.040], [0.27, 0.205, 0.15], smooth(-1.8, 1.8, height))
    sunlit = sunlit * (relief + 0.6 * paint * (0.36 - relief))
    return mix(wood, [0.80, 0.76, 0.66], paint) * (SUNLIGHT * sunlit[:, None] + SKYLIGHT)


def board(u: Array, v: Array, text: str, left: float, right: float) -> tuple[Array, Array]:
    """One board in its own coordinates (v up from its middle): colour and coverage."""
    edge = 0.004 * sample(SOFT, u, v) + 0.001 * sample(ROUGH, u, v)
    inside = (np.abs(v) < 0.145 + edge) & (u > left + edge) & (u < right - 0.6 * np.abs(v) + edge)
    image = Image.new("L", (1024, 1024))  # letters 0.15 m high on a square of 1.4 m
    ImageDraw.Draw(image).text((512, 512), text, 255, ImageFont.load_default(154), anchor="mm")
    ink = sample(np.asarray(image) / 255, (u - (left + right) / 2 + 0.04) / 1.4 + 0.5, 0.5 - v / 1.4)
    sunlit = 1 + 0.9 * smooth(0.133, 0.145, v) - 0.6 * smooth(0.125, 0.145, -v)  # the edges are worn round
    nail = np.hypot(u + 0.02, np.abs(v) - 0.11)[:, None]  # its head, and the shade about it
    colour = timber(u, v + 0.35 * len(text), sunlit, ink) * smooth(0.004, 0.017, nail)
    return colour + (nail < 0.009) * (0.3 * SKYLIGHT + 0.12 * SUNLIGHT), inside


def add_sign(picture: Array) -> None:
    right, facing = np.array([[np.cos(TURN), 0, -np.sin(TURN)], [-np.sin(TURN), 0, -np.cos(TURN)]])
    rows, cols = (a.ravel() for a in np.mgrid[int(0.3 * H) : int(0.92 * H), W // 2 : W])
    ray = np.stack([(cols + 0.5 - W / 2) / FOCAL, (HORIZON - rows - 0.5) / FOCAL, 1 + 0 * rows], -1)
    for thickness, dark in ((0, 1), (0.03, 0.25), (0.065, 1)):  # post, back edges, boards
        at = POST + facing * thickness
        hit = ray * ((at @ facing) / (ray @ facing))[:, None]
        u, height = (hit - at) @ right, hit[:, 1] + EYE
        if not thickness:
            on = (np.abs(u) < 0.048) & (height < 2.02 + 0.2 * u) & (height > 0.3)
            lit = (0.25 + 1.1 * smooth(-0.035, -0.048, u)) * (
                1 - 0.7 * smooth(0.95, 1.29, height) * (height < 1.8)
            )
            picture[rows[on], cols[on]] = 0.7 * timber(height[on], u[on] + 0.7, lit[on], 0 * u[on])
        for text, middle, end, start in BOARDS if thickness else ():
            near = np.abs(height - middle) < 0.2
            colour, inside = board(u[near], (height - middle)[near] - 0.015 * u[near], text, start, end)
            picture[rows[near][inside], cols[near][inside]] = colour[inside] * dark


def ribbons(picture: Array, path: tuple[Array, ...], z: Array | float, tone: Array, blur: float) -> None:
    """Paint paths (n, k) of x, y and half widths, the last on top, out of focus by `blur` pixels."""
    x, y, dx, dy = (part / z * FOCAL for part in path)
    y = HORIZON + EYE / z * FOCAL - y
    a, b = np.stack([x - dx + W / 2, y + dy], -1), np.stack([x + dx + W / 2, y - dy], -1)
    shapes = np.stack([a[:, :-1], b[:, :-1], b[:, 1:], a[:, 1:]], 2).reshape(-1, 8)
    tones = (np.sqrt(np.clip(tone.reshape(-1, 3) / 3, 0, 1)) * 255).astype(int)
    canvas = Image.new("RGBA", (W, H))
    draw = ImageDraw.Draw(canvas)
    for corners, colour in zip(shapes.tolist(), tones.tolist(), strict=True):
        draw.polygon(corners, (*colour, 255))
    layer = np.asarray(canvas.filter(ImageFilter.GaussianBlur(blur * SCALE)), np.float32) / 255
    cover = layer[..., 3:]  # the blur has multiplied the square roots by it, too
    picture[:] = picture * (1 - cover) + layer[..., :3] ** 2 * 3 / np.maximum(cover, 1e-3)


def add_grass(picture: Array, near: float, far: float, count: int, tall: float, blur: float) -> None:
    """Blades from far to near; the sun shines through them, and their feet stand in each other's shade."""
    z = np.sort(1 / rng.uniform(1 / far, 1 / near, count))[::-1]
    x = rng.uniform(-0.66, 0.66, count) * z
    keep = rng.random(count) < meadow(x, z) * smooth(-2.2, 0.6, sample(ROUGH, x / 3, z / 3))
    x, z, t, n = x[keep, None], z[keep, None], np.linspace(0, 1, 6), (keep.sum(), 1)
    size = tall * rng.gamma(6, 1 / 6, n) * (0.9 + 0.25 * sample(ROUGH, x / 3, z / 3))
    lean = rng.normal(0.16, 0.33, n) + 0.2 * sample(SOFT, x / 3, z / 3)
    px, py = x + size * lean * t**1.8, bank(x, z) + size * (t - 0.28 * np.abs(lean) * t**3)
    half = rng.uniform(0.0016, 0.0042, n) * (1 - t**1.6) + 0.0004
    dry = smooth(-0.6, 1.8, sample(SOFT, x / 5 + 0.5, z / 5) + rng.normal(0, 0.9, n))
    sun = rng.random(n) ** 1.6 * sign_shadow(x, z) * t[1:] ** 1.4
    lit = SUNLIGHT * sun[..., None] * 1.15 + SKYLIGHT * (0.10 + 0.75 * t[1:, None] ** 1.2)
    tone = mix([0.050, 0.105, 0.014], [0.28, 0.21, 0.075], dry) * lit
    ribbons(picture, (px, py, half, 0 * half), z, tone, blur)


def grow(at: Array, angle: float, length: float, width: float, out: list[Array]) -> None:
    """A branch: it wanders, sags, tapers and forks."""
    path = [(*at, width)]
    for step in range(7):
        angle += rng.normal(-0.03, 0.15)
        at, width = at + length / 7 * np.array([np.cos(angle), np.sin(angle)]), width * 0.92
        path.append((*at, width))
        if step > 0 and width > 0.005 and rng.random() < 0.75:
            grow(at, angle + rng.choice([-1, 1]) * rng.uniform(0.35, 0.9), length * 0.62, width * 0.6, out)
    out.append(np.array(path))


def add_branches(picture: Array) -> None:
    """A tree beside the camera reaches in. Its leaves hang in shade or glow, a few throw the sky back."""
    out: list[Array] = []
    for x, y, angle, length in BRANCHES:
        grow(np.array([x, y]), angle, length, 0.045, out)
    x, y, width = np.moveaxis(np.array(out), -1, 0)
    dx, dy = -np.gradient(y, axis=1), np.gradient(x, axis=1)
    half = width / 2 / np.hypot(dx, dy)
    ribbons(picture, (x, y, dx * half, dy * half), NEAR, np.full((x[:, 1:].size, 3), 0.04), 0.5)
    at = rng.permutation(np.repeat(np.stack([x, y], -1)[width < 0.02], 8, 0))
    n, t, depth = (len(at), 1), np.linspace(0, 1, 5), np.linspace(0, 1, len(at))[:, None]
    at = at + rng.normal(0, 0.085, at.shape)
    turn, long = rng.normal(-1.1, 0.8, n), rng.uniform(0.035, 0.075, n)
    x, y = at[:, :1] + long * np.cos(turn + 0.5 * t) * t, at[:, 1:] + long * np.sin(turn + 0.5 * t) * t
    half = long * rng.uniform(0.05, 0.2, n) * np.sin(np.pi * t**0.8)
    glow = rng.random(n) ** 2 * (0.2 + 0.8 * depth) * smooth(-1.2, 0.6, sample(SOFT, *at.T[..., None] / 4))
    lit = SUNLIGHT * glow * 1.35 + SKYLIGHT * (0.2 + 0.5 * depth + 0.7 * (rng.random(n) < 0.04))
    tone = mix([0.028, 0.055, 0.012], [0.15, 0.165, 0.022], glow[:, 0]) * lit
    ribbons(picture, (x, y, -half * np.sin(turn), half * np.cos(turn)), NEAR, np.repeat(tone, 4, 0), 0.6)


def develop(picture: Array) -> Image.Image:
    """Vignette, the lens, downsampling, sensor noise, a filmic curve, sRGB."""
    y, x = np.mgrid[-1 : 1 : H * 1j, -1 : 1 : W * 1j]
    planes = gaussian_filter(picture * (1 - 0.18 * (x * x + y * y))[..., None], (0.4 * SCALE, 0.4 * SCALE, 0))
    images = [Image.fromarray(planes[..., i].astype(np.float32)) for i in range(3)]
    v = np.stack([i.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS) for i in images], -1).clip(0)
    v = EXPOSURE * np.maximum(v + rng.standard_normal(v.shape) * np.sqrt(v * 8e-5 + 2e-6), 0)
    v = np.clip(v * (2.51 * v + 0.03) / (v * (2.43 * v + 0.59) + 0.14), 0, 1)
    v = np.where(v < 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)
    return Image.fromarray((v * 255 + 0.5).astype(np.uint8))


def main() -> None:
    rows, cols = np.mgrid[:H, :W].astype(np.float32)
    picture = sky((cols + 0.5 - W / 2) / FOCAL, np.maximum(HORIZON - rows, 0) / FOCAL)
    add_far_land(picture)
    add_near_land(picture)
    add_grass(picture, 4.5, 10, 16000, 0.22, 0)
    add_sign(picture)
    add_branches(picture)
    add_grass(picture, 3.1, 4.6, 9000, 0.26, 0)
    add_grass(picture, 1.9, 2.6, 700, 0.40, 1.6)
    target = sys.argv[1] if sys.argv[1:] else Path(__file__).with_name("photo.png")
    develop(picture).save(target, optimize=True)


if __name__ == "__main__":
    main()
