"""Who claims what, for the tests of C2PA manifests."""

import pytest

from slic.trust import c2pa
from tests.slic.trust import certificates
from tests.slic.trust.certificates import Chain


@pytest.fixture(scope="module")
def chain() -> Chain:
    return certificates.make()


@pytest.fixture(scope="module")
def definition(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> c2pa.Definition:
    return c2pa.load(chain.write(tmp_path_factory.mktemp("claim")))
