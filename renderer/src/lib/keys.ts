/** True when a key press belongs to a text field, a menu or an open dialog rather than the page. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('dialog[open]') !== null) return true;
  if (target instanceof HTMLInputElement) return !['checkbox', 'button'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** The keys of the workbench, for the help dialog. */
export const KEY_HELP: readonly { title: string; keys: readonly [string[], string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      [['?'], 'This list'],
      [['g', 'd'], 'Go to Data'],
      [['g', 'w'], 'Go to Checkpoints (weights)'],
      [['g', 's'], 'Go to Studies'],
      [['g', 'c'], 'Go to Compare'],
      [['g', 'e'], 'Go to Settings'],
      [['Esc'], 'Close what is open'],
    ],
  },
  {
    title: 'Image grids',
    keys: [
      [['←', '→', '↑', '↓'], 'Move the selection'],
      [['Enter'], 'Open the image'],
      [['PgUp', 'PgDn'], 'One screen up or down'],
      [['Home', 'End'], 'First or last image'],
      [['/'], 'Search'],
    ],
  },
  {
    title: 'One image',
    keys: [
      [['←', '→'], 'Image before or after'],
      [['Esc'], 'Back to the grid'],
    ],
  },
];
