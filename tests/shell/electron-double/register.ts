/** `node --import register.ts electron/main.ts`: `electron` is the double from here on. */
import { registerHooks } from 'node:module';

const double = new URL('./electron.ts', import.meta.url).href;

// Where Electron says that the packaged app's resources are.
Object.assign(process, { resourcesPath: process.env['DOUBLE_RESOURCES'] });

// A packaged app's arguments begin right after its binary.
if (process.env['DOUBLE_PACKAGED'] === '1') process.argv.splice(1, 1);

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'electron') return next(specifier, context);
    return { url: double, shortCircuit: true };
  },
});

const { serveTest } = await import('./control.ts');
serveTest(await import('./electron.ts'));
