"""CompressAI checkpoints → model files."""

from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import save_file

from slic import convert as convert_module
from slic.convert import convert, factorised_tables, latent_tables, recognise
from slic.entropy import TOTAL
from slic.errors import ModelError
from slic.transforms import ARCHITECTURES


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_architectures_are_recognised(architecture: str) -> None:
    assert recognise(tiny.state(architecture)) == architecture


def test_what_fits_no_architecture_is_refused() -> None:
    with pytest.raises(ModelError, match="fit no architecture"):
        recognise({"a": torch.zeros(1)})


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}])
def test_checkpoints_of_torch_are_read(tmp_path: Path, wrap) -> None:  # type: ignore[no-untyped-def]
    torch.save(wrap(tiny.state("mbt2018")), tmp_path / "a.pth.tar")
    model = convert(tmp_path / "a.pth.tar", tmp_path / "b.safetensors", name="b", quality=3)
    assert (model.name, model.quality, model.architecture, model.secured) == ("b", 3, "mbt2018", False)


def test_names_of_published_checkpoints_are_read(tmp_path: Path) -> None:
    state = {
        k.replace(".matrices.", "._matrix").replace(".biases.", "._bias").replace(".factors.", "._factor"): v
        for k, v in tiny.state("bmshj2018-hyperprior").items()
    }
    assert "entropy_bottleneck._matrix0" in state
    torch.save(state, tmp_path / "old.pth")
    old = convert(tmp_path / "old.pth", tmp_path / "old.safetensors", name="a", quality=1)
    assert old.identity == tiny.model("bmshj2018-hyperprior", tmp_path).identity


def test_a_checkpoint_that_holds_code_is_refused(tmp_path: Path) -> None:
    torch.save({"x": Path("a")}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="holds no readable weights, or holds more than weights"):
        convert(tmp_path / "evil.pth", tmp_path / "b.safetensors", name="b", quality=3)
    assert not (tmp_path / "b.safetensors").exists()


def test_the_card_changes_no_identity_and_a_weight_does(tmp_path: Path) -> None:
    state = {k: v.contiguous() for k, v in tiny.state("bmshj2018-hyperprior").items()}
    save_file(state, tmp_path / "s.safetensors")
    a = convert(tmp_path / "s.safetensors", tmp_path / "a.safetensors", name="a", quality=1)
    b = convert(tmp_path / "s.safetensors", tmp_path / "b.safetensors", name="b", quality=2, card={"x": 1})
    assert a.identity == b.identity and b.card == {"x": 1}
    state["g_s.0.weight"][0, 0, 0, 0] += 0.5
    save_file(state, tmp_path / "t.safetensors")
    assert (
        convert(tmp_path / "t.safetensors", tmp_path / "c.safetensors", name="c", quality=1).identity
        != a.identity
    )


def test_tables_sum_and_spare_every_symbol() -> None:
    tensors = latent_tables()
    parts = np.split(tensors["tables.y.counts"], np.cumsum(tensors["tables.y.lengths"])[:-1])
    assert len(parts) == 64 and all(int(p.sum()) == TOTAL and p.min() >= 16 for p in parts)
    assert all(len(p) - 1 == -2 * f + 1 for p, f in zip(parts, tensors["tables.y.first"], strict=True))


def test_tables_follow_the_gaussian() -> None:
    tensors = latent_tables()
    parts = np.split(tensors["tables.y.counts"], np.cumsum(tensors["tables.y.lengths"])[:-1])
    sigma = np.exp(np.linspace(np.log(0.11), np.log(256), 64))
    for part, s in zip(parts[20:40], sigma[20:40], strict=True):
        k = np.arange(len(part) - 1) - (len(part) - 2) // 2
        assert abs((part[:-1] * k**2).sum() / TOTAL - (s**2 + 1 / 12)) < 0.01 * s**2


def test_tables_are_what_was_counted() -> None:
    counts = torch.zeros(64, 200)
    counts[9, :4] = 1e6 * torch.tensor([8.0, 1.0, 0.8, 0.2])
    counted, assumed = latent_tables(counts), latent_tables()
    parts, others = (
        np.split(t["tables.y.counts"], np.cumsum(t["tables.y.lengths"])[:-1]) for t in (counted, assumed)
    )
    middle = -int(counted["tables.y.first"][9])
    shares = parts[9] / TOTAL
    np.testing.assert_allclose(shares[middle : middle + 4], [0.8, 0.05, 0.04, 0.01], rtol=1e-3)
    np.testing.assert_array_equal(shares[: middle + 1], shares[middle:-1][::-1], "of both signs alike")
    assert all(np.array_equal(a, b) for i, (a, b) in enumerate(zip(parts, others, strict=True)) if i != 9)


def test_factorised_tables_equal_compressais() -> None:
    pytest.importorskip("compressai", reason="compressai comes with the extra [train], up to Python 3.12")
    from compressai.entropy_models import EntropyBottleneck

    state = tiny.state("bmshj2018-hyperprior")
    prior = EntropyBottleneck(tiny.N)
    prior.load_state_dict(
        {k.removeprefix("entropy_bottleneck."): v for k, v in state.items() if "entropy" in k}, strict=False
    )
    tensors = factorised_tables(state)
    parts = np.split(tensors["tables.z.counts"], np.cumsum(tensors["tables.z.lengths"])[:-1])
    for channel in range(tiny.N):
        symbols = torch.arange(-3.0, 4.0)
        values = (tensors["tables.z.medians"][channel] / 1024 + symbols).repeat(tiny.N, 1, 1)
        likelihood, _, _ = prior._likelihood(values)
        first = int(tensors["tables.z.first"][channel])
        ours = parts[channel][(symbols.int() - first).numpy()] / TOTAL
        assert np.abs(ours - likelihood[channel, 0].detach().numpy()).max() < 5e-5


def test_missing_weights_are_named(tmp_path: Path) -> None:
    state = tiny.state("mbt2018")
    del state["context_prediction.bias"]
    with pytest.raises(ModelError, match="weights of context_prediction are missing"):
        convert_module.export("mbt2018", state)
