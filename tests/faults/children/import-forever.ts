// Imports one synthetic data set after the other until it is killed.
import { importScan } from '../../../host/datasets/import.ts';
import { openWorkbench } from '../../../host/workbench.ts';
import { syntheticScan } from '../synthetic-scan.ts';

const [home, images, first] = process.argv.slice(2);
const { context } = openWorkbench({ home: home!, command: 'import' });
for (let i = Number(first); ; i++) {
  const scan = syntheticScan({ root: `/nowhere/${i}`, images: Number(images) });
  process.stdout.write('importing\n');
  importScan(context, scan, `set ${i}`);
}
