/** What the page finds as `window.carryover` inside the desktop app, and nothing else. */
export interface ShellBridge {
  /** Lets the user choose a folder; null when they close the dialog. */
  pickFolder(): Promise<string | null>;
  /** Lets the user choose a file: an archive, a table, arrays; null when they close the dialog. */
  pickFile(): Promise<string | null>;
  /** Absolute path of a file or folder dropped on the page; '' for a file made by a script. */
  pathOf(file: File): string;
  /** Shows an absolute path in the system's file manager. */
  showInFolder(path: string): Promise<void>;
  readonly version: string;
}

/** The IPC channels behind the bridge. */
export const channels = {
  pickFolder: 'carryover:pick-folder',
  pickFile: 'carryover:pick-file',
  showInFolder: 'carryover:show-in-folder',
} as const;

/** How main tells the sandboxed preload the app's version. */
export const versionArgument = '--carryover-version=';
