"""Every setting of the product: one class, read from the environment, checked at the start.

| variable              | meaning                                                                      |
|-----------------------|------------------------------------------------------------------------------|
| FOLLOWUP_HOME         | data directory: database, secret, logs (./var)                               |
| DATABASE_URL          | PostgreSQL to use; the embedded one when unset                               |
| FOLLOWUP_PORT         | port of the public web application (8080)                                    |
| FOLLOWUP_BIND         | address the public web application listens on (127.0.0.1)                    |
| FOLLOWUP_PUBLIC_URL   | how customers reach it, for links (http://127.0.0.1:PORT)                    |
| FOLLOWUP_SECRET       | key for signatures, 32 characters or more; made once in FOLLOWUP_HOME if unset |
| FOLLOWUP_RASA_URL     | Rasa, loopback (http://127.0.0.1:5005); set by `followup up`                  |
| FOLLOWUP_RASA_FILE    | where the address of the live Rasa stands, which changes with a new model; set by `followup up` |
| FOLLOWUP_ACTION_URL   | action server, loopback (http://127.0.0.1:5055); set by `followup up`         |
| FOLLOWUP_EMBED_ORIGINS| sites that may embed the chat, separated by commas                           |
| FOLLOWUP_ENQUIRIES    | script of the public entry /ask (inbound_enquiry); off closes the entry      |
| FOLLOWUP_COMPANY      | the firm's name at the public entry; the script's own when unset             |
| FOLLOWUP_PROXIES      | how many proxies of ours stand in front and add to X-Forwarded-For (0)       |
| FOLLOWUP_WEBHOOK_URL  | where reminders of due tickets are sent; none when unset                     |
| FOLLOWUP_TAKEOVER_MINUTES | how long a customer waits for a colleague's line before the bot goes on (10) |
| FOLLOWUP_KEEP_DAYS    | days after a talk's last day until what was said is erased (1095); 0: never  |
| FOLLOWUP_DAILY_CAP    | messages a customer gets in a day, of all campaigns together (1)             |
| FOLLOWUP_SMS_PER_MINUTE, FOLLOWUP_EMAIL_PER_MINUTE, FOLLOWUP_WECHAT_PER_MINUTE | the most messages of the channel in a minute, of all campaigns and workers together; no limit when unset |
| FOLLOWUP_SMTP_URL     | mail server for the same, smtp://user:password@host:587; none when unset     |
| FOLLOWUP_MAIL_FROM    | sender of these mails, needed with FOLLOWUP_SMTP_URL                         |
| FOLLOWUP_SMS          | who carries short messages: aliyun, tencent, fake (shown here only); none when unset |
| FOLLOWUP_SMS_KEY_ID   | the provider's key: AccessKey ID (Aliyun), SecretId (Tencent)                |
| FOLLOWUP_SMS_KEY_SECRET | AccessKey Secret, SecretKey                                                |
| FOLLOWUP_SMS_SIGN     | the registered signature, without 【】                                        |
| FOLLOWUP_SMS_TEMPLATE | the registered template; or several, first=…,reminder=…,callback=… (docs/zh/channels.md) |
| FOLLOWUP_SMS_APP_ID   | Tencent's SmsSdkAppId                                                        |
| FOLLOWUP_ALERT_URLS   | whom to tell of trouble, Apprise addresses separated by blanks or commas; nobody when unset |
| FOLLOWUP_WECHAT       | names of the accounts 公众号, separated by commas; their own variables: channels/wechat/account.py |
| FOLLOWUP_WECOM        | names of the accounts 微信客服, separated by commas; their own variables: channels/wecom/account.py |
| FOLLOWUP_PROOF_DIR    | sentences (nlu/*.tsv) and talks (e2e/talks) that a new model is proved on (tests/ of the product) |
| FOLLOWUP_LOG          | json: log files of one JSON object a line (text)                             |
| FOLLOWUP_METRICS_TOKEN | who may read /metrics (16 characters or more); nobody when unset             |
| FOLLOWUP_NOW          | the time to believe instead of the clock's, ISO 8601 (tests)                 |
| FOLLOWUP_NOW_RUNS     | when set, FOLLOWUP_NOW is only where the clock starts from: see clock.py     |

Importing this module touches nothing; `load_settings` only reads.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from followup.channels.account import KINDS, PROVIDERS, SmsAccount
from followup.channels.wechat.account import Account as WechatAccount
from followup.channels.wechat.account import AccountError, load_accounts
from followup.channels.wecom.account import Account as WecomAccount
from followup.channels.wecom.account import AccountError as WecomAccountError
from followup.channels.wecom.account import load_accounts as load_wecom_accounts

SHANGHAI = ZoneInfo("Asia/Shanghai")
PROJECT_DIR = Path(__file__).resolve().parents[1]

_DEFAULT_PORT = 8080
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_SHORTEST_SECRET = 32
_SHORTEST_TOKEN = 16
_KEEP_DAYS = 1095
"""Three years, in which somebody may still go to court about it (docs/privacy.md)."""


class SettingsError(ValueError):
    """A variable has a value that cannot be used. The message is Chinese and names the variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says.

    `database_url` is in libpq's form (`postgresql://...`), whatever driver the variable named.
    `secret` is FOLLOWUP_SECRET as given, or None; what signs uses `signing_secret()`.
    """

    home: Path
    database_url: str | None = None
    port: int = _DEFAULT_PORT
    bind: str = "127.0.0.1"
    public_url: str = f"http://127.0.0.1:{_DEFAULT_PORT}"
    secret: str | None = None
    rasa_url: str = "http://127.0.0.1:5005"
    rasa_file: Path | None = None
    """Above `rasa_url` where it is set (followup.supervise.address)."""
    action_url: str = "http://127.0.0.1:5055"
    embed_origins: tuple[str, ...] = ()
    enquiry_script: str | None = "inbound_enquiry"
    """None: the public entry is closed."""
    company: str = ""
    proxies: int = 0
    webhook_url: str = ""
    """A group robot's address; it may hold a key."""
    smtp_url: str = ""
    """smtp (STARTTLS) or smtps; it may hold a password."""
    mail_from: str = ""
    """`name <address>` or the address alone."""
    sms: SmsAccount | None = None
    """None: no short messages."""
    wechat: tuple[WechatAccount, ...] = ()
    """The accounts 公众号; none: no WeChat."""
    wecom: tuple[WecomAccount, ...] = ()
    """The accounts 微信客服."""
    alert_urls: tuple[str, ...] = ()
    """Apprise's addresses; they hold keys."""
    takeover_minutes: int = 10
    """A colleague who lets a customer wait so long for a line is taken to be away."""
    daily_cap: int = 1
    """Messages a customer gets in a day, of all campaigns together; call-backs they asked for not counted."""
    per_minute: Mapping[str, int] = field(default_factory=dict)
    """Channel -> the most messages in a minute, of all campaigns and workers together; missing: as fast as it goes."""
    metrics_token: str = ""
    """What Prometheus sends to read /metrics; none: /metrics is closed."""
    keep_days: int = _KEEP_DAYS
    """0: content is kept for ever."""
    now: datetime | None = None
    project_dir: Path = PROJECT_DIR
    proof_dir: Path = PROJECT_DIR / "tests"

    def signing_secret(self) -> str:
        """The given secret, or the one kept in `home/secret`, which the first call makes (mode 0600)."""
        return self.secret if self.secret is not None else _kept_secret(self.home / "secret")

    def link(self, token: str) -> str:
        """The address a customer opens."""
        return f"{self.public_url}/c/{token}"

    def __repr__(self) -> str:
        # Settings end up in tracebacks and logs; the password and the key must not.
        return f"Settings(home={str(self.home)!r}, port={self.port}, rasa_url={self.rasa_url!r})"


def load_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """Read and check all variables. Raises SettingsError for the first that cannot be used."""
    port = _port(env)
    return Settings(
        home=Path(_text(env, "FOLLOWUP_HOME") or "./var").expanduser().absolute(),
        database_url=_database_url(env),
        port=port,
        bind=_text(env, "FOLLOWUP_BIND") or "127.0.0.1",
        public_url=_url(env, "FOLLOWUP_PUBLIC_URL", f"http://127.0.0.1:{port}"),
        secret=_secret(env),
        rasa_url=_url(env, "FOLLOWUP_RASA_URL", "http://127.0.0.1:5005"),
        rasa_file=_path(env, "FOLLOWUP_RASA_FILE"),
        action_url=_url(env, "FOLLOWUP_ACTION_URL", "http://127.0.0.1:5055"),
        embed_origins=_origins(env),
        enquiry_script=_enquiry_script(env),
        company=_text(env, "FOLLOWUP_COMPANY") or "",
        proxies=_proxies(env),
        webhook_url=_webhook_url(env),
        smtp_url=_smtp_url(env),
        mail_from=_mail_from(env),
        sms=_sms(env),
        wechat=_wechat(env),
        wecom=_wecom(env),
        alert_urls=_alert_urls(env),
        takeover_minutes=_minutes(env, "FOLLOWUP_TAKEOVER_MINUTES", 10),
        daily_cap=_daily_cap(env),
        per_minute=_per_minute(env),
        metrics_token=_metrics_token(env),
        keep_days=_keep_days(env),
        proof_dir=_path(env, "FOLLOWUP_PROOF_DIR") or PROJECT_DIR / "tests",
        now=parse_now(_text(env, "FOLLOWUP_NOW")),
    )


def parse_now(text: str | None) -> datetime | None:
    """FOLLOWUP_NOW as an aware time; without a zone it is Asia/Shanghai."""
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"FOLLOWUP_NOW 的值“{text}”不是时间，请写成 2026-11-21T10:00:00 这样的格式。"
        ) from None
    return value.replace(tzinfo=SHANGHAI) if value.tzinfo is None else value.astimezone(SHANGHAI)


def _text(env: Mapping[str, str], name: str) -> str | None:
    return env.get(name, "").strip() or None


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = _text(env, name)
    return Path(text).expanduser().absolute() if text else None


def _port(env: Mapping[str, str]) -> int:
    text = _text(env, "FOLLOWUP_PORT")
    if text is None:
        return _DEFAULT_PORT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"FOLLOWUP_PORT 的值“{text}”不是端口号，请填写 1 到 65535 之间的整数。")
    return int(text)


def _database_url(env: Mapping[str, str]) -> str | None:
    text = _text(env, "DATABASE_URL")
    if text is None:
        return None
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
        # The value may hold a password: do not repeat it.
        raise SettingsError(
            "DATABASE_URL 只支持 PostgreSQL，请写成 postgresql://用户:密码@主机:5432/库名；留空则使用内置数据库。"
        )
    return f"postgresql://{rest}"


def _secret(env: Mapping[str, str]) -> str | None:
    text = _text(env, "FOLLOWUP_SECRET")
    if text is not None and len(text) < _SHORTEST_SECRET:
        raise SettingsError(
            f"FOLLOWUP_SECRET 太短，至少要 {_SHORTEST_SECRET} 个字符；留空则自动生成并保存在数据目录里。"
        )
    return text


def _metrics_token(env: Mapping[str, str]) -> str:
    text = _text(env, "FOLLOWUP_METRICS_TOKEN") or ""
    if text and len(text) < _SHORTEST_TOKEN:
        raise SettingsError(f"FOLLOWUP_METRICS_TOKEN 太短，至少要 {_SHORTEST_TOKEN} 个字符；留空则关闭 /metrics。")
    return text


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    text = _text(env, name)
    if text is None:
        return default
    if not _is_web_address(text):
        raise SettingsError(f"{name} 的值“{text}”不是网址，请写成 http://主机:端口 这样的格式。")
    return text.rstrip("/")


def _webhook_url(env: Mapping[str, str]) -> str:
    text = _text(env, "FOLLOWUP_WEBHOOK_URL") or ""
    if text and not _is_web_address(text):
        # The value may hold a key: do not repeat it.
        raise SettingsError("FOLLOWUP_WEBHOOK_URL 不是网址，请写成 https://主机/路径 这样的格式；留空则不发送提醒。")
    return text


def _smtp_url(env: Mapping[str, str]) -> str:
    text = _text(env, "FOLLOWUP_SMTP_URL") or ""
    try:
        parts = urlsplit(text)
        usable = not text or (
            parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0 and parts.path in ("", "/")
        )
    except ValueError:
        usable = False
    if not usable:
        # The value may hold a password: do not repeat it.
        raise SettingsError(
            "FOLLOWUP_SMTP_URL 不是邮件服务器的地址，请写成 smtp://账号:密码@主机:587 或者 smtps://账号:密码@主机:465；"
            "账号、密码里的特殊字符要用 %XX 转写；留空则不发送邮件。"
        )
    return text


def _mail_from(env: Mapping[str, str]) -> str:
    text = _text(env, "FOLLOWUP_MAIL_FROM") or ""
    if not text and not _text(env, "FOLLOWUP_SMTP_URL"):
        return ""
    if not text:
        raise SettingsError("设置了 FOLLOWUP_SMTP_URL，还要用 FOLLOWUP_MAIL_FROM 写明发件人，例如 followup@example.com。")
    if not is_mail_address(parseaddr(text)[1]) or not text.isprintable():
        raise SettingsError(f"FOLLOWUP_MAIL_FROM 的值“{text}”不是邮箱地址，请写成 followup@example.com 或者 客户回访 <followup@example.com>。")
    return text


def _sms(env: Mapping[str, str]) -> SmsAccount | None:
    provider = (_text(env, "FOLLOWUP_SMS") or "").lower()
    if provider in ("", "off"):
        return None
    if provider not in PROVIDERS:
        raise SettingsError(f"FOLLOWUP_SMS 的值“{provider}”不对，请填写 aliyun（阿里云）、tencent（腾讯云）或者 fake（演示，不真正发送）；留空则不发短信。")
    if provider == "fake":
        return SmsAccount("fake", templates={"first": "demo"})
    needed = ["FOLLOWUP_SMS_KEY_ID", "FOLLOWUP_SMS_KEY_SECRET", "FOLLOWUP_SMS_SIGN", "FOLLOWUP_SMS_TEMPLATE"]
    needed += ["FOLLOWUP_SMS_APP_ID"] if provider == "tencent" else []
    if missing := [name for name in needed if not _text(env, name)]:
        raise SettingsError(f"FOLLOWUP_SMS 设为 {provider} 时，还要填写 {'、'.join(missing)}。")
    key_id, key_secret, sign, _, *app_id = (_text(env, name) or "" for name in needed)
    return SmsAccount(provider, key_id, key_secret, sign.strip("【】"), _templates(env), app_id[0] if app_id else "")


def _templates(env: Mapping[str, str]) -> Mapping[str, str]:
    """Kind of message -> template; a single one is for all."""
    given = _text(env, "FOLLOWUP_SMS_TEMPLATE") or ""
    if re.fullmatch(r"[A-Za-z0-9_]+", given):
        return {"first": given}
    found = dict(re.findall(r"(\w+)=([A-Za-z0-9_]+)(?:,|$)", given.replace(" ", "")))
    if "first" not in found or not set(found) <= set(KINDS) or len(found) != given.count("="):
        raise SettingsError(
            f"FOLLOWUP_SMS_TEMPLATE 的值“{given}”不对，请填写一个模板编号，或者写成 first=编号,reminder=编号,callback=编号,revisit=编号,unfinished=编号，其中 first 必填。"
        )
    return found


def _wechat(env: Mapping[str, str]) -> tuple[WechatAccount, ...]:
    try:
        return load_accounts(env)
    except AccountError as error:
        raise SettingsError(str(error)) from None


def _wecom(env: Mapping[str, str]) -> tuple[WecomAccount, ...]:
    try:
        return load_wecom_accounts(env)
    except WecomAccountError as error:
        raise SettingsError(str(error)) from None


def _alert_urls(env: Mapping[str, str]) -> tuple[str, ...]:
    urls = tuple(part for part in re.split(r"[\s,]+", _text(env, "FOLLOWUP_ALERT_URLS") or "") if part)
    if any("://" not in url for url in urls):
        # The values may hold keys: do not repeat them.
        raise SettingsError("FOLLOWUP_ALERT_URLS 里有一项不是 Apprise 的地址，请写成 wecombot://机器人密钥 这样的格式，多个之间用空格分开。")
    return urls


def is_mail_address(text: str) -> bool:
    """Whether mail can be sent there: one plain ASCII address, nothing that could be read as more."""
    return len(text) <= 254 and _MAIL_ADDRESS.fullmatch(text) is not None


def _origins(env: Mapping[str, str]) -> tuple[str, ...]:
    origins = tuple(
        part.strip() for part in (_text(env, "FOLLOWUP_EMBED_ORIGINS") or "").split(",") if part.strip()
    )
    for origin in origins:
        if not _is_web_address(origin) or urlsplit(origin).path not in ("", "/"):
            raise SettingsError(
                f"FOLLOWUP_EMBED_ORIGINS 里的“{origin}”不是网站来源，"
                "请写成 https://www.example.com 这样的格式，多个之间用英文逗号分开。"
            )
    return tuple(origin.rstrip("/") for origin in origins)


def _enquiry_script(env: Mapping[str, str]) -> str | None:
    text = _text(env, "FOLLOWUP_ENQUIRIES") or "inbound_enquiry"
    if text.lower() == "off":
        return None
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise SettingsError(f"FOLLOWUP_ENQUIRIES 的值“{text}”不是话术编号，请填写话术的编号，或者填 off 关闭在线客服入口。")
    return text


def _proxies(env: Mapping[str, str]) -> int:
    text = _text(env, "FOLLOWUP_PROXIES") or "0"
    if not text.isascii() or not text.isdigit() or int(text) > 9:
        raise SettingsError(f"FOLLOWUP_PROXIES 的值“{text}”不对，请填写前面有几层代理，0 到 9 之间的整数。")
    return int(text)


def _minutes(env: Mapping[str, str], name: str, default: int) -> int:
    text = _text(env, name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1440:
        raise SettingsError(f"{name} 的值“{text}”不对，请填写分钟数，1 到 1440 之间的整数。")
    return int(text)


def _daily_cap(env: Mapping[str, str]) -> int:
    text = _text(env, "FOLLOWUP_DAILY_CAP") or "1"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10:
        raise SettingsError(f"FOLLOWUP_DAILY_CAP 的值“{text}”不对，请填写一位客户一天最多联系几次，1 到 10 之间的整数。")
    return int(text)


def _per_minute(env: Mapping[str, str]) -> dict[str, int]:
    found = {}
    for channel in ("sms", "email", "wechat"):
        name = f"FOLLOWUP_{channel.upper()}_PER_MINUTE"
        text = _text(env, name)
        if text is None:
            continue
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
            raise SettingsError(f"{name} 的值“{text}”不对，请填写这个渠道一分钟最多发送几条，1 到 100000 之间的整数。")
        found[channel] = int(text)
    return found


def _keep_days(env: Mapping[str, str]) -> int:
    text = _text(env, "FOLLOWUP_KEEP_DAYS") or str(_KEEP_DAYS)
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise SettingsError(f"FOLLOWUP_KEEP_DAYS 的值“{text}”不对，请填写会话结束以后保留多少天，0 表示一直保留。")
    return int(text)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        # Written aside and linked: of two processes that start at once, both read the same whole secret.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
        finally:
            draft.unlink()
    return path.read_text().strip()
