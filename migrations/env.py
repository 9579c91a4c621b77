"""How Alembic runs Worldloom's migrations: on the connection that the program hands in, inside its transaction.

By hand, to write a new one:  ``alembic -x url=sqlite:///world.db revision --autogenerate -m "what changes"``
"""

from alembic import context
from sqlalchemy import Connection, create_engine

from worldloom.persistence import queries, rights_indexes  # noqa: F401  # so that metadata has all there is
from worldloom.persistence.metadata import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def connect_and_run() -> None:
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not url:
        raise SystemExit("expected -x url=sqlite:///PATH or -x url=postgresql+psycopg://..., got none")
    with create_engine(url).begin() as connection:
        run(connection)


if context.is_offline_mode():
    raise SystemExit("expected a database to work on; scripts without one are not supported")

given = context.config.attributes.get("connection")
if given is None:
    connect_and_run()
else:
    run(given)
