import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { DatasetDetail } from '../../../contract/datasets.ts';
import { studySchema } from '../../../contract/study.ts';
import {
  emptyForm,
  formFor,
  formToStudy,
  issuesAt,
  parseNumbers,
  studyName,
} from '../../../renderer/src/lib/study-form.ts';
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
          ...{ stem: 'imagenet', minPerClass: 8, barrier: false, background: '#102030' },
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
