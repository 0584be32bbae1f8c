import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { asksFor, BASIC_ANALYSES, entryName, optionsOf } from '../../../contract/study-analyses.ts';
import type { DatasetDetail } from '../../../contract/datasets.ts';
import { rateFactor, studySchema } from '../../../contract/study.ts';
import {
  defaultRateFactor,
  emptyForm,
  formFor,
  formToStudy,
  issuesAt,
  parseNumbers,
  parseSizes,
  studyName,
} from '../../../renderer/src/lib/study-form.ts';
import { leaves } from '../../../renderer/src/lib/merge.ts';
import { writtenToForm } from '../../../renderer/src/lib/study-read.ts';
import { toYaml, type YamlValue } from '../../../renderer/src/lib/yaml.ts';

const dataset = {
  name: 'icon-domains',
  domainNames: ['line', 'solid', 'duotone'],
} as DatasetDetail;
const form = formFor(emptyForm(), dataset);
const text = (of: typeof form) => toYaml(formToStudy(of) as { [key: string]: YamlValue });

describe('the form of a new study', () => {
  it('writes a study file that the schema accepts, as it starts', () => {
    const study = studySchema.parse(parse(text(form)));
    expect(study.data).toMatchObject({ set: 'icon-domains', domain: 'duotone' });
    expect(study.pretraining['line-and-solid']?.data.domains).toEqual(['line', 'solid']);
    expect(study.arms).toEqual({
      'P-T': { init: { checkpoint: 'line-and-solid@last' } },
      'RI-T': { init: 'random' },
    });
  });

  it('trains only the random start when no source is chosen', () => {
    const study = studySchema.parse(parse(text({ ...form, sources: [] })));
    expect(study.pretraining).toEqual({});
    expect(Object.keys(study.arms)).toEqual(['RI-T']);
  });

  it('keeps every field that can be set', () => {
    const study = studySchema.parse(
      parse(
        text({
          ...form,
          ...{ seeds: '3, 5-7', shuffles: ['none', 8, 'pixel'], shift: 2, flip: true },
          ...{ schedule: 'multistep', milestones: '10 20', warmup: 1.5, clipNorm: 2 },
          ...{ stem: 'imagenet', minPerClass: 8, analyses: [], background: '#102030' },
        }),
      ),
    );
    expect(study).toMatchObject({
      seeds: [3, 5, 6, 7],
      shuffles: ['none', 8, 'pixel'],
      recipe: { augment: { shift: 2, flip: true }, background: '#102030' },
      training: {
        lr: { schedule: 'multistep', milestones: [10, 20], 'warmup-epochs': 1.5 },
        'clip-norm': 2,
      },
      architecture: { stem: 'imagenet' },
      analyses: ['agreement', 'optimisation-speed'],
    });
    expect(study.data['min-per-class']).toBe(8);
  });

  it('measures barriers only between two seeds', () => {
    const analyses = (seeds: string) => formToStudy({ ...form, seeds }).analyses;
    expect(analyses('0, 1')).toContain('barrier');
    expect(analyses('7')).not.toContain('barrier');
  });

  it('asks for the analyses that are ticked, with the options they had', () => {
    const asked: Partial<typeof form> = {
      analyses: ['distance', 'cka'],
      analysisOptions: { cka: { images: 64 }, metrics: { bins: 5 } },
    };
    const study = studySchema.parse(parse(text({ ...form, ...asked })));
    expect(study.analyses.map(entryName)).toEqual([...BASIC_ANALYSES, 'distance', 'cka']);
    expect(optionsOf(study, 'cka')).toMatchObject({ images: 64, permutations: 100 });
    expect(asksFor(study, 'metrics')).toBe(false);
  });

  it('makes legal names and pretraining keys of any domain names', () => {
    const odd = { ...dataset, domainNames: ["Bob's “dots”", '线', 'target'] };
    const result = studySchema.safeParse(parse(text(formFor(emptyForm(), odd))));
    expect(result.error?.issues ?? []).toEqual([]);
  });

  it('names the study after what it does', () => {
    expect(studyName('duotone', ['line', 'solid'])).toBe('duotone after line and solid');
    expect(studyName('duotone', [])).toBe('duotone from scratch');
    expect(studyName('x'.repeat(90), ['y']).length).toBeLessThanOrEqual(64);
  });
});

it('an empty rate factor is that of the study file', () => {
  for (const change of [{}, { freezeTo: 'layer2' }, { unfreezeEvery: 3 }]) {
    const changed = { ...form, ...change };
    const { training } = studySchema.parse(parse(text(changed)));
    expect(training['fine-tuning']['rate-factor']).toBeUndefined();
    expect(defaultRateFactor(changed)).toBe(rateFactor(training['fine-tuning']));
  }
  expect(defaultRateFactor({ ...form, freezeTo: 'layer2' })).toBe(2.6);
  expect(defaultRateFactor(form)).toBe(1);
});

describe('a study file read back into the form', () => {
  const read = (yaml: string) => writtenToForm(parse(yaml) as Record<string, unknown>);
  const filled: typeof form = {
    ...form,
    ...{ seeds: '3, 5', shuffles: ['none'], shift: 2, flip: true, validation: 0.2, channels: 1 },
    ...{ schedule: 'multistep', milestones: '10, 20', warmup: 1.5, clipNorm: 2, mixup: 0.2 },
    ...{ optimiser: 'adamw', weightDecay: 0.02, smoothing: 0.1, classWeights: 'balanced' },
    ...{ freezeTo: 'layer2', unfreezeEvery: 3, rateFactor: 2.6, patience: 4 },
    ...{ imageSizes: '1: 32, 11: 48', mean: '0.1, 0.2, 0.3', interpolation: 'bicubic' },
  };

  it.each([
    ['as it starts', form],
    ['with every field set', filled],
    ['from an imported checkpoint', { ...form, checkpoint: 'trunk', sources: [], image: null }],
    ['with SGD in all its kinds', { ...form, nesterov: true, decoupled: true }],
    ['from scratch', { ...form, sources: [] }],
  ])('says the same %s', (_, given) => {
    const result = read(text(given));
    expect(result?.lost).toEqual([]);
    expect(result?.form.rest).toEqual({});
    expect(formToStudy(result!.form)).toEqual(formToStudy(given));
  });

  it('keeps what it has no field for, and lets fields change beside it', () => {
    const yaml = text(form)
      .replace('RI-T:', 'RI-T: { training: { epochs: 3 }, init: random }\n  was:')
      .replace(/ {2}was:.*\n/, '');
    const result = read(`${yaml}description: as in the paper\n`);
    expect(result?.lost).toEqual([]);
    expect(leaves(result!.form.rest)).toEqual(['arms.RI-T.training.epochs', 'description']);
    const changed = formToStudy({ ...result!.form, epochs: 99 });
    expect(changed.description).toBe('as in the paper');
    expect(changed.arms['RI-T']?.training).toEqual({ epochs: 3 });
    expect(changed.training.epochs).toBe(99);
  });

  it('keeps what arms learn from besides the target', () => {
    const source = { images: 'line-and-solid', way: 'kliep', most: 500 };
    const written = parse(text(form));
    written.arms['P-T'].source = source;
    written.arms.joint = { init: 'random', source: { ...source, way: 'joint' } };
    const result = writtenToForm(written);
    expect(result?.lost).toEqual([]);
    const changed = studySchema.parse(parse(text({ ...result!.form, epochs: 99 })));
    expect(changed.arms).toEqual(studySchema.parse(written).arms);
    expect(changed.arms['P-T']?.source).toEqual(source);
  });

  it.each([
    ['RI-T:', 'cold:', 'arms.RI-T'],
    ['analyses: [agreement, ', 'analyses: [', 'analyses'],
    ['set: icon-domains', 'set: other', 'pretraining.line-and-solid.data.set'],
  ])('says what it would change: %s -> %s', (from, to, path) => {
    const yaml = text(form);
    expect(yaml).toContain(from);
    expect(read(yaml.replace(from, to))?.lost.join()).toContain(path);
  });

  it('keeps options of analyses, and those of one that is unticked and ticked again', () => {
    const asked = '[distance, agreement, { cka: { images: 64 } }, optimisation-speed]';
    const result = read(text(form).replace(/analyses: .*/, `analyses: ${asked}`));
    expect(result?.lost).toEqual([]);
    expect(result?.form).toMatchObject({
      analyses: ['distance', 'cka'],
      analysisOptions: { cka: { images: 64 } },
    });
    const off = formToStudy({ ...result!.form, analyses: ['distance'] });
    expect(off.analyses).toEqual([...BASIC_ANALYSES, 'distance']);
    const claims = [{ claim: 'c', quantity: 'distance.P-T/P-T', above: 0 }];
    const claimed = writtenToForm({ ...parse(text(form)), claims });
    expect(claimed?.lost).toEqual([]);
    expect(formToStudy({ ...claimed!.form, epochs: 3 }).claims).toEqual(claims);
  });

  it('is refused while it is no study', () => {
    expect(read('name: 7')).toBeNull();
  });
});

describe('sizes in a text field', () => {
  it('are pairs of an epoch and a side', () => {
    expect(parseSizes('1: 32, 11:48')).toEqual([
      { from: 1, image: 32 },
      { from: 11, image: 48 },
    ]);
    expect(parseSizes('32 px')).toEqual([]);
  });
});

describe('numbers in a text field', () => {
  it('are read with commas, spaces and ranges, once each', () => {
    expect(parseNumbers('0, 1 4-6, 5')).toEqual([0, 1, 4, 5, 6]);
    expect(parseNumbers('a, -1, 1.5, ')).toEqual([]);
    expect(parseNumbers('0-99999999')).toEqual([]);
  });
});

describe('issues', () => {
  it('belong to the field at their path or above it', () => {
    const issues = [{ path: 'training.lr.peak' }, { path: 'training.lrx' }, { path: 'name' }];
    expect(issuesAt(issues, 'training.lr')).toEqual([issues[0]]);
  });
});

describe('splits, findings and subgroups', () => {
  const rich: typeof form = {
    ...form,
    ...{ split: 'temporal', splitColumn: 'taken', allowLeaks: true, perClass: 5 },
    ...{ findings: ['Edema', 'Fracture'], uncertain: 'zeros', policies: { Edema: 'ones' } },
    ...{ blank: 'ignore', subgroups: ['Sex'] },
  };

  it('are written as the study file has them', () => {
    expect(studySchema.parse(parse(text(rich))).data).toMatchObject({
      split: { kind: 'temporal', column: 'taken', 'allow-leaks': true },
      'per-class': 5,
      findings: {
        names: ['Edema', 'Fracture'],
        uncertain: { default: 'zeros', Edema: 'ones' },
        blank: 'ignore',
      },
      subgroups: ['Sex'],
    });
  });

  it('come back from what they wrote', () => {
    const read = writtenToForm(parse(text(rich)));
    expect(read?.lost).toEqual([]);
    expect(read?.form).toEqual({ ...rich, sourceName: 'line-and-solid' });
    const given = { ...form, split: 'given' as const };
    expect(writtenToForm(parse(text(given)))).toMatchObject({ lost: [], form: { split: 'given' } });
  });

  it('say nothing of findings while all count as usual', () => {
    expect(formToStudy(form).data).not.toHaveProperty('findings');
  });

  it('read the older way of saying that groups are not kept', () => {
    const written = parse(text(form));
    delete written.data.split.kind;
    written.data.split.grouped = false;
    const read = writtenToForm(written);
    expect(read?.lost).toEqual([]);
    expect(read?.form.split).toBe('stratified');
    expect(studySchema.parse(parse(text(read!.form))).data.split.kind).toBe('stratified');
  });

  it('read one policy for all findings', () => {
    const written = parse(text(form));
    written.data.findings = { uncertain: { default: 'ones' } };
    const read = writtenToForm(written);
    expect(read?.lost).toEqual([]);
    expect(read?.form).toMatchObject({ uncertain: 'ones', policies: {}, findings: [] });
  });
});
