import { expect, test } from 'vitest';
import { gramOf, type Features } from '../../engine/analysis/gram.ts';
import { procrustes, spectrumOf, svcca } from '../../engine/analysis/second-opinions.ts';
import reference from '../reference/similarity.json' with { type: 'json' };
import { demoFeatures, noise, rotated, wideFeatures } from './similarity-support.ts';

const spectra = async (...features: Features[]) =>
  (await Promise.all(features.map(gramOf))).map(spectrumOf);

test.each([
  ['demo', demoFeatures()],
  ['wide', wideFeatures()],
] as const)('SVCCA and Procrustes of %s are those of NumPy', async (name, { x, y }) => {
  const [a, b] = await spectra(x, y);
  expect(svcca(a!, b!)).toBeCloseTo(reference[name].svcca, 5);
  expect(procrustes(a!, b!)).toBeCloseTo(reference[name].procrustes, 5);
});

test('both are 1 on itself, turned and scaled', async () => {
  const x = noise(30, 8, 1);
  const [a, b] = await spectra(x, rotated(x, 2, 7));
  expect(svcca(a!, b!)).toBeCloseTo(1, 4);
  expect(procrustes(a!, b!)).toBeCloseTo(1, 4);
});

test('features that do not differ have neither', async () => {
  const constant = { values: new Float32Array(40).fill(2), rows: 20, dimensions: 2 };
  const [a, b] = await spectra(constant, noise(20, 3, 1));
  expect([svcca(a!, b!), procrustes(b!, a!)]).toEqual([null, null]);
});
