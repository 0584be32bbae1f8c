// Opens the workbench of the home given, starts a job that has no end, and holds both until it is killed or told to end.
import { once } from 'node:events';
import { openWorkbench } from '../../../host/workbench.ts';

const workbench = openWorkbench({ home: process.argv[2]!, command: 'hold' });
workbench.context.jobs.start(
  { kind: 'study', title: 'Hold', subject: 'nothing' },
  async ({ signal }) => {
    await once(signal, 'abort');
    throw signal.reason;
  },
);
process.stdout.write('open\n');
process.stdin.on('end', () => void workbench.close()).resume();
