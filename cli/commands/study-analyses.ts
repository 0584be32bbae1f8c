import { CarryoverError } from '../../contract/errors.ts';
import type { AnalysisName, AnalysisState, JudgedClaim } from '../../contract/study-analyses.ts';
import { BASIC_ANALYSES, entryName } from '../../contract/study-analyses.ts';
import type { StudyDetail } from '../../contract/study.ts';
import { getStudyAnalysis } from '../../host/studies/analyses/store.ts';
import { intervalText, valueText } from '../../host/studies/figures/scale.ts';
import { ruleText } from '../../host/studies/report/analyses.ts';
import type { Workbench } from '../../host/workbench.ts';
import { printJson, printLine, printTable } from '../output.ts';

/** An analysis that a study asks for; `missing`: it was not computed yet. */
type Listed = AnalysisState & { state: 'done' | 'failed' | 'missing' };

/** Prints the analyses of a study, in its order. */
export function printAnalyses(study: StudyDetail, json: boolean): void {
  const listed = listedOf(study);
  if (json) {
    printJson(listed);
    return;
  }
  if (listed.length === 0) {
    printLine(`"${study.name}" asks for no analysis but those of every study`);
    return;
  }
  printTable(listed, [
    { title: 'analysis', value: ({ name }) => name },
    { title: 'state', value: ({ state }) => state },
    { title: 'id', value: ({ id }) => id },
    { title: 'why', value: ({ failure }) => failure?.message ?? '' },
  ]);
  if (listed.some(({ state }) => state === 'missing')) {
    printLine('\nmissing ones are computed when the study is run: carryover study run FILE');
  }
}

function listedOf({ spec, results }: StudyDetail): Listed[] {
  const states = results?.analyses ?? [];
  const basic: readonly string[] = BASIC_ANALYSES;
  const names = spec.analyses.map(entryName).filter((name) => !basic.includes(name));
  return names.map((name): Listed => {
    const state = states.find((each) => each.name === name);
    if (!state) return { name: name as AnalysisName, id: null, failure: null, state: 'missing' };
    return { ...state, state: state.id === null ? 'failed' : 'done' };
  });
}

/**
 * Prints the quantities and the notes of one analysis. Throws `not-found` where the study has none
 * of that name, and why there is none where it failed.
 */
export function printAnalysis(
  { context }: Workbench,
  study: StudyDetail,
  name: string,
  json: boolean,
): void {
  const analysis = getStudyAnalysis(context.db, idOf(study, name));
  if (json) {
    printJson({ ...analysis, leaks: study.results?.warnings ?? [] });
    return;
  }
  printLine(`${analysis.title} of "${study.name}" (${analysis.id})\n`);
  const warnings = [...(study.results?.warnings ?? []), ...(analysis.alerts ?? [])];
  for (const warning of warnings) printLine(`warning: ${warning}`);
  printTable(analysis.quantities, [
    { title: 'quantity', value: ({ key }) => key },
    { title: 'value', value: ({ value, unit }) => valueText(value, unit) },
    { title: '95 %', value: ({ interval, unit }) => interval && intervalText(interval, unit) },
    { title: 'n', value: ({ n }) => n },
    { title: 'interval', value: ({ method }) => method },
  ]);
  if (analysis.notes.length > 0) printLine('');
  for (const note of analysis.notes) printLine(`note: ${note}`);
}

function idOf(study: StudyDetail, name: string): string {
  const listed = listedOf(study);
  const found = listed.find((each) => each.name === name);
  if (found?.failure) {
    throw new CarryoverError(found.failure.code, found.failure.message, found.failure.detail);
  }
  if (found && found.id !== null) return found.id;
  const names = listed.map((each) => each.name).join(', ') || 'none';
  throw new CarryoverError('not-found', `"${study.name}" has no analysis ${name}`, {
    value: name,
    wayOut: found
      ? 'run the study: carryover study run FILE'
      : `it asks for ${names}; add the name to analyses of its file`,
  });
}

/** What analyses must say among the numbers; on stderr, which of them could not be computed. */
export function printAlerts(states: readonly AnalysisState[]): void {
  for (const { name, failure, alerts = [] } of states) {
    for (const alert of alerts) printLine(`warning: ${alert}`);
    if (failure) process.stderr.write(`note: ${name} was not computed: ${failure.message}\n`);
  }
}

/** The claims of a study beside what was measured. */
export function printScorecard(claims: readonly JudgedClaim[]): void {
  if (claims.length === 0) return;
  printLine('');
  printTable(claims, [
    { title: 'verdict', value: ({ verdict }) => verdict },
    { title: 'claim', value: ({ claim }) => claim },
    {
      title: 'value',
      value: ({ measured }) => measured && valueText(measured.value, measured.unit),
    },
    {
      title: '95 %',
      value: ({ measured }) =>
        measured?.interval ? intervalText(measured.interval, measured.unit) : null,
    },
    { title: 'holds if the', value: ruleText },
    { title: 'why', value: ({ why }) => why },
  ]);
}
