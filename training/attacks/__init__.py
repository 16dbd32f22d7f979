"""Differentiable twins of `slic.attacks`: the same names, parameters and strengths, on tensors.

    attacks = Attacks([{"name": "affine", "weight": 0.4, "degrees": [-12, 12]},
                       {"name": "blur+jpeg", "radius": [0.1, 2], "quality": [50, 95]}])
    attacked, names = attacks(x, generator, strength=0.5)

All that is random comes from the generator, on the CPU: a seed draws alike on every device.
"""

from training.attacks.drawing import TABLE as TABLE
from training.attacks.drawing import Attacked as Attacked
from training.attacks.mixture import Attacks as Attacks
