"""What the handlers find in the application."""

from __future__ import annotations

from aiohttp import web

from followup.channels.wechat.book import Book
from followup.settings import Settings
from followup.store.database import Database
from followup.web.fanout import Fanout
from followup.web.health import Health
from followup.web.limits import CodeLimiter, EnquiryLimiter, TalkLimiter
from followup.web.session import Sessions
from followup.web.static import StaticFiles

SETTINGS = web.AppKey("settings", Settings)
DATABASE = web.AppKey("database", Database)
SESSIONS = web.AppKey("sessions", Sessions)
FANOUT = web.AppKey("fanout", Fanout)
LIMITER = web.AppKey("limiter", TalkLimiter)
ENQUIRIES = web.AppKey("enquiries", EnquiryLimiter)
CODES = web.AppKey("codes", CodeLimiter)
HEALTH = web.AppKey("health", Health)
STATIC = web.AppKey("static", StaticFiles)
WECHAT = web.AppKey("wechat", Book)
