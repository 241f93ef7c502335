-- Anonymized branches: the rules that a branch is declared to have, and how far they are applied. A branch without a row is an
-- ordinary one. rules is the JSON of control.masking.RuleSet.
CREATE TABLE branch_masking (
    branch_id        text PRIMARY KEY REFERENCES branches ON DELETE CASCADE,
    rules            text NOT NULL,
    version          integer NOT NULL,
    applied_version  integer,
    state            text NOT NULL,
    message          text,
    steps_done       integer NOT NULL DEFAULT 0,
    steps_total      integer NOT NULL DEFAULT 0,
    error            text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    failed_at        timestamptz
);

-- The secret that values of a project are masked under, sealed with the key file, in base64. Never changed: values would change with it.
CREATE TABLE masking_keys (
    project_id  text PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    id          text NOT NULL,
    sealed      text NOT NULL,
    created_at  timestamptz NOT NULL
);
