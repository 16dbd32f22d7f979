"""What users ask, and the command that answers each: the order of RESULTS.md.

In a command `{kodak}`, `{large}` and `{hard}` are folders of pictures, named by the environment variables
KODAK, LARGE and HARD; without them the example stands in. `{realfake}` is one of real and generated pictures
(training/detectors/protocol.py), named by REALFAKE. `{base}` is the model file that BASE names,
`{runs}` the `--run NAME=FILE` … of RUNS, `{gpu}` is GPU, such as cuda: what needs one that is not named is
not run, and `[…]` around it is left out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.data import EXAMPLES, Row

FOLDERS = ("kodak", "large", "hard")


@dataclass(frozen=True)
class Question:
    """A section of RESULTS.md."""

    name: str
    text: str
    command: str
    on_model: bool = True
    """Whether the answer depends on the weights; an older model's is then marked."""
    headline: bool = False
    """Whether the README rests on it, and so must be about the embedded model."""
    only: Callable[[Row], bool] = lambda row: True
    """The rows that are printed."""
    picture: str | None = None
    """A file beside the rows."""

    def filled(self, environment: Mapping[str, str]) -> tuple[str, str] | None:
        """The command to run, and as it is stored; None if it lacks something."""
        values = {name: environment.get(name.upper(), "") for name in re.findall(r"{(\w+)}", self.command)}
        values |= {name: values[name] or str(EXAMPLES) for name in FOLDERS if name in values}
        missing = [name for name, value in values.items() if not value]
        command = self.command
        for name in missing:
            command = re.sub(rf" \[[^]]*{{{name}}}[^]]*\]", "", command)
        command = command.replace("[", "").replace("]", "")
        if any(f"{{{name}}}" in command for name in missing):
            return None
        shown = {name: _shown(name, value) for name, value in values.items()}
        return command.format(**values), command.format(**shown)


def _shown(name: str, value: str) -> str:
    if name in ("runs", "gpu"):
        return value
    return "EXAMPLES" if value == str(EXAMPLES) else name.upper()


def _learned(name: str, *learners: str, options: str = "--limit 10") -> str:
    learn = " ".join(f"--learn {learner}" for learner in learners)
    return (
        f"python -m benchmarks.detect_learned --data {{realfake}} {options} [--base {{base}}] {learn} "
        f"--scores benchmarks/results/{name}-scores.csv"
    )


_SPEED = "python -m benchmarks.speed --images {kodak} --limit 1"
_STUDY = "python -m benchmarks.detect_study"
# What finds nothing can neither lose it nor be fooled; on the development part these two are found.
_EASIEST = "--generator cyclegan --generator stylegan3"
QUESTIONS = (
    Question(
        "contact-sheet",
        "What does it look like?",
        "python -m benchmarks.contact_sheet --limit 1 --out benchmarks/results",
        headline=True,
        only=lambda row: False,
        picture="contact-sheet-photo.jpg",
    ),
    Question(
        "rate-distortion",
        "How good is a picture for its bytes?",
        "python -m benchmarks.rate_distortion --images {kodak} --device cpu [--base {base}]",
        headline=True,
        picture="rate-distortion.svg",
    ),
    Question(
        "recompress",
        "What becomes of a picture that is edited and encoded again?",
        "python -m benchmarks.recompress --images {kodak} --edits all",
        headline=True,
        only=lambda row: "images" in row,
    ),
    Question(
        "generations",
        "What do ten encodes in a row leave?",
        "python -m benchmarks.generations --images {kodak} [--base {base}]",
        headline=True,
        only=lambda row: row["generation"] in (1, 2, 3, 5, 10),
    ),
    Question(
        "launder",
        "What does it cost to get a picture past the codec?",
        "python -m benchmarks.launder --images {kodak} --limit 6 [--base {base}]",
    ),
    Question(
        "family",
        "Is a picture safe from the model's other qualities, too?",
        "python -m benchmarks.family --images {kodak} --limit 6",
    ),
    Question(
        "false-destruction",
        "Are pictures destroyed that were never encoded?",
        "python -m benchmarks.false_destruction --images {hard} --base {base}",
    ),
    Question(
        "metrics",
        "Which distance makes the best adversary?",
        "python -m benchmarks.metrics --images {kodak} --limit 6 {runs}",
    ),
    Question(
        "jpegsim",
        "How near do imitations of JPEG come?",
        "python -m benchmarks.jpegsim --images {kodak} --weights runs/unetjpeg-16/weights.safetensors",
        on_model=False,
    ),
    Question(
        "speed",
        "How fast, against CompressAI with the same weights?",
        "python -m benchmarks.speed --images {kodak} --limit 3 --device cpu",
        headline=True,
    ),
    Question(
        "speed-base",
        "And without what secures it?",
        "python -m benchmarks.speed --images {kodak} --limit 3 --device cpu --model {base}",
    ),
    Question(
        "speed-large",
        "And a larger picture?",
        "python -m benchmarks.speed --images {large} --limit 1 --runs 3",
    ),
    Question(
        "speed-cuda", "On a GPU?", "python -m benchmarks.speed --images {kodak} --limit 3 --device {gpu}"
    ),
    Question(
        "speed-mbt2018",
        "Minnen2018?",
        f"{_SPEED} --architecture mbt2018 --runs 6",
        on_model=False,
    ),
    Question(
        "speed-cheng2020-anchor",
        "Cheng2020?",
        f"{_SPEED} --architecture cheng2020-anchor --runs 8",
        on_model=False,
    ),
    Question(
        "speed-cheng2020-attn",
        "With attention?",
        f"{_SPEED} --architecture cheng2020-attn --runs 8",
        on_model=False,
    ),
    Question("stages", "Where does the time go?", "python -m benchmarks.stages --images {kodak} --limit 3"),
    Question(
        "memory",
        "How do time and memory grow? Does tiling change anything?",
        "python -m benchmarks.memory --images {large} --megapixels .1,1,6,24,100",
    ),
    Question("startup", "How long does a cold start take?", "python -m benchmarks.startup"),
    Question(
        "file-size",
        "What do exactness and bf16 cost, in bytes and decibels?",
        "python -m benchmarks.file_size --images {kodak}",
        headline=True,
    ),
    Question(
        "exactness",
        "Are the symbols the same on every path?",
        "python -m benchmarks.exactness --images {kodak} --limit 6 --compiled",
    ),
    Question("hostile", "What do hostile files do?", "python -m benchmarks.hostile"),
    Question(
        "service",
        "Does `slic serve` answer all rightly when it is full, and stay small?",
        "python -m benchmarks.service --images {kodak} --device cpu",
    ),
    Question(
        "fleet",
        "Is `slic fleet` on one machine as fast as `slic encode -r -j` there?",
        "python -m benchmarks.fleet --images {kodak} --device cpu",
    ),
    Question(
        "training-speed",
        "How fast does training go, and how much of the machine does it use?",
        "python -m benchmarks.training_speed",
        on_model=False,
    ),
    Question(
        "splice",
        "Does `slic check` find what was edited in a published picture?",
        "python -m benchmarks.splice --images {kodak} --limit 8",
    ),
    Question(
        "alarms",
        "How often does `slic check` raise a false alarm?",
        "python -m benchmarks.alarms --images {kodak}",
    ),
    Question(
        "alarms-large",
        "And on pictures from cameras?",
        "python -m benchmarks.alarms --images {large} --each 130",
    ),
    Question(
        "detect",
        "Does `slic detect` tell real pictures from generated ones, and whom does it accuse?",
        "python -m benchmarks.detect --data {realfake} --images {kodak} --limit 1000 [--base {base}] "
        "--scores benchmarks/results/detect-scores.csv",
    ),
    Question(
        "detect-cheap",
        "What do cheap methods find, the codec's own figures among them?",
        _learned(
            "detect-cheap",
            *("colour", "file-size", "npr", "noise", "spectrum", "rigid", "codec"),
            options="--last identity --last 'jpeg(quality=90)'",
        ),
    ),
    Question(
        "detect-quality",
        "Which codec suits a picture better: does that find generated ones?",
        _learned("detect-quality", "colour", "npr", "noise", "spectrum", "quality-mlp", "quality-boosting"),
    ),
    Question(
        "detect-networks",
        "And networks that look at the pixels?",
        _learned("detect-networks", "colour", "squeezenet", "scratch"),
    ),
    Question(
        "detect-deepfeaturex",
        "And a network for each kind of generator?",
        _learned("detect-deepfeaturex", "colour", "deepfeaturex", "deepfeaturex-linear"),
    ),
    Question(
        "detect-curves",
        "How many pictures of a new generator does a detector need?",
        f"{_STUDY} curves --data {{realfake}} --new stable_diffusion --new stylegan --new stylegan3",
        on_model=False,
    ),
    Question(
        "detect-degradations",
        "What does a detector bear, and does it help to learn with it?",
        f"{_STUDY} degradations --data {{realfake}} {_EASIEST} --limit 20 --runs 3",
        on_model=False,
    ),
    Question(
        "detect-fgsm",
        "Can a generated picture be changed so that it passes, and what helps?",
        f"{_STUDY} fgsm --data {{realfake}} {_EASIEST}",
        on_model=False,
    ),
    Question(
        "detect-localise",
        "Is a generated region found in a real picture?",
        f"{_STUDY} localise --data {{realfake}}",
        on_model=False,
    ),
    Question(
        "threats",
        "What can an attacker do, and what catches him?",
        "python -m benchmarks.threats --images {kodak} [--base {base}] --limit 3",
    ),
)
