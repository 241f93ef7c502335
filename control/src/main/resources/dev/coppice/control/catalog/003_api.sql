-- The REST API: keys that open one project only, settings of projects and endpoints, notes on branches, what was used.
ALTER TABLE api_keys
    ADD COLUMN project_id text REFERENCES projects ON DELETE CASCADE,
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN last_used_from text NOT NULL DEFAULT '';

-- JSON objects; what is absent has its default.
ALTER TABLE projects ADD COLUMN settings text NOT NULL DEFAULT '{}';
ALTER TABLE endpoints ADD COLUMN settings text NOT NULL DEFAULT '{}';

-- What clients note about a branch: a JSON object of strings, which Coppice does not read.
CREATE TABLE branch_annotations (
    branch_id   text PRIMARY KEY REFERENCES branches ON DELETE CASCADE,
    value       text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- What was used in each hour. branch_id '' is the project as a whole, which is where storage_bytes stands.
-- No foreign keys: what was used stays used when the branch is gone.
CREATE TABLE consumption (
    project_id       text NOT NULL,
    branch_id        text NOT NULL,
    hour             timestamptz NOT NULL,
    active_millis    bigint NOT NULL DEFAULT 0,
    compute_millis   bigint NOT NULL DEFAULT 0,
    written_bytes    bigint NOT NULL DEFAULT 0,
    storage_bytes    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, branch_id, hour)
);
CREATE INDEX consumption_by_hour ON consumption (hour);
