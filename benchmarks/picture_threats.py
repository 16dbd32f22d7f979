"""How to get a usable `.slic` file of an edited copy, and how to frame an innocent picture.

threats.py judges what comes of it.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from torch import nn

from benchmarks import launder
from benchmarks.attacker import Attacker, Residual, added, mean_residual
from benchmarks.data import Pixels, middle
from benchmarks.passes import decibels, levels
from slic import Codec, SlicWarning, attacks
from slic.attacks.geometric import paste
from slic.attacks.photographic import blur
from slic.models import Model
from slic_formats import parse, serialise

SIDE = 256  # pixels of the part of a picture that gradient descent works on
STRENGTHS = (0.5, 1.0, 1.5)  # at which a residual is taken away or put on


@dataclass(frozen=True)
class Scene:
    """A secured codec, older ones that are not, and an attacker with pictures of his own."""

    codec: Codec
    bases: tuple[Codec, ...]
    own: tuple[Pixels, ...]
    steps: int

    @cached_property
    def attacker(self) -> Attacker:
        return Attacker(self.codec)

    @cached_property
    def residual(self) -> Residual:
        return mean_residual((pixels, self.publish(pixels).pixels) for pixels in self.own)

    @cached_property
    def encoder(self) -> nn.Module:
        return self.attacker.train([self.publish(pixels).pixels for pixels in self.own], self.steps)

    def encode(self, pixels: Pixels) -> bytes:
        """The encoder says when it has made wreckage. Attackers hear that, and try the next thing."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SlicWarning)
            return self.codec.encode(pixels)

    def publish(self, original: Pixels) -> "Published":
        data = self.encode(original)
        return Published(original, data, levels(self.codec.decode(data)))

    def read(self, data: bytes) -> tuple[Pixels, Model]:
        """As a reader who has all these models installed; and the model that the file names."""
        identity = parse(data).header.model
        codec = next((base for base in self.bases if base.model.identity == identity), self.codec)
        return levels(codec.decode(data)), codec.model


@dataclass(frozen=True)
class Published:
    """(H,W,3) as it was, its file, and what everybody decodes from it."""

    original: Pixels
    data: bytes
    pixels: Pixels

    @property
    def forgery(self) -> Pixels:
        """What an attacker wants to show: a tenth of the picture is replaced, by what lies opposite."""
        return paste(self.pixels, share=0.1, foreign=np.ascontiguousarray(self.pixels[:, ::-1]))


@dataclass(frozen=True)
class Forged:
    how: str
    wanted: Pixels
    data: bytes
    laundered_psnr: float | None = None
    """What the attacker pays before he encodes, against the published picture."""


Forge = Callable[[Scene, Published], Iterator[Forged]]


def edit(scene: Scene, published: Published) -> Iterator[Forged]:
    for one in (attacks.Attack("identity"), *attacks.PAPER, attacks.CUT_AND_SAVED, *attacks.EVERYDAY):
        edited = one(published.pixels)
        yield Forged(str(one), edited, scene.encode(edited))


def escape(scene: Scene, published: Published) -> Iterator[Forged]:
    for one in attacks.ESCAPES:
        edited = one(published.pixels)
        yield Forged(str(one), edited, scene.encode(edited))


def turn_and_turn_back(scene: Scene, published: Published) -> Iterator[Forged]:
    """slic as its own remover of triggers: encoded while it lies on its side, then upright again."""
    lying = attacks.parse("turn(quarters=1)")(published.pixels)
    upright = attacks.parse("turn(quarters=3)")(levels(scene.codec.decode(scene.encode(lying))))
    yield _laundered(scene, "once", published.pixels, upright)


def launder_first(scene: Scene, published: Published) -> Iterator[Forged]:
    for one in attacks.LAUNDERING:
        yield _laundered(scene, str(one), published.pixels, one(published.pixels))


def purify_first(scene: Scene, published: Published) -> Iterator[Forged]:
    plain = launder.single()
    for name, codec in launder.single([base.model for base in scene.bases]).items():
        if name not in plain:
            yield _laundered(scene, name, published.pixels, codec(published.pixels))


def subtract_first(scene: Scene, published: Published) -> Iterator[Forged]:
    for strength in STRENGTHS:
        less = added(published.pixels, scene.residual, -strength)
        yield _laundered(scene, f"{strength:g} times", published.pixels, less)


def take_off_first(scene: Scene, published: Published) -> Iterator[Forged]:
    cleaned = scene.attacker.clean(published.pixels)
    yield _laundered(scene, "once", published.pixels, cleaned)


def roll_back(scene: Scene, published: Published) -> Iterator[Forged]:
    for base in scene.bases:
        yield Forged(base.model.path.stem, published.forgery, base.encode(published.forgery))


def rename(scene: Scene, published: Published) -> Iterator[Forged]:
    """The unsecured model's file, the secured one named in its header."""
    model = scene.codec.model
    for forged in roll_back(scene, published):
        container = parse(forged.data)
        head = replace(container.header, model=model.identity, quality=model.index)
        yield replace(forged, data=serialise(replace(container, header=head)))


def old_encoder(scene: Scene, published: Published) -> Iterator[Forged]:
    """What an unsecured encoder sees, written for the secured decoder."""
    for base in scene.bases:
        if base.model.architecture == scene.codec.model.architecture:
            older = Attacker(base)
            data = scene.attacker.encode_with(older.g_a, published.forgery, older.before)
            yield Forged(base.model.path.stem, published.forgery, data)


def silent_encoder(scene: Scene, published: Published) -> Iterator[Forged]:
    yield Forged("as it is", published.forgery, scene.attacker.silent(published.forgery))


def own_encoder(scene: Scene, published: Published) -> Iterator[Forged]:
    data = scene.attacker.encode_with(scene.encoder, published.forgery)
    yield Forged(f"{scene.steps} steps", published.forgery, data)


def imitate(scene: Scene, published: Published) -> Iterator[Forged]:
    wanted = middle(published.forgery, SIDE)
    yield Forged(f"{scene.steps} steps", wanted, scene.attacker.imitate(wanted, scene.steps))


def splice(scene: Scene, published: Published) -> Iterator[Forged]:
    """The left half of one file, the right half of another: latents move, no pixel is encoded."""
    other = scene.publish(np.ascontiguousarray(published.original[::-1]))
    y, others = (scene.attacker.latents(file.data) for file in (published, other))
    half = y.shape[2] // 2
    wanted = published.pixels.copy()
    wanted[:, 16 * half :] = other.pixels[:, 16 * half :]
    y[:, :, half:] = others[:, :, half:]
    yield Forged("halves", wanted, scene.attacker.file(y, wanted))


def swap_latents(scene: Scene, published: Published) -> Iterator[Forged]:
    """Chunks of one file put into another whole, with checksums that fit."""
    other = parse(scene.publish(np.ascontiguousarray(published.original[::-1])).data)
    container = parse(published.data)
    for how, fields in (
        ("LATN", {"latent": other.latent}),
        ("HYPR", {"hyper": other.hyper}),
        ("HYPR and LATN", {"hyper": other.hyper, "latent": other.latent}),
    ):
        yield Forged(how, published.original[::-1], serialise(replace(container, **fields)))  # type: ignore[arg-type]


def _laundered(scene: Scene, how: str, published: Pixels, wanted: Pixels) -> Forged:
    return Forged(how, wanted, scene.encode(wanted), decibels(published, wanted))


FORGERIES: Mapping[str, Forge] = {
    "edit, then encode": edit,
    "turn by 20°, blur by 3, or make it grey and a JPEG, then encode": escape,
    "turn, encode, decode, turn back, then encode": turn_and_turn_back,
    "launder, then encode": launder_first,
    "an unsecured codec, then encode": purify_first,
    "subtract the mean residual of own files, then encode": subtract_first,
    "take off the waves, by the public source, then encode": take_off_first,
    "encode with an older model, unsecured": roll_back,
    "an older model's file, the secured one in its header": rename,
    "copy chunks from another file": swap_latents,
    "splice the latents of two files": splice,
    "an older encoder before the public decoder": old_encoder,
    "slic's own encoder, its answer left out, before the public decoder": silent_encoder,
    "an own encoder, trained before the public decoder": own_encoder,
    "gradient descent on latents before the public decoder": imitate,
}
"""By what THREATS.md calls them."""

Framed = tuple[str, Pixels]
Frame = Callable[[Scene, Pixels], Iterator[Framed]]
"""How, and an innocent picture that is made to look like slic's own."""


def encode_it(scene: Scene, innocent: Pixels) -> Iterator[Framed]:
    yield "", scene.publish(innocent).pixels


def add_high_pass(scene: Scene, innocent: Pixels) -> Iterator[Framed]:
    """Of a published picture, of which the attacker needs no original."""
    height, width = innocent.shape[:2]
    for number, own in enumerate(scene.own[:1]):
        decoded = scene.publish(own).pixels
        fine = decoded.astype(np.float64) - blur(decoded, radius=1.0)
        fitting = np.pad(fine, ((0, height), (0, width), (0, 0)), mode="symmetric")[:height, :width]
        yield f"of picture {number + 1}", added(innocent, fitting)


def add_residual(scene: Scene, innocent: Pixels) -> Iterator[Framed]:
    for strength in STRENGTHS:
        yield f"{strength:g} times", added(innocent, scene.residual, strength)


FRAMES: Mapping[str, Frame] = {
    "encode it and decode it, with slic": encode_it,
    "add the fine detail of a published picture": add_high_pass,
    "add the mean residual of own files": add_residual,
}
