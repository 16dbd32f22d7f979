"""The encoder finds its trigger in copies, whatever was done to them, and in other pictures nothing like it.

Pictures are made up: noise whose power falls with frequency, as that of photographs does, and patterns.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

import slic
from slic import evidence
from slic.codec import Codec
from slic.errors import ModelError
from slic.evidence import LIMIT, LOUDER, SECTION, STRIDE, Evidence, detail
from slic.models import Model
from slic.trigger import PERIOD, Trigger
from tests import tiny

Levels = NDArray[np.uint8]
Maker = Callable[..., Levels]

LOUD = 0.7  # levels where it is as busy as 1: a little more than a low quality has
SIDE = 384
VECTORS = Path(__file__).parents[2] / "formats" / "vectors" / "decode"
OLDER = VECTORS / "tiny-bmshj2018-hyperprior-3-rates-evidence-0.safetensors"

TRIGGER = Trigger(tiny.waves(), torch.tensor([LOUD]))
EVIDENCE = Evidence(TRIGGER, torch.zeros(tiny.M), torch.device("cpu"))


def noise(height: int, width: int, seed: int = 0, *, falls: float = 1.0) -> NDArray[np.float64]:
    """(H,W,3) levels whose amplitude falls with that power of the frequency: 1 is rough, 2.5 out of focus."""
    random = np.random.default_rng(seed)
    by_frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)).clip(1e-3) ** -falls
    by_frequency[0, 0] = 0
    white = np.fft.rfft2(random.normal(size=(3, height, width)))
    white[1:] = 0.3 * white[1:] + white[:1]  # colours go together
    planes = np.fft.irfft2(white * by_frequency, (height, width))
    return 128 + 28 * (planes / planes.std((1, 2), keepdims=True).clip(1e-9)).transpose(1, 2, 0)


def rough(seed: int = 0, height: int = SIDE, width: int = SIDE) -> Levels:
    return levels(noise(height, width, seed))


def smooth(seed: int = 0, height: int = SIDE, width: int = SIDE) -> Levels:
    return levels(noise(height, width, seed, falls=2.5))


def levels(values: NDArray[np.floating]) -> Levels:
    """Of (H,W) or (H,W,3)."""
    rounded = values.round().clip(0, 255).astype(np.uint8)
    return rounded if rounded.ndim == 3 else np.repeat(rounded[..., None], 3, 2)


def marked(picture: Levels, loud: float = LOUD) -> Levels:
    """As a decoder would leave it."""
    height, width = picture.shape[:2]
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    x = torch.nn.functional.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
    left = Trigger(TRIGGER.waves, torch.tensor([loud])).left_on(x, 0, 0, 0)[0, :, :height, :width]
    return levels(left.permute(1, 2, 0).double().numpy() * 255)


def tensor(picture: Levels) -> torch.Tensor:
    return torch.from_numpy(picture.copy())


def strongest(picture: Levels) -> float:
    return float(EVIDENCE.strength(tensor(picture)).max())


def resized(picture: Levels, times: float) -> Levels:
    size = round(picture.shape[1] * times), round(picture.shape[0] * times)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def rotated(picture: Levels, degrees: float) -> Levels:
    """Against the clock."""
    image, bicubic = Image.fromarray(picture), Image.Resampling.BICUBIC
    return np.asarray(image.rotate(degrees, bicubic, expand=True, fillcolor=(128, 128, 128)))


SAME_SIZE = {
    "as it is": lambda a: a,
    "cut": lambda a: a[37:, 51:],
    "mirrored": lambda a: a[:, ::-1],
    "turned": lambda a: np.rot90(a),
    "upside down and cut": lambda a: np.rot90(a, 2)[5:-9, 3:],
    "brighter": lambda a: levels(a * 0.8 + 40.0),
    "grey": lambda a: levels(a.mean(2)),
}
OTHER_SIZE = {
    "smaller": lambda a: resized(a, 0.6),
    "larger": lambda a: resized(a, 1.5),
    "rotated": lambda a: rotated(a, 10),
    "smaller, rotated and mirrored": lambda a: rotated(resized(a, 0.8)[:, ::-1], 25),
}
MADE = {"rough": rough, "smooth": smooth}


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("edit", SAME_SIZE | OTHER_SIZE)
def test_copies_are_known_and_what_was_in_no_file_is_not(edit: str, made: str) -> None:
    change = (SAME_SIZE | OTHER_SIZE)[edit]
    for seed in (0, 1):
        picture = MADE[made](seed)
        assert strongest(change(marked(picture))) > 0, "a copy"
        assert strongest(change(picture)) <= 0, "never decoded"


@pytest.mark.parametrize("edit", SAME_SIZE)
def test_a_copy_of_the_same_size_answers_everywhere(edit: str) -> None:
    assert (EVIDENCE.strength(tensor(SAME_SIZE[edit](marked(rough())))) > 0).all()


@pytest.mark.parametrize(("times", "degrees"), [(0.6, 0), (1.5, 0), (1, 10), (0.8, 25), (1.2, 60)])
def test_size_and_angle_are_told(times: float, degrees: int) -> None:
    """But for quarter turns, which waves in step tell."""
    copy = rotated(resized(marked(rough(0, 512, 512)), times), degrees)
    _, sights = EVIDENCE.places(tensor(copy))
    best = max(sights, key=lambda sight: sight.sure)
    assert best.sure > 0
    assert best.fit.size == pytest.approx(times, rel=0.01)
    apart = (math.degrees(best.fit.angle) - degrees + 45) % 90 - 45
    assert abs(apart) < 0.6


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_sides_are_told(quarters: int, mirrored: bool) -> None:
    copy = marked(rough())
    waves = EVIDENCE.waves(tensor(np.rot90(copy[:, ::-1] if mirrored else copy, quarters)))
    assert waves.sure > evidence.IN_STEP
    assert (waves.quarters, waves.mirrored) == (quarters, mirrored)


def test_where_a_copy_was_cut_is_told() -> None:
    waves = EVIDENCE.waves(tensor(marked(rough())[130:, 45:]))
    assert divmod(waves.begins, PERIOD) == (130 - PERIOD, 45)


def _patterns() -> dict[str, Levels]:
    random, (y, x) = np.random.default_rng(0), np.mgrid[:320, :320]
    down, right, phase = tiny.waves()[0].tolist()
    sheets = {
        "flat": np.full((320, 320), 90.0),
        "black": np.zeros((320, 320)),
        "white noise": 128 + 30 * random.normal(size=(320, 320, 3)),
        "faint noise": 128 + 0.7 * random.normal(size=(320, 320)),
        "checks": 255.0 * ((x // 5 + y // 5) % 2),
        "net": 200.0 * ((x % 7 == 0) | (y % 7 == 0)),
        "blinds": 128 + 100 * np.sign(np.sin(y * 2 * np.pi / 11.3)),
        "rings": 128 + 100 * np.sin(np.hypot(x - 160, y - 160) * 0.8),
        "all frequencies": 128 + 100 * np.sin(((x - 160) ** 2 + (y - 160) ** 2) / 220),
        "bricks": 128 + 60.0 * (((y % 20) < 2) | (((x + 20 * ((y // 20) % 2)) % 40) < 2)),
        "blocks": np.kron(128 + 40 * random.normal(size=(40, 40, 3)), np.ones((8, 8, 1))),
        "one wave": 128 + 20 * np.cos(2 * np.pi / PERIOD * (down * y + right * x) + phase),
    }
    for side in (8, 16, 64):  # JPEG's, other networks', this codec's own hyper-latents'
        grid = 5 * random.normal(size=(side, side))[y % side, x % side]
        sheets[f"{side}-pixel grid"] = 128 + grid
        sheets[f"{side}-pixel grid in a picture"] = noise(320, 320) + grid[..., None]
    return {name: levels(sheet) for name, sheet in sheets.items()}


PATTERNS = _patterns()


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_are_not_taken_for_it(name: str) -> None:
    assert strongest(PATTERNS[name]) <= 0


@pytest.mark.parametrize("seed", range(2, 10))
def test_noise_is_not_taken_for_it(seed: int) -> None:
    for picture in (rough(seed), smooth(seed)):
        assert strongest(picture) <= 0


def test_a_large_picture_answers_in_its_own_half() -> None:
    picture = rough(0, 512, 2 * SECTION * STRIDE)
    half = picture.shape[1] // 2
    picture[:, :half] = marked(picture)[:, :half]
    due = (EVIDENCE.strength(tensor(picture)) > 0).numpy()
    edge, near = half // STRIDE, evidence.PART
    assert due[:, :edge].all()
    assert not due[:, edge + near :].any()


def test_a_part_answers_by_itself() -> None:
    """In a section that as a whole has next to nothing of the trigger."""
    picture, part = rough(2, 768, 768), evidence.PART
    here = np.s_[part * STRIDE : 2 * part * STRIDE, part * STRIDE : 2 * part * STRIDE]
    picture[here] = marked(picture, 0.4)[here]
    strength, sights = EVIDENCE.places(tensor(picture))
    assert all(sight.sure <= 0 for sight in sights)
    due = (strength > 0).numpy()
    assert due[part : 2 * part, part : 2 * part].all()
    assert not due[: part // 2].any() and not due[:, -(part // 2) :].any()


@pytest.mark.parametrize("edit", ["as it is", "mirrored", "turned", "cut"])
def test_the_odds_are_for_the_model_where_nothing_was_changed(edit: str) -> None:
    """A box of another picture, in any copy that has the size of what was published."""
    copy, there = marked(rough(0, 512, 512)), np.zeros((512, 512, 3), bool)
    there[160:320, 208:400] = True
    copy[there] = rough(1, 512, 512)[there]
    change = SAME_SIZE[edit]
    odds = EVIDENCE.odds(EVIDENCE.waves(tensor(change(copy))))
    changed = torch.nn.functional.avg_pool2d(tensor(change(there)[None, ..., 0]).float(), STRIDE)[0]
    odds = odds[: changed.shape[0], : changed.shape[1]]
    # One place by itself says little.
    odds, changed = (torch.nn.functional.avg_pool2d(x[None], 5, 1)[0] for x in (odds, changed))
    assert (odds[changed == 1] < 0).double().mean() > 0.9
    assert (odds[changed == 0] > 0).double().mean() > 0.9


@pytest.mark.parametrize("made", MADE)
def test_the_odds_of_a_copy_are_for_the_model_all_over(made: str) -> None:
    odds = EVIDENCE.odds(EVIDENCE.waves(tensor(marked(MADE[made]()))))
    assert (torch.nn.functional.avg_pool2d(odds[None], 5, 1) > 0).double().mean() > 0.95


def test_detail_is_what_stands_out_and_edges_count_no_more_than_a_little() -> None:
    pixels = torch.full((1, 3, 64, 64), 0.4)
    seen, usual = detail(pixels)
    assert seen.abs().max() < 1e-3 and torch.allclose(usual, torch.tensor(evidence.QUIET), atol=1e-3)
    pixels[..., 32:] = 1.0
    pixels[:, 1, 10, 10] += 0.01
    seen, usual = detail(pixels)
    assert float(seen.abs().max()) == pytest.approx(LIMIT)
    assert 0 < seen[0, 0, 10, 10] < 2, "one pixel of one colour"
    assert usual[0, 0, 32, 32] > 20 > 1 > usual[0, 0, 32, 4]


@pytest.mark.parametrize("black", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (15, 200), (200, 15), (16, 16), (63, 65)])
def test_small_pictures_have_a_value_for_each_place(size: tuple[int, int], black: bool) -> None:
    height, width = size
    picture = tensor(np.zeros((*size, 3), np.uint8) if black else marked(rough(0, height, width)))
    waves = EVIDENCE.waves(picture)
    for values in (EVIDENCE.strength(picture), EVIDENCE.odds(waves), waves.expected):
        assert values.shape == (-(-height // STRIDE), -(-width // STRIDE))
        assert values.isfinite().all()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 9))
def test_a_picture_of_any_size_has_a_value_for_each_place(height: int, width: int, seed: int) -> None:
    strength, sights = EVIDENCE.places(tensor(rough(seed, height, width)))
    assert strength.shape == (-(-height // STRIDE), -(-width // STRIDE))
    assert strength.isfinite().all() and len(sights) == 1


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("answering")
    return tiny.model("bmshj2018-hyperprior", folder, rates=3, floors=True, trigger=True)


def test_the_encoder_answers_where_it_is_due(
    answering: Model, picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the channels that answer, and only there; the others are the picture's as they are."""
    said = torch.full((6, 5), -1.0)
    said[1:3, 2:] = 0.1
    monkeypatch.setattr(Evidence, "strength", lambda self, levels: said)
    ours, level = Codec(answering, device="cpu")._engine, answering.tensors["trigger.answer"]
    whole = torch.from_numpy(picture(90, 70))[None]
    y, answered = ours._transformed(whole)[0].numpy(), ours._analyse(whole)[0].numpy()
    for channel, most in enumerate(level):
        expected = np.where(said > 0, LOUDER * y[channel].clip(-most, most), 0) if most else y[channel]
        np.testing.assert_allclose(answered[channel], expected, atol=1e-6)
    loud = answered[level > 0]
    assert np.abs(loud).max() == LOUDER * level.max() and (loud[:, said <= 0] == 0).all()


def test_what_it_decoded_is_answered_and_what_it_is_given_is_not(answering: Model, picture: Maker) -> None:
    codec = Codec(answering, quality=1, device="cpu", precision="fp32")
    original = picture(320, 320)
    decoded = np.asarray(codec.decode(codec.encode(original)))
    found = codec.evidence
    assert found is not None
    assert (found.strength(tensor(original)) <= 0).all()
    assert (found.strength(tensor(decoded)) > 0).all()
    answers = answering.tensors["trigger.answer"] > 0
    for levels_, loud in ((original, False), (decoded, True)):
        y = codec._engine._analyse(tensor(levels_)[None])[0].numpy()
        assert y[answers].any() == loud and y[~answers].any()


def test_files_decode_and_are_the_model_s_own(answering: Model, tmp_path: Path, picture: Maker) -> None:
    codec = Codec(answering, device="cpu")
    data = codec.encode(picture(90, 70))
    assert np.array_equal(np.asarray(codec.decode(data)), codec.again(picture(90, 70)))
    assert tiny.model("bmshj2018-hyperprior", tmp_path, rates=3).identity != answering.identity


def test_a_model_without_a_trigger_looks_for_none(tiny_model: Model) -> None:
    assert Codec(tiny_model, device="cpu").evidence is None


def test_a_model_of_an_earlier_kind_decodes_and_does_no_more(
    picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files name their model, and must decode for ever; with `evidence.*` its trigger was a network's."""
    assert "evidence.answer" in slic.models.open_file(OLDER).tensors
    monkeypatch.setenv("SLIC_MODELS", str(VECTORS))
    assert slic.decode(VECTORS / "bmshj2018-hyperprior-offsets.slic").size == (50, 60)
    for ask in (slic.encode, slic.check):
        with pytest.raises(ModelError, match="only decodes") as refused:
            ask(picture(80, 80), model=OLDER)
        assert "\n" not in f"{refused.value}{refused.value.hint}"


def _written(model: Model, target: Path, **changed: NDArray[np.floating] | None) -> Path:
    with safe_open(model.path, framework="numpy") as file:
        metadata = file.metadata()
    tensors = dict(model.tensors) | {f"trigger.{part}": value for part, value in changed.items()}
    save_file({name: value for name, value in tensors.items() if value is not None}, target, metadata)
    return target


EACH = "the trigger's answer must be float32, one for each latent"
BELOW = "the trigger's answer must be finite and not negative"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"answer": None}, EACH),
        ({"answer": np.zeros(tiny.M, np.float16)}, EACH),
        ({"answer": np.zeros(tiny.M + 1, np.float32)}, EACH),
        ({"answer": np.zeros((tiny.M, 1), np.float32)}, EACH),
        ({"answer": np.full(tiny.M, -1, np.float32)}, BELOW),
        ({"answer": np.full(tiny.M, np.nan, np.float32)}, BELOW),
        ({"waves": np.array([[9, 1, 0.5]], np.float32)}, "mirror"),  # a turned copy's waves would be others
    ],
)
def test_a_bad_answer_is_refused_by_encoders_alone(
    changed: dict[str, NDArray[np.floating] | None],
    reason: str,
    answering: Model,
    tmp_path: Path,
    picture: Maker,
) -> None:
    bad = _written(answering, tmp_path / "bad.safetensors", **changed)
    with pytest.raises(ModelError, match=reason):
        slic.encode(picture(20, 20), model=bad)
    y_hat = torch.zeros(1, tiny.M, 2, 2)
    assert Codec(bad, device="cpu")._engine._synthesise(y_hat, 20, 20, 1, grey=False).shape == (1, 20, 20, 3)
