-- What analyses of studies came to, by what determines it: studies with the same runs share them.
-- Pictures and bulk arrays lie in analyses/<id>/.

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
