/** What the desktop window offers beyond a browser (electron/preload.ts); absent in a browser. */
export interface Shell {
  pickFolder(): Promise<string | null>;
  /** A file that holds images or lists them. */
  pickFile(): Promise<string | null>;
  /** The path of a dropped file or folder. */
  pathOf(file: File): string;
  showInFolder(path: string): Promise<void>;
}

declare global {
  interface Window {
    carryover?: Shell;
  }
}

export const shell: Shell | undefined = window.carryover;
