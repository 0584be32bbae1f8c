// Runs on a disk too small for it: tries an import and a file, and tells as JSON how that went.
import { readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { toFailure } from '../../../contract/errors.ts';
import type { Failure } from '../../../contract/errors.ts';
import { importScan } from '../../../host/datasets/import.ts';
import { writeFileAtomic } from '../../../host/files.ts';
import { openWorkbench } from '../../../host/workbench.ts';
import { syntheticScan } from '../synthetic-scan.ts';

const home = process.argv[2]!;
const { context, handlers, close } = openWorkbench({ home, command: 'fill-disk' });

async function failureOf(work: () => unknown): Promise<Failure | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return toFailure(error);
  }
}

const kept = importScan(context, syntheticScan({ root: '/small', images: 20 }), 'small');
const big = syntheticScan({ root: '/big', images: 50_000 });
const importFailure = await failureOf(() => importScan(context, big, 'big'));
const file = join(home, 'runs', 'weights.bin');
await writeFileAtomic(file, 'old');
const { blocks, bsize } = statfsSync(home);
const fileFailure = await failureOf(() => writeFileAtomic(file, Buffer.alloc(blocks * bsize)));
const datasets = await handlers['datasets.list']({});
const after = {
  importFailure,
  fileFailure,
  kept,
  datasets,
  images: context.db.prepare('SELECT count(*) FROM images').pluck().get(),
  check: context.db.pragma('integrity_check', { simple: true }),
  runsFolder: readdirSync(join(home, 'runs')),
  again: importScan(context, syntheticScan({ root: '/tiny', images: 10 }), 'tiny').images,
};
await close();
process.stdout.write(JSON.stringify(after));
