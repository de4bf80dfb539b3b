"""Whatever the OpenAPI document allows or forbids, no request makes the server fail."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from edgewise.studio.limits import Limits
from tests.studio.serving import files, opened, serving

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def client():
    with serving(limits=Limits(seconds=20)) as client:
        client.known = opened(client)["id"]
        yield client


@pytest.fixture(scope="module")
def api_schema(client):
    return schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests_are_answered_as_documented(case, client):
    if "key" in case.path_parameters and case.path.startswith("/api/documents"):
        case.path_parameters["key"] = client.known  # a made-up one would never be found
    answer = case.call(headers={"X-Edgewise": "1"})
    case.validate_response(answer, checks=CHECKS)


def test_the_known_good_request_is_as_documented(client, api_schema):
    answer = client.post("/refine", params={"as": "rle"}, files=files())
    operation = api_schema["/refine"]["POST"]
    operation.validate_response(answer)
