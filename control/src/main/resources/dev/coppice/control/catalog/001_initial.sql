-- Everything the control plane knows. Times are timestamptz, LSNs are text in pg_lsn form, passwords are sealed
-- (AES-256-GCM, key outside the database) and API keys are hashed.
CREATE TABLE projects (
    id          text PRIMARY KEY,
    name        text NOT NULL,
    pg_version  integer NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

CREATE TABLE branches (
    id                text PRIMARY KEY,
    project_id        text NOT NULL REFERENCES projects ON DELETE CASCADE,
    parent_id         text REFERENCES branches,
    parent_lsn        text,
    parent_timestamp  timestamptz,
    name              text NOT NULL,
    timeline_id       text NOT NULL UNIQUE,
    state             text NOT NULL,
    is_default        boolean NOT NULL,
    is_protected      boolean NOT NULL,
    creation_source   text NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    UNIQUE (project_id, name)
);
CREATE INDEX branches_parent ON branches (parent_id);
CREATE UNIQUE INDEX branches_one_default ON branches (project_id) WHERE is_default;

CREATE TABLE endpoints (
    id                       text PRIMARY KEY,
    project_id               text NOT NULL REFERENCES projects ON DELETE CASCADE,
    branch_id                text NOT NULL REFERENCES branches ON DELETE CASCADE,
    type                     text NOT NULL,
    suspend_timeout_seconds  integer NOT NULL,
    disabled                 boolean NOT NULL,
    was_awake                boolean NOT NULL,
    last_active              timestamptz,
    created_at               timestamptz NOT NULL,
    updated_at               timestamptz NOT NULL
);
CREATE UNIQUE INDEX endpoints_one_read_write ON endpoints (branch_id) WHERE type = 'read_write';

CREATE TABLE roles (
    branch_id        text NOT NULL REFERENCES branches ON DELETE CASCADE,
    name             text NOT NULL,
    sealed_password  bytea,
    verifier         text,
    can_login        boolean NOT NULL,
    is_protected     boolean NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (branch_id, name)
);

CREATE TABLE databases (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    branch_id   text NOT NULL REFERENCES branches ON DELETE CASCADE,
    name        text NOT NULL,
    owner_name  text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (branch_id, name)
);

-- No foreign keys: an operation is history and outlives what it was about.
CREATE TABLE operations (
    id           text PRIMARY KEY,
    sequence     bigint GENERATED ALWAYS AS IDENTITY,
    project_id   text NOT NULL,
    branch_id    text,
    endpoint_id  text,
    action       text NOT NULL,
    status       text NOT NULL,
    error        text,
    detail       text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX operations_by_project ON operations (project_id, sequence DESC);
CREATE INDEX operations_unfinished ON operations (sequence) WHERE status = 'running';

CREATE TABLE api_keys (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    hash        bytea NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL
);
