"""Addresses of a gradebook's database: SQLite's file, or a PostgreSQL server."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

# SQLite's own default: after that a program is told that another one holds what it wants.
_LOCK_SECONDS = 5
_DRIVERS_OF_LIBPQ = ("psycopg", "psycopg2")
_BUSY = ("database is locked", "lock timeout")


def waiting_briefly(url: str) -> str:
    """An address whose connections do not wait for ever for what another program holds."""
    return _with_option(make_url(url), f"lock_timeout={_LOCK_SECONDS}s")


def read_only(url: str) -> str:
    """An address through which nothing can be written."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _with_option(parsed, "default_transaction_read_only=on")
    if not parsed.database or "mode=" in url:
        return url
    path = Path(parsed.database).absolute()
    return f"sqlite:///file:{path}?mode=ro&uri=true"


def shown(url: str) -> str:
    """An address as people may see it: without its password, and without our own options."""
    return make_url(url).difference_update_query(["options"]).render_as_string(hide_password=True)


def is_busy(error: SQLAlchemyError | str) -> bool:
    """Whether it is only that another program holds the database for a while."""
    said = str(error).lower()
    return any(word in said for word in _BUSY)


def _with_option(url: URL, option: str) -> str:
    if url.get_backend_name() == "postgresql" and url.get_driver_name() in _DRIVERS_OF_LIBPQ:
        given = url.query.get("options", "")
        assert isinstance(given, str)
        url = url.update_query_dict({"options": f"{given} -c {option}".strip()})
    return url.render_as_string(hide_password=False)
