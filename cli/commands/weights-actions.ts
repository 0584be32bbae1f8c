import { resolve } from 'node:path';
import type { ArchitectureName } from '../../contract/architecture.ts';
import type { Preprocessing } from '../../contract/checkpoints.ts';
import { exportWeights } from '../../host/checkpoints/export.ts';
import type { ExportedWeights, ExportFormat } from '../../host/checkpoints/export.ts';
import { inspectWeights } from '../../host/checkpoints/inspect.ts';
import { fileLogits } from '../../host/checkpoints/logits.ts';
import { writeFileAtomic } from '../../host/files.ts';
import { recalibrateWeights } from '../../host/checkpoints/recalibrate.ts';
import type { RecalibrationRequest } from '../../host/checkpoints/recalibrate.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import type { GlobalOptions } from '../output.ts';
import { printJson, printLine, printable } from '../output.ts';
import { printCheckpoint, printCheckpoints, printWeightsReport } from './weights-report.ts';

export interface InspectOptions extends GlobalOptions {
  architecture?: ArchitectureName;
}

export interface ImportOptions extends InspectOptions {
  name: string;
  size?: number;
  mean?: [number, number, number];
  std?: [number, number, number];
  interpolation?: NonNullable<Preprocessing['interpolation']>;
  crop?: number;
  licence?: string;
  loose?: boolean;
}

export interface ExportOptions extends GlobalOptions {
  format: ExportFormat;
  out: string;
  size?: number;
}

export type RecalibrateOptions = GlobalOptions & Omit<RecalibrationRequest, 'source'>;

export interface LogitsOptions extends InspectOptions {
  input: string;
  out: string;
}

/** `weights inspect` */
export async function inspect(file: string, options: InspectOptions): Promise<void> {
  const { architecture, json } = options;
  const { report } = await inspectWeights(file, architecture ? { architecture } : {});
  if (json) printJson(report);
  else printWeightsReport(report);
}

/** `weights import`: the matching report first, also of a file that is then refused. */
export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { name, architecture, licence, loose = false, json } = options;
  if (!json) await inspect(file, options);
  await inHome('weights import', options, async ({ handlers }) => {
    const imported = await handlers['checkpoints.import']({
      path: resolve(file),
      name,
      architecture,
      preprocessing: preprocessingOf(options),
      licence,
      loose,
    });
    if (json) printJson(imported);
    else {
      printLine('');
      printCheckpoint(imported);
    }
  });
}

function preprocessingOf({ size, mean, std, interpolation, crop }: ImportOptions) {
  return { size, mean, std, interpolation, crop };
}

/** `weights list [CHECKPOINT]` */
export async function list(checkpoint: string | undefined, options: GlobalOptions): Promise<void> {
  await inHome('weights list', { ...options, readonly: true }, async ({ handlers }) => {
    if (checkpoint === undefined) {
      const all = await handlers['checkpoints.list']({});
      if (options.json) printJson(all);
      else printCheckpoints(all);
      return;
    }
    const detail = await handlers['checkpoints.get']({ id: checkpoint });
    if (options.json) printJson(detail);
    else {
      printCheckpoint(detail);
      printLine('');
      printWeightsReport(detail.report);
    }
  });
}

/** `weights remove` */
export async function remove(checkpoint: string, options: GlobalOptions): Promise<void> {
  await inHome('weights remove', options, async ({ handlers }) => {
    const { id, name } = await handlers['checkpoints.get']({ id: checkpoint });
    await handlers['checkpoints.remove']({ id });
    if (options.json) printJson({ removed: { id, name } });
    else printLine(`removed "${name}" (${id})`);
  });
}

/** `weights export` */
export async function exportFile(source: string, options: ExportOptions): Promise<void> {
  const { format, out, size, json } = options;
  await inHome('weights export', { ...options, readonly: true }, async ({ context }) => {
    const { data, side } = await exportWeights(context, source, format, size);
    await writeFileAtomic(resolve(out), data);
    const bytes = data.byteLength;
    if (json) printJson({ source, format, out, bytes, side });
    else printLine(`${out}: ${bytes} bytes of ${format}${side ? `, ${sideText(side)}` : ''}`);
  });
}

function sideText({ pixels, from }: NonNullable<ExportedWeights['side']>): string {
  const why = from === 'default' ? ' (the weights name no side; --size fixes another)' : '';
  return `for images of ${pixels} x ${pixels} pixels${why}`;
}

/** `weights logits` */
export async function logits(file: string, options: LogitsOptions): Promise<void> {
  const { input, out, architecture, json } = options;
  const result = await fileLogits({
    file,
    input,
    out,
    ...(architecture ? { architecture } : {}),
  });
  result.notes.forEach(printNote);
  if (json) printJson({ file, input, out, ...result });
  else printLine(`${out}: logits of ${result.images} images for ${result.classes} classes`);
}

function printNote(text: string): void {
  process.stderr.write(`note: ${printable(text)}\n`);
}

/** `weights recalibrate` */
export async function recalibrate(source: string, options: RecalibrateOptions): Promise<void> {
  await inHome('weights recalibrate', options, async ({ context }) => {
    const made = await recalibrateWeights(context, { ...options, source }, printNote);
    if (options.json) printJson(made);
    else printCheckpoint(made);
  });
}

async function inHome(
  command: string,
  { home, readonly = false }: GlobalOptions & { readonly?: boolean },
  work: (workbench: Workbench) => Promise<void>,
): Promise<void> {
  const workbench = openWorkbench({ command, readonly, ...(home === undefined ? {} : { home }) });
  try {
    await work(workbench);
  } finally {
    await workbench.close();
  }
}
