-- When the submission that loads the input last made progress. A column of its own with a constant
-- default, so that no row is rewritten; only runs that are loading use it.
ALTER TABLE run ADD COLUMN loaded_at timestamptz NOT NULL DEFAULT now();
