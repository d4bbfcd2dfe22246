"""The life of every alert."""

from __future__ import annotations

from promtool import Life

A, B, C = (f'tenant="tenant-{letter}"' for letter in "abc")
MODEL = 'model="sentiment",version="7"'
VERSION = {"tenant": "tenant-a", "model": "sentiment", "version": "7"}
RELEASE = {"tenant": "tenant-a", "model": "sentiment"}
PLATFORM = {"tenant": "platform"}


def answers(tenant: str, code: str) -> str:
    return f'inference_requests_total{{{tenant},{MODEL},code="{code}"}}'


def slower(tenant: str, bound: str) -> str:
    return f'traefik_service_request_duration_seconds_bucket{{{tenant},le="{bound}"}}'


def answered(tenant: str) -> str:
    return f"traefik_service_request_duration_seconds_count{{{tenant}}}"


def progressing(tenant: str, reason: str) -> str:
    labels = f'{tenant},model="sentiment",type="Progressing",status="False",reason="{reason}"'
    return f"ferryman_release_condition{{{labels}}}"


def phase(tenant: str, name: str) -> str:
    return f'ferryman_release_phase{{{tenant},model="sentiment",phase="{name}"}}'


SLO = [
    Life(
        "AvailabilityBurnsFast",
        "8 % of tenant-a's requests fail, over 14.4 times its budget; 2.8 % of tenant-b's, and all ten of tenant-c's",
        # A step is a minute.
        {
            answers(A, "200"): "0+101x30 3030x200",
            answers(A, "503"): "0+9x30 270x200",
            answers(B, "200"): "0+103x30",
            answers(B, "503"): "0+3x30",
            answers(C, "500"): "0+1x10 10x200",
        },
        silent="4m",
        firing="5m",
        resolved="1h2m",
        step="1m",
    ),
    Life(
        "AvailabilityBurnsSlowly",
        "2.7 % of tenant-a's requests fail for hours: 3 times its budget; 0.4 % of tenant-b's",
        {
            answers(A, "200"): "0+107x24 2568x100",
            answers(A, "503"): "0+3x24 72x100",
            answers(B, "200"): "0+249x24",
            answers(B, "503"): "0+1x24",
        },
        silent="1h20m",
        firing="1h30m",
        resolved="10h20m",
        step="10m",
    ),
    Life(
        "LatencyBurnsFast",
        "15 % of tenant-a's answers take longer than promised; 5 % of tenant-b's; all of tenant-c's ten",
        {
            answers(A, "200"): "0+110x30 3300x200",
            answered(A): "0+110x30 3300x200",
            slower(A, "0.25"): "0+93x30 2790x200",
            answers(B, "200"): "0+110x30 3300x200",
            answered(B): "0+110x30 3300x200",
            slower(B, "0.25"): "0+104x30 3120x200",
            answers(C, "200"): "0+1x10 10x200",
            answered(C): "0+1x10 10x200",
            slower(C, "0.25"): "0+0x220",
        },
        silent="4m",
        firing="5m",
        resolved="1h2m",
        step="1m",
    ),
    Life(
        "LatencyBurnsSlowly",
        "4.5 % of tenant-a's answers take longer than promised for hours; 0.9 % of tenant-b's",
        {
            answers(A, "200"): "0+110x24 2640x100",
            answered(A): "0+110x24 2640x100",
            slower(A, "0.25"): "0+105x24 2520x100",
            answers(B, "200"): "0+1000x24",
            answered(B): "0+1000x24",
            slower(B, "0.25"): "0+991x24",
        },
        silent="1h20m",
        firing="1h30m",
        resolved="10h20m",
        step="10m",
    ),
]

PREDICTORS = [
    Life(
        "PredictorLatencyHigh",
        "6 % of the answers to tenant-a take more than 5 s, which is its 95th percentile; 4 % of those to tenant-b",
        {
            answered(A): "0+16x40 640x40",
            slower(A, "5"): "0+15x40 600x40",
            answered(B): "0+25x80",
            slower(B, "5"): "0+24x80",
        },
        silent="2m",
        firing="2m15s",
        resolved="15m",
    ),
    Life(
        "PredictorRestarting",
        "tenant-a's predictor restarts every minute, four times; tenant-b's three times",
        {
            f'process_start_time_seconds{{job="predictors",{A},instance="1"}}': "100 200 300 400 500 500x20",
            f'process_start_time_seconds{{job="predictors",{B},instance="2"}}': "100 200 300 400 400x20",
            'process_start_time_seconds{job="gateway",instance="3"}': "100 200 300 400 500x20",
        },
        silent="3m",
        firing="4m",
        resolved="12m",
        step="1m",
    ),
    Life(
        "PredictorRestarting",
        "as the kubelet sees it: a container that never lives long enough to be asked",
        {
            f'container_start_time_seconds{{container="kserve-container",{A},pod="1"}}': "1 2 3 4 5 5x20",
            f'container_start_time_seconds{{container="kserve-container",{B},pod="2"}}': "1 2 3 4 4x20",
        },
        silent="3m",
        firing="4m",
        resolved="12m",
        step="1m",
    ),
    Life(
        "PredictorErrors",
        "6.3 % of tenant-a's requests fail, 4.8 % of tenant-b's, and every one of the two that tenant-c sends",
        {
            answers(A, "200"): "0+15x17 255x60",
            answers(A, "INTERNAL"): "0+1x17 17x60",
            answers(B, "200"): "0+20x13",
            answers(B, "500"): "0+1x13",
            answers(C, "500"): "0 1 2 2x60",
        },
        silent="5m",
        firing="5m30s",
        resolved="15m",
        step="30s",
    ),
    Life(
        "PredictorErrors",
        "tenant-a's predictor answers nothing, which only the gateway can count; a caller's 400 is nobody's error",
        {
            answers(A, "200"): "0+6x24 144x60",
            f'traefik_service_requests_total{{{A},service="x",code="502"}}': "0+6x24 144x60",
            answers(B, "400"): "0+1x80",
        },
        silent="5m",
        firing="5m15s",
        resolved="15m15s",
    ),
    Life(
        "PredictorNotReady",
        "a predictor of tenant-a does not answer Prometheus for 5 minutes; one of tenant-b for a moment less",
        {
            f'up{{job="predictors",{A},instance="1"}}': "0x40 1x20",
            f'up{{job="predictors",{A},instance="2"}}': "1x60",
            f'up{{job="predictors",{B},instance="3"}}': "0x19 1x40",
        },
        silent="4m45s",
        firing="5m",
        resolved="10m15s",
    ),
    Life(
        "PredictorNotReady",
        "the controller sees that tenant-a's stable version is not ready; tenant-b has none yet",
        {
            f'ferryman_release_condition{{{A},type="Ready",status="False",reason="NotReady"}}': "1x40 _x20",
            f'ferryman_release_condition{{{B},type="Ready",status="False",reason="NothingReleased"}}': "1x60",
        },
        silent="4m45s",
        firing="5m",
        resolved="15m15s",
    ),
    Life(
        "PredictorCpuHigh",
        "a pod of tenant-a uses 81 % of the CPU that it may; one of tenant-b 78 %",
        {
            f'container_cpu_usage_seconds_total{{container="kserve-container",{A},pod="1"}}': "0+25x80 2000x40",
            f'container_cpu_usage_seconds_total{{container="kserve-container",{B},pod="2"}}': "0+24x120",
            f'container_spec_cpu_quota{{container="",{A},pod="1"}}': "205000x120",
            f'container_spec_cpu_quota{{container="",{B},pod="2"}}': "205000x120",
            f'container_spec_cpu_period{{container="",{A},pod="1"}}': "100000x120",
            f'container_spec_cpu_period{{container="",{B},pod="2"}}': "100000x120",
        },
        silent="14m30s",
        firing="15m",
        resolved="26m",
        labels={"tenant": "tenant-a", "pod": "1"},
    ),
    Life(
        "PredictorMemoryHigh",
        "a pod of tenant-a uses more than 90 % of its memory; one of tenant-b just 90 %",
        {
            f'container_memory_working_set_bytes{{container="kserve-container",{A},pod="1"}}': "901x40 500x20",
            f'container_memory_working_set_bytes{{container="kserve-container",{B},pod="2"}}': "900x60",
            f'container_spec_memory_limit_bytes{{container="",{A},pod="1"}}': "1000x60",
            f'container_spec_memory_limit_bytes{{container="",{B},pod="2"}}': "1000x60",
        },
        silent="4m45s",
        firing="5m",
        resolved="10m15s",
        labels={"tenant": "tenant-a", "pod": "1"},
    ),
    Life(
        "PredictorsAtMaximum",
        "tenant-a runs ten predictors of one version, tenant-b nine and three of another",
        {f'prediction_confidence_count{{{A},{MODEL},instance="{each}"}}': "0x80 _x20" for each in range(10)}
        | {f'prediction_confidence_count{{{B},{MODEL},instance="{each}"}}': "0x100" for each in range(9)}
        | {
            f'prediction_confidence_count{{{B},model="sentiment",version="8",instance="{each}"}}': "0x100"
            for each in range(9, 12)
        },
        silent="14m45s",
        firing="15m",
        resolved="25m15s",
        labels=VERSION,
    ),
]

MODELS = [
    Life(
        "PredictionsShifted",
        "tenant-a's scores are far from those in training; tenant-b's just at the limit",
        {
            f'prediction_drift_psi{{{A},{MODEL},measure="score"}}': "0.26x80 0.1x20",
            f'prediction_drift_psi{{{A},{MODEL},measure="class"}}': "0.1x100",
            f'prediction_drift_psi{{{B},{MODEL},measure="score"}}': "0.25x100",
        },
        silent="14m45s",
        firing="15m",
        resolved="20m15s",
        labels={**VERSION, "measure": "score"},
    ),
    Life(
        "InputsShifted",
        "tenant-a is asked in words that its model does not know; tenant-b's share of them is just at the limit",
        {
            f'prediction_drift_psi{{{A},{MODEL},measure="oov"}}': "0.26x80 0.1x20",
            f'prediction_drift_psi{{{B},{MODEL},measure="oov"}}': "0.25x100",
            f'prediction_drift_psi{{{B},{MODEL},measure="length"}}': "0.25x100",
        },
        silent="14m45s",
        firing="15m",
        resolved="20m15s",
        labels={**VERSION, "measure": "oov"},
    ),
    Life(
        "ConfidenceCollapsed",
        "tenant-a's model guesses in 51 % of its answers; tenant-b's in 49 %; tenant-c's in all of its ten",
        {
            f"prediction_confidence_count{{{A},{MODEL}}}": "0+100x15 1500x50",
            f'prediction_confidence_bucket{{{A},{MODEL},le="0.6"}}': "0+51x15 765x50",
            f"prediction_confidence_count{{{B},{MODEL}}}": "0+100x60",
            f'prediction_confidence_bucket{{{B},{MODEL},le="0.6"}}': "0+49x60",
            f"prediction_confidence_count{{{C},{MODEL}}}": "0+1x10 10x50",
            f'prediction_confidence_bucket{{{C},{MODEL},le="0.6"}}': "0+1x10 10x50",
        },
        silent="10m",
        firing="11m",
        resolved="46m",
        labels=VERSION,
        step="1m",
    ),
    Life(
        "ModelOld",
        "tenant-a's model turns 90 days old; tenant-b's is some hours younger",
        {
            f"model_created_timestamp_seconds{{{A},{MODEL}}}": "-7776000x100 _x100",
            f"model_created_timestamp_seconds{{{B},{MODEL}}}": "-7750000x200",
        },
        silent="1h",
        firing="1h1m",
        resolved="1h46m",
        labels=VERSION,
        step="1m",
    ),
    Life(
        "VersionsDiffer",
        "two versions answer tenant-a, whose release is Stable; two answer tenant-b, whose canary is on trial",
        {
            f'inference_requests_total{{{A},model="sentiment",version="7",code="200"}}': "0+1x200",
            f'inference_requests_total{{{A},model="sentiment",version="8",code="200"}}': "0+1x80 80x120",
            phase(A, "Stable"): "1x200",
            f'inference_requests_total{{{B},model="sentiment",version="7",code="200"}}': "0+1x200",
            f'inference_requests_total{{{B},model="sentiment",version="8",code="200"}}': "0+1x200",
            phase(B, "Stable"): "0x200",
        },
        silent="15m",
        firing="15m15s",
        resolved="25m15s",
        labels=RELEASE,
    ),
]

RELEASES = [
    Life(
        "ReleaseStuck",
        "tenant-a's canary has had too few requests to be judged; tenant-b's waits for a person, who was asked for",
        {progressing(A, "TooFewRequests"): "1x40 _x20", progressing(B, "AwaitingDecision"): "1x60"},
        silent="4m45s",
        firing="5m",
        resolved="15m15s",
        labels={**RELEASE, "reason": "TooFewRequests"},
    ),
    Life(
        "ReleaseStuck",
        "tenant-a has been verifying for more than an hour; tenant-b has been Stable for days",
        {
            f'ferryman_release_phase_seconds{{{A},model="sentiment"}}': "3600+15x40 0x20",
            phase(A, "Verifying"): "1x40 0x20",
            f'ferryman_release_phase_seconds{{{B},model="sentiment"}}': "360000+15x60",
            phase(B, "Stable"): "1x60",
            phase(B, "Verifying"): "0x60",
        },
        silent="5m",
        firing="5m15s",
        resolved="10m15s",
        labels=RELEASE,
    ),
    *(
        Life(
            name,
            f"the alias names a version that tenant-a cannot have: {reason}; tenant-b is up to date",
            {
                progressing(A, reason): "_x2 1x20 _x40",
                f'ferryman_release_condition{{{B},type="Progressing",status="True",reason="UpToDate"}}': "1x60",
                # What was said about a version that the alias no longer names stays on the release.
                f'ferryman_release_condition{{{B},type="Verified",status="False",reason="{reason}"}}': "1x60",
            },
            silent="15s",
            firing="45s",
            resolved="10m45s",
            labels={**RELEASE, "reason": reason},
        )
        for name, reason in (
            ("ReleaseRejected", "GateNotPassed"),
            ("ReleaseRolledBack", "LatencyIncreased"),
            ("SignatureRefused", "Altered"),
        )
    ),
]

PLATFORM_LIVES = [
    Life(
        "ControllerDown",
        "the controller does not answer for 5 minutes; before, it was away for a moment",
        {
            'up{job="release",instance="1"}': "0x10 1x9 0x40 1x20",
            'up{job="gateway",instance="2"}': "1x80",
        },
        silent="10m",
        firing="10m15s",
        resolved="15m30s",
        labels={**PLATFORM, "job": "release", "instance": "1"},
    ),
    Life(
        "RegistryUnreachable",
        "MLflow does not answer for 5 minutes",
        {
            "ferryman_registry_reachable": "0x40 1x20",
            **{f'up{{job="{job}"}}': "1x60" for job in ("gateway", "release")},
        },
        silent="4m45s",
        firing="5m",
        resolved="10m15s",
        labels=PLATFORM,
    ),
    Life(
        "TargetDown",
        "one of the gateway's two pods does not answer Prometheus",
        {
            'up{job="gateway",instance="1"}': "0x40 1x20",
            'up{job="gateway",instance="2"}': "1x60",
            'up{job="release",instance="3"}': "1x60",
        },
        silent="4m45s",
        firing="5m",
        resolved="10m15s",
        labels={**PLATFORM, "job": "gateway", "instance": "1"},
    ),
    Life(
        "TargetAbsent",
        "the gateway is no target any more",
        {'up{job="gateway"}': "_x60 1x40", 'up{job="release"}': "1x100"},
        silent="9m45s",
        firing="10m",
        resolved="15m15s",
        labels={**PLATFORM, "job": "gateway"},
    ),
    Life(
        "TargetAbsent",
        "tenant-a has a version that serves, and no predictor is a target; tenant-b has nothing released",
        {
            f"ferryman_release_weight{{{A},{MODEL}}}": "100x100",
            f'up{{job="predictors",{A}}}': "_x60 1x40",
            **{f'up{{job="{job}"}}': "1x100" for job in ("gateway", "release")},
        },
        silent="9m45s",
        firing="10m",
        resolved="15m15s",
    ),
    Life(
        "CertificateExpiring",
        "one certificate expires in less than 14 days, another in 15; one that it replaced is still shown",
        {
            'traefik_tls_certs_not_after{cn="a.example.com",serial="1"}': "1209600x90 9999999x60",
            'traefik_tls_certs_not_after{cn="b.example.com",serial="2"}': "1296000x150",
            'traefik_tls_certs_not_after{cn="b.example.com",serial="0"}': "600000x150",
        },
        silent="1h",
        firing="1h1m",
        resolved="1h31m",
        labels={**PLATFORM, "cn": "a.example.com"},
        step="1m",
    ),
    Life(
        "ObjectStoreNearlyFull",
        "9 % of MinIO's disks are free",
        {
            "minio_cluster_capacity_usable_free_bytes": "9x80 10x20",
            "minio_cluster_capacity_usable_total_bytes": "100x100",
        },
        silent="14m45s",
        firing="15m",
        resolved="20m15s",
        labels=PLATFORM,
    ),
    Life(
        "ObjectStoreNearlyFull",
        "9 % of the laptop's disk is free",
        {
            'SeaweedFS_volumeServer_resource{name="x",type="avail"}': "9x80 10x20",
            'SeaweedFS_volumeServer_resource{name="x",type="all"}': "100x100",
        },
        silent="14m45s",
        firing="15m",
        resolved="20m15s",
        labels=PLATFORM,
    ),
    Life(
        "PlatformMemoryHigh",
        "a pod of the gateway uses more than 90 % of its memory, the controller just 90 %; a tenant's is not of it",
        {
            'container_memory_working_set_bytes{container="traefik",namespace="gateway",pod="1"}': "901x40 500x20",
            'container_memory_working_set_bytes{container="controller",namespace="release",pod="2"}': "900x60",
            'container_memory_working_set_bytes{container="other",namespace="shop",pod="3"}': "950x60",
            'container_spec_memory_limit_bytes{container="",namespace="gateway",pod="1"}': "1000x60",
            'container_spec_memory_limit_bytes{container="",namespace="release",pod="2"}': "1000x60",
            'container_spec_memory_limit_bytes{container="",namespace="shop",pod="3"}': "1000x60",
        },
        silent="4m45s",
        firing="5m",
        resolved="10m15s",
        labels={**PLATFORM, "namespace": "gateway", "pod": "1"},
    ),
]

LIVES = [*SLO, *PREDICTORS, *MODELS, *RELEASES, *PLATFORM_LIVES]
