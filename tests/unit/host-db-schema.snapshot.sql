CREATE INDEX change_images_by_image ON change_images (image_id);

CREATE INDEX changes_by_dataset ON changes (dataset_id);

CREATE INDEX dataset_analyses_by_dataset ON dataset_analyses (dataset_id, kind);

CREATE INDEX finding_overlays_by_class ON finding_overlays (class_id);

CREATE INDEX image_attributes_by_value ON image_attributes (value_id);

CREATE INDEX image_findings_by_class ON image_findings (class_id, value);

CREATE INDEX image_overlays_by_class ON image_overlays (class_id);

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

CREATE TABLE attribute_values (
  id INTEGER PRIMARY KEY,
  attribute_id INTEGER NOT NULL REFERENCES attributes (id) ON DELETE CASCADE,
  value TEXT NOT NULL,
  UNIQUE (attribute_id, value)
) STRICT;

CREATE TABLE attributes (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (dataset_id, name)
) STRICT;

CREATE TABLE change_images (
  change_id INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  before TEXT,
  PRIMARY KEY (change_id, image_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('relabel', 'finding', 'exclude', 'include', 'tag', 'untag')),
  value TEXT, -- the class, `finding=value`, or the tag
  images INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  undone_at TEXT
) STRICT;

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

CREATE TABLE dataset_analyses (
  id TEXT PRIMARY KEY, -- hash of kind, images and spec
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('trust', 'features', 'map', 'suspects')),
  spec_json TEXT NOT NULL,
  summary_json TEXT NOT NULL,
  files_json TEXT NOT NULL, -- [{ name, bytes, sha256 }]
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE "datasets" (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  root TEXT NOT NULL,
  reading_json TEXT NOT NULL, -- how it was read (contract/reading.ts)
  task TEXT NOT NULL CHECK (task IN ('single-label', 'multi-label')),
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
  seconds REAL NOT NULL, validation_loss REAL, validation_accuracy REAL, train_auc REAL, validation_auc REAL, test_auc REAL,
  PRIMARY KEY (run_id, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding_overlays (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES classes (id),
  value INTEGER CHECK (value IN (-1, 0, 1)), -- null: not mentioned
  PRIMARY KEY (image_id, class_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_attributes (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  value_id INTEGER NOT NULL REFERENCES attribute_values (id) ON DELETE CASCADE,
  PRIMARY KEY (image_id, value_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_findings (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES classes (id),
  value INTEGER NOT NULL CHECK (value IN (-1, 0, 1)),
  PRIMARY KEY (image_id, class_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_overlays (
  image_id INTEGER PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  class_id INTEGER REFERENCES classes (id), -- null: as imported
  excluded INTEGER NOT NULL DEFAULT 0 CHECK (excluded IN (0, 1))
) STRICT;

CREATE TABLE image_tags (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (image_id, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE "images" (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  path TEXT NOT NULL, -- what people see: the file, then /entry and #frame where there are any
  file TEXT NOT NULL, -- relative to the data set's root, '/' between parts
  entry TEXT, -- inside the file, where it is an archive
  frame INTEGER, -- in the file or entry, from 0, where it holds several images
  class_id INTEGER REFERENCES classes (id), -- null in a multi-label set
  domain_id INTEGER NOT NULL REFERENCES domains (id),
  group_name TEXT NOT NULL,
  split TEXT CHECK (split IN ('train', 'validation', 'test')), -- as given by the source
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  bytes INTEGER NOT NULL, -- of the file, as modified_ms
  modified_ms REAL NOT NULL,
  sha256 TEXT NOT NULL, -- of the image's own bytes
  format TEXT NOT NULL,
  phash INTEGER, -- perceptual hash; null: imported before there were any
  mean REAL, -- of the luma, in [0, 1]
  deviation REAL,
  licence TEXT,
  attribution TEXT,
  source TEXT,
  UNIQUE (dataset_id, path)
) STRICT;

CREATE TABLE inspections (
  file TEXT NOT NULL, -- absolute
  entry TEXT NOT NULL, -- '' where there is none
  bytes INTEGER NOT NULL, -- of the file, as modified_ms
  modified_ms REAL NOT NULL,
  result_json TEXT NOT NULL,
  PRIMARY KEY (file, entry)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE study_analyses (
  id TEXT PRIMARY KEY, -- hash of name, version, options, what was measured, and the runs' weights
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  options_json TEXT NOT NULL,
  runs_json TEXT NOT NULL, -- [run id]
  result_json TEXT NOT NULL, -- { quantities, figures, tables, notes }
  seconds REAL NOT NULL,
  created_at TEXT NOT NULL
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

CREATE VIEW current_findings AS
  SELECT f.image_id, f.class_id, f.value FROM image_findings f
    WHERE NOT EXISTS (SELECT 1 FROM finding_overlays o
                      WHERE o.image_id = f.image_id AND o.class_id = f.class_id)
  UNION ALL
  SELECT image_id, class_id, value FROM finding_overlays WHERE value IS NOT NULL;

CREATE VIEW current_images AS
  SELECT i.id, i.dataset_id, i.path, i.file, i.entry, i.frame,
    coalesce(o.class_id, i.class_id) AS class_id, i.class_id AS imported_class_id,
    coalesce(o.excluded, 0) AS excluded,
    i.domain_id, i.group_name, i.split, i.width, i.height, i.bytes, i.modified_ms, i.sha256,
    i.format, i.phash, i.mean, i.deviation, i.licence, i.attribution, i.source
  FROM images i LEFT JOIN image_overlays o ON o.image_id = i.id;
