import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeSafetensors } from '../../engine/formats/safetensors.ts';
import { getStudyAnalysis } from '../../host/studies/analyses/store.ts';
import { runStudy, shapesHome, shapesStudy } from './studies-home.ts';
import { deadMarks } from './studies-marks.ts';

type Tensors = Map<string, number[]>;

async function weights(home: string, run: string, epoch: number): Promise<Tensors> {
  const name = `weights-${String(epoch).padStart(4, '0')}.safetensors`;
  const file = join(home, 'runs', run, name);
  const { tensors } = decodeSafetensors(await readFile(file), file);
  return new Map([...tensors].map(([key, { data }]) => [key, [...data]]));
}

test('arms start from where they say, and those of analyses are trained but not compared', async () => {
  const { home, workbench } = await shapesHome();
  const yaml = `${shapesStudy({ seeds: [3] }).replace(
    '  RI-T:',
    '  rewound: { init: { arm: RI-T, epoch: 1 } }\n  RI-T:',
  )}analyses:
  - agreement
  - optimisation-speed
  - { shuffle-sweep: { overlay: real } }
  - { low-level-statistics: { controls: [permuted] } }
  - { transfer-depth: { cuts: [layer2] } }
  - { low-data: { per-class: [2], arms: [RI-T] } }
  - { checkpoints: { epochs: [0, 1, 2] } }
  - { rewinding: { epochs: [0, 1, 2], arm: RI-T } }
  - { criticality: { alphas: 2, sigmas: 2, samples: 1, images: 16, path: both } }
`;
  const study = await runStudy(workbench, yaml);
  const idOf = (arm: string): string => study.plan.runs.find((run) => run.arm === arm)!.id;
  const startOf = (arm: string): Promise<Tensors> => weights(home, idOf(arm), 0);
  const random = await startOf('RI-T');
  const trained = await weights(home, idOf('RI-T'), 2);
  const source = await weights(home, idOf('P'), 2);

  expect(await startOf('rewound')).toEqual(await weights(home, idOf('RI-T'), 1));

  const copied = /^(conv1|bias1|layer1|layer2)\b/;
  const frozen = await startOf('BnB layer2');
  const other = await startOf('AnB layer2');
  for (const [name, values] of frozen) {
    if (copied.test(name)) expect(values, name).toEqual(trained.get(name));
    else expect(other.get(name), name).toEqual(values);
  }
  expect(other.get('layer2.0.conv1.weight')).toEqual(source.get('layer2.0.conv1.weight'));
  // What is above must not be what the run itself began with.
  expect(frozen.get('layer3.0.conv1.weight')).not.toEqual(random.get('layer3.0.conv1.weight'));
  const end = await weights(home, idOf('BnB layer2'), 2);
  expect(end.get('layer2.0.conv1.weight')).toEqual(trained.get('layer2.0.conv1.weight'));
  expect(end.get('layer3.0.conv1.weight')).not.toEqual(frozen.get('layer3.0.conv1.weight'));

  const permuted = await startOf('P-T permuted');
  const sorted = (values: number[] | undefined) => values?.toSorted((a, b) => a - b);
  expect(permuted.get('conv1.weight')).not.toEqual(source.get('conv1.weight'));
  expect(sorted(permuted.get('conv1.weight'))).toEqual(sorted(source.get('conv1.weight')));
  expect(permuted.get('fc.weight')).toEqual(random.get('fc.weight'));

  const runs = await workbench.handlers['runs.list']({ studyId: study.id });
  expect(runs.every(({ status }) => status === 'done')).toBe(true);
  expect(runs.find(({ arm }) => arm === 'RI-T 2 per class')?.trainImages).toBe(6);
  expect(study.results?.arms.map(({ arm }) => arm)).toEqual(['P-T', 'rewound', 'RI-T']);
  expect(study.results?.pairs).toHaveLength(3);

  for (const { name, id, failure } of study.results!.analyses) {
    expect(failure, name).toBeNull();
    const { figures } = getStudyAnalysis(workbench.context.db, id!);
    expect(deadMarks(figures), name).toEqual([]);
    if (name !== 'criticality') continue;
    const paths = figures.flatMap(({ id }) => /^ranking-(\w+)/.exec(id)?.[1] ?? []);
    expect(new Set(paths)).toEqual(new Set(['direct', 'checkpoints']));
  }
}, 300_000);
