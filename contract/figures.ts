/**
 * Figures and tables of analyses. They are data: the host draws them once, as SVG, for the report
 * and the window alike, and their numbers are exported as they are.
 */

/** How numbers of an axis or a column are written. `%`: shares, times 100; `1`: shares as they are. */
export type Unit = '' | '%' | '1';

export interface Axis {
  title: string;
  unit?: Unit;
  scale?: 'linear' | 'log';
  /** Values that the axis shows at least. */
  include?: number[];
  /** Names of the positions 0, 1, ... of an axis without numbers. */
  categories?: string[];
}

interface FigureBase {
  /** Unique within the analysis; part of file names. */
  id: string;
  title: string;
  /** What is drawn and how it was made: n, interval, estimator. */
  caption: string;
}

/** Position in the palette; arms have that of their place in the study. */
export type Colour = number;

/**
 * Where a mark leads: an address of the window, `#/compare?a=...&b=...`, made by `formatHash`-like
 * helpers of the host. Absent: nowhere.
 */
export type Link = string;

export interface BarsFigure extends FigureBase {
  kind: 'bars';
  x: Axis;
  y: Axis;
  groups: {
    label: string;
    /** Over the bars. */
    note?: string;
    bars: {
      name: string;
      colour: Colour;
      value: number;
      interval?: [number, number];
      /** Single values behind the bar, drawn as dots. */
      values?: number[];
      /** Drawn behind, transparent (the paper's speed bars). */
      faded?: boolean;
      link?: Link;
    }[];
  }[];
}

export interface LinesFigure extends FigureBase {
  kind: 'lines';
  x: Axis;
  y: Axis;
  series: {
    name: string;
    colour: Colour;
    dashed?: boolean;
    points: { x: number; y: number; interval?: [number, number]; link?: Link }[];
  }[];
  /** Vertical lines, with an interval drawn as a band. */
  marks?: { x: number; interval?: [number, number]; label: string }[];
}

export interface HeatmapFigure extends FigureBase {
  kind: 'heatmap';
  x: Axis;
  y: Axis;
  rows: string[];
  columns: string[];
  /** [row][column]; null: not defined. */
  values: (number | null)[][];
  range: [number, number];
  /** diverging: around the middle of the range. */
  scale: 'sequential' | 'diverging';
  digits?: number;
  links?: (Link | null)[][];
}

export interface ScatterFigure extends FigureBase {
  kind: 'scatter';
  x: Axis;
  y: Axis;
  /** Draws x = y. */
  diagonal?: boolean;
  series: {
    name: string;
    colour: Colour;
    points: { x: number; y: number; label?: string; link?: Link }[];
  }[];
}

/** Estimates with their intervals, one below the other. */
export interface IntervalsFigure extends FigureBase {
  kind: 'intervals';
  x: Axis;
  /** Where a line is drawn: no effect. */
  zero?: number;
  rows: {
    label: string;
    value: number;
    interval: [number, number] | null;
    colour: Colour;
    note?: string;
    link?: Link;
  }[];
}

/** Images of the data set, or made by the analysis (`file`), in groups. */
export interface PicturesFigure extends FigureBase {
  kind: 'pictures';
  groups: {
    title: string;
    note?: string;
    pictures: {
      /** An image of the data set. */
      imageId?: number;
      /** A PNG that the analysis made, by its name. */
      file?: string;
      lines: string[];
      link?: Link;
    }[];
  }[];
}

export type Figure =
  BarsFigure | LinesFigure | HeatmapFigure | ScatterFigure | IntervalsFigure | PicturesFigure;

export interface Table {
  /** Unique within the analysis; part of file names. */
  id: string;
  title: string;
  columns: { key: string; title: string; unit?: Unit; digits?: number }[];
  rows: Record<string, string | number | null>[];
  /** By row. */
  links?: (Link | null)[];
}

/** A number that an analysis came to: what claims are judged by. */
export interface Quantity {
  /** `cka.P-T/P-T.layer4`: the analysis, then what it is of. */
  key: string;
  title: string;
  value: number | null;
  /** 95 %; null where there is none to be had. */
  interval: [number, number] | null;
  /** How the interval was made: `t over 3 seeds`, `bootstrap over 96 groups, 2000 replicates`. */
  method: string;
  /** What the estimate is over: images, seeds, pairs. */
  n: number;
  unit: Unit;
}
