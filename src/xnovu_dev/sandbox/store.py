"""The file that outlives the process: one SQLite database in the state folder, its tables and its transactions.

Not the meaning of the rows: `people`, `catalogue` and `ledger` have that. Committed work survives a kill -9 (write-ahead
log; no fsync, a power failure is out of scope). Used from the event loop only: a statement takes microseconds.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS subscribers (
  subscriber_id TEXT PRIMARY KEY, id TEXT NOT NULL, profile TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS topics (
  topic_key TEXT NOT NULL, subscriber_id TEXT NOT NULL, PRIMARY KEY (topic_key, subscriber_id)
);
CREATE TABLE IF NOT EXISTS workflows (
  workflow_id TEXT PRIMARY KEY, id TEXT NOT NULL, definition TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS triggers (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, transaction_id TEXT NOT NULL, workflow_id TEXT NOT NULL,
  recipients TEXT NOT NULL, payload TEXT NOT NULL, overrides TEXT NOT NULL, partial INTEGER NOT NULL,
  accepted_at TEXT NOT NULL, state TEXT NOT NULL, reason TEXT
);
CREATE INDEX IF NOT EXISTS triggers_by_transaction ON triggers (transaction_id);
CREATE INDEX IF NOT EXISTS triggers_queued ON triggers (seq) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS notifications (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, trigger_seq INTEGER NOT NULL,
  transaction_id TEXT NOT NULL, subscriber_id TEXT NOT NULL, workflow_id TEXT NOT NULL,
  created_at TEXT NOT NULL, jobs TEXT NOT NULL, next_step INTEGER, due_at TEXT
);
CREATE INDEX IF NOT EXISTS notifications_by_transaction ON notifications (transaction_id);
CREATE INDEX IF NOT EXISTS notifications_by_subscriber ON notifications (subscriber_id);
CREATE INDEX IF NOT EXISTS notifications_delayed ON notifications (seq) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, notification_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL, subscriber_id TEXT NOT NULL, workflow_id TEXT NOT NULL,
  channel TEXT NOT NULL, payload TEXT NOT NULL, subject TEXT, body TEXT NOT NULL,
  accepted_at TEXT NOT NULL, delivered_at TEXT NOT NULL, withdrawn_at TEXT
);
CREATE INDEX IF NOT EXISTS messages_by_transaction ON messages (transaction_id);
CREATE INDEX IF NOT EXISTS messages_by_subscriber ON messages (subscriber_id, seq);
"""

_NAMES: Final = ("messages", "notifications", "triggers", "workflows", "topics", "subscribers")

FILE_NAME: Final = "novu-sandbox.sqlite3"


class Store:
    """The open database."""

    def __init__(self, state_dir: Path) -> None:
        """Opens or makes the database. Raises OSError or sqlite3.Error when the folder cannot be used."""
        state_dir.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(state_dir / FILE_NAME, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_TABLES)

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._db.execute(statement, values).fetchone()
        return found

    def run(self, statement: str, *values: object) -> int:
        """Execute a change; the number of rows it changed."""
        return self._db.execute(statement, values).rowcount

    def insert(self, statement: str, *values: object) -> int:
        """Execute an INSERT; the new row's sequence number."""
        return self._db.execute(statement, values).lastrowid or 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also when the process is killed in between. Must not hold an await."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def forget(self) -> None:
        """Delete every row; sequence numbers go on, so that who follows them sees nothing twice."""
        with self.transaction():
            for name in _NAMES:
                self._db.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own tables

    def close(self) -> None:
        self._db.close()
