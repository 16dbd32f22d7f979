"""Object stores on loopback, by their real protocols; what asks them finds them through the environment."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

Bucket = Callable[[], AbstractContextManager[str]]


@contextmanager
def s3() -> Iterator[str]:
    """A bucket of moto's S3, asked with s3fs."""
    moto = pytest.importorskip("moto.server", reason="moto comes with the extra [dev]")
    s3fs = pytest.importorskip("s3fs", reason="s3fs comes with the extra [dev]")
    server = moto.ThreadedMotoServer("127.0.0.1", _free_port(), verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "anyone")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()  # of those that know another address
        s3fs.S3FileSystem().makedirs("pictures", exist_ok=True)  # moto keeps it from one server to the next
        yield "s3://pictures"
    server.stop()


@contextmanager
def gcs() -> Iterator[str]:
    """A bucket of an imitation of Google's storage, asked with gcsfs."""
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="needs pip install gcp-storage-emulator"
    )
    pytest.importorskip("gcsfs", reason="needs pip install gcsfs")
    port = _free_port()
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="pictures")
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        yield "gs://pictures"
    server.stop()


BUCKETS: dict[str, Bucket] = {"s3": s3, "gcs": gcs}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
