/** What is planned, and what comes of it: plain JSON. */
import type { NetworkRef } from '../definition.ts';

/** `a`: of the pretrained arm; `b`: of the random one. */
export type Side = 'a' | 'b';
export const SIDES: readonly Side[] = ['a', 'b'];

/** A trained network, and what it began with. */
export interface Trained {
  result: NetworkRef;
  start: NetworkRef;
}

/** A test image that exactly one of the two networks is right about. */
export interface Disagreement {
  /** Position among the test images. */
  row: number;
  /** The class (or finding) that the image has. */
  truth: number;
  right: Side;
  /** What each says: a class; for findings 1 or 0. */
  said: Record<Side, number>;
  /** The probability that each gives to the truth. */
  confidence: Record<Side, number>;
}

export interface SeeJob {
  networks: Record<Side, Trained>;
  layer: string;
  disagreements: Disagreement[];
  /** Positions in `disagreements` that pictures are made of. */
  shown: number[];
  /** Channels of the layer that are shown, by network. */
  channels: number;
}

/** A map's correlations with another of the same image, over the disagreements; null: a flat map. */
export type Correlations = (number | null)[];

/** With what a network's maps are compared. */
export const CONTROLS = ['start', 'redrawn'] as const;
export type Control = (typeof CONTROLS)[number];

export interface SeenMaps {
  /** Side of the maps, in positions. */
  side: number;
  controls: Record<Side, Record<Control, Correlations>>;
  /** Between the networks, on one image and on different ones. */
  between: Correlations;
  crossed: Correlations;
  /** Maps that are zero all over. */
  empty: Record<Side, number>;
  pictures: {
    /** Position in `disagreements`. */
    at: number;
    image: string;
    maps: Record<Side, Record<'result' | Control, string>>;
  }[];
}

export interface SeenFilters {
  count: number;
  /** Cosines between each filter and itself at the start. */
  cosines: Record<Side, number[]>;
  pictures: Record<Side, Record<'result' | 'start', string>>;
}

export interface SeenChannel {
  channel: number;
  maximised: Record<'result' | 'redrawn', string>;
  /** Mean of the channel over the positions of the image that was made for it. */
  answer: number;
  images: {
    /** Position among the training images. */
    row: number;
    /** The channel's peak. */
    value: number;
    signal: Record<'result' | 'redrawn', string>;
    correlation: number | null;
  }[];
}

export interface Seen {
  filters: SeenFilters;
  /** null: the networks never disagree. */
  maps: SeenMaps | null;
  channels: Record<Side, SeenChannel[]>;
  /** Training images that were looked through. */
  searched: number;
}
