/** Means over the images that the networks disagree on, with intervals over their groups. */
import type { Quantity } from '../../../../contract/figures.ts';
import { bootstrap, timesOfImages, unitsOf } from '../../../../engine/analysis/bootstrap.ts';
import { mean } from '../../../../engine/analysis/metrics.ts';
import type { Correlations, SeeJob, Seen, SeenMaps, Side } from './measured.ts';
import { CONTROLS, SIDES } from './measured.ts';
import type { Named } from './names.ts';

const REPLICATES = 2000;
export const CONTROL_NAMES = { start: 'its start', redrawn: 'drawn weights' } as const;

/** Groups of the images that are measured; `grouped`: some image shares its group. */
export function unitsFor({ view }: Named, { disagreements }: SeeJob) {
  const { test } = view.study.sides;
  const names = disagreements.map(({ row }) => test[row]!.group);
  const numbers = new Map([...new Set(names)].map((name, at) => [name, at]));
  const units = unitsOf(
    names.length,
    names.map((name) => numbers.get(name)!),
  );
  const grouped = new Set(test.map(({ group }) => group)).size < test.length;
  return { units, what: grouped ? 'groups' : 'images' };
}

interface Measured {
  key: string;
  title: string;
  values: Correlations;
}

function measuredOf({ names }: Named, { between, crossed, controls }: SeenMaps): Measured[] {
  const pair = `${names.a}/${names.b}`;
  const difference = between.map((value, at) => {
    const other = crossed[at]!;
    return value === null || other === null || other === undefined ? null : value - other;
  });
  const own = SIDES.flatMap((side) =>
    CONTROLS.map((control) => ({
      key: `${names[side]}/${control}`,
      title: `Grad-CAM of ${names[side]} and of ${CONTROL_NAMES[control]}`,
      values: controls[side][control],
    })),
  );
  const title = `Grad-CAM of ${names.a} and of ${names.b}`;
  return [
    { key: pair, title, values: between },
    { key: `${pair} of another image`, title: `${title} on another image`, values: crossed },
    {
      key: `difference.${pair} minus ${pair} of another image`,
      title: `${title}, less on another image`,
      values: difference,
    },
    ...own,
  ];
}

function average(values: Correlations, times: ArrayLike<number> | null): number | null {
  let [sum, count] = [0, 0];
  values.forEach((value, at) => {
    if (value === null) return;
    const weight = times ? times[at]! : 1;
    sum += weight * value;
    count += weight;
  });
  return count === 0 ? null : sum / count;
}

/** Rank correlations of the maps. */
export function mapQuantities(named: Named, job: SeeJob, maps: SeenMaps): Quantity[] {
  const { units, what } = unitsFor(named, job);
  const measured = measuredOf(named, maps);
  const intervals = bootstrap(
    units.count,
    (times) => {
      const ofImages = timesOfImages(units, times);
      return measured.map(({ values }) => average(values, ofImages));
    },
    { replicates: REPLICATES },
  );
  const method = `bootstrap over ${units.count} ${what}, ${REPLICATES} replicates`;
  return measured.map(({ key, title, values }, at) => ({
    key: `what-layers-see.grad-cam.${key}`,
    title: `${title}: rank correlation`,
    ...{ value: average(values, null), interval: intervals[at] ?? null, method },
    n: values.filter((value) => value !== null).length,
    unit: '',
  }));
}

/** Rank correlations of the deconvnet's signals with those of drawn weights; channels are drawn. */
export function signalQuantities({ names }: Named, { channels }: Seen): Quantity[] {
  return SIDES.map((side): Quantity => {
    const own = channels[side].flatMap(({ images }, channel) =>
      images.map(({ correlation }) => ({ correlation, channel })),
    );
    const values = own.map(({ correlation }) => correlation);
    const base = {
      key: `what-layers-see.deconvnet.${names[side]}/redrawn`,
      title: `Deconvnet of ${names[side]} and of ${CONTROL_NAMES.redrawn}: rank correlation`,
      value: average(values, null),
      n: values.filter((value) => value !== null).length,
      unit: '' as const,
    };
    if (own.length === 0) return { ...base, interval: null, method: 'no channel is active' };
    const units = unitsOf(
      own.length,
      own.map(({ channel }) => channel),
    );
    const [interval = null] = bootstrap(
      units.count,
      (times) => [average(values, timesOfImages(units, times))],
      { replicates: REPLICATES },
    );
    const method = `bootstrap over ${units.count} channels, ${REPLICATES} replicates`;
    return { ...base, interval: units.count > 1 ? interval : null, method };
  });
}

/** How far the first layer's filters were turned. */
export function filterQuantities({ names }: Named, { filters }: Seen): Quantity[] {
  const of = (side: Side): Quantity => ({
    key: `what-layers-see.filters.${names[side]}/start`,
    title: `First filters of ${names[side]} and of its start: mean cosine`,
    value: mean(filters.cosines[side]),
    interval: null,
    method: 'all filters of the first layer, one seed',
    n: filters.count,
    unit: '',
  });
  return SIDES.map(of);
}
