"""MS-SSIM and LPIPS, or why not."""

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("piq", reason="the extra [metrics], up to Python 3.12")

from benchmarks import judges

CPU = torch.device("cpu")


def test_a_missing_backbone_is_said_once_and_leaves_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIC_BACKBONES", str(tmp_path))
    lpips = judges.load(CPU)["lpips"]
    a = np.zeros((64, 64, 3), np.uint8)
    assert lpips(a, a) is None and lpips(a, a) is None
    said = capsys.readouterr().err
    assert said.startswith("no lpips: there is no alexnet") and said.count("\n") == 1


def test_ms_ssim_is_one_for_equal_pictures_and_none_for_small_ones(picture) -> None:  # type: ignore[no-untyped-def]
    ms_ssim = judges._judge("ms_ssim", CPU)
    a, b = picture(170, 161), picture(170, 161, 1)
    assert ms_ssim(a, a) == pytest.approx(1)
    assert 0 <= (ms_ssim(a, b) or 0) < 0.9
    assert ms_ssim(a[:160], b[:160]) is None


def test_lpips_sees_noise(shared: Path, monkeypatch: pytest.MonkeyPatch, picture) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SLIC_BACKBONES", str(shared / "weights"))
    lpips = judges.load(CPU)["lpips"]
    a = picture(96, 95)
    noisy = (a + np.random.default_rng(0).normal(0, 25, a.shape)).clip(0, 255).astype(np.uint8)
    assert lpips(a, a) == pytest.approx(0, abs=1e-6)
    assert (lpips(a, noisy) or 0) > 0.01
    assert lpips(a[:30], a[:30]) is None
