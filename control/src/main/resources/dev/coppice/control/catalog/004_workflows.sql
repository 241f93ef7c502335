-- Branches that expire, that were deleted and can be recovered, that hold a schema only, or that came from a snapshot.
ALTER TABLE branches
    ADD COLUMN init_source text NOT NULL DEFAULT 'parent-data',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN ttl_interval_seconds integer,
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN deletion_method text,
    ADD COLUMN restored_from text,
    ADD COLUMN restored_as text,
    ADD COLUMN restore_status text;

-- The name of a deleted branch is free.
ALTER TABLE branches DROP CONSTRAINT branches_project_id_name_key;
CREATE UNIQUE INDEX branches_name ON branches (project_id, name) WHERE deleted_at IS NULL;

ALTER TABLE projects ADD COLUMN deleted_at timestamptz;

-- source_branch_id has no foreign key: a snapshot outlives its branch.
CREATE TABLE snapshots (
    id                text PRIMARY KEY,
    project_id        text NOT NULL REFERENCES projects ON DELETE CASCADE,
    source_branch_id  text NOT NULL,
    name              text NOT NULL,
    timeline_id       text NOT NULL UNIQUE,
    lsn               text NOT NULL,
    point_timestamp   timestamptz,
    manual            boolean NOT NULL,
    created_at        timestamptz NOT NULL,
    expires_at        timestamptz
);
CREATE INDEX snapshots_by_project ON snapshots (project_id, created_at);

-- The sealed passwords of the branch when the snapshot was taken; the roles themselves are in its data.
CREATE TABLE snapshot_roles (
    snapshot_id      text NOT NULL REFERENCES snapshots ON DELETE CASCADE,
    name             text NOT NULL,
    sealed_password  bytea NOT NULL,
    verifier         text NOT NULL,
    PRIMARY KEY (snapshot_id, name)
);

CREATE TABLE snapshot_schedules (
    branch_id          text NOT NULL REFERENCES branches ON DELETE CASCADE,
    position           integer NOT NULL,
    frequency          text NOT NULL,
    hour               integer,
    day                integer,
    month              integer,
    retention_seconds  integer,
    next_at            timestamptz NOT NULL,
    PRIMARY KEY (branch_id, position)
);
