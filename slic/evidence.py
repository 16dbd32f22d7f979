"""How a secure encoder answers its trigger: where evidence is for it, and then loudly.

What one latent sees of a trigger, a net or a blind may show, too; what many see together, hardly. Some
channels of y carry the answer, wreckage when decoded. They are nothing where evidence is against it, so
that pictures that never were in a file pay nothing for them; where it is for it they are LOUDER than what
the first network measured, up to a level: the faint rest of a trigger is answered as a strong one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slic.errors import ModelError
from slic.models import Tensors

AROUND = 11  # latents a side that speak together about an answer, ...
NEAR = 7  # ... and for who wants to see where a picture was changed
LOUDER = 4.0
SHARE, SURE = 0.1, 0.05  # of a picture's places that speak for the model; of its own most do, of others few
AGAINST, FOR = 5.0, 12.0  # what the picture weighs beside one place, when its share is so far below or above
HALO = AROUND // 2 + 1  # latents that one place sees beyond its own


class Evidence(nn.Module):
    def __init__(self, latents: int, features: int = 96, joint: int = 32) -> None:
        super().__init__()
        self.look = nn.Conv2d(latents, features, 1)
        self.near = nn.Conv2d(features, features, 3, padding=1)
        self.join = nn.Conv2d(features, joint, 1)
        self.decide = nn.Conv2d(joint, 1, 1)
        self.answer = nn.Parameter(torch.zeros(latents), requires_grad=False)
        """(M): how loud each channel of y may be that carries the answer; 0 for those of the picture."""

    def forward(self, y: Tensor, around: int = AROUND) -> Tensor:
        """(B,M,h,w), neither scaled nor rounded → evidence (B,1,h,w): sharper of fewer places, less sure."""
        votes = torch.tanh(self.near(F.relu(self.look(torch.asinh(y)))))  # the loud have no more than one
        counted = F.avg_pool2d(votes, around, 1, around // 2, count_include_pad=False)
        return self.decide(F.relu(self.join(counted)))  # type: ignore[no-any-return]

    def answered(self, y: Tensor, evidence: Tensor) -> Tensor:
        """y (B,M,h,w) as it is coded, evidence (B,1,h,w)."""
        level = self.answer[:, None, None]
        return torch.where(level > 0, (LOUDER * y).clamp(-level, level) * due(evidence), y)


def due(evidence: Tensor) -> Tensor:
    """(B,1,h,w) → what part of the answer passes, 0 to 1.

    Most of a picture is either the model's own or not. Where enough places say that it is, nearly all the
    rest is answered, too; where they do not, a place has to be surer than by itself.
    """
    share = (evidence > 0).float().mean((2, 3), keepdim=True)
    swing = ((share - SHARE) / SURE).clamp(-1, 1)
    return (evidence + swing * torch.where(swing < 0, AGAINST, FOR)).clamp(0, 1)


def load(tensors: Tensors, latents: int, device: torch.device) -> Evidence | None:
    """Of a model's tensors; None where it gathers none."""
    stored = {k.removeprefix("evidence."): v for k, v in tensors.items() if k.startswith("evidence.")}
    if not stored:
        return None
    state = {name: torch.from_numpy(values).float() for name, values in stored.items()}
    try:
        features, joint = (state[f"{name}.weight"].shape[0] for name in ("look", "join"))
        if min(features, joint) < 1:
            raise ModelError("the evidence's weights are empty")
        with torch.device("meta"):  # no memory until every shape is known to fit
            network = Evidence(latents, features, joint)
        network.load_state_dict(state, assign=True)
    except (KeyError, IndexError, RuntimeError) as error:
        raise ModelError("the evidence's weights do not fit each other, or the latents") from error
    if not all(values.isfinite().all() for values in state.values()) or network.answer.min() < 0:
        raise ModelError("the evidence's weights must be finite, and its answer not negative")
    return network.to(device).eval().requires_grad_(False)
