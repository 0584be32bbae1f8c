import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pack from '../../../package.json' with { type: 'json' };
import type { HostContext } from '../../context.ts';
import { fileError, writeFileAtomic } from '../../files.ts';
import { analysesSection } from './analyses.ts';
import { tables } from './csv.ts';
import type { ReportData } from './data.ts';
import { reportData } from './data.ts';
import { figureSources, imagesOfFigures } from './figure-sources.ts';
import { figures } from './figures.ts';
import { findingTable, leakNote, subgroupTable } from './parts.ts';
import type { Html } from './html.ts';
import { html, Html as Markup } from './html.ts';
import { mainTable, pairTable, summary } from './numbers.ts';
import { licences, rebuild, setUp } from './provenance.ts';
import { STYLE } from './style.ts';
import { makeWalls, shownImages, wallSection } from './wall.ts';
import type { Wall } from './wall.ts';

/**
 * Writes `<reports>/<studyId>/report.html` (self-contained) with results.json and CSV tables beside
 * it, from what is in the database and the runs' files. Returns the path of the page. Throws
 * `conflict` when the study has no results, `io` or `disk-full`, and the signal's reason.
 */
export async function writeReport(
  context: HostContext,
  studyId: string,
  signal: AbortSignal,
): Promise<string> {
  const data = reportData(context, studyId);
  const walls = await makeWalls(context, data, signal);
  const sources = await figureSources(context, data.analyses, signal);
  const folder = join(context.home.reports, studyId);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, folder, 'create the folder');
  });
  for (const [name, text] of Object.entries(tables(data))) {
    await writeFileAtomic(join(folder, name), text);
  }
  await writeFileAtomic(
    join(folder, 'results.json'),
    `${JSON.stringify(numbers(data), null, 2)}\n`,
  );
  const file = join(folder, 'report.html');
  await writeFileAtomic(file, page(context, data, walls, analysesSection(data, sources)).text);
  return file;
}

function numbers({ study, results, dataset, runs, analyses }: ReportData): unknown {
  const { id, name, plan, spec } = study;
  return {
    study: { id, name },
    dataset: { name: dataset.name, contentHash: dataset.contentHash },
    plan,
    spec,
    results,
    runs,
    analyses,
  };
}

function page({ db }: HostContext, data: ReportData, walls: Wall[], analyses: Html): Html {
  const { study } = data;
  const shown = imagesOfFigures(data.analyses.flatMap(({ figures: each }) => each));
  const images = [...new Set([...shownImages(walls), ...shown])];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${study.name} – Carryover report</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="over">CARRYOVER · STUDY REPORT</p>
            <h1>${study.name}</h1>
            ${study.spec.description === undefined ? null : html`<p class="soft">${study.spec.description}</p>`}
            ${leakNote(data)} ${summary(data)}
          </header>
          <h2 id="results">Accuracy and speed</h2>
          ${mainTable(data)} ${findingTable(data)} ${subgroupTable(data)} ${figures(data)}
          ${pairTable(data)} ${analyses} ${wallSection(data, walls)} ${setUp(data)}
          ${licences(db, images)} ${rebuild(data)}
          <footer>
            Carryover ${pack.version}. All numbers on this page come from the runs named above;
            <code>results.json</code> and the CSV tables beside it hold them in full.
          </footer>
        </main>
      </body>
    </html> `;
}
