import { expect, test, vi } from 'vitest';
import type { Quantity } from '../../contract/figures.ts';
import type { StudyAnalysis } from '../../contract/study-analyses.ts';
import type { StudyDetail } from '../../contract/study.ts';
import { getStudyAnalysis } from '../../host/studies/analyses/store.ts';
import type { Workbench } from '../../host/workbench.ts';
import { runStudy, shapesHome, shapesStudy } from './studies-home.ts';
import { deadMarks } from './studies-marks.ts';

vi.setConfig({ testTimeout: 600_000 });

/** The analyses of a study by their names. */
function analysesOf({ context }: Workbench, { results }: StudyDetail): Map<string, StudyAnalysis> {
  const states = results?.analyses ?? [];
  expect(states.map(({ name, failure }) => ({ name, failure }))).toEqual(
    states.map(({ name }) => ({ name, failure: null })),
  );
  return new Map(states.map(({ name, id }) => [name, getStudyAnalysis(context.db, id!)]));
}

function quantity({ quantities }: StudyAnalysis, key: string): Quantity {
  const found = quantities.find((each) => each.key === key);
  expect(found, `${key} among ${quantities.map((each) => each.key).join(', ')}`).toBeDefined();
  return found!;
}

const ANALYSES = `analyses:
  - cka: { images: 16, permutations: 20, bootstrap: 50, second-opinion: procrustes }
  - barrier: { points: 5, beyond: 0.25, images: 16, basin: true }
  - criticality: { alphas: 2, sigmas: 2, samples: 2, images: 16 }
`;

test('similarity, barriers and criticality of a small study', async () => {
  const { workbench } = await shapesHome();
  const study = await runStudy(
    workbench,
    `${shapesStudy({ epochs: 2, seeds: [0, 1, 2] })}${ANALYSES}`,
  );
  const found = analysesOf(workbench, study);

  for (const [name, { figures }] of found) expect(deadMarks(figures), name).toEqual([]);

  const cka = found.get('cka')!;
  const layers = ['stem', 'layer1.0', 'layer2.0', 'layer3.0', 'layer4.0', 'pool'];
  for (const kind of ['P-T/P-T', 'P-T/RI-T', 'RI-T/RI-T', 'P-T/start', 'RI-T/start']) {
    for (const layer of layers) {
      const { value, interval } = quantity(cka, `cka.${kind}.${layer}`);
      expect(value).toBeLessThanOrEqual(1 + 1e-9);
      expect(interval).not.toBeNull();
    }
  }
  // The same backbone at first, trained a little.
  expect(quantity(cka, 'cka.P-T/P-T.stem').value).toBeGreaterThan(0.9);
  const difference = quantity(cka, 'cka.difference.P-T/P-T minus P-T/RI-T');
  expect(difference.value).toBeCloseTo(
    quantity(cka, 'cka.P-T/P-T').value! - quantity(cka, 'cka.P-T/RI-T').value!,
    10,
  );
  expect(difference.method).toBe('jackknife over 3 seeds');
  expect(cka.figures.map(({ kind }) => kind)).toEqual(['lines', ...Array(5).fill('heatmap')]);
  expect(cka.tables[0]!.rows).toHaveLength((15 + 6) * layers.length);

  const barrier = found.get('barrier')!;
  const same = quantity(barrier, 'barrier.P-T/P-T');
  expect(same.value).toBeGreaterThanOrEqual(0);
  expect(same.n).toBe(3);
  expect(quantity(barrier, 'barrier.P-T/RI-T').n).toBe(3);
  expect(quantity(barrier, 'barrier.same start').value).toBe(same.value);
  expect(quantity(barrier, 'barrier.basin.epsilon.P-T').value).toBeGreaterThan(0);
  const points = barrier.tables.find(({ id }) => id === 'lines')!.rows;
  expect(points).toHaveLength(9 * 7);
  expect(barrier.notes.join()).not.toContain('BatchNorm');
  // The ends of every line are the runs themselves: 15 test images, fewer than asked for.
  const [first] = points.filter(({ kind, lambda }) => kind === 'P-T/P-T' && lambda === 0);
  const runs = await workbench.handlers['runs.list']({ studyId: study.id });
  const own = runs.find(({ arm, seed }) => arm === 'P-T' && seed === first!['a']);
  expect(first!['testAccuracy']).toBeCloseTo(own!.testAccuracy!, 12);

  const criticality = found.get('criticality')!;
  const modules = ['conv1', 'layer1.0', 'layer2.0', 'layer3.0', 'layer4.0', 'fc'];
  const table = criticality.tables.find(({ id }) => id === 'criticality')!;
  expect(table.rows.map(({ module }) => module).slice(0, 6)).toEqual(modules);
  expect(table.rows).toHaveLength(6 * modules.length);
  expect(quantity(criticality, 'criticality.direct.difference.P-T minus RI-T.fc').n).toBe(3);
  expect(quantity(criticality, 'criticality.rewind.RI-T.mean').interval).not.toBeNull();
  expect(criticality.notes.join()).toContain(`${6 * (2 + 6 * (1 + 8))} evaluations`);
});
