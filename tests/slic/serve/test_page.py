"""The page as it is sent."""

import base64
import hashlib
import re

from starlette.testclient import TestClient

from slic.trust import report
from tests.slic.trust.pages import page as made


def test_nothing_is_loaded_from_elsewhere(client: TestClient) -> None:
    text = client.get("/").text
    assert "http:" not in text and "https:" not in text
    assert re.findall(r'<link[^>]*href="([^"]*)"', text) == ["data:,"]
    assert re.findall(r"<(?:script|img|iframe)[^>]* src=", text) == []


def test_only_its_own_scripts_and_the_reports_may_run(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; img-src data:; script-src 'sha256-")
    assert policy.endswith("; connect-src 'self'; frame-ancestors 'none'")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        for body in re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text + made("edited"), re.DOTALL):
            assert base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy


def test_a_report_has_the_policy_of_its_page(client: TestClient, png: bytes) -> None:
    text = client.post("/report", content=png).text
    assert report.policy(report.TEMPLATE.read_text()) in text


def test_no_browser_guesses_keeps_or_tells(client: TestClient) -> None:
    headers = client.get("/").headers
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] == "no-store"
