"""All that can be chosen about a service."""

from dataclasses import dataclass, field

from slic.transforms import Precision
from slic.trust.keys import PublicKey, Signer
from slic.trust.policy import Policy

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Settings:
    """At most `queue · max_bytes + 2 · batch · 4 · max_pixels` bytes of uploads are in memory at a time; one
    with a sidecar counts twice, as it is cut in two.
    """

    model: str | None = None
    quality: int | None = None
    device: str = "auto"
    precision: Precision = "auto"
    threads: int | None = None
    keys: tuple[PublicKey, ...] = ()
    """Whose signatures count."""
    anchors: bytes | None = None
    """PEM certificates whose holders' C2PA manifests are trusted on a report."""
    signer: Signer | None = None
    """Signs what /encode makes; no request chooses the key, or brings one."""
    comment: str = ""
    """Signed with it."""
    policy: Policy | None = None
    """What /gate judges by; without one there is no /gate."""
    token: str | None = field(default=None, repr=False)
    """What a request has to bear; None: nothing."""
    hosts: tuple[str, ...] = LOOPBACK
    """By what names it may be called: a page elsewhere could have its own name lead here."""
    max_bytes: int = 64 << 20
    max_pixels: int = 50_000_000
    queue: int = 64
    """Requests at a time, all told; one more is answered 429."""
    batch: int = 8
    """Pictures in a forward pass."""
    timeout: float = 60.0
    """Seconds for the upload, and again for the work."""
