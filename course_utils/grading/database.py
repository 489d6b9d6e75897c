"""A gradebook's database, SQLite's file or a PostgreSQL server: its address, and its indexes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL, Engine, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

# SQLite's own default: after that a program is told that another one holds what it wants.
_LOCK_SECONDS = 5
_DRIVERS_OF_LIBPQ = ("psycopg", "psycopg2")
# What nbgrader's tables are asked by and have no index of: each submission would read them whole,
# and a large class take ten times as long.
_ASKED_BY = {"grade": "notebook_id", "comment": "notebook_id",
             "submitted_notebook": "assignment_id"}  # fmt: skip
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


def add_indexes(engine: Engine) -> None:
    """Let one submission's rows be found without reading everybody's; nbgrader does not notice.

    Where this user may not do that, or another program is in the way, it only takes longer.
    """
    found = inspect(engine)
    with suppress(SQLAlchemyError):
        for table, column in _ASKED_BY.items():
            name = f"course_utils_{table}_{column}"
            if name in {index["name"] for index in found.get_indexes(table)}:
                continue
            with engine.begin() as connection:
                connection.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))


def _with_option(url: URL, option: str) -> str:
    if url.get_backend_name() == "postgresql" and url.get_driver_name() in _DRIVERS_OF_LIBPQ:
        given = url.query.get("options", "")
        assert isinstance(given, str)
        url = url.update_query_dict({"options": f"{given} -c {option}".strip()})
    return url.render_as_string(hide_password=False)
