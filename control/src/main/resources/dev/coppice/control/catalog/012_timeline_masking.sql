-- What each timeline was seen to be: whether rows come to it through a boundary only. Written once for a timeline and never changed,
-- so that a start notices when storage says otherwise. A timeline without a row was not looked at yet.
CREATE TABLE timeline_masking (
    timeline_id  text PRIMARY KEY,
    masked       boolean NOT NULL,
    noted_at     timestamptz NOT NULL DEFAULT now()
);
