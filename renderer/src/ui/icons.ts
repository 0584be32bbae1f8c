/** Outline icons on a 16 × 16 grid, as path data. */
export const ICONS = {
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.5l3.2 3.2L13 5',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3L14 14',
  left: 'M10 3L5 8l5 5',
  right: 'M6 3l5 5-5 5',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M3.5 6L8 10.5 12.5 6',
  folder:
    'M2 4.5A1.5 1.5 0 0 1 3.5 3h2.8l1.6 1.8h4.6A1.5 1.5 0 0 1 14 6.3v5.2a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 11.5z',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  link: 'M6.5 9.5l3-3M7 4.8l1.3-1.3a2.7 2.7 0 0 1 3.9 0 2.7 2.7 0 0 1 0 3.9L11 8.7M9 11.2l-1.3 1.3a2.7 2.7 0 0 1-3.9 0 2.7 2.7 0 0 1 0-3.9L5 7.3',
  download: 'M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13.2h10',
  play: 'M5 3.2v9.6L12.6 8z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  stop: 'M4 4h8v8H4z',
  trash: 'M3 4.5h10M6.3 4.5V3h3.4v1.5M4.3 4.5l.6 8.5h6.2l.6-8.5',
  swap: 'M3 5.5h9.5M10 3l2.5 2.5L10 8M13 10.5H3.5M6 8l-2.5 2.5L6 13',
  warn: 'M8 2.5L14 13H2zM8 6.5v3M8 11.2v.3',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1',
  moon: 'M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6z',
  external: 'M9 3h4v4M13 3L7.5 8.5M11 9.5V13H3V5h3.5',
  report: 'M4 2h5.5L12.5 5v9H4zM9.3 2v3.2h3.2M6.2 8h4.2M6.2 10.7h4.2',
  table: 'M2.5 3.5h11v9h-11zM2.5 6.7h11M2.5 9.6h11M6.3 6.7v5.8',
  chart: 'M2.5 2.5v11h11M5 10l2.6-3.2 2.2 1.7L13 4.5',
} as const;

export type IconName = keyof typeof ICONS;
