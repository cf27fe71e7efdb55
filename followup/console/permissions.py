"""Who may do what. A handler says what it needs; a role says what it gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps

from aiohttp import web


class Permission(StrEnum):
    READ_TALKS = "read_talks"
    SEE_PERSONAL = "see_personal"
    """Names, numbers and addresses unmasked."""
    CORRECT = "correct"
    """Put right what was read wrongly."""
    WRITE_NOTES = "write_notes"
    TAKE_OVER = "take_over"
    """Watch running talks, and speak instead of the bot."""
    SEND_FORBIDDEN = "send_forbidden"
    """Send a line in spite of a forbidden phrase, with a reason; end a colleague's take-over."""
    READ_TICKETS = "read_tickets"
    WORK_TICKETS = "work_tickets"
    MANAGE_TICKETS = "manage_tickets"
    """Other people's tickets as well: assign, reopen, change department and severity."""
    READ_CUSTOMERS = "read_customers"
    """The list of customers, masked; SEE_PERSONAL reveals one at a time."""
    BLOCK_CUSTOMERS = "block_customers"
    """Put somebody on the do-not-contact list."""
    LIFT_BLOCKS = "lift_blocks"
    ERASE_CUSTOMERS = "erase_customers"
    READ_CAMPAIGNS = "read_campaigns"
    MANAGE_CAMPAIGNS = "manage_campaigns"
    """Make, start, pause and cancel campaigns; say what became of an unknown delivery."""
    IMPORT_CONTACTS = "import_contacts"
    """Bring in customers by a file, and see what was not taken of it."""
    MANAGE_KEYS = "manage_keys"
    """Keys of customer systems."""
    READ_MODELS = "read_models"
    """The models, what came of each training, how well customers are understood."""
    READ_TRAINING = "read_training"
    """The trainers' inbox, the examples and what was changed in them; customers' lines are masked."""
    TRAIN_MODELS = "train_models"
    """Have a candidate trained, or call it off."""
    PROMOTE_MODELS = "promote_models"
    """Have a model go live, or go back to the one before."""
    READ_SCRIPTS = "read_scripts"
    """Scripts, shared wording and answers, with their drafts and what was published."""
    EDIT_SCRIPTS = "edit_scripts"
    REVIEW_SCRIPTS = "review_scripts"
    """Publish what somebody else wrote, and go back to an older text."""
    READ_FIGURES = "read_figures"
    CONFIRM_REPORTS = "confirm_reports"
    """Say that the monthly report has been handed in."""
    INSPECT = "inspect"
    READ_INSPECTIONS = "read_inspections"
    """Everybody's sheets and results."""
    READ_OWN_INSPECTIONS = "read_own_inspections"
    """The filled sheets about one's own work."""
    EXPORT = "export"
    READ_UNDELIVERED = "read_undelivered"
    """The list of messages that customers did not get."""
    READ_WECHAT = "read_wechat"
    """The accounts 公众号 and their menus; no secrets."""
    MANAGE_WECHAT = "manage_wechat"
    MANAGE_PEOPLE = "manage_people"
    READ_AUDIT = "read_audit"


P = Permission
_AGENT = {P.READ_TALKS, P.SEE_PERSONAL, P.WRITE_NOTES, P.CORRECT, P.TAKE_OVER, P.READ_TICKETS, P.WORK_TICKETS, P.READ_OWN_INSPECTIONS}
_AGENT |= {P.READ_CUSTOMERS, P.BLOCK_CUSTOMERS, P.READ_CAMPAIGNS, P.READ_UNDELIVERED}
_SUPERVISOR = _AGENT | {P.MANAGE_TICKETS, P.READ_FIGURES, P.CONFIRM_REPORTS, P.INSPECT, P.READ_INSPECTIONS, P.EXPORT}
_SUPERVISOR |= {P.MANAGE_CAMPAIGNS, P.SEND_FORBIDDEN, P.LIFT_BLOCKS, P.ERASE_CUSTOMERS, P.IMPORT_CONTACTS, P.READ_WECHAT}
_SUPERVISOR |= {P.READ_TRAINING, P.READ_MODELS, P.TRAIN_MODELS, P.PROMOTE_MODELS}
_SUPERVISOR |= {P.READ_SCRIPTS, P.EDIT_SCRIPTS, P.REVIEW_SCRIPTS}
ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "admin": frozenset(_SUPERVISOR | {P.MANAGE_PEOPLE, P.READ_AUDIT, P.MANAGE_KEYS, P.MANAGE_WECHAT}),
    "supervisor": frozenset(_SUPERVISOR),
    "agent": frozenset(_AGENT),
    "trainer": frozenset({P.READ_TALKS, P.READ_TRAINING, P.CORRECT, P.WRITE_NOTES, P.READ_MODELS, P.TRAIN_MODELS, P.READ_SCRIPTS, P.EDIT_SCRIPTS}),
    "auditor": frozenset(
        {P.READ_TALKS, P.SEE_PERSONAL, P.READ_CUSTOMERS, P.READ_CAMPAIGNS, P.READ_TICKETS, P.READ_FIGURES, P.READ_OWN_INSPECTIONS, P.READ_INSPECTIONS, P.EXPORT, P.READ_AUDIT, P.READ_TRAINING, P.READ_WECHAT, P.READ_UNDELIVERED, P.READ_MODELS, P.READ_SCRIPTS}
    ),
}


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is logged in."""

    id: int
    name: str
    role: str
    department: str
    must_change_password: bool = False

    def may(self, permission: Permission | str) -> bool:
        return permission in ROLE_PERMISSIONS.get(self.role, frozenset())


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def needs(permission: Permission) -> Callable[[Handler], Handler]:
    """Only for staff whose role gives `permission`; anybody else gets 403."""

    def guard(handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not request["staff"].may(permission):
                raise web.HTTPForbidden
            return await handler(request)

        guarded.needs = permission  # type: ignore[attr-defined] - a test reads it off every route
        return guarded

    return guard


def open_to_all_staff(handler: Handler) -> Handler:
    """For what everybody who is logged in may do, such as changing one's own password."""
    handler.needs = None  # type: ignore[attr-defined]
    return handler
