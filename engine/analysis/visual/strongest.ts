/** What makes the channels of a map answer most. */

/** The largest value of a channel in one image. */
export interface Peak {
  /** Position among the images. */
  image: number;
  value: number;
  /** Row times columns plus column. */
  position: number;
}

/** Keeps the strongest images of every channel while maps come in, batch by batch. */
export class StrongestImages {
  readonly #most: number;
  /** By channel, strongest first. */
  readonly #peaks: Peak[][];
  #images = 0;

  /** @param most images that are kept of each channel */
  constructor(channels: number, most: number) {
    this.#most = most;
    this.#peaks = Array.from({ length: channels }, () => []);
  }

  /** @param maps [image, channel, position] */
  add(maps: Float32Array, images: number): void {
    const channels = this.#peaks.length;
    const positions = maps.length / images / channels;
    for (let image = 0; image < images; image++) {
      this.#peaks.forEach((peaks, channel) => {
        const from = (image * channels + channel) * positions;
        const found = peakOf(maps.subarray(from, from + positions));
        this.#keep(peaks, { image: this.#images + image, ...found });
      });
    }
    this.#images += images;
  }

  #keep(peaks: Peak[], peak: Peak): void {
    let at = peaks.length;
    while (at > 0 && peaks[at - 1]!.value < peak.value) at -= 1;
    if (at >= this.#most) return;
    peaks.splice(at, 0, peak);
    peaks.length = Math.min(peaks.length, this.#most);
  }

  /** Strongest first; of equal ones the image that came first. */
  ofChannel(channel: number): readonly Peak[] {
    return this.#peaks[channel] ?? [];
  }

  /**
   * The channels whose strongest images have the largest mean peak, largest first; of equal ones
   * the first.
   */
  channels(most: number): number[] {
    const strengths = this.#peaks.map((peaks, channel) => ({
      channel,
      strength: peaks.reduce((sum, { value }) => sum + value, 0) / (peaks.length || 1),
    }));
    strengths.sort((a, b) => b.strength - a.strength || a.channel - b.channel);
    return strengths.slice(0, most).map(({ channel }) => channel);
  }
}

function peakOf(values: Float32Array): Pick<Peak, 'value' | 'position'> {
  let position = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[position]!) position = at;
  return { value: values[position]!, position };
}
