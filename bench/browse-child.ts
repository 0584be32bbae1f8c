/** The workbench in the browse bench: serves the home it is given, tells its memory when asked. */
import { startServer } from '../host/http/server.ts';
import { openWorkbench } from '../host/workbench.ts';

const [home = ''] = process.argv.slice(2);
const workbench = openWorkbench({ home, command: 'bench' });
const server = await startServer({ ...workbench, rendererFolder: home });
process.on('message', (asked) => {
  if (asked === 'memory') process.send?.({ rss: process.memoryUsage.rss(), peak: peak() });
});
process.on('disconnect', async () => {
  await server.close();
  await workbench.close();
});
process.send?.(server.url);

function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}
