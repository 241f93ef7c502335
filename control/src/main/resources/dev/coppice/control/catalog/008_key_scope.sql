-- What a key opens inside of its project: everything, or anonymized branches only.
ALTER TABLE api_keys
    ADD COLUMN scope text NOT NULL DEFAULT 'full' CHECK (scope IN ('full', 'anonymized') AND (scope = 'full' OR project_id IS NOT NULL));
