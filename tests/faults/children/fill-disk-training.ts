// Trains a study whose runs lie on a small disk, fills that under way, makes room and goes on; tells
// as JSON how that went.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openWorkbench } from '../../../host/workbench.ts';

const [home, studyFile] = process.argv.slice(2) as [string, string];
const { context, handlers, close } = openWorkbench({ home, command: 'fill-disk-training' });
const filler = join(home, 'runs', 'filler');

function fillDisk(): void {
  const file = openSync(filler, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

const unsubscribe = context.events.subscribe((event) => {
  if (event.type !== 'epoch' || event.metrics.epoch !== 3) return;
  unsubscribe();
  fillDisk();
});

const { id } = await handlers['studies.create']({ yaml: readFileSync(studyFile, 'utf8') });

async function trained() {
  const { status, failure } = await context.jobs.wait((await handlers['studies.start']({ id })).id);
  const [run] = await handlers['runs.list']({ studyId: id });
  const detail = await handlers['runs.get']({ id: run!.id });
  return { status, failure, run: detail, files: readdirSync(join(home, 'runs', detail.id)).sort() };
}

const full = await trained();
rmSync(filler);
const again = await trained();
await close();
process.stdout.write(JSON.stringify({ full, again }));
