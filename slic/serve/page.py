"""The page at /: a picture goes in, the report of slic.trust comes out, in the report's own style."""

import re
from functools import lru_cache
from pathlib import Path

from slic.trust import report


@lru_cache(maxsize=1)
def html() -> str:
    shared = re.search(r"<style>.*?</style>", _report(), re.DOTALL)
    assert shared is not None
    own = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return own.replace("<!-- the report's style -->", shared[0])


@lru_cache(maxsize=1)
def policy() -> str:
    """As the report's, and that it may be asked for; the report's script counts as the page's own."""
    return report.policy(html(), _report(), more="; connect-src 'self'; frame-ancestors 'none'")


def _report() -> str:
    return report.TEMPLATE.read_text(encoding="utf-8")
