// Geometry of a virtualised grid of equal tiles. Lengths in CSS pixels.

export interface GridShape {
  columns: number;
  rows: number;
  /** Width of one tile; the columns fill the grid's width. */
  tileWidth: number;
  rowHeight: number;
  height: number;
}

/**
 * Lays `total` tiles of about `wanted` pixels over `width`; `caption` is the height of the text
 * below each picture.
 */
export function gridShape(
  total: number,
  width: number,
  wanted: number,
  gap: number,
  caption: number,
): GridShape {
  const columns = Math.max(1, Math.floor((width + gap) / (wanted + gap)));
  const tileWidth = Math.max(1, (width - gap * (columns - 1)) / columns);
  const rowHeight = tileWidth + caption + gap;
  const rows = Math.ceil(total / columns);
  return { columns, rows, tileWidth, rowHeight, height: rows * rowHeight };
}

/** Index range [from, to) of the tiles to draw, with `over` rows to spare on each side. */
export function visibleRange(
  shape: GridShape,
  total: number,
  scrollTop: number,
  viewHeight: number,
  over = 2,
): { from: number; to: number } {
  const first = Math.max(0, Math.floor(scrollTop / shape.rowHeight) - over);
  const last = Math.ceil((scrollTop + viewHeight) / shape.rowHeight) + over;
  return {
    from: Math.min(total, first * shape.columns),
    to: Math.min(total, last * shape.columns),
  };
}

/** The scroll position that brings `index` into view with the least movement. */
export function scrollFor(
  shape: GridShape,
  index: number,
  scrollTop: number,
  viewHeight: number,
): number {
  const top = Math.floor(index / shape.columns) * shape.rowHeight;
  const bottom = top + shape.rowHeight;
  if (top < scrollTop) return top;
  if (bottom > scrollTop + viewHeight) return bottom - viewHeight;
  return scrollTop;
}

/** Taller, and browsers no longer place what lies in it: the rest is reached by a coarser scroll bar. */
export const TALLEST = 16_000_000;

/**
 * The place in a list of `height` pixels after a scroll of an element that is at most `TALLEST`
 * high and shows `view`. Small movements are kept as they are; a jump lands at the same share.
 */
export function scrolledTo(
  height: number,
  view: number,
  before: { list: number; element: number },
  element: number,
): number {
  if (height <= TALLEST) return element;
  const moved = element - before.element;
  if (Math.abs(moved) > 2 * view) return elementToList(height, view, element);
  return Math.min(height - view, Math.max(0, before.list + moved));
}

function elementToList(height: number, view: number, element: number): number {
  return (element / (TALLEST - view)) * (height - view);
}

/** Where the element stands for a place in the list. */
export function elementTop(height: number, view: number, list: number): number {
  return height <= TALLEST ? list : (list / (height - view)) * (TALLEST - view);
}

/** Where a key moves the selection; null when the key is not the grid's. */
export function moveByKey(
  key: string,
  index: number,
  total: number,
  columns: number,
  rowsPerPage: number,
): number | null {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * rowsPerPage,
    PageDown: columns * rowsPerPage,
    Home: -total,
    End: total,
  };
  const step = steps[key];
  if (step === undefined || total === 0) return null;
  if (index < 0) return key === 'End' ? total - 1 : 0;
  const single = Math.abs(step) === columns && columns > 1;
  const target = index + step;
  // One row up from the first row, or down from the last, stays where it is.
  if (single && (target < 0 || target >= total)) {
    const onLastRow = Math.floor(index / columns) === Math.floor((total - 1) / columns);
    return step > 0 && !onLastRow ? total - 1 : index;
  }
  return Math.min(total - 1, Math.max(0, target));
}
