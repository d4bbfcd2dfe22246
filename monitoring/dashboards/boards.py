"""What each dashboard asks."""

from __future__ import annotations

from monitoring.config import Config
from monitoring.dashboards.board import Board, Panel, Query
from monitoring.duration import prometheus
from monitoring.recording import error_ratio, slow_ratio

__all__ = ["boards"]

_TENANT = 'tenant=~"$tenant"'
_VERSION = _TENANT + ',version=~"$version"'
_PODS = 'job="predictors",' + _TENANT
_OVER = "[$__rate_interval]"
_BY = "sum by (tenant, version)"
_NAMED = "{{tenant}} v{{version}}"


def boards(config: Config) -> tuple[Board, ...]:
    """Return the four dashboards."""
    return _tenant(config), _release(), _models(config), _platform()


def _one(title: str, unit: str, expr: str, legend: str) -> Panel:
    return Panel(title, unit, (Query(expr, legend),))


def _quantile(share: float, labels: str, by: str, server: str = "inference_request") -> str:
    buckets = f"rate({server}_duration_seconds_bucket{{{labels}}}{_OVER})"
    return f"histogram_quantile({share}, sum by ({by}, le) ({buckets}))"


def _tenant(config: Config) -> Board:
    longest = config.windows()[-1]
    budget = round(1 - config.slo.availability, 6)
    slow = round(1 - config.slo.latency, 6)
    left = f"Error budget left, if it goes on as in the last {prometheus(longest)}"
    return Board(
        "tenant",
        "Tenant",
        (
            _one(
                "Requests",
                "reqps",
                f"sum by (tenant) (rate(inference_requests_total{{{_TENANT}}}{_OVER}))",
                "{{tenant}}",
            ),
            Panel(
                "Latency at the gateway, 95 % and 50 %",
                "s",
                (
                    Query(_quantile(0.95, _TENANT, "tenant", "traefik_service_request"), "{{tenant}} 95 %"),
                    Query(_quantile(0.5, _TENANT, "tenant", "traefik_service_request"), "{{tenant}} 50 %"),
                ),
            ),
            _one("Predictors that answer", "short", f"sum by (tenant) (up{{{_PODS}}})", "{{tenant}}"),
            _one(
                "Restarts in an hour",
                "short",
                f"sum by (tenant) (changes(process_start_time_seconds{{{_PODS}}}[1h]))",
                "{{tenant}}",
            ),
            _one(
                "CPU, average of the predictors",
                "cores",
                f"avg by (tenant) (rate(process_cpu_seconds_total{{{_PODS}}}{_OVER}))",
                "{{tenant}}",
            ),
            _one(
                "Memory, average of the predictors",
                "bytes",
                f"avg by (tenant) (process_resident_memory_bytes{{{_PODS}}})",
                "{{tenant}}",
            ),
            _one(
                "CPU of each predictor",
                "cores",
                f"rate(process_cpu_seconds_total{{{_PODS}}}{_OVER})",
                "{{tenant}} {{instance}}",
            ),
            Panel(
                left,
                "percentunit",
                (
                    Query(f"1 - {error_ratio(longest)}{{{_TENANT}}} / {budget}", "{{tenant}} answered"),
                    Query(f"1 - {slow_ratio(longest)}{{{_TENANT}}} / {slow}", "{{tenant}} in time"),
                ),
            ),
        ),
    )


def _release() -> Board:
    asked = f"{_BY} (rate(inference_requests_total{{{_VERSION}}}{_OVER}))"
    failed = f'{_BY} (rate(inference_requests_total{{{_VERSION},code=~"5..|INTERNAL|UNAVAILABLE"}}{_OVER}))'
    return Board(
        "release",
        "Release: stable and canary side by side",
        (
            _one("Share of the requests that it is given", "short", f"ferryman_release_weight{{{_VERSION}}}", _NAMED),
            _one("Requests", "reqps", asked, _NAMED),
            _one(
                "Share of the requests that fail", "percentunit", f"({failed} or 0 * {asked}) / ({asked} > 0)", _NAMED
            ),
            _one("Latency in the predictor, 95 %", "s", _quantile(0.95, _VERSION, "tenant, version"), _NAMED),
            _one(
                "Share of each label",
                "percentunit",
                f"sum by (tenant, version, label) (rate(predictions_total{{{_VERSION}}}{_OVER}))"
                f" / on (tenant, version) group_left () ({_BY} (rate(predictions_total{{{_VERSION}}}{_OVER})) > 0)",
                f"{_NAMED} {{{{label}}}}",
            ),
            _one("Phase", "short", f"ferryman_release_phase{{{_TENANT}}} == 1", "{{tenant}} {{phase}}"),
        ),
    )


def _models(config: Config) -> Board:
    unsure = config.alerts["ConfidenceCollapsed"].confidence
    count = f"{_BY} (rate(prediction_confidence_count{{{_VERSION}}}{_OVER}))"
    return Board(
        "models",
        "Model health",
        (
            _one(
                "Shift against training (population stability index)",
                "short",
                f"max by (tenant, version, measure) (prediction_drift_psi{{{_VERSION}}})",
                f"{_NAMED} {{{{measure}}}}",
            ),
            _one(
                "Mean confidence",
                "percentunit",
                f"{_BY} (rate(prediction_confidence_sum{{{_VERSION}}}{_OVER})) / ({count} > 0)",
                _NAMED,
            ),
            _one(
                f"Share of answers with a confidence of at most {unsure}",
                "percentunit",
                f'{_BY} (rate(prediction_confidence_bucket{{{_VERSION},le="{unsure}"}}{_OVER})) / ({count} > 0)',
                _NAMED,
            ),
            _one(
                "Answers by label",
                "short",
                f"sum by (tenant, label) (rate(predictions_total{{{_VERSION}}}{_OVER}))",
                "{{tenant}} {{label}}",
            ),
            _one(
                "Age in days",
                "short",
                f"max by (tenant, version) ((time() - model_created_timestamp_seconds{{{_VERSION}}}) / 86400)",
                _NAMED,
            ),
            _one(
                "Predictors by version",
                "short",
                f"count by (tenant, version) (prediction_confidence_count{{{_VERSION}}})",
                _NAMED,
            ),
        ),
    )


def _platform() -> Board:
    store = (
        "min(minio_cluster_capacity_usable_free_bytes / minio_cluster_capacity_usable_total_bytes"
        ' or SeaweedFS_volumeServer_resource{type="avail"}'
        ' / ignoring (type) SeaweedFS_volumeServer_resource{type="all"})'
    )
    return Board(
        "platform",
        "Platform",
        (
            _one("Servers that answer", "short", 'sum by (job) (up{job!="predictors"})', "{{job}}"),
            _one("The registry answers the controller", "short", "max(ferryman_registry_reachable)", "MLflow"),
            _one("Releases by phase", "short", "sum by (phase) (ferryman_release_phase)", "{{phase}}"),
            _one(
                "The gateway's answers",
                "reqps",
                f"sum by (code) (rate(traefik_service_requests_total{_OVER}))",
                "{{code}}",
            ),
            _one("Free in the object store", "percentunit", store, "free"),
            _one("Memory", "bytes", 'sum by (job) (process_resident_memory_bytes{job!="predictors"})', "{{job}}"),
            _one(
                "CPU", "cores", f'sum by (job) (rate(process_cpu_seconds_total{{job!="predictors"}}{_OVER}))', "{{job}}"
            ),
            _one("Series in Prometheus", "short", "prometheus_tsdb_head_series", "series"),
        ),
    )
