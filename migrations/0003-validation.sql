-- Validation images and what is measured on them.

CREATE TABLE study_images_wider (
  study_id TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  image_id INTEGER NOT NULL REFERENCES images (id),
  split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
  PRIMARY KEY (study_id, image_id)
) STRICT, WITHOUT ROWID;
INSERT INTO study_images_wider SELECT study_id, image_id, split FROM study_images;
DROP TABLE study_images;
ALTER TABLE study_images_wider RENAME TO study_images;
CREATE INDEX study_images_by_image ON study_images (image_id);

ALTER TABLE epochs ADD COLUMN validation_loss REAL;
ALTER TABLE epochs ADD COLUMN validation_accuracy REAL;

-- With early stopping: the epoch whose weights are the run's result.
ALTER TABLE runs ADD COLUMN best_epoch INTEGER;
