import type {
  CheckpointDetail,
  CheckpointSummary,
  MatchReport,
  Preprocessing,
  WeightsReport,
} from '../../contract/checkpoints.ts';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { printLine, printTable } from '../output.ts';

const LABEL_WIDTH = 15;
const NAMES_SHOWN = 12;
const CLASSES_SHOWN = 5;

/** What a file holds and how it meets an architecture. */
export function printWeightsReport(report: WeightsReport): void {
  const { file, format, bytes, sha256, tensors, classNames, preprocessing, match } = report;
  printFact('file', file);
  printFact('format', `${format}, ${tensors.length} tensors, ${megabytes(bytes)}`);
  printFact('SHA-256', sha256);
  printFact('images', describePreprocessing(preprocessing));
  printFact('classes', describeClasses(classNames, match?.classes ?? null));
  if (match) printMatch(report, match);
  else printTensors(report);
  for (const warning of report.warnings) printFact('warning', warning);
}

function printMatch({ tensors, unusable }: WeightsReport, match: MatchReport): void {
  const { matched, missing, unexpected, wrongShape, reinitialised } = match;
  const unneeded = tensors.length - matched.length - unexpected.length - wrongShape.length;
  printFact('architecture', describeArchitecture(match.architecture));
  printFact(
    'tensors',
    `${matched.length} matched, ${missing.length} missing, ${unexpected.length} unexpected, ${wrongShape.length} of another shape${unneeded > 0 ? `, ${unneeded} not needed` : ''}`,
  );
  printList(
    'adapted',
    matched.flatMap(({ to, how }) => (how === null ? [] : [`${to}: ${how}`])),
  );
  printList('missing', missing.map(named));
  printList('unexpected', unexpected.map(named));
  printList(
    'another shape',
    wrongShape.map(({ name, found, needed }) => `${name}: ${shape(found)}, not ${shape(needed)}`),
  );
  const listed = new Set([...missing, ...wrongShape].map(({ name }) => name));
  printList(
    'at random',
    reinitialised.flatMap(({ name, why }) => (listed.has(name) ? [] : [`${name}: ${why}`])),
  );
  const loosely = match.strict ? 'yes' : 'no: only with --loose';
  printFact('strict import', unusable ? `no, nor any other: ${unusable}` : loosely);
}

function printTensors({ tensors }: WeightsReport): void {
  printList(
    'tensors',
    tensors.map((tensor) => `${named(tensor)} ${tensor.dtype}`),
  );
}

/** An imported checkpoint in a few lines. */
export function printCheckpoint(checkpoint: CheckpointDetail): void {
  const { id, name, architecture, preprocessing, parameters, licence, source, studies } =
    checkpoint;
  printFact('checkpoint', `"${name}" (${id}), imported ${checkpoint.createdAt}`);
  printFact('architecture', describeArchitecture(architecture));
  printFact('parameters', `${parameters} in ${megabytes(checkpoint.bytes)}`);
  printFact('classes', describeClasses(checkpoint.classNames, checkpoint.classes));
  printFact('images', describePreprocessing(preprocessing));
  printFact('licence', licence ?? 'not said');
  printFact('from', source);
  printFact('studies', studies.map((study) => study.name).join(', ') || 'none');
}

/** Checkpoints as a table. */
export function printCheckpoints(checkpoints: readonly CheckpointSummary[]): void {
  if (checkpoints.length === 0) {
    printLine('no checkpoints yet: carryover weights import FILE --name NAME');
    return;
  }
  printTable(checkpoints, [
    { title: 'id', value: (row) => row.id },
    { title: 'name', value: (row) => row.name },
    { title: 'architecture', value: (row) => row.architecture.name },
    { title: 'classes', value: (row) => row.classes },
    { title: 'size', value: (row) => row.preprocessing.size },
    { title: 'parameters', value: (row) => row.parameters },
    { title: 'format', value: (row) => row.format },
    { title: 'licence', value: (row) => row.licence },
    { title: 'from', value: (row) => row.source },
  ]);
}

function printFact(title: string, text: string): void {
  printLine(`${title.padEnd(LABEL_WIDTH)}${text}`);
}

function printList(title: string, items: readonly string[]): void {
  items.slice(0, NAMES_SHOWN).forEach((item, i) => printFact(i === 0 ? title : '', item));
  const more = items.length - NAMES_SHOWN;
  if (more > 0) printFact('', `and ${more} more (--json lists all)`);
}

function describeArchitecture({ name, width, stem, channels, dialect }: ArchitectureSpec): string {
  const kind = dialect === 'torchvision' ? '' : ` as ${dialect} builds it`;
  return `${name}${kind}, width ${width}, ${stem} stem, ${channels === 1 ? 'grey' : 'RGB'} images`;
}

function describePreprocessing(given: Preprocessing): string {
  const { size, mean, std, interpolation, crop } = given;
  return [
    size === null ? 'size not said' : `${size} px`,
    mean === null ? 'mean not said' : `mean ${mean.join(' ')}`,
    std === null ? 'std not said' : `std ${std.join(' ')}`,
    ...(interpolation === null ? [] : [interpolation]),
    ...(crop === null ? [] : [`centre crop ${crop}`]),
  ].join(', ');
}

function describeClasses(names: readonly string[] | null, classes: number | null): string {
  if (names === null) return classes === null ? 'no head' : `${classes}, without names`;
  const more = names.length > CLASSES_SHOWN ? ', …' : '';
  return `${names.length}: ${names.slice(0, CLASSES_SHOWN).join(', ')}${more}`;
}

function named(tensor: { name: string; shape: readonly number[] }): string {
  return `${tensor.name} ${shape(tensor.shape)}`;
}

function shape(sides: readonly number[]): string {
  return `[${sides.join(', ')}]`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toPrecision(3)} MB`;
}
