"""Jobs on a cluster of two nodes: every input is accounted for once, whatever happens to the workers."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("ray", reason="ray comes with the extra [ray]")

import ray

from slic.codec import Codec
from slic.errors import PictureError
from slic.fleet import job
from slic.fleet.store import Store
from slic.fleet.tasks import TASKS, Encode, Options
from slic.models import Model

pytestmark = pytest.mark.filterwarnings("ignore")  # ray's own, of many kinds

ROOT = Path(__file__).parents[3]
STORE = 80 << 20  # bytes that a node holds for Ray: no less will do
Run = Callable[..., job.Summary]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    from ray.cluster_utils import Cluster

    each: dict[str, Any] = {"num_cpus": 1, "object_store_memory": STORE}
    nodes = Cluster(initialize_head=True, head_node_args=each)
    nodes.add_node(**each)
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not know the tests

    def go(task: Any, source: Path, target: Path, options: Options, **where: Any) -> job.Summary:
        chosen = {"address": nodes.address, "workers": 2, "batch": 4} | where
        return job.run(task, str(source), str(target), options, job.Cluster(**chosen))

    yield go
    ray.shutdown()
    nodes.shutdown()


@pytest.fixture
def options(tiny_model: Model) -> Options:
    return Options(model=str(tiny_model.path), device="cpu")


@pytest.fixture
def folder(tmp_path: Path, picture: Callable[..., NDArray[np.uint8]]) -> Path:
    """Twelve pictures of two sizes, and one that is none."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for seed in range(12):
        name = f"{'sub/' if seed % 3 else ''}{seed}.png"
        Image.fromarray(picture(48, 80 if seed % 2 else 64, seed)).save(folder / name)
    (folder / "none.png").write_bytes(b"no picture")
    return folder


class Dying(Encode):
    """Takes its process with it, once."""

    marker = ""

    def __call__(self, datas: list[bytes]) -> Any:
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return super().__call__(datas)
        os._exit(1)


def test_a_worker_that_dies_loses_nothing(
    run: Run, folder: Path, tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dying, "marker", str(tmp_path / "died"))
    summary = run(Dying, folder, tmp_path / "out", options)
    assert (tmp_path / "died").exists()
    assert (summary.inputs, summary.done, summary.skipped, summary.failed) == (13, 12, 0, 1)
    codec = Codec(options.model, device="cpu")
    made = {p.relative_to(tmp_path / "out"): p.read_bytes() for p in (tmp_path / "out").rglob("*.slic")}
    pictures = [p for p in folder.rglob("*.png") if p.name != "none.png"]
    assert made == {p.relative_to(folder).with_suffix(".slic"): codec.encode(p) for p in pictures}


def test_a_second_run_does_what_is_left(run: Run, folder: Path, tmp_path: Path, options: Options) -> None:
    out = tmp_path / "out"
    assert run(Encode, folder, out, options).done == 12
    (failure,) = map(json.loads, (out / ".slic-fleet/failures.jsonl").read_text().splitlines())
    assert failure == {"input": "none.png", "reason": "not a picture of a known format"}
    (out / "0.slic").write_bytes(b"damaged")
    (folder / "none.png").write_bytes((folder / "3.png").read_bytes())
    Image.fromarray(np.full((9, 9), 300, np.uint16)).save(folder / "deep.png")
    again = run(Encode, folder, out, options)
    assert (again.done, again.skipped, again.failed) == (3, 11, 0)
    assert [said["input"] for said in again.warnings] == ["deep.png"]
    assert (out / "0.slic").read_bytes().startswith(b"\x89SLIC")
    assert (out / "none.slic").read_bytes() == (out / "3.slic").read_bytes()


def test_verdicts_lie_beside_each_other_and_are_counted(
    run: Run, folder: Path, tmp_path: Path, options: Options
) -> None:
    for _ in range(2):
        summary = run(TASKS["check"], folder, tmp_path / "out", options)
        assert (summary.negative, summary.failed) == (12, 1)
    assert json.loads((tmp_path / "out/0.png.json").read_text())["finding"] == "cannot tell"


def test_more_than_the_nodes_hold_at_a_time_goes_through(run: Run, tmp_path: Path, options: Options) -> None:
    (tmp_path / "in").mkdir()
    one = tmp_path / "in/0.slic"
    one.write_bytes(os.urandom(4 << 20))
    for i in range(1, 3 * STORE // one.stat().st_size):
        os.link(one, tmp_path / f"in/{i}.slic")
    summary = run(TASKS["verify"], tmp_path / "in", tmp_path / "out", options)
    assert (summary.inputs, summary.failed) == (60, 60)


def test_nothing_to_do_is_done_at_once(run: Run, tmp_path: Path, options: Options) -> None:
    (tmp_path / "in").mkdir()
    assert run(Encode, tmp_path / "in", tmp_path / "out", options).inputs == 0


def test_a_source_that_is_not_there_is_no_empty_one(tmp_path: Path, options: Options) -> None:
    with pytest.raises(PictureError, match="gone: no such folder"):
        job.run(Encode, str(tmp_path / "gone"), str(tmp_path / "out"), options, job.Cluster())


def test_another_precision_is_other_work(options: Options) -> None:
    other = replace(options, precision="fp32")
    assert job._settings(Encode, options) != job._settings(Encode, other)


def test_who_only_fetches_files_loads_no_torch() -> None:
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    code = "import slic.fleet.job, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, check=True)


@pytest.mark.parametrize(
    ("inputs", "workers", "batch", "blocks"),
    [(1, 8, 1, 1), (6, 2, 3, 2), (640, 2, 16, 40), (10_000_000, 3200, 16, 156_250)],
)
def test_all_workers_have_a_share(inputs: int, workers: int, batch: int, blocks: int) -> None:
    assert job._portions(inputs, workers, most=16) == (batch, blocks)


def test_inputs_of_one_name_keep_their_suffixes(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "b.png"):
        (tmp_path / name).touch()
    rows = job.plan(Encode, Store.at(str(tmp_path)), Store.at(str(tmp_path / "out")))
    assert [row["output"] for row in rows] == ["a.jpg.slic", "a.png.slic", "b.slic"]


def test_a_cluster_that_nobody_named_is_not_waited_for(
    folder: Path, tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray itself would look for the last one that ran on this machine, and wait for it if it is dead."""
    asked: list[Any] = []

    def init(address: str, **_: Any) -> None:
        asked.append(address)
        raise ConnectionError

    monkeypatch.setattr(ray, "init", init)
    for address in (None, "auto"):
        with pytest.raises(ConnectionError):
            job.run(Encode, str(folder), str(tmp_path / "out"), options, job.Cluster(address, 1))
    assert asked == ["local", "auto"]
