"""The areas of the console, in the order of the navigation."""

from __future__ import annotations

from dataclasses import dataclass

from followup.console.permissions import Permission, Staff


@dataclass(frozen=True, slots=True)
class Area:
    """An entry of the navigation; shown to those who may use it."""

    path: str
    name: str
    permission: Permission


AREAS = (
    Area("/console/talks", "会话", Permission.READ_TALKS),
    Area("/console/live", "实时", Permission.TAKE_OVER),
    Area("/console/tickets", "工单", Permission.READ_TICKETS),
    Area("/console/customers", "客户", Permission.READ_CUSTOMERS),
    Area("/console/campaigns", "任务", Permission.READ_CAMPAIGNS),
    Area("/console/quality", "质检", Permission.READ_OWN_INSPECTIONS),
    Area("/console/figures", "统计", Permission.READ_FIGURES),
    Area("/console/training", "训练", Permission.READ_TRAINING),
    Area("/console/models", "模型", Permission.READ_MODELS),
    Area("/console/scripts", "话术", Permission.READ_SCRIPTS),
    Area("/console/wechat", "微信", Permission.READ_UNDELIVERED),
    Area("/console/people", "账号", Permission.MANAGE_PEOPLE),
    Area("/console/audit", "操作记录", Permission.READ_AUDIT),
)


def areas_of(staff: Staff | None) -> list[Area]:
    """The areas that this person may use."""
    return [area for area in AREAS if staff is not None and staff.may(area.permission)]
