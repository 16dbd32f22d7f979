"""Several processes as one: `torchrun --nproc-per-node N -m training.train …`.

Not DistributedDataParallel: a secure step runs the network two times before it goes backward once,
and gradients must be whole before Muon orthogonalises them. Averaging them once a step is all it takes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Team:
    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def average_gradients(self, parameters: list[nn.Parameter]) -> None:
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def add(self, counts: Tensor) -> None:
        """What all processes counted, in place."""
        if self.size > 1:
            dist.all_reduce(counts)

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        if self.size == 1:
            return flag
        vote = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(vote)
        return bool(vote.item())

    def wait(self) -> None:
        if self.size > 1:
            dist.barrier()


def alone() -> Team:
    """One process, on the GPU where there is one."""
    return Team(0, 1, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


@contextmanager
def join() -> Iterator[Team]:
    """The team that torchrun's environment names, or one process alone."""
    rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if size > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Team(rank, size, device)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
