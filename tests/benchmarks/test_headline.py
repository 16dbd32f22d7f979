"""The README's sentences follow from rows."""

from benchmarks import headline
from benchmarks.headline import fill
from benchmarks.stored import Answer


def answer(*rows: dict[str, object]) -> Answer:
    return Answer("python -m benchmarks.x --images KODAK", "f" * 32, None, list(rows))


def point(codec: str, quality: int, bpp: float, psnr: float, seconds: float) -> dict[str, object]:
    return {"codec": codec, "quality": quality, "bpp": bpp, "psnr": psnr} | {
        "encode_s": seconds, "decode_s": 2 * seconds
    }  # fmt: skip


CURVES = answer(
    point("slic", 5, 0.5, 32.0, 0.1),
    point("slic", 6, 2.0, 38.0, 0.14),
    point("webp", 75, 0.5, 31.0, 0.02),
    point("webp", 90, 1.9, 39.0, 0.036),
    {"against": "webp", "bd_rate": 12.4, "shared_db": 6.0},
    {"against": "avif", "bd_rate": -20.0, "shared_db": 6.0},
)


def test_the_table_has_a_row_a_codec_and_columns_for_what_was_measured() -> None:
    title, _, slic, webp = headline.table({"rate-distortion": CURVES}).splitlines()
    assert title == "| | PSNR at 1 bit per pixel | bytes for the same PSNR | encode, decode |"
    assert slic == "| **slic** | 35.0 dB |  | 140 ms, 280 ms |"
    assert webp == "| WebP | 35.2 dB | +12% | 36 ms, 72 ms |"


def test_second_encodes_and_edits_come_when_they_are_known() -> None:
    row = {"codec": "slic", "qualities": "6", "generation": 2, "to_first": 5.5}
    in_turn = row | {"qualities": "6 5", "to_first": 99.0}
    after = answer(edit("none", 7.0, 9.0), edit("blur", 9.0, 14.04), edit("all", 8.0, 14.04))
    known = {"rate-distortion": CURVES, "generations": answer(row, in_turn), "recompress": after}
    title, _, slic, *_, last = headline.table(known).splitlines()
    assert title.endswith("| second encode against the first |") and slic.endswith("| 5.5 dB |")
    assert "one of 1 edits, keeps 8.0 dB in the mean, 14.0 dB where it fares best; 99% of its blocks" in last
    assert "survives" not in last


def edit(name: str, mean: float, worst: float) -> dict[str, object]:
    return {"edit": name, "recompress_psnr": mean, "worst_psnr": worst, "blocks_destroyed": 0.987}


def test_an_edit_that_gets_past_the_codec_is_named() -> None:
    after = answer(edit("none", 7.0, 9.0), edit("jpeg", 32.8, 36.5), edit("all", 19.9, 36.5))
    last = headline.table({"rate-distortion": CURVES, "recompress": after}).splitlines()[-1]
    assert "keeps 7.0 dB in the mean" in last and last.endswith("**It survives** `jpeg` (32.8 dB).")


def test_compressai_is_timed_with_the_same_weights() -> None:
    rows = [
        {"precision": precision, "encode_faster": encode, "decode_faster": 4.0}
        for precision, encode in (("bf16", 3.0), ("fp32", 2.0), ("bf16", 3.4), ("bf16", 9.0))
    ]
    last = headline.table({"rate-distortion": CURVES, "speed": answer(*rows)}).splitlines()[-1]
    assert "3.4 times as long" in last and "4.0 times" in last


def test_losses_name_the_best_first() -> None:
    assert headline.losses({"rate-distortion": CURVES}) == (
        "On Kodak, slic's PSNR takes fewer bytes with AVIF (20%); more with WebP (12%)."
    )


def test_bf16_is_the_mean_and_the_worst() -> None:
    rows = answer({"image": "a", "bf16_db": -0.117}, {"image": "b", "bf16_db": 0.02})
    rows.rows.append({"image": "mean", "bf16_db": -0.0265})
    assert headline.bf16({"file-size": rows}) == ".03 dB (.12 at worst)"


def test_blocks_are_filled_on_lines_and_within_them() -> None:
    text = (
        "A <!-- measured: losses -->old<!-- /measured -->.\n<!-- measured: table -->\nold\n<!-- /measured -->"
    )
    inline, opening, *_, closing = fill(text, {"rate-distortion": CURVES}).splitlines()
    assert inline.startswith("A <!-- measured: losses -->On Kodak") and "old" not in inline
    assert (opening, closing) == ("<!-- measured: table -->", "<!-- /measured -->")
    assert fill(fill(text, {"rate-distortion": CURVES}), {}) == (
        "A <!-- measured: losses -->not measured yet<!-- /measured -->.\n"
        "<!-- measured: table -->\nnot measured yet\n<!-- /measured -->"
    )
