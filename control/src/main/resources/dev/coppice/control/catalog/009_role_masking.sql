-- Roles that see a masked view of their branch, and of the branches below it. Without a rule set everything is masked. No foreign key
-- to the rule set: without it nobody of them gets in.
CREATE TABLE role_masking (
    branch_id        text NOT NULL REFERENCES branches ON DELETE CASCADE,
    role_name        text NOT NULL,
    rule_set         text,
    max_lag_seconds  integer NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (branch_id, role_name)
);
