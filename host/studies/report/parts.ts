/** A study's numbers by finding and by subgroup, and what is wrong with all of them. */
import { FEW_IMAGES, type SubgroupResult } from '../../../contract/study-results.ts';
import type { ReportData } from './data.ts';
import { leakLine, shuffleTitle } from './data.ts';
import type { Html } from './html.ts';
import { fixed, html, percent } from './html.ts';
import { key, range } from './numbers.ts';

/** Leaks that were overruled. */
export function leakNote({ results }: ReportData): Html | null {
  if (results.warnings.length === 0) return null;
  return html`<div class="leak">
    <b>This study's split leaks: every number and figure below may be too good.</b>
    <ul>
      ${results.warnings.map((warning) => html`<li>${warning}</li>`)}
    </ul>
  </div>`;
}

/** Area under the ROC curve of each finding. */
export function findingTable(data: ReportData): Html | null {
  const { findings } = data.results;
  if (findings.length === 0) return null;
  const names = [...new Set(findings.map(({ finding }) => finding))];
  const sorted = names.flatMap((name) => findings.filter(({ finding }) => finding === name));
  const rows = sorted.map(
    ({ finding, arm, shuffle, positives, negatives, auc }, index) =>
      html`<tr class="${index > 0 && sorted[index - 1]?.finding !== finding ? 'first' : ''}">
        <td>${finding}</td>
        <td>${shuffleTitle(shuffle)}</td>
        <td>${key(data, arm)}${arm}</td>
        <td class="n">${positives}</td>
        <td class="n">${negatives}</td>
        <td class="n">${fixed(auc && auc.mean, 3)}</td>
        <td class="soft">
          ${auc ? auc.values.map((value) => fixed(value, 3)).join(', ') : 'not defined: one value only'}
        </td>
      </tr>`,
  );
  return html`<h2 id="findings">By finding</h2>
    ${leakLine(data)}
    <div class="scroll">
      <table class="tight">
        <thead>
          <tr>
            <th>Finding</th>
            <th>Images</th>
            <th>Arm</th>
            <th class="n">Test images with it</th>
            <th class="n">without</th>
            <th class="n">AUC</th>
            <th>by seed</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

/** The arms on the test images with each value of the attributes that were asked for. */
export function subgroupTable(data: ReportData): Html | null {
  const { subgroups } = data.results;
  if (subgroups.length === 0) return null;
  const areas = subgroups.some(({ auc }) => auc !== null);
  const places = [...new Set(subgroups.map(({ attribute, value }) => `${attribute}\n${value}`))];
  const sorted = places.flatMap((place) =>
    subgroups.filter(({ attribute, value }) => `${attribute}\n${value}` === place),
  );
  const rows = sorted.map((each, index) => {
    const before = sorted[index - 1];
    const first = before && (before.attribute !== each.attribute || before.value !== each.value);
    return subgroupRow(data, each, first === true, areas);
  });
  return html`<h2 id="subgroups">By subgroup</h2>
    ${leakLine(data)}
    <p>
      The same runs on the test images with one value of an attribute. Of fewer than ${FEW_IMAGES}
      images a number says little.
    </p>
    <div class="scroll">
      <table class="tight">
        <thead>
          <tr>
            <th>Attribute</th>
            <th>Value</th>
            <th class="n">Test images</th>
            <th>Images</th>
            <th>Arm</th>
            ${areas ? html`<th class="n">Mean AUC</th>` : null}
            <th class="n">Test accuracy</th>
            <th>[min–max] by seed</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

function subgroupRow(data: ReportData, each: SubgroupResult, first: boolean, areas: boolean): Html {
  return html`<tr class="${first ? 'first' : ''}">
    <td>${each.attribute}</td>
    <td>${each.value}</td>
    <td class="n">${each.images}${each.images < FEW_IMAGES ? ' (few)' : null}</td>
    <td>${shuffleTitle(each.shuffle)}</td>
    <td>${key(data, each.arm)}${each.arm}</td>
    ${areas ? html`<td class="n">${fixed(each.auc && each.auc.mean, 3)}</td>` : null}
    <td class="n">${percent(each.accuracy.mean)}</td>
    <td>${range(each.accuracy)}</td>
  </tr>`;
}
