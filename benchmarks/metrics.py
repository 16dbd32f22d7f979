"""Which distance makes the best adversary?

    python -m benchmarks.metrics --images DIR --run lpips=runs/lpips --run mse=runs/mse [--json]

The question of the paper's Table 3, over finished training runs that differ in their distance alone: the
first encode, and the mean PSNR of second encodes with no edit and after each of the nine, lower being
better. A run is its folder, its weights, or a model file. Runs that differ in how they imitate JPEG
answer Table A2 in the same way. The first row is `--model`, to compare with.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from benchmarks import recompress
from benchmarks.data import Pixels, Row, options, pictures, progress, show
from benchmarks.passes import alike
from slic import attacks, models
from slic.errors import ModelError
from slic.models import Model


def measure(
    runs: Mapping[str, Model], images: Sequence[tuple[str, Pixels]], *, device: str = "auto"
) -> Iterator[Row]:
    for name, model in progress(runs.items(), "runs"):
        rows = recompress.measure(model, images, attacks.PAPER, device=device, judged=False)
        means = [row for row in rows if "images" in row]
        *by_edit, over_all = means
        yield {
            "run": name,
            "images": over_all["images"],
            "bpp": over_all["bpp"],
            "first_psnr": over_all["first_psnr"],
            **{row["edit"].split("(")[0]: row["recompress_psnr"] for row in by_edit},
            "worst_psnr": over_all["worst_psnr"],
        }


def opened(run: Path, folder: Path, quality: int) -> Model:
    """The model of a run's folder, of weights, or of a model file; made in `folder` where there is none."""
    target = folder / f"{len(list(folder.iterdir()))}.safetensors"
    if run.is_dir():
        from training.export import export

        return export(run, target, name="run", quality=quality)
    try:
        return alike(models.open_file(run), quality)
    except ModelError:
        from slic.convert import convert

        return convert(run, target, name="run", quality=quality, bf16=True)


def _runs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    runs = {}
    for value in values:
        name, _, file = value.partition("=")
        if not (file and Path(file).exists()):
            raise click.BadParameter(f"{value} is not the NAME=FOLDER or NAME=FILE of a run")
        runs[name] = Path(file)
    return runs


@click.command()
@options
@click.option("--run", "runs", multiple=True, callback=_runs, metavar="NAME=FILE", help="Repeatable.")
@click.option("--quality", default=6, show_default=True, help="Where runs that have several encode.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    runs: dict[str, Path],
    quality: int,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = {model: alike(models.find(model), quality)}
        found |= {name: opened(run, Path(folder), quality) for name, run in runs.items()}
        show(measure(found, list(pictures(images, limit)), device=device), as_json=as_json)


if __name__ == "__main__":
    main()
