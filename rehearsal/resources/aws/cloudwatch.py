"""Log groups and metric alarms."""

from collections.abc import Mapping
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target

# PutRetentionPolicy takes these days only.
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_ALARM_KEYS: Mapping[str, str] = {
    "alarmDescription": "AlarmDescription",
    "actionsEnabled": "ActionsEnabled",
    "okActions": "OKActions",
    "alarmActions": "AlarmActions",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "statistic": "Statistic",
    "extendedStatistic": "ExtendedStatistic",
    "period": "Period",
    "unit": "Unit",
    "evaluationPeriods": "EvaluationPeriods",
    "datapointsToAlarm": "DatapointsToAlarm",
    "threshold": "Threshold",
    "comparisonOperator": "ComparisonOperator",
    "treatMissingData": "TreatMissingData",
}


class LogGroup(CreateOnly):
    """aws:cloudwatch/logGroup:LogGroup; its id is its name."""

    type = "aws:cloudwatch/logGroup:LogGroup"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name, days = inputs.get("name") or declared.name, inputs.get("retentionInDays") or 0
        if days and days not in _RETENTION_DAYS:
            allowed = ", ".join(map(str, _RETENTION_DAYS))
            raise RefusedError(f"{declared}: retentionInDays must be one of {allowed}, got {days}")
        logs = target.client("logs")
        logs.create_log_group(logGroupName=name, tags=dict(inputs.get("tags") or {}))
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        arn = f"arn:aws:logs:{target.effective_region}:{target.aws.account}:log-group:{name}"
        return Created(name, {"arn": arn, "name": name, "retentionInDays": days})

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        logs = target.client("logs")
        try:
            logs.delete_log_group(logGroupName=id_)
        except logs.exceptions.ResourceNotFoundException:
            return


class MetricAlarm(CreateOnly):
    """aws:cloudwatch/metricAlarm:MetricAlarm; its id is its name."""

    type = "aws:cloudwatch/metricAlarm:MetricAlarm"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        name = declared.inputs.get("name") or declared.name
        _refuse_foreign_actions(declared, target)
        target.client("cloudwatch").put_metric_alarm(AlarmName=name, **_alarm(declared.inputs))
        return Created(name, self._outputs(name, target))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        found = target.client("cloudwatch").describe_alarms(AlarmNames=[id_])["MetricAlarms"]
        return self._outputs(id_, target) if found else None

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        target.client("cloudwatch").delete_alarms(AlarmNames=[id_])

    def _outputs(self, name: str, target: Target) -> dict[str, Any]:
        arn = f"arn:aws:cloudwatch:{target.effective_region}:{target.aws.account}:alarm:{name}"
        return {"arn": arn, "name": name}


def _alarm(inputs: Mapping[str, Any]) -> dict[str, Any]:
    request = {argument: inputs[key] for key, argument in _ALARM_KEYS.items() if inputs.get(key) is not None}
    dimensions = inputs.get("dimensions") or {}
    if dimensions:
        request["Dimensions"] = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    queries = inputs.get("metricQueries") or []
    if queries:
        request["Metrics"] = [_query(query) for query in queries]
    return request


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {"Id": query["id"], "ReturnData": bool(query.get("returnData", False))}
    for key in ("expression", "label", "period"):
        if query.get(key) is not None:
            request[key.capitalize()] = query[key]
    metric = query.get("metric")
    if metric:
        dimensions = [{"Name": name, "Value": value} for name, value in (metric.get("dimensions") or {}).items()]
        request["MetricStat"] = {
            "Metric": {
                "Namespace": metric.get("namespace"),
                "MetricName": metric["metricName"],
                "Dimensions": dimensions,
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
    return request


def _refuse_foreign_actions(declared: Declared, target: Target) -> None:
    """An alarm can only notify topics of its own region."""
    for key in ("alarmActions", "okActions", "insufficientDataActions"):
        for arn in declared.inputs.get(key) or []:
            region = arn.split(":")[3] if arn.count(":") >= 5 else ""
            if region not in ("", target.effective_region):
                raise RefusedError(
                    f"{declared}: {key} names {arn} in {region}; the alarm is in {target.effective_region}"
                )


HANDLERS = (LogGroup(), MetricAlarm())
