"""The page in a browser, at the width of a telephone and of a desk, asked of a service of its own.

What it needs stands in tests/slic/trust/browsing.py. SCREENSHOTS=DIR keeps what was seen.
"""

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.slic.serve.asking import PATIENCE, Running
from tests.slic.trust.browsing import AXE, WIDTHS, chromium

DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(params=WIDTHS)
def visit(request: pytest.FixtureRequest, browser: Any, running: Callable[..., Running]) -> Iterator[Any]:
    """Opens the page of a service; `view.said` has what the console said, `view.asked` what was loaded."""
    view = browser.new_page(viewport={"width": WIDTHS[request.param], "height": 800})
    view.set_default_timeout(1000 * PATIENCE)
    view.said, view.asked = [], []
    view.on("console", lambda message: view.said.append(message.text))
    view.on("pageerror", lambda error: view.said.append(str(error)))
    view.on("request", lambda asked: view.asked.append(asked.url))

    def go(*options: str) -> Any:
        view.url_of_service = running(*options).url
        view.goto(view.url_of_service)
        return view

    def look(name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            view.screenshot(path=Path(folder, f"service-{name}-{request.param}.png"), full_page=True)

    view.look = look
    yield go
    view.close()


def choose(view: Any, name: str, data: bytes, **beside: bytes) -> None:
    files = {name: data, **{f"{name}.{suffix}": data for suffix, data in beside.items()}}
    view.get_by_label("Drop a picture").set_input_files(
        [{"name": name, "mimeType": "", "buffer": data} for name, data in files.items()]
    )


def shown(view: Any) -> str:
    view.locator("#result").wait_for()
    return str(view.locator("#about").inner_text())


def faults(view: Any) -> list[Any]:
    if not AXE.exists():
        pytest.skip("axe-core is not there: npm install axe-core")
    view.evaluate(AXE.read_text())
    found = view.evaluate("axe.run()")
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]]


def test_a_picture_that_is_chosen_gets_its_report(visit: Any, png: bytes) -> None:
    view = visit()
    view.look("empty")
    assert faults(view) == []
    choose(view, "a.png", png)
    assert shown(view) == "a.png"
    assert view.get_by_role("status").inner_text() == "Cannot tell: a.png"
    assert view.get_by_role("heading", name="There is not enough to judge").is_visible()
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
    view.look("report")
    assert faults(view) == []
    assert view.said == []
    ours = (view.url_of_service, "data:", "blob:")
    assert [url for url in view.asked if not url.startswith(ours)] == []


def test_one_may_follow_the_other_dropped_anywhere(visit: Any, png: bytes, file: bytes) -> None:
    view = visit()
    for name, data in (("a.png", png), ("b.slic", file)):
        view.evaluate(DROP, [name, base64.b64encode(data).decode()])
        view.locator("#about", has_text=name).wait_for()
    slider = view.get_by_label("Move the line")
    slider.focus()
    view.keyboard.press("ArrowRight")
    assert view.evaluate("getComputedStyle(compare).getPropertyValue('--at')") == "51%"
    assert view.said == []


def test_the_keyboard_reaches_all_of_it(visit: Any, png: bytes) -> None:
    view = visit()
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.id") == "file"
    choose(view, "a.png", png)
    shown(view)
    view.locator("#file").focus()
    reached = []
    for _ in range(2):
        view.keyboard.press("Tab")
        reached.append(view.evaluate("document.activeElement.id"))
    assert reached == ["save", "slider"]
    assert view.locator("#save").get_attribute("download") == "a.png.html"


def test_what_cannot_be_read_is_said_aloud(visit: Any) -> None:
    view = visit()
    choose(view, "<b>a</b>.txt", b"no picture")
    view.get_by_role("alert").wait_for()
    assert view.get_by_role("alert").inner_text() == "<b>a</b>.txt: not a picture of a known format"
    view.look("fault")
    assert faults(view) == []
    assert not view.locator("#result").is_visible()


def test_a_manifest_may_come_along_another_picture_may_not(visit: Any, png: bytes, file: bytes) -> None:
    view = visit()
    choose(view, "a.slic", file, c2pa=b"no manifest")
    assert shown(view) == "a.slic"
    assert "Beside it" in view.locator("#report").inner_text()
    choose(view, "a.slic", file, png=png)
    view.get_by_role("alert").wait_for()
    assert "One picture at a time" in view.get_by_role("alert").inner_text()
    assert view.said == []


def test_a_token_is_asked_for_where_there_is_one(visit: Any, png: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    view = visit("--token-file", str(tmp_path / "token"))
    choose(view, "a.png", png)
    view.get_by_label("Access token").wait_for()
    assert view.evaluate("document.activeElement.id") == "token"
    view.look("token")
    assert faults(view) == []
    view.keyboard.type("secret")
    view.keyboard.press("Enter")
    assert shown(view) == "a.png"


def test_not_even_a_script_that_got_in_would_run(visit: Any) -> None:
    view = visit()
    view.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'document.title=1'}))"
    )
    assert view.title() == "Check a picture"
    assert "Content Security Policy" in view.said[0]
