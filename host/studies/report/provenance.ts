import type { Database } from 'better-sqlite3';
import type { RunDetail } from '../../../contract/runs.ts';
import { splitKindOf, type StudyPlan, type StudySpec } from '../../../contract/study.ts';
import { resolved } from '../overrides.ts';
import { startText } from '../starts.ts';
import type { ReportData } from './data.ts';
import { shuffleTitle } from './data.ts';
import type { Html, Part } from './html.ts';
import { html } from './html.ts';

/** What was trained on what. */
export function setUp(data: ReportData): Html {
  const rows = [...dataRows(data), ...trainingRows(data)];
  const warnings = data.study.plan.warnings.map((warning) => html`<li>${warning}</li>`);
  return html`<h2 id="setup">What was trained on what</h2>
    <dl>
      ${rows.map(
        ([term, text]) =>
          html`<dt>${term}</dt>
            <dd>${text}</dd>`,
      )}
    </dl>
    ${
      warnings.length === 0
        ? null
        : html`<ul class="notes">
            ${warnings}
          </ul>`
    }`;
}

type Row = [string, Part];

function dataRows({ study: { spec, plan }, dataset, runs }: ReportData): Row[] {
  const domains = runs.find(({ kind }) => kind === 'target')?.domains.join(', ') ?? '';
  return [
    ['Data set', html`${dataset.name}, content SHA-256 <code>${dataset.contentHash}</code>`],
    ['Target', `${domains}: ${imagesOf(plan)} of ${plan.classNames.length} classes`],
    ['Kept together by', plan.groupedBy],
    ['Split', splitText(spec)],
    ...findingRows(spec),
    ...pretrainingRows(runs),
  ];
}

function imagesOf({ trainImages, validationImages, testImages }: StudyPlan): string {
  const middle = validationImages === 0 ? '' : `, ${validationImages} validation`;
  return `${trainImages} training${middle} and ${testImages} test images`;
}

function splitText({ data }: StudySpec): string {
  const { train, test, validation, seed, column } = data.split;
  const kind = splitKindOf(data.split);
  if (kind === 'given') return `as the source gives it${heldBack(validation)}`;
  const by = column === undefined ? '' : ` by ${column}`;
  const few =
    data['per-class'] === undefined ? '' : `, ${data['per-class']} training images per class`;
  return `${kind}${by}: train ${train}, test ${test}${heldBack(validation)}, seed ${seed}${few}`;
}

function findingRows({ data: { findings } }: StudySpec): Row[] {
  return findings ? [['Findings', html`<code>${JSON.stringify(findings)}</code>`]] : [];
}

/** A share that old studies do not have. */
function heldBack(validation: number | undefined): string {
  return validation ? `, ${validation} of the training side for validation` : '';
}

function trainingRows(data: ReportData): Row[] {
  const { runs } = data;
  const { spec } = data.study;
  const versions = runs.flatMap((run) =>
    Object.entries(run.versions).map(([name, version]) => `${name} ${version}`),
  );
  const arms = Object.entries(spec.arms).map(
    ([arm, { init, 'per-class': few, source }]) =>
      `${arm}: ${startText(init)}${few === undefined ? '' : `, ${few} images per class`}${source ? `, images of ${source.images} (${source.way})` : ''}`,
  );
  return [
    ['Arms', arms.join('; ')],
    ['Seeds', spec.seeds.join(', ')],
    ['Shuffles', spec.shuffles.map(String).map(shuffleTitle).join(', ')],
    ['Architecture', architecture(spec)],
    ...checkpoints(data),
    ['Recipe', html`<code>${JSON.stringify(spec.recipe)}</code>`],
    ['Training', html`<code>${JSON.stringify(resolved(spec.training))}</code>`],
    ...ownTrainings(spec),
    ['Devices', unique(runs.map(({ device }) => device)).join(', ')],
    ['Versions', unique(versions).join(', ')],
  ];
}

function ownTrainings({ arms }: StudySpec): Row[] {
  return Object.entries(arms).flatMap(([arm, { training }]): Row[] =>
    training ? [[`Training of ${arm}`, html`<code>${JSON.stringify(training)}</code>`]] : [],
  );
}

function checkpoints({ checkpoints }: ReportData): Row[] {
  return checkpoints.map(({ name, source, licence, sha256 }) => [
    'Checkpoint',
    html`${name}, imported from ${source}${licence === null ? '' : `, licence: ${licence}`}; weights
      SHA-256 <code>${sha256}</code>`,
  ]);
}

function pretrainingRows(runs: readonly RunDetail[]): Row[] {
  return runs
    .filter(({ kind }) => kind === 'pretraining')
    .map((run) => [
      'Pretraining',
      `${run.domains.join(' + ')} of ${run.datasetName}: ${run.trainImages} images, ${run.epochs} epochs, seed ${run.seed}, training accuracy ${run.trainAccuracy?.toFixed(3) ?? '–'}`,
    ]);
}

function architecture({ architecture: { name, width, image, stem, channels } }: StudySpec): string {
  const grey = channels === 1 ? ', grey' : '';
  return `${name}, width ${width}, ${image} × ${image} pixels${grey}, ${stem} stem`;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

/** Licences and authors of the images that the report shows. */
export function licences(db: Database, ids: readonly number[]): Html {
  const find = db.prepare<[number], Licence>(
    'SELECT licence, attribution, source FROM images WHERE id = ?',
  );
  const rows = ids.flatMap((id) => find.get(id) ?? []);
  if (rows.every(({ licence, attribution, source }) => !licence && !attribution && !source)) {
    return html``;
  }
  const groups = Map.groupBy(rows, ({ licence, attribution }) =>
    JSON.stringify([licence ?? 'not stated', attribution ?? '']),
  );
  const lines = [...groups].sort().map(([key, members]) => {
    const [licence, attribution] = JSON.parse(key) as [string, string];
    return html`<tr>
      <td>${licence}</td>
      <td>${attribution}</td>
      <td class="n">${members.length}</td>
    </tr>`;
  });
  return html`<h2 id="licences">Licences of the images shown</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Licence</th>
            <th>Attribution</th>
            <th class="n">Images</th>
          </tr>
        </thead>
        <tbody>
          ${lines}
        </tbody>
      </table>
    </div>`;
}

interface Licence {
  licence: string | null;
  attribution: string | null;
  source: string | null;
}

/** The study file, the command and the runs by their ids. */
export function rebuild({ study, runs }: ReportData): Html {
  return html`<h2 id="rebuild">How to rebuild this</h2>
    <p>
      Import the data set under the name in the file, save the file as <code>study.yaml</code> and
      run <code>carryover study run study.yaml</code>. The id of a run is the hash of everything
      that determines its numbers, so the same study gives the same ids.
    </p>
    <pre>${study.yaml}</pre>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Run</th>
            <th>Arm</th>
            <th class="n">Seed</th>
            <th>Shuffle</th>
            <th>Start</th>
            <th>Finished</th>
            <th>Weights SHA-256</th>
            <th>Notes</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map(runRow)}
        </tbody>
      </table>
    </div>`;
}

function runRow(run: RunDetail): Html {
  return html`<tr>
    <td><code>${run.id}</code></td>
    <td class="w">${run.arm}</td>
    <td class="n">${run.seed}</td>
    <td>${run.kind === 'target' ? run.shuffle : ''}</td>
    <td><code>${run.parentCheckpoint ?? 'random'}</code></td>
    <td class="w">${(run.finishedAt ?? '').slice(0, 16).replace('T', ' ')}</td>
    <td><code>${(run.weightsHash ?? '').slice(0, 16)}</code></td>
    <td>${run.notes.join('; ')}</td>
  </tr>`;
}
