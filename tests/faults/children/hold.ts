// Opens the workbench of the home given, says so, and holds it until it is killed or told to end.
import { openWorkbench } from '../../../host/workbench.ts';

const workbench = openWorkbench({ home: process.argv[2]!, command: 'hold' });
process.stdout.write('open\n');
process.stdin.on('end', () => void workbench.close()).resume();
