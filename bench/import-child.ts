/** The import bench's own process: `node import-child.ts FOLDER HOME` prints its ImportFigures. */
import { importScan } from '../host/datasets/import.ts';
import { scanSource } from '../host/datasets/scan.ts';
import { openWorkbench } from '../host/workbench.ts';
import { timed } from './bench.ts';
import { peakBytes } from './peak.ts';

export interface ImportFigures {
  images: number;
  /** Seconds. */
  scan: number;
  store: number;
  /** Processor seconds on all threads, of both. */
  cpu: number;
  /** Most memory of the process. */
  bytes: number;
}

const [folder = '', home = ''] = process.argv.slice(2);
const { context, close } = openWorkbench({ home, command: 'bench' });
const scan = await timed(() => scanSource(context, folder));
const store = await timed(async () => importScan(context, scan.result, 'icons'));
const { user, system } = process.cpuUsage();
const figures: ImportFigures = {
  images: store.result.images,
  scan: scan.seconds,
  store: store.seconds,
  cpu: (user + system) / 1e6,
  bytes: peakBytes(),
};
await close();
process.stdout.write(`${JSON.stringify(figures)}\n`);
