-- Restore: how long history is kept, when a branch was restored, and the timelines that belong to no branch.
ALTER TABLE projects ADD COLUMN history_retention_seconds integer NOT NULL DEFAULT 86400;

-- continues_parent: the branch was restored from what its parent preserves, so the parent may go without it.
ALTER TABLE branches
    ADD COLUMN last_reset_at timestamptz,
    ADD COLUMN continues_parent boolean NOT NULL DEFAULT false;

-- No foreign key: storage is cleaned up after the project is gone.
CREATE TABLE hidden_timelines (
    timeline_id  text PRIMARY KEY,
    project_id   text NOT NULL,
    kind         text NOT NULL,
    endpoint_id  text,
    created_at   timestamptz NOT NULL
);
CREATE INDEX hidden_timelines_by_project ON hidden_timelines (project_id);
