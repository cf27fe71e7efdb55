"""The environment: what it may say, and how it is told when it says nonsense."""

from datetime import datetime
from pathlib import Path

import pytest

from followup.settings import SHANGHAI, SettingsError, load_settings


def test_an_empty_environment_is_enough() -> None:
    settings = load_settings({})
    assert settings.home == Path.cwd() / "var"
    assert settings.port == 8080
    assert settings.bind == "127.0.0.1"
    assert settings.database_url is None
    assert settings.now is None
    assert (settings.project_dir / "pyproject.toml").exists()


def test_blank_variables_count_as_unset() -> None:
    assert load_settings({"DATABASE_URL": " ", "FOLLOWUP_PORT": "", "FOLLOWUP_SECRET": ""}) == load_settings({})


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5", "٨٠"])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(SettingsError, match="FOLLOWUP_PORT"):
        load_settings({"FOLLOWUP_PORT": port})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_becomes_libpqs(scheme: str) -> None:
    settings = load_settings({"DATABASE_URL": f"{scheme}://me:secret@db/followup"})
    assert settings.database_url == "postgresql://me:secret@db/followup"


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://me:hush@db/x", "db.example.com"])
def test_another_database_is_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as error:
        load_settings({"DATABASE_URL": url})
    assert "hush" not in str(error.value)


def test_a_short_secret_is_refused_without_repeating_it() -> None:
    with pytest.raises(SettingsError, match="FOLLOWUP_SECRET") as error:
        load_settings({"FOLLOWUP_SECRET": "hunter2"})
    assert "hunter2" not in str(error.value)


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    settings = load_settings({"FOLLOWUP_HOME": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
    first = settings.signing_secret()
    assert len(first) >= 32
    assert load_settings({"FOLLOWUP_HOME": str(tmp_path)}).signing_secret() == first
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_given_secret_is_used_and_not_written(tmp_path: Path) -> None:
    settings = load_settings({"FOLLOWUP_HOME": str(tmp_path), "FOLLOWUP_SECRET": "s" * 40})
    assert settings.signing_secret() == "s" * 40
    assert list(tmp_path.iterdir()) == []


def test_settings_print_without_password_and_secret() -> None:
    settings = load_settings({"DATABASE_URL": "postgresql://me:hush@db/x", "FOLLOWUP_SECRET": "s" * 40})
    assert "hush" not in repr(settings)
    assert "ssss" not in f"{settings}"


def test_links_follow_the_port_or_the_public_address() -> None:
    assert load_settings({"FOLLOWUP_PORT": "9000"}).link("abc") == "http://127.0.0.1:9000/c/abc"
    public = load_settings({"FOLLOWUP_PUBLIC_URL": "https://hf.example.com/"})
    assert public.link("abc") == "https://hf.example.com/c/abc"


def test_origins_are_separated_by_commas() -> None:
    settings = load_settings({"FOLLOWUP_EMBED_ORIGINS": "https://a.example, https://b.example:8443/"})
    assert settings.embed_origins == ("https://a.example", "https://b.example:8443")


@pytest.mark.parametrize("origins", ["a.example", "https://a.example/page", "ftp://a.example", "*"])
def test_an_origin_that_is_none_is_named(origins: str) -> None:
    with pytest.raises(SettingsError, match="FOLLOWUP_EMBED_ORIGINS"):
        load_settings({"FOLLOWUP_EMBED_ORIGINS": origins})


@pytest.mark.parametrize("name", ["FOLLOWUP_RASA_URL", "FOLLOWUP_ACTION_URL", "FOLLOWUP_PUBLIC_URL"])
def test_an_address_that_is_none_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({name: "localhost:5005"})


@pytest.mark.parametrize("text", ["2026-11-21T10:00:00", "2026-11-21T02:00:00Z", "2026-11-21T10:00:00+08:00"])
def test_now_is_shanghais_unless_it_says_otherwise(text: str) -> None:
    assert load_settings({"FOLLOWUP_NOW": text}).now == datetime(2026, 11, 21, 10, tzinfo=SHANGHAI)


def test_a_now_that_is_no_time_is_named() -> None:
    with pytest.raises(SettingsError, match="FOLLOWUP_NOW.*明天"):
        load_settings({"FOLLOWUP_NOW": "明天"})


def test_the_webhooks_address_is_checked_and_never_repeated() -> None:
    assert load_settings({"FOLLOWUP_WEBHOOK_URL": "https://robot.example/send?key=k"}).webhook_url.endswith("key=k")
    with pytest.raises(SettingsError, match="FOLLOWUP_WEBHOOK_URL") as problem:
        load_settings({"FOLLOWUP_WEBHOOK_URL": "robot?key=secret"})
    assert "secret" not in str(problem.value)


def test_how_long_a_customer_waits_for_a_colleague_is_a_number_of_minutes() -> None:
    assert load_settings({}).takeover_minutes == 10
    assert load_settings({"FOLLOWUP_TAKEOVER_MINUTES": "3"}).takeover_minutes == 3
    for wrong in ("0", "-1", "1441", "十"):
        with pytest.raises(SettingsError, match="FOLLOWUP_TAKEOVER_MINUTES"):
            load_settings({"FOLLOWUP_TAKEOVER_MINUTES": wrong})


def test_a_customer_is_contacted_once_a_day_unless_it_is_said_otherwise() -> None:
    assert load_settings({}).daily_cap == 1
    assert load_settings({"FOLLOWUP_DAILY_CAP": "2"}).daily_cap == 2
    for wrong in ("0", "11", "一", "-1"):
        with pytest.raises(SettingsError, match="一天最多联系几次"):
            load_settings({"FOLLOWUP_DAILY_CAP": wrong})


def test_a_channel_has_no_limit_unless_one_is_set() -> None:
    assert load_settings({}).per_minute == {}
    assert load_settings({"FOLLOWUP_SMS_PER_MINUTE": "60", "FOLLOWUP_WECHAT_PER_MINUTE": "5"}).per_minute == {"sms": 60, "wechat": 5}
    for wrong in ("0", "-1", "快", "1.5", "١"):
        with pytest.raises(SettingsError, match="FOLLOWUP_EMAIL_PER_MINUTE"):
            load_settings({"FOLLOWUP_EMAIL_PER_MINUTE": wrong})


@pytest.mark.parametrize("text", ["http://mail.example", "smtp://", "mail.example:25", "smtp://us:secret@mail.example:0", "smtp://us:secret@mail.example:99999", "smtp://us:secret@mail.example/path"])
def test_a_mail_server_that_is_none_is_told_without_its_password(text: str) -> None:
    with pytest.raises(SettingsError, match="FOLLOWUP_SMTP_URL") as problem:
        load_settings({"FOLLOWUP_SMTP_URL": text, "FOLLOWUP_MAIL_FROM": "a@example.com"})
    assert "secret" not in str(problem.value)


def test_mail_needs_a_sender() -> None:
    url = "smtps://us:p@mail.example:465"
    settings = load_settings({"FOLLOWUP_SMTP_URL": url, "FOLLOWUP_MAIL_FROM": "客户回访 <followup@example.com>"})
    assert (settings.smtp_url, settings.mail_from) == (url, "客户回访 <followup@example.com>") and url not in repr(settings)
    for sender in ("", "客户回访", "a@b@c", "a@example.com\nBcc: x@example.com"):
        with pytest.raises(SettingsError, match="FOLLOWUP_MAIL_FROM"):
            load_settings({"FOLLOWUP_SMTP_URL": url, "FOLLOWUP_MAIL_FROM": sender})


def test_how_long_content_is_kept_is_a_number_of_days() -> None:
    assert load_settings({}).keep_days == 1095
    assert load_settings({"FOLLOWUP_KEEP_DAYS": "0"}).keep_days == 0
    for wrong in ("-1", "三年", "1.5", "123456"):
        with pytest.raises(SettingsError, match="FOLLOWUP_KEEP_DAYS"):
            load_settings({"FOLLOWUP_KEEP_DAYS": wrong})


SMS = {"FOLLOWUP_SMS": "aliyun", "FOLLOWUP_SMS_KEY_ID": "id", "FOLLOWUP_SMS_KEY_SECRET": "hush", "FOLLOWUP_SMS_SIGN": "【演示】", "FOLLOWUP_SMS_TEMPLATE": "SMS_1"}


def test_a_short_message_account_is_read_and_its_key_is_not_shown() -> None:
    account = load_settings({**SMS, "FOLLOWUP_SMS_TEMPLATE": "first=SMS_1, callback=SMS_2"}).sms
    assert account is not None and account.sign == "演示"
    assert (account.template("callback"), account.template("reminder")) == ("SMS_2", "SMS_1")
    assert "hush" not in repr(account)


@pytest.mark.parametrize("missing", [*SMS][1:])
def test_an_account_that_is_not_whole_names_what_is_missing(missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        load_settings({**SMS, missing: ""})


@pytest.mark.parametrize(
    "changed", [{"FOLLOWUP_SMS": "other"}, {"FOLLOWUP_SMS": "tencent"}, {"FOLLOWUP_SMS_TEMPLATE": "reminder=SMS_2"},
                {"FOLLOWUP_SMS_TEMPLATE": "first=SMS_1,second=SMS_2"}, {"FOLLOWUP_SMS_TEMPLATE": "first=SMS 1;x=2"}],
)  # fmt: skip
def test_an_account_that_cannot_be_used_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="FOLLOWUP_SMS"):
        load_settings({**SMS, **changed})


def test_alerts_have_addresses_and_a_wrong_one_is_not_repeated() -> None:
    assert load_settings({"FOLLOWUP_ALERT_URLS": "wecombot://a, mailto://b"}).alert_urls == ("wecombot://a", "mailto://b")
    with pytest.raises(SettingsError, match="FOLLOWUP_ALERT_URLS") as error:
        load_settings({"FOLLOWUP_ALERT_URLS": "hush-key"})
    assert "hush" not in str(error.value)
