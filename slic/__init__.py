"""slic: a secure learned image codec.

    import slic

    slic.encode("photo.png", "photo.slic")
    picture = slic.decode("photo.slic")      # a Pillow image
    print(slic.info("photo.slic"))           # what the file says of itself; loads no torch
    print(slic.verify("photo.slic", "keys/"))  # who signed it, and whether it is still that
    print(slic.check("copy.png"))            # whether it came out of a .slic file, and where it was edited
    print(slic.detect("found.jpg"))          # whether it looks generated: a probability, no proof

`Codec` holds one model ready for many pictures. Names are loaded on first use, so that `import slic`
stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slic.codec import Codec as Codec
    from slic.codec import decode as decode
    from slic.codec import encode as encode
    from slic.describe import Info as Info
    from slic.describe import info as info
    from slic.detection.detect import Detection as Detection
    from slic.detection.detect import detect as detect
    from slic.errors import FormatError as FormatError
    from slic.errors import KeyFileError as KeyFileError
    from slic.errors import ManifestError as ManifestError
    from slic.errors import MismatchError as MismatchError
    from slic.errors import ModelError as ModelError
    from slic.errors import PictureError as PictureError
    from slic.errors import PolicyError as PolicyError
    from slic.errors import SlicError as SlicError
    from slic.errors import SlicWarning as SlicWarning
    from slic.errors import VerdictError as VerdictError
    from slic.trust.gate import TrustReport as TrustReport
    from slic.trust.gate import gate as gate
    from slic.trust.signature import sign as sign
    from slic.trust.tamper import TamperReport as TamperReport
    from slic.trust.tamper import check as check
    from slic.trust.verdict import Verdict as Verdict
    from slic.trust.verdict import verify as verify

_HOME = {
    "Codec": "slic.codec",
    "Detection": "slic.detection.detect",
    "FormatError": "slic.errors",
    "Info": "slic.describe",
    "KeyFileError": "slic.errors",
    "ManifestError": "slic.errors",
    "MismatchError": "slic.errors",
    "ModelError": "slic.errors",
    "PictureError": "slic.errors",
    "PolicyError": "slic.errors",
    "SlicError": "slic.errors",
    "SlicWarning": "slic.errors",
    "TamperReport": "slic.trust.tamper",
    "TrustReport": "slic.trust.gate",
    "Verdict": "slic.trust.verdict",
    "VerdictError": "slic.errors",
    "check": "slic.trust.tamper",
    "decode": "slic.codec",
    "detect": "slic.detection.detect",
    "encode": "slic.codec",
    "gate": "slic.trust.gate",
    "info": "slic.describe",
    "sign": "slic.trust.signature",
    "verify": "slic.trust.verdict",
}
__all__ = sorted(_HOME)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'slic' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
