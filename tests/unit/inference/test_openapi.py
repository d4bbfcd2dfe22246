"""The predictor holds what its own OpenAPI document promises, whatever is made of it."""

from __future__ import annotations

import schemathesis
from conftest import Predictor
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig

from inference.openapi import document

schemathesis.checks.load_all_checks()
# 413 is a refusal too: what is against the document may be larger than any body.
CONFIG = "[checks.negative_data_rejection]\nexpected-statuses = [400, 403, 404, 413]\n"
SCHEMA = schemathesis.openapi.from_dict(document("sentiment"), config=SchemathesisConfig.from_str(CONFIG))
# A schema cannot say that a tensor's shape counts its texts: what fits it may be refused.
CHOSEN = [check for check in CHECKS.get_all() if check.__name__ != "positive_data_acceptance"]


@SCHEMA.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_document_says_holds(case: schemathesis.Case, predictor: Predictor) -> None:
    case.call_and_validate(base_url=predictor.http, checks=CHOSEN, proxies={"http": None}, timeout=20)
