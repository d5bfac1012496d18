"""Tables of millions of rows in little memory: SQLite keeps what it has no room for in a file that nobody else sees."""

import sqlite3

CACHE = 8 << 10  # kibibytes of pages in memory


def temporary_database() -> sqlite3.Connection:
    """An empty one, which is gone with the connection; its file lies where the system has temporary files.

    Threads may share it, as long as they ask in turn.
    """
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    database.execute(f"PRAGMA cache_size = -{CACHE}")
    database.execute("PRAGMA journal_mode = OFF")  # nothing is ever taken back
    database.execute("PRAGMA synchronous = OFF")
    return database
