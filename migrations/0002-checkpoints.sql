-- Weights that users bring, and what they have set.

-- The id is the hash of the weights and the architecture; the file is checkpoints/<id>.safetensors.
CREATE TABLE checkpoints (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  format TEXT NOT NULL, -- of the file it came from
  source TEXT NOT NULL, -- where that file was
  architecture_json TEXT NOT NULL,
  classes INTEGER,
  class_names_json TEXT,
  preprocessing_json TEXT NOT NULL,
  parameters INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, -- of our file
  source_sha256 TEXT NOT NULL,
  licence TEXT,
  report_json TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

-- The imported checkpoint that a run starts from; a run has this parent, or a run, or none.
ALTER TABLE runs ADD COLUMN parent_checkpoint_id TEXT REFERENCES checkpoints (id);
CREATE INDEX runs_by_checkpoint ON runs (parent_checkpoint_id);

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
