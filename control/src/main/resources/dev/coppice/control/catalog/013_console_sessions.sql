-- Who is signed in at the console. A session goes with the API key that it stands for.
CREATE TABLE console_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    key_id bigint NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    address text NOT NULL,
    client text NOT NULL
);
CREATE INDEX console_sessions_of_key ON console_sessions (key_id);
