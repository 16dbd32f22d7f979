"""What each path answers."""

import io
import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from slic import Codec, describe
from slic.models import Model
from slic.serve import service
from slic.trust import c2pa, keys, policy
from slic.trust.external import ExternalKey
from slic.trust.keys import SecretKey
from slic.trust.signature import sign_bytes
from slic_formats import parse, serialise
from tests.slic.serve.asking import PATIENCE, ROOT, Ask
from tests.slic.trust import certificates
from tests.slic.trust.certificates import Chain

KEY = SecretKey(bytes(range(32)))


def levels(data: bytes) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_picture_is_encoded_as_the_library_does(client: TestClient, png: bytes, file: bytes) -> None:
    answer = client.post("/encode", content=png)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/x-slic")
    assert answer.content == file


def test_a_file_is_decoded_as_the_library_does(client: TestClient, file: bytes, tiny_model: Model) -> None:
    answer = client.post("/decode", content=file)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    expected = np.asarray(Codec(tiny_model, device="cpu").decode(file))
    assert np.abs(levels(answer.content).astype(int) - expected).max() <= 1


def test_nothing_is_silent(client: TestClient) -> None:
    out = io.BytesIO()
    Image.new("CMYK", (64, 64)).save(out, "TIFF")
    said = json.loads(client.post("/encode", content=out.getvalue()).headers["slic-warnings"])
    assert [text for text in said if "CMYK" in text]
    assert [text for text in said if text.startswith("model tiny-") and "not secured" in text]


def test_metadata_goes_only_if_it_is_asked_to(client: TestClient, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[315] = "A. Photographer"
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png", exif=exif)
    data = (tmp_path / "a.png").read_bytes()
    kept, dropped = (client.post(f"/encode?strip={s}", content=data).content for s in ("false", "true"))
    assert describe.info(kept).exif > 0 == describe.info(dropped).exif


def test_info_is_the_librarys(client: TestClient, file: bytes) -> None:
    said = json.loads(json.dumps(describe.info(file).as_dict()))
    assert client.post("/info", content=file).json() == said


def test_verify_says_who_signed(serve: Ask, file: bytes) -> None:
    client = serve(keys=keys.trusted(KEY.public))
    signed = client.post("/verify", content=sign_bytes(file, KEY, "Example Press")).json()
    assert (signed["ok"], signed["verdict"], signed["comment"]) == (True, "valid", "Example Press")
    assert client.post("/verify", content=file).json()["verdict"] == "unsigned"


def test_what_is_encoded_is_signed_with_the_services_key(serve: Ask, png: bytes) -> None:
    client = serve(signer=KEY, comment="Press", keys=keys.trusted(KEY.public))
    said = client.post("/verify", content=client.post("/encode", content=png).content).json()
    assert (said["verdict"], said["comment"]) == ("valid", "Press")


def test_a_key_that_cannot_sign_is_no_fault_of_who_asks(serve: Ask, png: bytes) -> None:
    token = ExternalKey(KEY.public, "sh -c 'echo secret >&2; exit 1'")
    answer = serve(signer=token).post("/encode", content=png)
    assert (answer.status_code, "secret" in answer.text) == (500, False)


def test_without_keys_every_signer_is_unknown(client: TestClient, file: bytes) -> None:
    assert client.post("/verify", content=sign_bytes(file, KEY)).json()["verdict"] == "unknown signer"


def test_check_says_what_the_library_does(client: TestClient, png: bytes) -> None:
    said = client.post("/check", content=png).json()
    assert (said["ok"], said["finding"], said["boxes"]) == (False, "cannot tell", [])
    assert (said["width"], said["height"]) == (80, 64)


def test_the_detector_answers_or_says_that_it_is_of_another_model(serve: Ask) -> None:
    photo = (ROOT / "examples/photo.png").read_bytes()
    said = serve(model=None).post("/detect", content=photo).json()
    assert said["answer"] in ("real", "generated", "unsure")
    assert (said["width"], said["note"]) == (768, "a probability is no proof")
    other = serve().post("/detect", content=photo)
    assert (other.status_code, other.json()["error"][:12]) == (422, "the detector")


def test_the_gate_judges_by_the_services_policy(serve: Ask, png: bytes) -> None:
    chosen = policy.load(ROOT / "examples/policies/tip-line.toml")
    said = serve(policy=chosen).post("/gate", content=png).json()
    assert said["policy"] == chosen.name
    assert said["rules"][0]["rule"] == "container.other_format"


def test_without_a_policy_there_is_no_gate(client: TestClient, png: bytes) -> None:
    answer = client.post("/gate", content=png)
    assert (answer.status_code, answer.json()["error"]) == (404, "there is no policy to judge by")


def test_a_report_is_a_page_that_names_the_file(client: TestClient, png: bytes) -> None:
    answer = client.post("/report", params={"name": "<b>.png"}, content=png)
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>&lt;b&gt;.png</h1>" in answer.text


@pytest.fixture(scope="module")
def chain() -> Chain:
    return certificates.make()


@pytest.fixture
def attested(file: bytes, chain: Chain, tmp_path: Path) -> tuple[bytes, bytes]:
    """A file, and the C2PA manifest beside it."""
    pytest.importorskip("c2pa", reason="needs c2pa-python: pip install 'slic[c2pa]'")
    return file, c2pa.manifest(file, c2pa.load(chain.write(tmp_path)))


def test_a_manifest_comes_behind_its_file(serve: Ask, attested: tuple[bytes, bytes], chain: Chain) -> None:
    body, beside = b"".join(attested), {"sidecar": len(attested[1])}
    assert "Beside it" not in serve().post("/report", content=attested[0]).text
    for anchors, state in ((None, "anybody can make"), (chain.root, "that you trust")):
        page = serve(anchors=anchors).post("/report", params=beside, content=body).text
        assert state in page[page.index("Beside it") :]


def test_the_gate_judges_the_manifest_too(serve: Ask, attested: tuple[bytes, bytes], tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('name = "p"\n[c2pa]\n')
    client = serve(policy=policy.load(tmp_path / "p.toml"))
    said = client.post("/gate", params={"sidecar": len(attested[1])}, content=b"".join(attested)).json()
    assert said["rules"][-1]["rule"] == "c2pa.untrusted"


def test_a_manifest_alone_is_no_file(client: TestClient, png: bytes) -> None:
    answer = client.post("/report", params={"sidecar": len(png)}, content=png)
    assert (answer.status_code, answer.json()["error"][:12]) == (422, "the sidecar ")


@pytest.mark.parametrize("path", ["/encode", "/decode", "/info", "/verify", "/check", "/report"])
def test_what_is_no_picture_is_refused_in_one_line(client: TestClient, path: str) -> None:
    answer = client.post(path, content=b"no picture at all")
    said = answer.json()
    assert (answer.status_code, sorted(said)) == (422, ["error", "hint"])
    assert "\n" not in said["error"]


def test_what_is_asked_wrongly_is_told_what(client: TestClient, png: bytes) -> None:
    answer = client.post("/encode?quality=9", content=png)
    assert answer.status_code == 422
    assert answer.json()["error"] == "quality: Input should be less than or equal to 8"


def test_a_quality_that_the_model_lacks_is_refused(client: TestClient, png: bytes) -> None:
    answer = client.post("/encode?quality=5", content=png)
    assert (answer.status_code, answer.json()["hint"]) == (422, "it has 1")


def test_a_file_of_another_model_says_which_it_needs(client: TestClient, file: bytes) -> None:
    container = parse(file)
    other = serialise(replace(container, header=replace(container.header, model=bytes(16))))
    answer = client.post("/decode", content=other)
    assert answer.status_code == 422
    assert answer.json()["error"] == "needs model 00000000, which is not installed"


def test_work_that_takes_too_long_is_given_up(
    serve: Ask, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_in_vain = threading.Event()
    monkeypatch.setattr(service.tamper, "check", lambda *_, **__: asked_in_vain.wait(PATIENCE))
    answer = serve(timeout=1).post("/check", content=png)
    asked_in_vain.set()
    assert (answer.status_code, answer.json()["error"]) == (504, "the work took too long")


def test_a_fault_of_ours_is_logged_and_not_shown(
    client: TestClient, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr(service.pixels, "load", fails)
    answer = client.post("/encode", content=png)
    assert answer.status_code == 500
    assert "secret" not in answer.text and "log" in answer.json()["error"]


def test_memory_that_runs_out_is_no_fault(
    client: TestClient, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(service.pixels, "load", fails)
    assert client.post("/encode", content=png).status_code == 503


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_lane_that_leads_nowhere_is_no_health(client: TestClient) -> None:
    assert client.portal is not None
    client.portal.call(client.app.state.service.lane._driver.cancel)  # type: ignore[attr-defined]
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "stuck"})


def test_every_path_is_described_with_an_example(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) > {"/encode", "/decode", "/info", "/verify", "/check", "/detect", "/gate", "/report"}
    for path in ("/verify", "/check", "/detect", "/gate"):
        assert paths[path]["post"]["responses"]["200"]["content"]["application/json"]["example"]
    body = paths["/encode"]["post"]["requestBody"]["content"]["application/octet-stream"]
    assert body["schema"] == {"type": "string", "format": "binary"}
