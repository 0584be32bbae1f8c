// Scans a folder in a home and says how many images it has looked at, until it is killed or done.
import { scanSource } from '../../../host/datasets/scan.ts';
import { openWorkbench } from '../../../host/workbench.ts';

const [home, folder] = process.argv.slice(2);
const { context, close } = openWorkbench({ home: home!, command: 'scan' });
await scanSource(context, folder!, null, {
  onProgress({ phase, done }) {
    if (phase === 'reading images' && done >= 900) process.stdout.write('900\n');
  },
});
await close();
