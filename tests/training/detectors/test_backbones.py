"""Backbones by name: features without a head, statistics that stay, and errors of one line."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytest.importorskip("torchvision", reason="needs torchvision, which comes with the extra [train]")

from torchvision.models import get_model

from training.config import ConfigError
from training.detectors.backbones import Backbone


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("small", 32),
        ("squeezenet1_1", 512),
        ("resnet18", 512),
        ("mobilenet_v3_small", 576),
    ],
)
def test_features_of_a_picture(name: str, count: int) -> None:
    body = Backbone(name, width=4).eval()
    with torch.no_grad():
        assert body(torch.rand(2, 3, 64, 64)).shape == (2, count)


def statistics(body: nn.Module) -> list[torch.Tensor]:
    return [b.clone() for name, b in body.named_buffers() if name.endswith("running_mean")]


def test_a_side_that_a_network_cannot_take_is_said_in_a_line() -> None:
    body = Backbone("small", width=2)
    body.name, body.net.image_size = "vit_b_16", 224
    with pytest.raises(ConfigError, match=r"^vit_b_16 takes pictures of 224 pixels a side, not of 64$"):
        body(torch.rand(1, 3, 64, 64))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLIC_BACKBONES", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("pretrained", [True, False])
def test_pretrained_statistics_stay_and_others_are_learnt(pretrained: bool, folder: Path) -> None:
    torch.save(get_model("mobilenet_v3_small").state_dict(), folder / "mobilenet_v3_small.pth")
    body = Backbone("mobilenet_v3_small", pretrained=pretrained).train()
    before = statistics(body)
    body(torch.rand(4, 3, 32, 32))
    same = [torch.equal(a, b) for a, b in zip(before, statistics(body), strict=True)]
    assert all(same) if pretrained else not any(same)


def test_weights_of_the_folder_are_taken(folder: Path) -> None:
    net = get_model("squeezenet1_1")
    torch.save(net.state_dict(), folder / "squeezenet1_1.pth")
    body = Backbone("squeezenet1_1", pretrained=True)
    assert torch.equal(body.net.features[0].weight, net.features[0].weight)


@pytest.mark.parametrize("name", ["resnet1", "raft_small"])
def test_what_is_no_backbone_is_said_in_a_line(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Backbone(name)
    assert str(refused.value) == f"{name} is no backbone: neither small nor one of torchvision's classifiers"


def test_weights_that_are_missing_are_said_in_a_line(folder: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        Backbone("squeezenet1_1", pretrained=True)
    url = "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth"
    assert str(refused.value) == f"there is no squeezenet1_1-b8a52dc0.pth in {folder}; fetch it from {url}"


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    torch.save({"a": torch.zeros(1)}, folder / "squeezenet1_1.pth")
    with pytest.raises(ConfigError, match=r"^squeezenet1_1: the file found holds weights of another"):
        Backbone("squeezenet1_1", pretrained=True)


def test_a_failed_download_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*arguments: object) -> None:
        raise OSError("no route to host")

    monkeypatch.delenv("SLIC_BACKBONES", raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ConfigError, match=r"^https://.* could not be fetched \(no route to host\); "):
        Backbone("squeezenet1_1", pretrained=True)
