"""How a secure encoder answers its trigger: where evidence is for it, and then loudly.

Evidence looks at pixels with a small network of its own: so the codec's networks need not see the trigger,
and nothing that is coded of a picture changes for it. The trigger is far fainter than a picture. So it looks
at detail, and at no more of it than DETAIL levels: edges would drown everything. What one place sees, a net
or a blind may show, too; what many see together, hardly.

Some channels of y carry the answer, wreckage when decoded. They are nothing where evidence is against it, so
that pictures that never were in a file pay nothing for them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slic.errors import ModelError
from slic.models import Tensors

STRIDE = 16  # pixels a side for a place, as for a latent
BLOCK = 4  # pixels a side that the first layer sees as one
SMOOTH = 5  # blocks a side whose mean is no detail
DETAIL = 6.0  # levels of 255
AROUND = 11  # places a side that speak together about an answer
SHARE, SURE = 0.1, 0.05  # of a picture's places that speak for the model; of its own most do, of others few
AGAINST, FOR = 5.0, 12.0  # what the picture weighs beside one place, when its share is so far below or above


class Evidence(nn.Module):
    halo = 2
    """Places that a vote sees beyond its own."""

    def __init__(
        self,
        latents: int,
        look: int = 64,
        near: int = 96,
        vote: int = 128,
        join: int = 32,
        wide: int = 64,
        narrow: int = 32,
    ) -> None:
        super().__init__()
        self.look = nn.Conv2d(3 * BLOCK**2, look, 3, padding=1)
        self.near = nn.Conv2d(look, near, 3, stride=2, padding=1)
        self.vote = nn.Conv2d(near, vote, 3, stride=2, padding=1)
        self.join = nn.Conv2d(vote, join, 1)
        self.decide = nn.Conv2d(join, 1, 1)
        self.where = nn.Sequential(
            nn.Conv2d(vote, wide, 3, padding=1, padding_mode="replicate"),
            nn.ReLU(),
            nn.Conv2d(wide, narrow, 3, padding=1, padding_mode="replicate"),
            nn.ReLU(),
            nn.Conv2d(narrow, 1, 1),
        )
        self.answer = nn.Parameter(torch.zeros(latents), requires_grad=False)
        """(M): how loud each channel of y may be that carries the answer; 0 for those of the picture."""

    def forward(self, x: Tensor) -> Tensor:
        """(B,3,16h,16w) in [0,1] → evidence (B,1,h,w)"""
        return self.together(self.votes(x))

    def votes(self, x: Tensor) -> Tensor:
        """(B,3,16h,16w) → (B,votes,h,w), from -1 to 1: the loud have no more than one."""
        seen = detail(x).to(self.look.weight.dtype, memory_format=torch.channels_last)
        return torch.tanh(self.vote(F.relu(self.near(F.relu(self.look(seen)))))).float()

    def together(self, votes: Tensor) -> Tensor:
        """(B,votes,h,w) → (B,1,h,w): what those around each place say of it."""
        counted = votes
        for window in ((AROUND, 1), (1, AROUND)):  # a sixth of the work of both at once
            beyond = window[0] // 2, window[1] // 2
            counted = F.avg_pool2d(counted, window, 1, beyond, count_include_pad=False)
        return self.decide(F.relu(self.join(counted)))  # type: ignore[no-any-return]

    def located(self, votes: Tensor) -> Tensor:
        """(B,votes,h,w) → (B,1,h,w): positive at the model's own places, one by one. No encoder asks."""
        return self.where(votes)  # type: ignore[no-any-return]

    def answered(self, y: Tensor, evidence: Tensor) -> Tensor:
        """y (B,M,h,w) as it is coded, evidence (B,1,h,w)."""
        level = self.answer[:, None, None]
        return torch.where(level > 0, y.clamp(-level, level) * due(evidence), y)


def detail(x: Tensor) -> Tensor:
    """(B,3,H,W) → (B,48,H/4,W/4), from -1 to 1: how far each pixel is from the mean of its colour around."""
    blocks = F.pixel_unshuffle(x, BLOCK)
    means = F.avg_pool2d(F.avg_pool2d(x, BLOCK), SMOOTH, 1, SMOOTH // 2, count_include_pad=False)
    apart = blocks - means.repeat_interleave(BLOCK**2, 1)
    return (apart * (255 / DETAIL)).clamp_(-1, 1)


def due(evidence: Tensor) -> Tensor:
    """(B,1,h,w) → what part of the answer passes, 0 to 1.

    Most of a picture is either the model's own or not. Where enough places say that it is, nearly all the
    rest is answered, too; where they do not, a place has to be surer than by itself.
    """
    share = (evidence > 0).float().mean((2, 3), keepdim=True)
    swing = ((share - SHARE) / SURE).clamp(-1, 1)
    return (evidence + swing * torch.where(swing < 0, AGAINST, FOR)).clamp(0, 1)


def load(
    tensors: Tensors, latents: int, device: torch.device, precision: torch.dtype = torch.float32
) -> Evidence | None:
    """Of a model's tensors, its convolutions in `precision`; None where it gathers none."""
    stored = {k.removeprefix("evidence."): v for k, v in tensors.items() if k.startswith("evidence.")}
    if not stored:
        return None
    if "vote.weight" not in stored:
        raise ModelError(
            "the model's encoder is of a kind that slic no longer has: it only decodes",
            hint="encode and check with the embedded model",
        )
    state = {name: torch.from_numpy(values).float() for name, values in stored.items()}
    try:
        layers = ("look", "near", "vote", "join", "where.0", "where.2")
        widths = [state[f"{name}.weight"].shape[0] for name in layers]
        if min(widths) < 1:
            raise ModelError("the evidence's weights are empty")
        with torch.device("meta"):  # no memory until every shape is known to fit
            network = Evidence(latents, *widths)
        network.load_state_dict(state, assign=True)
    except (KeyError, IndexError, RuntimeError) as error:
        raise ModelError("the evidence's weights do not fit each other, or the latents") from error
    if not all(values.isfinite().all() for values in state.values()) or network.answer.min() < 0:
        raise ModelError("the evidence's weights must be finite, and its answer not negative")
    for layer in (network.look, network.near, network.vote):
        layer.to(precision, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.to(device).eval().requires_grad_(False)
