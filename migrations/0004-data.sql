-- Data sets of every format: places inside of files, several findings per image, given splits,
-- attributes, and what the user changed. Applied with foreign keys off: tables are rebuilt.

CREATE TABLE datasets_wider (
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
INSERT INTO datasets_wider
  SELECT id, name, root,
    CASE layout WHEN 'class' THEN '{"format":"folders","levels":["class"]}'
                ELSE '{"format":"folders","levels":["domain","class"]}' END,
    'single-label', content_hash, grouped_by, report_json, created_at
  FROM datasets;
UPDATE datasets_wider SET report_json = json_set(json_remove(report_json, '$.layout'),
  '$.reading', json(reading_json), '$.task', task, '$.splits', json('{}'), '$.attributeNames', json('[]'));
DROP TABLE datasets;
ALTER TABLE datasets_wider RENAME TO datasets;

CREATE TABLE images_wider (
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
INSERT INTO images_wider
  SELECT id, dataset_id, path, path, NULL, NULL, class_id, domain_id, group_name, NULL,
    width, height, bytes, modified_ms, sha256, format, NULL, NULL, NULL, licence, attribution, source
  FROM images;
DROP TABLE images;
ALTER TABLE images_wider RENAME TO images;
CREATE INDEX images_by_class ON images (dataset_id, class_id, domain_id);
CREATE INDEX images_by_domain ON images (dataset_id, domain_id);
CREATE INDEX images_by_class_id ON images (class_id);
CREATE INDEX images_by_domain_id ON images (domain_id);

-- Multi-label: 1 present, 0 absent, -1 uncertain; no row: not mentioned.
CREATE TABLE image_findings (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES classes (id),
  value INTEGER NOT NULL CHECK (value IN (-1, 0, 1)),
  PRIMARY KEY (image_id, class_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_findings_by_class ON image_findings (class_id, value);

CREATE TABLE attributes (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (dataset_id, name)
) STRICT;

CREATE TABLE attribute_values (
  id INTEGER PRIMARY KEY,
  attribute_id INTEGER NOT NULL REFERENCES attributes (id) ON DELETE CASCADE,
  value TEXT NOT NULL,
  UNIQUE (attribute_id, value)
) STRICT;

CREATE TABLE image_attributes (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  value_id INTEGER NOT NULL REFERENCES attribute_values (id) ON DELETE CASCADE,
  PRIMARY KEY (image_id, value_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_attributes_by_value ON image_attributes (value_id);

-- What the user changed, oldest first; an undone change stays in the history.
CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('relabel', 'finding', 'exclude', 'include', 'tag', 'untag')),
  value TEXT, -- the class, `finding=value`, or the tag
  images INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  undone_at TEXT
) STRICT;
CREATE INDEX changes_by_dataset ON changes (dataset_id);

-- What each changed image had before, as `value` is written; null: nothing.
CREATE TABLE change_images (
  change_id INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  before TEXT,
  PRIMARY KEY (change_id, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_images_by_image ON change_images (image_id);

-- The sum of the changes, over what was imported.
CREATE TABLE image_overlays (
  image_id INTEGER PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  class_id INTEGER REFERENCES classes (id), -- null: as imported
  excluded INTEGER NOT NULL DEFAULT 0 CHECK (excluded IN (0, 1))
) STRICT;
CREATE INDEX image_overlays_by_class ON image_overlays (class_id);

CREATE TABLE finding_overlays (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  class_id INTEGER NOT NULL REFERENCES classes (id),
  value INTEGER CHECK (value IN (-1, 0, 1)), -- null: not mentioned
  PRIMARY KEY (image_id, class_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_overlays_by_class ON finding_overlays (class_id);

CREATE TABLE image_tags (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (image_id, tag)
) STRICT, WITHOUT ROWID;

-- Images as studies and lists see them: with the user's changes.
CREATE VIEW current_images AS
  SELECT i.id, i.dataset_id, i.path, i.file, i.entry, i.frame,
    coalesce(o.class_id, i.class_id) AS class_id, i.class_id AS imported_class_id,
    coalesce(o.excluded, 0) AS excluded,
    i.domain_id, i.group_name, i.split, i.width, i.height, i.bytes, i.modified_ms, i.sha256,
    i.format, i.phash, i.mean, i.deviation, i.licence, i.attribution, i.source
  FROM images i LEFT JOIN image_overlays o ON o.image_id = i.id;

CREATE VIEW current_findings AS
  SELECT f.image_id, f.class_id, f.value FROM image_findings f
    WHERE NOT EXISTS (SELECT 1 FROM finding_overlays o
                      WHERE o.image_id = f.image_id AND o.class_id = f.class_id)
  UNION ALL
  SELECT image_id, class_id, value FROM finding_overlays WHERE value IS NOT NULL;

-- What was found in a file, so that an import that was cut off, or repeated, does not look again.
CREATE TABLE inspections (
  file TEXT NOT NULL, -- absolute
  entry TEXT NOT NULL, -- '' where there is none
  bytes INTEGER NOT NULL, -- of the file, as modified_ms
  modified_ms REAL NOT NULL,
  result_json TEXT NOT NULL,
  PRIMARY KEY (file, entry)
) STRICT, WITHOUT ROWID;

-- What was computed over a data set's images. Bulk arrays lie in analyses/<id>.*
CREATE TABLE dataset_analyses (
  id TEXT PRIMARY KEY, -- hash of kind, images and spec
  dataset_id TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('trust', 'features', 'map', 'suspects')),
  spec_json TEXT NOT NULL,
  summary_json TEXT NOT NULL,
  files_json TEXT NOT NULL, -- [{ name, bytes, sha256 }]
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX dataset_analyses_by_dataset ON dataset_analyses (dataset_id, kind);

-- Multi-label runs: mean area under the ROC curve over the findings that have both values.
ALTER TABLE epochs ADD COLUMN train_auc REAL;
ALTER TABLE epochs ADD COLUMN validation_auc REAL;
ALTER TABLE epochs ADD COLUMN test_auc REAL;
