"""The lean networks equal CompressAI's, and see no further than they say."""

import pytest
import tiny
import torch

from slic import transforms
from slic.errors import ModelError
from slic.transforms import ARCHITECTURES, HALO, Transforms

CPU = torch.device("cpu")


def lean(architecture: str) -> Transforms:
    return Transforms(architecture, tiny.state(architecture), CPU, torch.float32)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@torch.no_grad()
def test_equal_to_compressai(architecture: str) -> None:
    pytest.importorskip("compressai", reason="compressai comes with the extra [train], up to Python 3.12")
    from compressai.zoo.image import model_architectures

    cls = model_architectures[architecture]
    net = cls(tiny.N) if architecture.startswith("cheng") else cls(tiny.N, tiny.M)
    state = tiny.state(architecture)
    for name, parameter in net.named_parameters():
        parameter.copy_(state[name])
    x = torch.rand(2, 3, 80, 112, generator=torch.Generator().manual_seed(1))
    ours = lean(architecture)
    y = net.g_a(x)
    z = net.h_a(y.abs() if architecture == "bmshj2018-hyperprior" else y)
    for got, wanted in ((ours.analyse(x), y), (ours.analyse_hyper(y), z), (ours.synthesise(y), net.g_s(y))):
        assert (got - wanted).abs().max() < 2e-5 * wanted.abs().max()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_analysis_sees_no_further_than_its_halo(architecture: str) -> None:
    ours, place, halo = lean(architecture), 12, HALO[architecture][0]
    x = torch.zeros(1, 3, 16 * 25, 16 * 25)
    quiet = ours.analyse(x)
    x[..., 16 * place : 16 * (place + 1), 16 * place : 16 * (place + 1)] = 50
    rows = ((ours.analyse(x) - quiet).abs().sum(1)[0] > 0).nonzero()
    assert (rows - place).abs().max() <= halo


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_synthesis_sees_no_further_than_its_halo(architecture: str) -> None:
    ours, place, halo = lean(architecture), 14, HALO[architecture][1]
    y = torch.zeros(1, transforms.sizes(architecture, tiny.state(architecture))[1], 29, 29)
    quiet = ours.synthesise(y)
    y[..., place, place] = 100
    pixels = ((ours.synthesise(y) - quiet).abs().sum(1)[0] > 0).nonzero()
    assert ((pixels // 16) - place).abs().max() <= halo


def test_missing_weights_are_named() -> None:
    state = tiny.state("mbt2018")
    del state["g_s.2.weight"]
    with pytest.raises(ModelError, match=r"weights g_s\.2\.weight are missing or of another shape"):
        Transforms("mbt2018", state, CPU, torch.float32)


def test_unknown_architecture_is_refused() -> None:
    with pytest.raises(ModelError, match="architecture vgg is unknown"):
        transforms.sizes("vgg", {})
