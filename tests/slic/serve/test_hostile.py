"""Whatever is uploaded, the answer is a refusal or a result, never a fault of ours."""

import random

import pytest
from starlette.testclient import TestClient

from tests.slic.serve.asking import ROOT

PATHS = ("/encode", "/decode", "/info", "/verify", "/check", "/detect", "/report")
VECTORS = sorted((ROOT / "formats/vectors/container").glob("*.slic"))


@pytest.mark.parametrize("path", PATHS)
def test_mutants_of_files_and_pictures(client: TestClient, path: str, file: bytes, png: bytes) -> None:
    dice = random.Random(0)
    for whole in (file, png):
        for _ in range(8):
            mutant = bytearray(whole)
            for _ in range(dice.choice((1, 3, 30))):
                mutant[dice.randrange(len(mutant))] ^= 1 << dice.randrange(8)
            answer = client.post(path, content=bytes(mutant[: dice.randrange(1, len(mutant) + 1)]))
            assert answer.status_code in (200, 413, 422), answer.text


@pytest.mark.parametrize("path", ("/info", "/verify", "/decode"))
def test_the_formats_own_vectors(client: TestClient, path: str) -> None:
    for vector in VECTORS[::5]:
        answer = client.post(path, content=vector.read_bytes())
        assert answer.status_code in (200, 413, 422), (vector.name, answer.text)
