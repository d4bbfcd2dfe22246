from __future__ import annotations

from release.spec import ReleaseSpec
from release.status import CanaryStatus, Kept, Phase, Rejection, ReleaseStatus, Transition, VersionRef
from release.store import Release
from release.written_back import MOST_TENANTS, tags

SPEC = ReleaseSpec.model_validate(
    {"model": "sentiment", "route": {"hostnames": ["a.localhost"]}, "strategy": {"blueGreen": {}}}
)


def artifact(version: int) -> dict[str, object]:
    return {"version": version, "digest": "0" * 64, "storage_uri": f"s3://released/sentiment/{version}-000000000000/"}


def release(tenant: str, **status: object) -> Release:
    return Release(tenant, tenant, SPEC, ReleaseStatus.model_validate(status))


def test_each_version_says_what_it_is_to_each_tenant() -> None:
    promoted = Transition(number=3, time=60, phase=Phase.STABLE, version=7, reason="Promoted", message="")
    a = release(
        "tenant-a",
        stable=artifact(7),
        previous=Kept.model_validate({**artifact(6), "until": 660}),
        canary=CanaryStatus.model_validate({**artifact(8), "since": 90, "started": 80, "step": 1, "weight": 25}),
        phase=Phase.CANARY,
        phase_since=90,
        history=(promoted,),
    )
    b = release("tenant-b", stable=artifact(7), phase=Phase.REJECTED, history=(promoted,))
    b = Release(
        "tenant-b",
        "tenant-b",
        SPEC,
        b.status.model_copy(update={"rejected": Rejection(version=8, reason="SmokeFailed", message="one label")}),
    )
    found = tags([a, b])
    assert found["sentiment", 7] == dict.fromkeys(["tenant-a", "tenant-b"], "stable since 1970-01-01T00:01:00.000Z")
    assert found["sentiment", 6] == {"tenant-a": "replaced and kept until 1970-01-01T00:11:00.000Z"}
    assert found["sentiment", 8]["tenant-a"].startswith("canary 25 % of requests, step 2")
    assert found["sentiment", 8]["tenant-b"] == "rejected SmokeFailed: one label"


def test_beyond_twenty_tenants_one_tag_sums_up() -> None:
    many = [release(f"tenant-{i}", stable=VersionRef.model_validate(artifact(7))) for i in range(MOST_TENANTS)]
    assert len(tags(many)["sentiment", 7]) == MOST_TENANTS
    more = [*many, release("one-more", stable=artifact(6))]
    assert tags(more) == {
        ("sentiment", 7): {"tenants": "stable at 20 of 21 tenants"},
        ("sentiment", 6): {"tenants": "stable at 1 of 21 tenants"},
    }


def test_a_trial_given_up_for_another_version_says_so_and_a_version_long_replaced_says_what_it_said() -> None:
    def transition(number: int, phase: Phase, version: int, reason: str) -> Transition:
        return Transition(number=number, time=number, phase=phase, version=version, reason=reason, message="why")

    history = (
        transition(1, Phase.PROMOTING, 6, "Verified"),
        transition(2, Phase.STABLE, 6, "Promoted"),
        transition(3, Phase.STABLE, 7, "Promoted"),
        transition(4, Phase.CANARY, 8, "Verified"),
        transition(5, Phase.ROLLING_BACK, 8, "AliasMoved"),
        transition(6, Phase.VERIFYING, 9, "AliasMoved"),
    )
    found = tags([release("a", stable=artifact(7), target=9, phase=Phase.VERIFYING, history=history)])
    assert found["sentiment", 8] == {"a": "left AliasMoved: why"}
    assert {version for _, version in found} == {7, 8}
