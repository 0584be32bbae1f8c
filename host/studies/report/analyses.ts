/** The analyses of a study in its report: figures, tables, the scorecard. */
import type { Figure, Quantity, Table } from '../../../contract/figures.ts';
import type { JudgedClaim, StudyAnalysis } from '../../../contract/study-analyses.ts';
import { drawFigure, withoutLinks } from '../figures/draw.ts';
import type { Sources } from '../figures/pictures.ts';
import { intervalText, valueText } from '../figures/scale.ts';
import type { ReportData } from './data.ts';
import { leakLine } from './data.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';

/** A longer table is folded away; it is in its CSV whole. */
const SHOWN_ROWS = 12;
const MOST_ROWS = 200;

/** All analyses, in the study's order, and those that could not be. */
export function analysesSection(
  data: ReportData,
  sources: (analysis: StudyAnalysis) => Sources,
): Html {
  const { results, analyses } = data;
  return html`${scorecard(results.claims, data)}
  ${results.analyses.map((state) => {
    const found = analyses.find(({ id }) => id === state.id);
    if (found) return section(data, found, sources(found));
    return html`<h2>${state.name}</h2>
      <p class="notes">Not computed: ${state.failure?.message ?? 'it is not there any more'}.</p>`;
  })}`;
}

function section(data: ReportData, analysis: StudyAnalysis, sources: Sources): Html {
  const { name, title, figures, tables, notes, id } = analysis;
  return html`<h2 id="analysis-${name}">${title}</h2>
    ${leakLine(data)} ${(analysis.alerts ?? []).map((alert) => html`<p class="notes">${alert}</p>`)}
    ${notes.map((note) => html`<p class="soft small">${note}</p>`)}
    <div class="figures">${figures.map((figure) => figurePart(data, figure, sources))}</div>
    ${tables.map((table) => tablePart(data, table))}
    <p class="soft small">
      Analysis <code>${id}</code> of runs <code>${analysis.runIds.join(' ')}</code>; what each
      means: docs/analyses/${name}.md.
    </p>`;
}

function figurePart(data: ReportData, figure: Figure, sources: Sources): Html {
  const wide = figure.kind === 'pictures' ? 'wide' : '';
  return html`<figure class="${wide}">
    <figcaption>${figure.title} <span>· ${figure.caption}</span></figcaption>
    ${drawFigure(withoutLinks(figure), sources)} ${leakLine(data)}
  </figure>`;
}

function tablePart(data: ReportData, table: Table): Html {
  const body = html`${leakLine(data)} ${tableBody(table)}`;
  if (table.rows.length <= SHOWN_ROWS)
    return html`<h3>${table.title}</h3>
      ${body}`;
  return html`<details>
    <summary>${table.title}: ${table.rows.length} rows</summary>
    ${body}
  </details>`;
}

function tableBody({ columns, rows }: Table): Html {
  const numeric = (value: unknown): boolean => typeof value === 'number';
  return html`<div class="scroll">
    <table class="tight">
      <thead>
        <tr>
          ${columns.map(({ key, title }) => html`<th class="${numeric(rows[0]?.[key]) ? 'n' : ''}">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.slice(0, MOST_ROWS).map(
          (row) =>
            html`<tr>
              ${columns.map(({ key, unit, digits }) => {
                const value = row[key] ?? null;
                if (typeof value !== 'number') return html`<td>${value ?? '–'}</td>`;
                return html`<td class="n">${valueText(value, unit, digits)}</td>`;
              })}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** What the study claims, beside what was measured. */
function scorecard(claims: readonly JudgedClaim[], data: ReportData): Html | null {
  if (claims.length === 0) return null;
  const count = (verdict: JudgedClaim['verdict']) =>
    claims.filter((claim) => claim.verdict === verdict).length;
  return html`<h2 id="scorecard">Scorecard</h2>
    ${leakLine(data)}
    <p>
      Each claim was written in the study file with its rule before the runs. ${count('holds')}
      hold, ${count('does not hold')} do not, ${count('undecided')} are undecided.
    </p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Claim</th>
            <th>Measured</th>
            <th>Rule</th>
            <th>Verdict</th>
          </tr>
        </thead>
        <tbody>
          ${claims.map(claimRow)}
        </tbody>
      </table>
    </div>`;
}

function claimRow(judged: JudgedClaim): Html {
  const { claim, source, quantity, measured, verdict, why } = judged;
  return html`<tr>
    <td>
      ${claim}${source === undefined ? null : html` <span class="soft small">(${source})</span>`}
    </td>
    <td>${measured ? measuredText(measured) : '–'}<br /><code>${quantity}</code></td>
    <td class="w">${ruleText(judged)}</td>
    <td class="w">
      <b class="verdict ${verdict.replaceAll(' ', '-')}">${verdict}</b><br /><span
        class="soft small"
        >${why}</span
      >
    </td>
  </tr>`;
}

/** An estimate with its interval and how it was made. */
export function measuredText({ value, interval, unit, method, n }: Quantity): string {
  const within = interval ? ` ${intervalText(interval, unit)}` : '';
  return `${valueText(value, unit)}${within}, n = ${n}, ${method}`;
}

/** The rule of a claim: `above 0`. */
export function ruleText({ above, below }: Pick<JudgedClaim, 'above' | 'below'>): string {
  const parts = [
    above === undefined ? null : `above ${above}`,
    below === undefined ? null : `below ${below}`,
  ];
  return `interval ${parts.filter((part) => part !== null).join(' and ')}`;
}
