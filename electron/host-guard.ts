/**
 * Preloaded into the host that the desktop app starts (`node --import`): ends the host when the
 * app is gone, however the app ended, so that no host stays behind holding the database.
 */
import { isMainThread } from 'node:worker_threads';

const mine = process.env['CARRYOVER_SHELL'] === String(process.ppid);

if (mine && isMainThread && process.channel) {
  process.once('disconnect', () => {
    // Windows has no SIGTERM to send: run the host's own handler where it has one.
    if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(0);
  });
  process.channel.unref();
}
