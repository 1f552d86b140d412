-- Every table of Posthorn for SQLite. schema.postgres.sql is its twin; a test holds their tables and columns equal.
-- Keys of rows are integers, because they keep the hot indexes a third of the size; public ids stand beside them.
-- On SQLite an index ends with the id of its row: of an index here in which the twin has the id last, it is left out.
-- Times are epoch milliseconds. JSON is text. Small integers for states and errors are named in src/store/tables.ts.

-- What the program has to know before it reads anything else.
create table meta (
  name text primary key,          -- 'schema_version', 'secret_key_check', 'settings' …
  value blob not null
) without rowid;

-- The tenant. Every other row belongs to one.
create table workspaces (
  id integer primary key,
  public_id text not null unique, -- wsp_…
  name text not null unique,
  version integer not null,       -- rises with every change that matching depends on; publishing compares it
  audit_count integer not null,   -- rows of its audit log
  audit_hash blob not null,       -- of the last of them, so that a missing end shows
  created_at integer not null
);

-- Every change that people and agents made: appended in the transaction of the change, never changed, never pruned.
create table audit (
  workspace_id integer not null references workspaces (id),
  seq integer not null,           -- 1, 2, 3 … in each workspace
  at integer not null,
  action text not null,           -- such as 'subscription.create'
  target text not null,           -- public id of what was changed, or the name of an event type
  principal_kind text not null,   -- 'key', 'admin', 'local'
  principal_key_id text,          -- key_…
  principal_name text not null,
  face text not null,             -- 'rest', 'mcp', 'cli', 'page'
  client text,                    -- what the caller says of itself, cleaned
  before text,                    -- JSON without secrets
  after text,                     -- the same
  hash blob not null,             -- SHA-256 over the hash of the row before and this row
  primary key (workspace_id, seq)
) without rowid;
create index audit_by_target on audit (workspace_id, target, seq);

create table keys (
  id integer primary key,
  public_id text not null unique, -- key_…
  workspace_id integer not null references workspaces (id),
  name text not null,
  hash blob not null unique,      -- SHA-256 of the key
  last4 text not null,            -- of the key, for people to recognize it
  scopes text not null,           -- JSON array
  created_by_key_id integer,      -- null: the operator on this machine; 0: the admin key, which has no row
  created_at integer not null,
  expires_at integer,
  last_used_at integer,           -- to the minute
  revoked_at integer
);
create index keys_by_workspace on keys (workspace_id);

-- Event types that the workspace added, or built-in ones that it changed.
create table event_types (
  id integer primary key,
  workspace_id integer not null references workspaces (id),
  name text not null,
  description text not null,
  schema text,                    -- JSON Schema
  example text not null,          -- JSON
  validation text not null,       -- 'off', 'warn', 'reject'
  created_at integer not null,
  updated_at integer not null,
  unique (workspace_id, name)
);

-- Names of event types that occur, so that events and attempts hold a small integer.
create table type_names (
  id integer primary key,
  name text not null unique
);

-- Anything that can receive: a subscription or a webhook config.
create table endpoints (
  id integer primary key,
  public_id text not null unique, -- sub_… or cfg_…
  workspace_id integer not null references workspaces (id),
  kind integer not null,          -- 1 subscription, 2 config
  name text,                      -- of a config
  url text not null,
  events text not null,           -- JSON array of patterns
  description text,
  filter text,                    -- condition on event and data; null: every event that was chosen
  filter_error_count integer not null, -- events that the filter had no value for, since it was set
  last_filter_error text,         -- our sentence
  last_filter_error_at integer,
  include_data integer not null,  -- 0: the body has no data
  headers blob,                   -- own headers, JSON, sealed
  version integer not null,       -- rises with every change of what is sent or where to
  status integer not null,        -- 1 active, 2 paused, 3 disabled, 4 pending approval, 5 deleted
  failure_count integer not null, -- failed attempts since the last success
  failing_since integer,
  last_delivered_at integer,
  last_attempt_at integer,
  last_error integer,
  last_response_code integer,
  held_until integer,             -- the receiver asked to wait
  disabled_reason integer,        -- 1 repeated failures, 2 gone
  disabled_at integer,
  pending_count integer not null, -- deliveries pending or leased
  next_due_at integer,            -- when claiming should look here next; never later than its first due delivery
  created_by_key_id integer,      -- null: the operator on this machine; 0: the admin key, which has no row
  moved_by_key_id integer,        -- who chose the host that it has now, if not its maker; neither may approve it
  expires_at integer,             -- of a subscription that its maker has to renew
  dedupe_key text,                -- what such a subscription is renewed by
  created_at integer not null,
  updated_at integer not null
);
create index endpoints_by_workspace on endpoints (workspace_id, kind);
create unique index endpoints_by_dedupe_key on endpoints (workspace_id, dedupe_key) where dedupe_key is not null;
-- Deleted ones that are still owed something: a process died while it canceled.
create index endpoints_forgotten on endpoints (id) where status = 5 and pending_count > 0;
-- Claiming goes endpoint by endpoint, longest waiting first: a full endpoint costs one entry here and not its backlog.
create index endpoints_due on endpoints (next_due_at) where status = 1 and next_due_at is not null;

-- The URLs an endpoint had, so that an attempt needs two integers to say where it went.
create table endpoint_urls (
  endpoint_id integer not null references endpoints (id),
  version integer not null,
  url text not null,
  was_active integer not null,    -- 0: it waited for approval here, so this host is not known yet
  primary key (endpoint_id, version)
) without rowid;

create table endpoint_secrets (
  id integer primary key,
  endpoint_id integer not null references endpoints (id),
  sealed blob not null,           -- AES-256-GCM, bound to the endpoint's public id
  valid_until integer,            -- null: the current one; else it signs until then
  created_at integer not null
);
create index endpoint_secrets_by_endpoint on endpoint_secrets (endpoint_id);

-- When this event (and this condition), call these webhook configs.
create table automations (
  id integer primary key,
  public_id text not null unique, -- aut_…
  workspace_id integer not null references workspaces (id),
  name text not null,
  trigger_event text not null,    -- a pattern, as in endpoints.events
  conditions text,                -- condition on event and data; null: every event of the trigger
  enabled integer not null,
  fired_count integer not null,   -- events that it called its configs for
  last_fired_at integer,
  error_count integer not null,   -- events that the conditions had no value for, since they were set
  last_error text,                -- our sentence
  last_error_at integer,
  created_by_key_id integer,
  created_at integer not null,
  updated_at integer not null
);
create index automations_by_workspace on automations (workspace_id);

-- What an automation does: the configs that it calls.
create table automation_actions (
  automation_id integer not null references automations (id),
  position integer not null,      -- 0 for the first
  endpoint_id integer not null references endpoints (id),
  primary key (automation_id, position)
) without rowid;
create index automation_actions_by_endpoint on automation_actions (endpoint_id);

-- Answers kept for 24 hours under the caller's Idempotency-Key.
create table idempotency_keys (
  workspace_id integer not null references workspaces (id),
  principal text not null,        -- a key belongs to who used it
  key text not null,
  request_hash blob not null,     -- SHA-256 of the input: another input under the same key is refused
  answer blob not null,           -- JSON, sealed: it may hold a new secret
  created_at integer not null,
  primary key (workspace_id, principal, key)
) without rowid;

-- One thing that happened. Immutable, but for the erasure of its payload.
create table events (
  id integer primary key,
  workspace_id integer not null references workspaces (id),
  public_id text not null,        -- evt_…, or the publisher's own
  type_id integer not null references type_names (id),
  data text,                      -- JSON; null once erased
  occurred_at integer not null,
  created_at integer not null,
  deliveries_count integer not null, -- how many endpoints it was owed to when it was published
  fanned_out_after integer,       -- null: has all its deliveries; else those up to this endpoint id
  is_test integer not null,
  unique (workspace_id, public_id)
);
create index events_by_workspace on events (workspace_id);
create index events_by_type on events (workspace_id, type_id);
create index events_to_fan_out on events (workspace_id) where fanned_out_after is not null;

-- One event owed to one endpoint.
create table deliveries (
  id integer primary key,
  workspace_id integer not null references workspaces (id),
  event_id integer not null references events (id),
  endpoint_id integer not null references endpoints (id),
  state integer not null,         -- 1 pending, 2 leased, 3 succeeded, 4 failed, 5 canceled
  due_at integer not null, -- pending: when it is due; finished: when its last attempt began
  attempts integer not null,      -- made so far, interrupted ones too
  steps integer not null,         -- of the retry schedule used up
  interruptions integer not null,
  last_error integer,
  worker_id integer,              -- who holds the lease
  ordering_key text,              -- deliveries of one key go one after the other
  created_at integer not null,
  unique (event_id, endpoint_id)
);
create index deliveries_due on deliveries (endpoint_id, due_at) where state = 1;
create index deliveries_leased on deliveries (worker_id) where state = 2;
create index deliveries_failed on deliveries (endpoint_id) where state = 4;

-- One HTTP request made for a delivery: the delivery log. Narrow indexes, since each attempt pays for them.
create table attempts (
  id integer primary key,
  workspace_id integer not null,
  endpoint_id integer not null,
  delivery_id integer not null,
  type_id integer not null,
  attempt integer not null,       -- 1 for the first
  endpoint_version integer not null, -- which of the endpoint's URLs it went to
  error integer,                  -- null: succeeded
  response_code integer,
  duration_ms integer not null,
  started_at integer not null,
  next_attempt_at integer,
  is_test integer not null
);
create index attempts_by_workspace on attempts (workspace_id);
create index attempts_by_type on attempts (workspace_id, type_id);
create index attempts_by_endpoint on attempts (endpoint_id, id, type_id); -- so that one type is found without the rows
create index attempts_failed_by_endpoint on attempts (endpoint_id) where error is not null;
create index attempts_failed_by_workspace on attempts (workspace_id) where error is not null;
create index attempts_of_tests on attempts (workspace_id) where is_test = 1;
-- The timeline of a delivery. Most deliveries succeed at once and have no row here.
create index attempts_by_delivery on attempts (delivery_id) where (error is not null or attempt > 1);

-- The start of an answer's body, apart from its attempt so that the log stays narrow. A stranger's words.
create table attempt_excerpts (
  attempt_id integer primary key,
  body blob not null              -- at most 16 KiB
);

-- Attempts of live deliveries, counted. The worker rolls them up behind the deliveries, in steps of increasing ids, so that
-- the journey does not pay for a page that nobody looks at.
create table statistics (
  workspace_id integer not null references workspaces (id),
  bucket_at integer not null,     -- when its five minutes begin
  outcome integer not null,       -- 0 succeeded, else the error
  duration_class integer not null, -- see src/core/rules/statistics.ts
  count integer not null,
  primary key (workspace_id, bucket_at, outcome, duration_class)
) without rowid;

-- How far the rolling up has come: one row.
create table statistics_position (
  id integer primary key,
  attempt_id integer not null,    -- the last one that is counted
  upcoming_id integer not null,   -- PostgreSQL: the next horizon, certain once the transactions of its time have ended
  upcoming_xid text               -- which began before this one
);

-- Processes that deliver. One that stays silent loses its leases.
create table workers (
  id integer primary key autoincrement, -- never used again: a lease names one life of one process
  name text not null,
  beat_at integer not null,
  started_at integer not null
);
