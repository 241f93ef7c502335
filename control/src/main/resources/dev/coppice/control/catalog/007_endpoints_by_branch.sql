-- A branch that is deleted takes its endpoints with it: found without reading all of them.
CREATE INDEX endpoints_by_branch ON endpoints (branch_id);
