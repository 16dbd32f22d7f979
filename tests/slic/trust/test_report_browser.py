"""The page in a browser, at the width of a telephone and of a desk. SCREENSHOTS=DIR keeps what was seen."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.slic.trust.browsing import AXE, WIDTHS, chromium
from tests.slic.trust.pages import HOSTILE, KINDS, page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(params=WIDTHS)
def visit(request: pytest.FixtureRequest, browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens HTML; `view.said` has what the console said, `view.asked` what was loaded."""
    view = browser.new_page(viewport={"width": WIDTHS[request.param], "height": 800})
    view.said, view.asked = [], []
    view.on("console", lambda message: view.said.append(message.text))
    view.on("pageerror", lambda error: view.said.append(str(error)))
    view.on("request", lambda asked: view.asked.append(asked.url))

    def go(html: str, name: str = "page") -> Any:
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        view.goto((tmp_path / "page.html").as_uri())
        if folder := os.environ.get("SCREENSHOTS"):
            view.screenshot(path=Path(folder, f"{name}-{request.param}.png"), full_page=True)
        return view

    yield go
    view.close()


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_loads_nothing_and_complains_of_nothing(visit: Any, kind: str) -> None:
    view = visit(page(kind), kind)
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert view.said == []
    assert [url for url in view.asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(visit: Any, kind: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not there: npm install axe-core")
    view = visit(page(kind))
    view.evaluate(AXE.read_text())
    found = view.evaluate("axe.run()")
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    assert len(found["passes"]) > 20


def test_the_slider_moves_by_the_keyboard(visit: Any) -> None:
    view = visit(page("edited"))
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.id") == "slider"
    for _ in range(10):
        view.keyboard.press("ArrowRight")
    assert view.evaluate("getComputedStyle(compare).getPropertyValue('--at')") == "60%"
    assert view.get_by_label("Move the line").get_attribute("aria-valuetext").startswith("60% ")


def test_hostile_text_runs_nothing(visit: Any) -> None:
    block = Image.Exif()
    block[270] = HOSTILE
    view = visit(page("edited", name=HOSTILE, exif=block.tobytes()))
    assert view.title().startswith("Edited: </title>")
    assert view.said == []
    assert view.locator("script").count() == 1


def test_not_even_a_script_that_got_in_would_run(visit: Any) -> None:
    view = visit(page("edited").replace("<main>", "<main><script>document.title='owned'</script>"))
    assert view.title() == "Edited: photo.png"
    assert "Content Security Policy" in view.said[0]
