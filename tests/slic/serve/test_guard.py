"""Who may ask."""

import pytest

from tests.slic.serve.asking import Ask


@pytest.mark.parametrize("said", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic secret"}])
def test_without_the_token_nothing_is_done(serve: Ask, png: bytes, said: dict[str, str]) -> None:
    answer = serve(token="secret").post("/check", content=png, headers=said)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_with_it_all_is(serve: Ask, png: bytes) -> None:
    client = serve(token="secret")
    said = {"authorization": "Bearer secret"}
    assert client.post("/check", content=png, headers=said).status_code == 200
    assert client.get("/metrics", headers=said).status_code == 200


def test_the_page_and_the_health_need_none(serve: Ask) -> None:
    client = serve(token="secret")
    assert [client.get(path).status_code for path in ("/", "/healthz", "/metrics")] == [200, 200, 401]


def test_a_token_is_not_shown_with_the_settings(serve: Ask) -> None:
    assert "secret" not in repr(serve(token="secret").app.state.service.settings)  # type: ignore[attr-defined]


def test_a_page_of_another_site_may_not_ask(serve: Ask, png: bytes) -> None:
    client = serve()
    for site, status in (("cross-site", 403), ("same-origin", 200), ("none", 200)):
        answer = client.post("/check", content=png, headers={"sec-fetch-site": site})
        assert answer.status_code == status


def test_a_name_that_is_not_ours_is_refused(serve: Ask) -> None:
    assert serve().get("/healthz", headers={"host": "evil.example"}).status_code == 400
    named = serve(hosts=("slic.example.org",))
    assert named.get("/healthz", headers={"host": "slic.example.org"}).status_code == 200
