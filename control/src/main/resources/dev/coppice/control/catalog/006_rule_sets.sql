-- Masking rules that a project keeps under a name, for the branches to come. rules is the JSON of control.masking.RuleSet.
CREATE TABLE masking_rule_sets (
    project_id  text NOT NULL REFERENCES projects ON DELETE CASCADE,
    name        text NOT NULL,
    rules       text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (project_id, name)
);
