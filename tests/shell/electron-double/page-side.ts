/** Runs in the page (as text) before its own scripts: what a preload finds, then the preload. */

interface PageGlobals {
  top: unknown;
  electronDoubleInvoke(channel: string, given: unknown[]): Promise<unknown>;
  /** Paths of dropped files by name, put there before the drop (see drop.ts). */
  electronDoublePaths?: Record<string, string>;
}

/** The text of a script that runs `preload` (CommonJS) as a sandboxed preload with `argv`. */
export function preloadScript(preload: string, argv: readonly string[]): string {
  return `(${install.toString()})(function (require, process) { ${preload}\n}, ${JSON.stringify(argv)});`;
}

function install(
  preload: (require: (id: string) => unknown, process: { argv: readonly string[] }) => void,
  argv: readonly string[],
): void {
  const page = globalThis as unknown as PageGlobals;
  if (page.top !== globalThis) return; // nodeIntegrationInSubFrames is off
  const freeze = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) {
      Object.values(value).forEach(freeze);
      Object.freeze(value);
    }
    return value;
  };
  const electron = {
    contextBridge: {
      exposeInMainWorld: (key: string, api: unknown) =>
        Object.defineProperty(globalThis, key, { value: freeze(api), enumerable: true }),
    },
    ipcRenderer: {
      invoke: (channel: string, ...given: unknown[]) =>
        page.electronDoubleInvoke(channel, given).catch((error: Error) => {
          throw new Error(`Error invoking remote method '${channel}': ${error.message}`);
        }),
    },
    webUtils: {
      getPathForFile: (file: { name: string }) => page.electronDoublePaths?.[file.name] ?? '',
    },
  };
  const require = (id: string): unknown => {
    if (id === 'electron') return electron;
    throw new Error(`module not found: ${id}`);
  };
  preload(require, { argv });
}
