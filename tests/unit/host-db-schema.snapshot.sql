CREATE INDEX images_by_class ON images (dataset_id, class_id, domain_id);

CREATE INDEX images_by_class_id ON images (class_id);

CREATE INDEX images_by_domain ON images (dataset_id, domain_id);

CREATE INDEX images_by_domain_id ON images (domain_id);

CREATE INDEX runs_by_checkpoint ON runs (parent_checkpoint_id);

CREATE INDEX runs_by_dataset ON runs (dataset_id);

CREATE INDEX runs_by_parent ON runs (parent_run_id);

CREATE INDEX studies_by_dataset ON studies (dataset_id);

CREATE INDEX study_images_by_image ON study_images (image_id);

CREATE INDEX study_runs_by_run ON study_runs (run_id);

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

CREATE TABLE classes (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (dataset_id, position),
  UNIQUE (dataset_id, name)
) STRICT;

CREATE TABLE datasets (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  root TEXT NOT NULL,
  layout TEXT NOT NULL CHECK (layout IN ('class', 'domain/class')),
  content_hash TEXT NOT NULL,
  grouped_by TEXT NOT NULL,
  report_json TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE domains (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (dataset_id, position),
  UNIQUE (dataset_id, name)
) STRICT;

CREATE TABLE epochs (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  train_loss REAL,
  train_accuracy REAL,
  test_loss REAL,
  test_accuracy REAL,
  learning_rate REAL NOT NULL,
  seconds REAL NOT NULL, validation_loss REAL, validation_accuracy REAL,
  PRIMARY KEY (run_id, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  path TEXT NOT NULL, -- relative to the data set's root, '/' between parts
  class_id INTEGER NOT NULL REFERENCES classes (id),
  domain_id INTEGER NOT NULL REFERENCES domains (id),
  group_name TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  modified_ms REAL NOT NULL,
  sha256 TEXT NOT NULL,
  format TEXT NOT NULL,
  licence TEXT,
  attribution TEXT,
  source TEXT,
  UNIQUE (dataset_id, path)
) STRICT;

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  subject TEXT NOT NULL,
  status TEXT NOT NULL,
  progress_json TEXT,
  failure_json TEXT,
  result TEXT,
  created_at TEXT NOT NULL,
  finished_at TEXT
) STRICT;

CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    applied_at TEXT NOT NULL
  ) STRICT;

CREATE TABLE run_files (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('weights', 'logits')),
  name TEXT NOT NULL, -- relative to the run's folder
  epoch INTEGER,
  split TEXT,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('pretraining', 'target')),
  arm TEXT NOT NULL,
  spec_json TEXT NOT NULL,
  dataset_id TEXT NOT NULL REFERENCES datasets (id),
  dataset_hash TEXT NOT NULL,
  architecture TEXT NOT NULL,
  seed INTEGER NOT NULL,
  shuffle TEXT NOT NULL,
  parent_run_id TEXT REFERENCES runs (id),
  parent_epoch INTEGER,
  epochs INTEGER NOT NULL,
  device TEXT NOT NULL,
  versions_json TEXT NOT NULL,
  status TEXT NOT NULL,
  notes_json TEXT NOT NULL,
  failure_json TEXT,
  weights_sha256 TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT
, parent_checkpoint_id TEXT REFERENCES checkpoints (id), best_epoch INTEGER) STRICT;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE studies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  yaml TEXT NOT NULL,
  spec_json TEXT NOT NULL,
  dataset_id TEXT NOT NULL REFERENCES datasets (id),
  plan_json TEXT NOT NULL,
  status TEXT NOT NULL,
  job_id TEXT,
  results_json TEXT,
  created_at TEXT NOT NULL,
  finished_at TEXT
) STRICT;

CREATE TABLE "study_images" (
  study_id TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  image_id INTEGER NOT NULL REFERENCES images (id),
  split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
  PRIMARY KEY (study_id, image_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE study_runs (
  study_id TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  run_id TEXT NOT NULL REFERENCES runs (id),
  position INTEGER NOT NULL,
  arm TEXT NOT NULL,
  PRIMARY KEY (study_id, run_id)
) STRICT, WITHOUT ROWID;
