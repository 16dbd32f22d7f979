"""A short run of schemathesis: whatever the schema allows is answered, and as the schema says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from slic.models import Model
from slic.serve.app import create
from slic.serve.settings import Settings
from tests.slic.serve.asking import ROOT

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis comes with the extra [dev]")

POSTS = ["/encode", "/decode", "/info", "/verify", "/check", "/detect", "/gate", "/report"]
ASKED = [*((path, "POST") for path in POSTS), *((path, "GET") for path in ("/", "/healthz", "/metrics"))]


@pytest.fixture(scope="module")
def api(tiny_model: Model) -> Any:
    from slic.trust.policy import load

    policy = load(ROOT / "examples/policies/tip-line.toml")
    app = create(Settings(model=str(tiny_model.path), device="cpu", timeout=300, policy=policy, hosts=("*",)))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.parametrize(("path", "method"), ASKED)
def test_whatever_is_asked_is_answered_as_the_schema_says(api: Any, path: str, method: str) -> None:
    @given(case=api[path][method].as_strategy())
    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(
            checks=[
                schemathesis.checks.not_a_server_error,
                schemathesis.specs.openapi.checks.status_code_conformance,
                schemathesis.specs.openapi.checks.content_type_conformance,
                schemathesis.specs.openapi.checks.response_schema_conformance,
            ]
        )

    ask()
