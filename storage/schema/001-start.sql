-- The first schema: persons, rooms, who has which role in them, bans, invites and the audit.
--
-- Times are milliseconds since 1970 (UTC). Wherever a column says who did something, NULL is the operator, who has no
-- row. Numbers that others may keep (persons, rooms, audit rows) are AUTOINCREMENT: never given out twice.

PRAGMA application_id = 0x53616c6f; -- "Salo": how db_open() knows its own files

CREATE TABLE person (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    key      BLOB    NOT NULL UNIQUE CHECK (length(key) = 32), -- Ed25519 public key
    handle   TEXT    NOT NULL UNIQUE
             CHECK (length(handle) BETWEEN 1 AND 32 AND handle GLOB '[a-z]*' AND handle NOT GLOB '*[^a-z0-9-]*'),
    since_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE room (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE
               CHECK (length(name) BETWEEN 1 AND 32 AND name GLOB '[a-z]*' AND name NOT GLOB '*[^a-z0-9-]*'),
    title      TEXT    NOT NULL CHECK (length(CAST(title AS BLOB)) <= 120),
    policy     INTEGER NOT NULL CHECK (policy IN (0, 1, 2)), -- open, members, invited
    created_ms INTEGER NOT NULL,
    ended_ms   INTEGER                                       -- NULL: open. An ended room keeps its name and roles
) STRICT;

-- Whoever is more than a listener, or muted or levelled by a moderator. A mere listener has no row.
CREATE TABLE membership (
    room     INTEGER NOT NULL REFERENCES room (id),
    person   INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    role     INTEGER NOT NULL CHECK (role BETWEEN 0 AND 3),   -- listener, speaker, moderator, host
    muted    INTEGER NOT NULL CHECK (muted IN (0, 1)),
    gain_db  REAL    NOT NULL CHECK (gain_db BETWEEN -60 AND 12),
    since_ms INTEGER NOT NULL,                                -- has had this role since
    PRIMARY KEY (room, person),
    CHECK (role > 0 OR muted OR gain_db <> 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX membership_person ON membership (person);

CREATE TABLE ban (
    room   INTEGER NOT NULL REFERENCES room (id),
    person INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    author INTEGER REFERENCES person (id) ON DELETE SET NULL,
    at_ms  INTEGER NOT NULL,
    why    TEXT    NOT NULL,
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX ban_person ON ban (person);
CREATE INDEX ban_author ON ban (author);

-- A token is known by its SHA-256 alone. `used` counts persons, and stays right when one of them is erased.
CREATE TABLE invite (
    id         INTEGER PRIMARY KEY,
    token_hash BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    room       INTEGER NOT NULL REFERENCES room (id),
    role       INTEGER NOT NULL CHECK (role BETWEEN 0 AND 3),
    uses_max   INTEGER CHECK (uses_max > 0),                  -- NULL: unlimited
    used       INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0 AND (uses_max IS NULL OR used <= uses_max)),
    expires_ms INTEGER,                                       -- NULL: never
    author     INTEGER REFERENCES person (id) ON DELETE SET NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX invite_room ON invite (room);
CREATE INDEX invite_author ON invite (author);

CREATE TABLE invite_use (
    invite INTEGER NOT NULL REFERENCES invite (id) ON DELETE CASCADE,
    person INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (invite, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX invite_use_person ON invite_use (person);

-- Append-only and chained (storage/audit.c has the layout that `hash` covers). Room and persons are bare numbers, 0 for
-- none or the operator, and no foreign keys: history outlives those it speaks of.
CREATE TABLE audit (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms    INTEGER NOT NULL,
    act      TEXT    NOT NULL CHECK (length(CAST(act AS BLOB)) BETWEEN 1 AND 24),
    room     INTEGER NOT NULL,
    actor    INTEGER NOT NULL,
    target   INTEGER NOT NULL,
    detail   TEXT    NOT NULL CHECK (length(CAST(detail AS BLOB)) <= 24),
    personal BLOB    NOT NULL CHECK (length(personal) = 32), -- SHA-256(salt ‖ text) of audit_text
    hash     BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX audit_room ON audit (room, number);

-- The personal part. Erasing a person's text is deleting the row: without the salt, `personal` tells nothing.
CREATE TABLE audit_text (
    number INTEGER PRIMARY KEY REFERENCES audit (number),
    salt   BLOB NOT NULL CHECK (length(salt) = 32),
    text   TEXT NOT NULL CHECK (length(CAST(text AS BLOB)) <= 500)
) STRICT;

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
