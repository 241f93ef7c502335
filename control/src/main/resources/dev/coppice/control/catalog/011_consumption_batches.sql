-- The last batch of figures that each meter, a process, has added to "consumption": a meter whose commit had an uncertain end
-- looks here whether to add them again.
CREATE TABLE consumption_batches (
    meter       text PRIMARY KEY,
    number      bigint NOT NULL,
    written_at  timestamptz NOT NULL
);
