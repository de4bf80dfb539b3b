"""Whatever the OpenAPI document allows or forbids, no request makes the server fail."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from edgewise.refiner import Refiner
from edgewise.studio.app import create_app
from edgewise.studio.limits import Limits
from tests.fakes import ColourEngine
from tests.studio.serving import MARK, opened, serving

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def _operations():
    app = create_app(Refiner(ColourEngine()))
    document = app.openapi()
    app.state.studio.close()
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


def _cases():
    """Each operation with right requests and, where anything can be wrong, with wrong ones."""
    for operation in _operations():
        yield pytest.param(operation, GenerationMode.POSITIVE, id=f"right {operation.label}")
        stated = operation.definition.raw
        if stated.get("parameters") or stated.get("requestBody"):
            yield pytest.param(operation, GenerationMode.NEGATIVE, id=f"wrong {operation.label}")


@pytest.fixture(scope="module")
def client():
    with serving(limits=Limits(seconds=20)) as client:
        client.known = opened(client)["id"]
        yield client


@pytest.mark.parametrize(("operation", "mode"), list(_cases()))
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_generated_requests_are_answered_as_documented(operation, mode, client, data):
    case = data.draw(operation.as_strategy(generation_mode=mode))
    if operation.path.startswith("/api/documents/{key}"):
        case.path_parameters["key"] = client.known  # a made-up one would never be found
    answer = case.call(base_url=str(client.base_url), headers=MARK)
    case.validate_response(answer, checks=CHECKS)
