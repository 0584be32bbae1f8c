/** True when a key press belongs to a text field, a menu or an open dialog rather than the page. */
export const isTaken = (event: KeyboardEvent): boolean =>
  event.ctrlKey || event.metaKey || event.altKey || isElsewhere(event);

/** `isTaken` for keys that are pressed together with Ctrl, Cmd or Alt. */
export function isElsewhere(event: KeyboardEvent): boolean {
  if (event.defaultPrevented) return true;
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
      [['j'], 'Jump to a position'],
      [['PgUp', 'PgDn'], 'One screen up or down'],
      [['Home', 'End'], 'First or last image'],
      [['/'], 'Search'],
    ],
  },
  {
    title: 'Images of a data set',
    keys: [
      [['Shift', '←…↓'], 'Extend the selection; Shift-click, too'],
      [['Space'], 'Add the image to the selection or take it out; Ctrl-click, too'],
      [['Ctrl', 'a'], 'Select all that match'],
      [['r'], 'Relabel the selection'],
      [['t'], 'Tag the selection'],
      [['1', '…', '9'], 'Give or take one of the first nine tags'],
      [['x'], 'Exclude, or include again'],
      [['u'], 'Undo the last change'],
    ],
  },
  {
    title: 'Maps',
    keys: [
      [['←', '→', '↑', '↓'], 'Move the map'],
      [['+', '-'], 'Enlarge, shrink'],
      [['0'], 'The whole map'],
      [['Shift', 'drag'], 'Add to the selection'],
    ],
  },
  {
    title: 'Likely label errors',
    keys: [
      [['Enter'], 'Relabel as suggested'],
      [['k'], 'Keep the label'],
      [['x'], 'Exclude, or include again'],
      [['u'], 'Undo the last change'],
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
