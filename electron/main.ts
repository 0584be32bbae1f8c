import { app } from 'electron';
import { setupArguments } from './arguments.ts';
import { setupHost } from './host.ts';
import { setupIpc } from './ipc.ts';
import { shellLayout } from './layout.ts';
import { setupMenu } from './menu.ts';
import { setupNavigation } from './navigation.ts';
import { setupPermissions } from './permissions.ts';
import { MainWindow } from './window.ts';

app.enableSandbox();

if (app.requestSingleInstanceLock()) {
  const layout = shellLayout();
  const window = new MainWindow(layout.preload);
  setupNavigation(window);
  setupIpc(window);
  setupArguments(window);
  const host = setupHost(layout.host, window);
  void app.whenReady().then(() => {
    setupPermissions();
    setupMenu(window);
    host.start();
  });
} else {
  app.quit();
}
