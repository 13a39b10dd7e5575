"""The tables of the database, as steps from one version to the next.

A step is never changed once it is released; the next change is a step of its own.
"""

from __future__ import annotations

from typing import Final

POSTGRESQL: Final[tuple[str, ...]] = (
    """
    CREATE TABLE oidc_entries (
        account text NOT NULL,
        entry text NOT NULL,
        sealed bytea,
        turn bigint NOT NULL DEFAULT 0,
        in_use_by text,
        changed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account, entry)
    );
    CREATE TABLE oidc_replicas (
        replica text PRIMARY KEY,
        seen_at timestamptz NOT NULL
    );
    """,
    """
    ALTER TABLE oidc_entries ADD COLUMN subject text, ADD COLUMN sid text;
    CREATE INDEX oidc_entries_subject ON oidc_entries (entry, subject);
    CREATE INDEX oidc_entries_sid ON oidc_entries (entry, sid);
    """,
    """
    CREATE TABLE oidc_grants (
        id text NOT NULL,
        digest text PRIMARY KEY,
        account text NOT NULL,
        sealed bytea NOT NULL,
        began double precision NOT NULL,
        ends double precision NOT NULL,
        lease_ends double precision,
        last_used double precision
    );
    CREATE INDEX oidc_grants_account ON oidc_grants (account);
    CREATE INDEX oidc_grants_ends ON oidc_grants (ends);
    ALTER TABLE oidc_entries ADD COLUMN access bytea;
    """,
)

SQLITE: Final[tuple[str, ...]] = (
    """
    CREATE TABLE oidc_entries (
        account TEXT NOT NULL,
        entry TEXT NOT NULL,
        sealed BLOB,
        turn INTEGER NOT NULL DEFAULT 0,
        in_use_by TEXT,
        changed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (account, entry)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE oidc_entries ADD COLUMN subject TEXT;
    ALTER TABLE oidc_entries ADD COLUMN sid TEXT;
    CREATE INDEX oidc_entries_subject ON oidc_entries (entry, subject);
    CREATE INDEX oidc_entries_sid ON oidc_entries (entry, sid);
    """,
    """
    CREATE TABLE oidc_grants (
        id TEXT NOT NULL,
        digest TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        sealed BLOB NOT NULL,
        began REAL NOT NULL,
        ends REAL NOT NULL,
        lease_ends REAL,
        last_used REAL
    ) WITHOUT ROWID;
    CREATE INDEX oidc_grants_account ON oidc_grants (account);
    CREATE INDEX oidc_grants_ends ON oidc_grants (ends);
    ALTER TABLE oidc_entries ADD COLUMN access BLOB;
    """,
)

VERSION: Final = len(POSTGRESQL)
"""The version of the tables that this program reads and writes; both databases have the same."""
