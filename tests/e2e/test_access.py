"""What people may do, by impersonation: the three roles and somebody without any."""

from __future__ import annotations

import json

import pytest
import yaml
from live import Live

WHO = {
    "viewer": ["tenant-a:viewers"],
    "operator": ["tenant-a:operators"],
    "platform admin": ["ferryman:platform-admins"],
    "nobody": [],
}
YES, NO = True, False
# verb, resource, namespace ("" for the cluster): viewer, operator, platform admin, nobody
MATRIX = [
    ("get", "serving.kserve.io/inferenceservices", "tenant-a", YES, YES, YES, NO),
    ("list", "pods", "tenant-a", YES, YES, YES, NO),
    ("get", "pods/log", "tenant-a", YES, YES, YES, NO),
    ("list", "events", "tenant-a", YES, YES, YES, NO),
    ("patch", "serving.kserve.io/inferenceservices", "tenant-a", NO, YES, YES, NO),
    ("delete", "serving.kserve.io/inferenceservices", "tenant-a", NO, YES, YES, NO),
    ("patch", "gateway.networking.k8s.io/httproutes", "tenant-a", NO, YES, YES, NO),
    ("patch", "autoscaling/horizontalpodautoscalers", "tenant-a", NO, YES, YES, NO),
    ("delete", "pods", "tenant-a", NO, YES, YES, NO),
    ("create", "pods", "tenant-a", NO, NO, NO, NO),
    ("create", "pods/exec", "tenant-a", NO, NO, NO, NO),
    ("create", "pods/portforward", "tenant-a", NO, NO, NO, NO),
    ("get", "secrets", "tenant-a", NO, NO, NO, NO),
    ("list", "secrets", "tenant-a", NO, NO, NO, NO),
    ("patch", "secrets", "tenant-a", NO, NO, YES, NO),
    ("patch", "resourcequotas", "tenant-a", NO, NO, YES, NO),
    ("patch", "limitranges", "tenant-a", NO, NO, YES, NO),
    ("patch", "networking.k8s.io/networkpolicies", "tenant-a", NO, NO, YES, NO),
    ("delete", "networking.k8s.io/networkpolicies", "tenant-a", NO, NO, YES, NO),
    ("create", "rbac.authorization.k8s.io/rolebindings", "tenant-a", NO, NO, YES, NO),
    ("create", "rbac.authorization.k8s.io/roles", "tenant-a", NO, NO, NO, NO),
    ("create", "serviceaccounts/token", "tenant-a", NO, NO, NO, NO),
    ("patch", "namespaces", "tenant-a", NO, NO, YES, NO),
    ("get", "serving.kserve.io/inferenceservices", "tenant-b", NO, NO, YES, NO),
    ("patch", "serving.kserve.io/inferenceservices", "tenant-b", NO, NO, YES, NO),
    ("list", "pods", "tenant-b", NO, NO, YES, NO),
    ("get", "secrets", "tenant-b", NO, NO, NO, NO),
    ("get", "secrets", "mlflow", NO, NO, NO, NO),
    ("get", "secrets", "release", NO, NO, NO, NO),
    ("list", "pods", "mlflow", NO, NO, YES, NO),
    ("list", "namespaces", "", NO, NO, YES, NO),
    ("list", "nodes", "", NO, NO, YES, NO),
    ("create", "namespaces", "", NO, NO, YES, NO),
    ("patch", "serving.kserve.io/clusterservingruntimes", "", NO, NO, YES, NO),
    ("patch", "admissionregistration.k8s.io/validatingadmissionpolicies", "", NO, NO, NO, NO),
    ("create", "rbac.authorization.k8s.io/clusterrolebindings", "", NO, NO, NO, NO),
    ("escalate", "rbac.authorization.k8s.io/clusterroles", "", NO, NO, NO, NO),
    ("impersonate", "users", "", NO, NO, NO, NO),
]


def ask(live: Live, groups: list[str], questions: list[tuple[str, str, str]]) -> list[bool]:
    """Whether members of these groups may do each of (verb, resource, namespace)."""
    reviews = []
    for verb, resource, namespace in questions:
        group, _, rest = resource.partition("/") if "." in resource.split("/")[0] else ("", "", resource)
        if resource.startswith("autoscaling/"):
            group, rest = resource.split("/")
        name, _, sub = rest.partition("/")
        attributes = {"verb": verb, "group": group, "resource": name, "subresource": sub, "namespace": namespace}
        spec = {"user": "somebody", "groups": [*groups, "system:authenticated"], "resourceAttributes": attributes}
        reviews.append({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec})
    said = live.cluster.kubectl("create", "-f", "-", "--output=json", given=yaml.safe_dump_all(reviews))
    found, decoder = [], json.JSONDecoder()
    while said.strip():
        answer, end = decoder.raw_decode(said.lstrip())
        said = said.lstrip()[end:]
        found += answer["items"] if answer["kind"] == "List" else [answer]
    return [answer["status"]["allowed"] for answer in found]


@pytest.mark.parametrize("who", WHO)
def test_everybody_may_do_what_the_role_says_and_no_more(live: Live, who: str) -> None:
    place = 3 + list(WHO).index(who)
    questions = [(row[0], row[1], row[2]) for row in MATRIX]
    answers = ask(live, WHO[who], questions)
    assert len(answers) == len(MATRIX)
    wrong = [question for question, answer, row in zip(questions, answers, MATRIX, strict=True) if answer != row[place]]
    assert not wrong
