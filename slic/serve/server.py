"""The service in uvicorn, from its start to its graceful end."""

import math

import uvicorn

from slic.serve.app import create
from slic.serve.settings import Settings
from slic.serve.telemetry import LOGGING


def run(settings: Settings, host: str, port: int) -> None:
    """Until SIGINT or SIGTERM: then nothing new is accepted, and what was is answered."""
    config = uvicorn.Config(
        create(settings),
        host=host,
        port=port,
        log_config=LOGGING,
        access_log=False,  # ours says more
        server_header=False,
        timeout_graceful_shutdown=math.ceil(2 * settings.timeout),  # as long as a request may take
    )
    uvicorn.Server(config).run()
