"""A browser for the tests of pages.

Needs playwright (extra [dev]) and a Chromium: Debian's, or `playwright install chromium`. axe-core is taken
from node_modules (`npm install axe-core`) or from where AXE says.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

AXE = Path(os.environ.get("AXE") or Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js")
WIDTHS = {"phone": 390, "desk": 1280}


@contextmanager
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright comes with the extra [dev]")
    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_api.sync_playwright() as playwright:
        try:
            # A sandbox within a container's own is often not to be had; the pages are ours.
            opened = playwright.chromium.launch(
                executable_path=system, args=["--no-sandbox"], timeout=180_000
            )
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield opened
        opened.close()
