"""Login, one's own password, accounts and the audit log."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console import accounts, sessions
from followup.console.audit import audit
from followup.console.forms import field, object_id, query
from followup.console.paging import page_number, page_of
from followup.console.parts import database, page, see, sentence, settings, staff
from followup.console.people import queries
from followup.console.permissions import Permission, needs, open_to_all_staff
from followup.store.models import User
from followup.web.security import address_of

_ACCOUNTS = "/console/people"


# —— login ——————————————————————————————————————————————————————————


@open_to_all_staff
async def login_page(request: web.Request) -> web.Response:
    """GET /console/login"""
    if "staff" in request:
        return see("/console")
    return page(request, "people/login.html", name="", error="", next=query(request, "next"))


@open_to_all_staff
async def log_in(request: web.Request) -> web.Response:
    """POST /console/login"""
    name, password = await field(request, "name", longest=100), str((await request.post()).get("password", ""))
    back = await field(request, "next")
    async with database(request).session() as session:
        login = await accounts.log_in(session, name, password, address_of(request), settings(request).signing_secret())
        if login.user is not None:
            token = await sessions.begin(session, login.user.id, request.cookies.get(sessions.COOKIE, ""))
            found = await sessions.find(session, token)
            await audit(session, found.staff if found else None, "login.ok")
        else:
            await audit(session, None, "login.failed", "user", name[: accounts.LONGEST_NAME], throttled=bool(login.wait))
    if login.user is None:
        error = f"尝试次数太多，请在 {login.wait} 分钟以后再试。" if login.wait else "账号或密码不正确。"
        status = 429 if login.wait else 401
        return page(request, "people/login.html", status=status, name=name, error=error, next=back)
    answer = see(_safe(back))
    sessions.write_cookie(answer, token, secure=settings(request).public_url.startswith("https://"))
    return answer


def _safe(path: str) -> str:
    """Where to go after the login: a page of the console, never another site."""
    parts = urlsplit(path)
    inside = not parts.scheme and not parts.netloc and (parts.path == "/console" or parts.path.startswith("/console/"))
    return path if inside and "\\" not in path and path.isprintable() else "/console"


@open_to_all_staff
async def log_out(request: web.Request) -> web.Response:
    """POST /console/logout"""
    async with database(request).session() as session:
        await sessions.end(session, request["staff_session"].token)
        await audit(session, staff(request), "login.out")
    answer = see("/console/login")
    sessions.drop_cookie(answer)
    return answer


# —— one's own password ————————————————————————————————————————————————


@open_to_all_staff
async def password_page(request: web.Request) -> web.Response:
    """GET /console/password"""
    return page(request, "people/password.html", error="", done="done" in request.query)


@open_to_all_staff
async def change_password(request: web.Request) -> web.Response:
    """POST /console/password"""
    form = await request.post()
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    try:
        if new != again:
            raise accounts.AccountError("not_the_same")
        async with database(request).session() as session:
            await accounts.change_password(await _user(session, staff(request).id), old, new)
            await sessions.end_all(session, staff(request).id, except_session=request["staff_session"].session_id)
            await audit(session, staff(request), "password.change", "user", staff(request).id)
    except accounts.AccountError as error:
        text = sentence("account_errors", error.key)
        return page(request, "people/password.html", status=400, error=text, done=False)
    return see("/console/password?done=1")


# —— accounts ————————————————————————————————————————————————————————


@needs(Permission.MANAGE_PEOPLE)
async def people_page(request: web.Request) -> web.Response:
    """GET /console/people"""
    return await _people(request)


async def _people(request: web.Request, *, error: str = "", told: tuple[str, str] | None = None) -> web.Response:
    async with database(request).session() as session:
        users = await queries.users(session)
    return page(request, "people/people.html", status=400 if error else 200, users=users, error=error, told=told)


@needs(Permission.MANAGE_PEOPLE)
async def add_user(request: web.Request) -> web.Response:
    """POST /console/people: a new account; its made-up password is shown once, on the answer's page."""
    name, role = await field(request, "name"), await field(request, "role")
    department, email = await field(request, "department", longest=40), await field(request, "email")
    try:
        async with database(request).session() as session:
            user, password = await accounts.create(session, name, role, department=department, email=email)
            await audit(session, staff(request), "user.create", "user", user.id, name=user.name, role=role)
    except accounts.AccountError as error:
        return await _people(request, error=sentence("account_errors", error.key))
    return await _people(request, told=(user.name, password))


@needs(Permission.MANAGE_PEOPLE)
async def change_user(request: web.Request) -> web.Response:
    """POST /console/people/{id}: role and department, or `do` = disable | enable | reset."""
    user_id, do = object_id(request), await field(request, "do")
    role, department = await field(request, "role"), await field(request, "department", longest=40)
    email = await field(request, "email")
    told = None
    try:
        async with database(request).session() as session:
            user = await _user(session, user_id)
            if do == "reset":
                told = (user.name, await accounts.reset_password(user))
                await sessions.end_all(session, user.id)
                await audit(session, staff(request), "password.reset", "user", user.id, name=user.name)
            elif do in ("disable", "enable"):
                await _switch(request, session, user, on=do == "enable")
            else:
                await _change(request, session, user, role, department, email)
    except accounts.AccountError as error:
        return await _people(request, error=sentence("account_errors", error.key))
    return await _people(request, told=told) if told else see(_ACCOUNTS)


async def _switch(request: web.Request, session: AsyncSession, user: User, *, on: bool) -> None:
    if not on:
        await _keep_an_admin(request, session, user)
        await sessions.end_all(session, user.id)
    user.disabled_at = None if on else clock.now()
    await audit(session, staff(request), "user.enable" if on else "user.disable", "user", user.id, name=user.name)


async def _change(request: web.Request, session: AsyncSession, user: User, role: str, department: str, email: str) -> None:
    if role not in accounts.ROLES:
        raise accounts.AccountError("bad_role")
    if role != user.role:
        await _keep_an_admin(request, session, user)
    before = {"role": user.role, "department": user.department, "email": user.email}
    user.role, user.department, user.email = role, department, accounts.check_email(email)
    after = {"role": role, "department": department, "email": user.email}
    await audit(session, staff(request), "user.change", "user", user.id, name=user.name, before=before, after=after)


async def _keep_an_admin(request: web.Request, session: AsyncSession, user: User) -> None:
    """Nobody locks himself, or everybody, out."""
    if user.id == staff(request).id:
        raise accounts.AccountError("not_oneself")
    if user.role == "admin" and user.disabled_at is None and await queries.active_admins(session) <= 1:
        raise accounts.AccountError("last_admin")


async def _user(session: AsyncSession, user_id: int) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise web.HTTPNotFound
    return user


# —— audit log ————————————————————————————————————————————————————————


@needs(Permission.READ_AUDIT)
async def audit_page(request: web.Request) -> web.Response:
    """GET /console/audit?who=&action=&page="""
    who, action = query(request, "who"), query(request, "action")
    async with database(request).session() as session:
        rows, total = await queries.audit_entries(session, who, action, page_number(request))
    return page(request, "people/audit.html", entries=page_of(request, rows, total), who=who, action=action)


routes = [
    web.get("/login", login_page),
    web.post("/login", log_in),
    web.post("/logout", log_out),
    web.get("/password", password_page),
    web.post("/password", change_password),
    web.get("/people", people_page),
    web.post("/people", add_user),
    web.post(r"/people/{id:\d+}", change_user),
    web.get("/audit", audit_page),
]
