/** The tables of both kinds of store, written as SQLite wants them. */

/**
 * The runtime itself. What belongs to a tenant carries the tenant. A bundle's slots are written before it counts, under
 * the id of their import; they are in force once the tenant's row names that import.
 */
const RUNTIME = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
  tenant TEXT PRIMARY KEY,
  location TEXT NOT NULL UNIQUE,    -- the issuer without its scheme
  entry TEXT NOT NULL,              -- the tenant's line of the bundle, without slots
  iat INTEGER NOT NULL,             -- of the bundle's manifest: the slots are cut from it
  import INTEGER NOT NULL,
  data_key BLOB NOT NULL,           -- wrapped
  historical TEXT,                  -- its past keys, as the vault signed them
  revoked TEXT,                     -- JSON: what a revocation took out of the slots since, and the standby key
  reject_before INTEGER,            -- tokens issued before it are not active any more
  version INTEGER NOT NULL,         -- the change that running servers must have noticed
  due INTEGER NOT NULL              -- when its lifecycle has to be looked at next
) STRICT, WITHOUT ROWID;
CREATE INDEX tenants_due ON tenants (due);
CREATE INDEX tenants_version ON tenants (version);

CREATE TABLE slots (
  import INTEGER NOT NULL, tenant TEXT NOT NULL, start INTEGER NOT NULL,
  jws TEXT NOT NULL,                -- the signed set
  without TEXT NOT NULL,            -- JSON: kid -> the signed set without it
  PRIMARY KEY (tenant, import, start)
) STRICT;

-- Every key that was ever delivered, and the facts about it. Rows are never deleted.
CREATE TABLE keys (
  kid TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  spec TEXT NOT NULL,
  jwk TEXT NOT NULL,
  announce_at INTEGER NOT NULL,
  first_published INTEGER,          -- only where later than its schedule says
  delivered_until INTEGER NOT NULL, -- greatest exp of any delivered slot that holds it
  phase TEXT,                       -- the last one stated in a receipt
  tainted INTEGER,
  withdrawn INTEGER NOT NULL DEFAULT 0,
  called_at INTEGER                 -- when an emergency envelope called upon this standby key
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_tenant ON keys (tenant);

CREATE TABLE private_keys (kid TEXT PRIMARY KEY, tenant TEXT NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE INDEX private_keys_tenant ON private_keys (tenant);
CREATE TABLE tombstones (kid TEXT PRIMARY KEY, tenant TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Offboarded by the vault: not served any more, and never again.
CREATE TABLE removed_tenants (
  tenant TEXT PRIMARY KEY, location TEXT NOT NULL UNIQUE, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Labels by operators, for status alone.
CREATE TABLE tenant_names (tenant TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE clients (
  tenant TEXT NOT NULL, client_id TEXT NOT NULL, client TEXT NOT NULL, PRIMARY KEY (tenant, client_id)
) STRICT, WITHOUT ROWID;

-- The runtime's own keys. An erased one keeps its public half.
CREATE TABLE own_keys (
  kid TEXT PRIMARY KEY, use TEXT NOT NULL, jwk TEXT NOT NULL, sealed BLOB, offered_at INTEGER NOT NULL, erased_at INTEGER
) STRICT;

CREATE TABLE receipts (seq INTEGER PRIMARY KEY, jws TEXT NOT NULL) STRICT;
CREATE TABLE imports (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, number INTEGER NOT NULL, manifest TEXT NOT NULL, outcome TEXT NOT NULL
) STRICT;

CREATE TABLE staged_tenants (
  tenant TEXT PRIMARY KEY, location TEXT NOT NULL UNIQUE, entry TEXT NOT NULL, historical TEXT, import INTEGER NOT NULL,
  data_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_keys (
  kid TEXT PRIMARY KEY, tenant TEXT NOT NULL, spec TEXT NOT NULL, jwk TEXT NOT NULL, announce_at INTEGER NOT NULL,
  first_published INTEGER, delivered_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_private_keys (
  kid TEXT PRIMARY KEY, tenant TEXT NOT NULL, import INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT;
CREATE TABLE staged_tombstones (kid TEXT PRIMARY KEY, tenant TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE staged_removed (
  tenant TEXT PRIMARY KEY, location TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, import INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

/** What requests write, apart from the rest, so that no change of the runtime holds a token up. */
const TRAFFIC = `
CREATE TABLE assertions (
  tenant TEXT NOT NULL, id TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX assertions_expires ON assertions (expires);

-- The issuance log: each row some tokens of one tenant, chained to the row before by its digest.
CREATE TABLE issuance (
  tenant TEXT NOT NULL, seq INTEGER NOT NULL, prev TEXT NOT NULL, entries TEXT NOT NULL, tokens INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX issuance_seq ON issuance (tenant, seq);
CREATE TABLE issuance_heads (
  tenant TEXT PRIMARY KEY, seq INTEGER NOT NULL, digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Propagation evidence: who fetched a key set that holds this key; party '' for everybody who did not say.
CREATE TABLE fetches (
  tenant TEXT NOT NULL, party TEXT NOT NULL, kid TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, party, kid)
) STRICT, WITHOUT ROWID;
`

export const SQLITE_RUNTIME = RUNTIME
export const SQLITE_TRAFFIC = TRAFFIC
/** Both in one schema. Text is compared byte by byte, as in SQLite. */
export const POSTGRES = (RUNTIME + TRAFFIC)
  .replace(/--.*$/gm, '')
  .replace(/\) STRICT(?:, WITHOUT ROWID)?;/g, ');')
  .replace(/\bTEXT\b/g, 'TEXT COLLATE "C"')
  .replace(/\bINTEGER\b/g, 'BIGINT')
  .replace(/\bBLOB\b/g, 'BYTEA')
