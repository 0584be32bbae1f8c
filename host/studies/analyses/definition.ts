/**
 * What an analysis of a study is made of. `plan` runs in the host and has the database; `measure`
 * runs in a process of its own (`measures.ts`, which may only import the engine and what stands
 * beside it) and has the images and the networks; `present` makes figures of the numbers.
 */
import type { RunSummary } from '../../../contract/runs.ts';
import type { Figure, Quantity, Table } from '../../../contract/figures.ts';
import type { AnalysisName, AnalysisOptions } from '../../../contract/study-analyses.ts';
import type { HostContext } from '../../context.ts';
import type { ExpandedStudy } from '../plan.ts';

/** Weights of a run of the study, as the child reads them. */
export interface NetworkRef {
  run: string;
  /** Of the run's training; 0 is its start. */
  epoch: number;
}

/** A run of the study with what analyses ask of it. */
export interface StudyRun extends RunSummary {
  /** The weights that the run stands for. */
  result: NetworkRef;
  /** Those that it began with: epoch 0, the head drawn anew. */
  start: NetworkRef;
  /** Epochs whose weights were kept, ascending, 0 among them. */
  keptEpochs: number[];
}

/** What `plan` and `present` know of the study. */
export interface StudyView {
  id: string;
  study: ExpandedStudy;
  /** Pretraining runs, target runs of the study's arms, and runs that analyses asked for. */
  runs: StudyRun[];
  context: Pick<HostContext, 'db' | 'home'>;
}

/** What the child is to measure, as JSON; `uses` are the runs whose weights or predictions count. */
export interface Planned<J> {
  job: J;
  uses: string[];
}

export interface Presented {
  quantities: Quantity[];
  figures: Figure[];
  tables: Table[];
  notes: string[];
  /** What the study's page must say. */
  alerts?: string[];
}

/**
 * An analysis. `J` (what is measured) and `M` (what came of it) are plain JSON.
 */
export interface AnalysisDefinition<N extends AnalysisName, J = unknown, M = unknown> {
  name: N;
  /** For people: `Similarity of features`. */
  title: string;
  /** Raised whenever the same input gives other numbers or figures. */
  version: number;
  /** Throws CarryoverError `unsupported` or `bad-input` where the study has nothing to measure. */
  plan(view: StudyView, options: AnalysisOptions<N>): Planned<J> | Promise<Planned<J>>;
  present(view: StudyView, options: AnalysisOptions<N>, measured: M, job: J): Presented;
}
