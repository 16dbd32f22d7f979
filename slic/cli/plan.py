"""Which input becomes which output, settled before anything is written."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from slic.naming import distinct

STREAM = "-"

Takes = Callable[[str], bool]


@dataclass(frozen=True)
class Job:
    source: str
    target: str
    """A path, `-`, or nothing for a folder that may not be entered."""
    makes_folder: bool = False
    """Whether the folder that it lies in is made when it is missing."""


def files_of_slic(recursive: bool) -> Takes | None:
    """What commands that read nothing else take from folders, if they enter them."""
    return (lambda name: name.lower().endswith(".slic")) if recursive else None


def plan(inputs: tuple[str, ...], output: str | None, suffix: str, takes: Takes | None) -> list[Job]:
    """One job for each input; folders are entered when `takes` says which of their files to take."""
    folder = _folder(inputs, output)
    jobs: list[Job] = []
    for name in inputs:
        if not name:
            raise click.UsageError("an input has no name")
        if name != STREAM and os.path.isdir(name):
            jobs += _within(name, folder, suffix, takes)
        else:
            jobs.append(Job(name, _target(name, output, folder, suffix), folder is not None))
    _spare_inputs(jobs)  # first: a.slic beside a.png is an input's own output, no other's of that name
    jobs = _apart(jobs, suffix)
    _spare_inputs(jobs)
    _refuse_clashes(jobs)
    return jobs


def sources(inputs: tuple[str, ...], takes: Takes | None) -> Iterator[str]:
    """The inputs alone, for commands that write nothing."""
    for name in inputs:
        if not name:
            raise click.UsageError("an input has no name")
        if takes is not None and name != STREAM and os.path.isdir(name):
            yield from map(str, _walk(name, takes))
        else:
            yield name


def _folder(inputs: tuple[str, ...], output: str | None) -> str | None:
    """The folder that `-o` names, if it names one."""
    several = len(inputs) > 1 or any(n != STREAM and os.path.isdir(n) for n in inputs)
    if output is None:
        return None
    if output == STREAM:
        if several:
            raise click.UsageError("several inputs do not fit on standard output")
        return None
    separators = os.sep + (os.altsep or "")
    ends = output.endswith(tuple(separators))
    if (several or ends) and os.path.isfile(output.rstrip(separators)):
        raise click.UsageError(f"{output} is a file, and a folder is needed")
    if ends or os.path.isdir(output):
        return output
    return output if several else None


def _target(name: str, output: str | None, folder: str | None, suffix: str) -> str:
    if folder is None and output is not None:
        return output
    if name == STREAM:
        if folder is not None:
            raise click.UsageError("standard input has no name; -o must say which file to write")
        return STREAM
    path = Path(name).with_suffix(suffix)
    return str(path if folder is None else Path(folder, path.name))


def _within(top: str, folder: str | None, suffix: str, takes: Takes | None) -> Iterator[Job]:
    if takes is None:
        yield Job(top, "")
        return
    for path in _walk(top, takes):
        kept = path if folder is None else Path(folder, path.relative_to(top))
        yield Job(str(path), str(kept.with_suffix(suffix)), folder is not None)


def _walk(top: str, takes: Takes) -> Iterator[Path]:
    """Files below `top` in a steady order; hidden ones stay out, as they are seldom pictures."""

    def refuse(error: OSError) -> None:
        raise error  # a folder that cannot be read is not an empty one

    for here, folders, names in os.walk(top, onerror=refuse):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (Path(here, n) for n in sorted(names) if not n.startswith(".") and takes(n))


def _apart(jobs: list[Job], suffix: str) -> list[Job]:
    """Where outputs would share a name, each is called after its whole input: a.png.slic and a.jpg.slic."""
    names = distinct([(job.target, _long(job, suffix)) for job in jobs])
    return [replace(job, target=name) for job, name in zip(jobs, names, strict=True)]


def _long(job: Job, suffix: str) -> str:
    named = Path(job.source).name + suffix
    return str(Path(job.target).with_name(named)) if _is_path(job) else job.target


def _spare_inputs(jobs: list[Job]) -> None:
    """No output is an input."""
    sources = {_place(job.source): job.source for job in jobs if job.source != STREAM}
    for job in filter(_is_path, jobs):
        place = _place(job.target)
        if place == _place(job.source):
            raise click.UsageError(f"{job.source}: input and output are the same file")
        if place in sources:
            raise click.UsageError(f"{sources[place]} is an input; {job.source} cannot be written over it")


def _refuse_clashes(jobs: list[Job]) -> None:
    """No two inputs share an output."""
    seen: dict[str, str] = {}
    for job in filter(_is_path, jobs):
        place = _place(job.target)
        if place in seen:
            raise click.UsageError(f"{seen[place]} and {job.source} would both be written to {job.target}")
        seen[place] = job.source


def _is_path(job: Job) -> bool:
    return job.target not in (STREAM, "")


def _place(name: str) -> str:
    return os.path.normcase(os.path.realpath(name))
