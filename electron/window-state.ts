import { app, screen, type BrowserWindow, type Rectangle } from 'electron';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface WindowState {
  bounds: Rectangle;
  maximised: boolean;
}

const MINIMUM = { width: 900, height: 600 };
const file = (): string => join(app.getPath('userData'), 'window.json');

/** Where the window was last time, as far as that is still on a screen. */
export function readWindowState(): Partial<Rectangle> & { maximised: boolean } {
  const state = stored();
  if (!state) return { width: 1400, height: 900, maximised: false };
  const size = {
    width: Math.max(state.bounds.width, MINIMUM.width),
    height: Math.max(state.bounds.height, MINIMUM.height),
  };
  if (!onScreen(state.bounds)) return { ...size, maximised: state.maximised };
  return { x: state.bounds.x, y: state.bounds.y, ...size, maximised: state.maximised };
}

/** Remembers where the window is; a disk that refuses costs only that memory. */
export function writeWindowState(window: BrowserWindow): void {
  const state: WindowState = {
    bounds: window.getNormalBounds(),
    maximised: window.isMaximized(),
  };
  try {
    writeFileSync(`${file()}.new`, JSON.stringify(state));
    renameSync(`${file()}.new`, file());
  } catch (error) {
    console.warn(`the window's place was not stored in ${file()}: ${String(error)}`);
  }
}

function stored(): WindowState | null {
  try {
    const state = JSON.parse(readFileSync(file(), 'utf8')) as Partial<WindowState> | null;
    const { x, y, width, height } = state?.bounds ?? {};
    if (![x, y, width, height].every(Number.isSafeInteger)) return null;
    return { bounds: state?.bounds as Rectangle, maximised: state?.maximised === true };
  } catch {
    return null; // the first start, or a damaged file: start with the defaults
  }
}

/** Whether enough of the title bar can be seen to take hold of the window. */
function onScreen({ x, y, width }: Rectangle): boolean {
  const seen = 100;
  return screen.getAllDisplays().some(({ workArea: area }) => {
    const across = Math.min(x + width, area.x + area.width) - Math.max(x, area.x);
    return across >= seen && y >= area.y && y <= area.y + area.height - seen;
  });
}
