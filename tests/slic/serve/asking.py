"""What the tests of the service share besides fixtures."""

import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.testclient import TestClient

ROOT = Path(__file__).parents[3]
PATIENCE = 300  # seconds: the machine may be busy with other things

Ask = Callable[..., "TestClient"]


@dataclass
class Running:
    """`slic serve` in a process of its own."""

    process: subprocess.Popen[str]
    url: str

    def ask_to_end(self) -> None:
        """As systemd does."""
        self.process.send_signal(signal.SIGTERM)

    def log(self) -> str:
        """All of it, once it has ended."""
        return self.process.communicate(timeout=PATIENCE)[1]
