import { describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { memoryBytes } from '../../engine/formats/bytes.ts';
import { ByteCursor } from '../../engine/formats/cursor.ts';
import { unpickle } from '../../engine/formats/pickle.ts';
import { PickleObject } from '../../engine/formats/pickle-machine.ts';
import { TorchRules } from '../../engine/formats/torch-pickle.ts';
import { readWeightsFile } from '../../engine/formats/weights.ts';
import { expected, expectTensors, reference } from './formats-support.ts';

async function failureOf(name: string): Promise<CarryoverError> {
  const outcome = await readWeightsFile(reference(name)).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(CarryoverError);
  return outcome as CarryoverError;
}

describe('PyTorch state dicts', () => {
  it.each([
    ['zip.pth', 'pytorch-zip'],
    ['zip-protocol4.pth', 'pytorch-zip'],
    ['deflated.pth', 'pytorch-zip'],
    ['swapped.pth', 'pytorch-zip'],
    ['legacy.pth', 'pytorch-legacy'],
    ['legacy-protocol4.pth', 'pytorch-legacy'],
    ['tar.pth', 'pytorch-legacy'],
  ])('reads %s as PyTorch does, whatever the types, strides and sharing', async (name, format) => {
    const weights = await readWeightsFile(reference(name));
    expect(weights.format).toBe(format);
    expect(weights.warnings).toEqual([]);
    expectTensors(weights, expected[name]!);
  });

  it('finds the weights in a checkpoint of a training script, and says what it left', async () => {
    const weights = await readWeightsFile(reference('checkpoint.pth'));
    expectTensors(weights, expected['checkpoint.pth']!);
    expect([...weights.tensors.keys()]).toContain('module.0.weight');
    expect(weights.metadata).toEqual({ epoch: '90', arch: 'resnet18' });
    expect(weights.classNames).toEqual(['cat', 'dog']);
    const said = weights.warnings.join('\n');
    expect(said).toContain('"state_dict_ema" (7 tensors)');
    expect(said).toContain('argparse.Namespace');
  });

  it('gives values that belong to the caller', async () => {
    const tensor = (await readWeightsFile(reference('zip.pth'))).tensors.get('plain')!;
    const first = tensor.read();
    const before = Float32Array.from(first);
    first.fill(0);
    expect(tensor.read()).toEqual(before);
  });
});

describe('PyTorch files that hold more than weights', () => {
  it.each([
    ['module.pth', 'torch.nn.modules.container.Sequential', 'weights_only=False); torch.save('],
    ['module-legacy.pth', '__main__.Net', "weights_only=False)['model']; torch.save("],
  ])('refuses the whole model of %s: why, and the way out', async (name, type, wayOut) => {
    const { code, message, detail } = await failureOf(name);
    expect(code).toBe('bad-input');
    expect(message).toContain(type);
    expect(message).toContain('never runs code from a file');
    expect(detail.wayOut).toContain(wayOut);
    expect(detail.wayOut).toContain('model.state_dict()');
  });

  it('refuses a TorchScript program', async () => {
    const { message, detail } = await failureOf('script.pt');
    expect(message).toContain('TorchScript');
    expect(detail.wayOut).toContain('torch.jit.load');
  });

  it('refuses a file that would run a command in PyTorch, by name', async () => {
    const { message } = await failureOf('hostile.pth');
    expect(message).toMatch(/posix\.system.*Nothing was run/);
  });
});

describe('the unpickler', () => {
  const read = (text: string) => {
    const rules = new TorchRules('x.pth');
    const source = memoryBytes(Buffer.from(text, 'latin1'), 'x.pth');
    return { value: unpickle(new ByteCursor(source), rules), rules };
  };

  it.each([
    ['N.', null],
    ['\x80\x02\x8a\x01\xff.', -1],
    ['\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.', 2n ** 64n],
    ['I-12\n.', -12],
    ['I01\n.', true],
    ['L9007199254740993L\n.', 9007199254740993n],
    ['G\x3f\xf8\x00\x00\x00\x00\x00\x00.', 1.5],
    ['(K\x01K\x02l.', [1, 2]],
    [']q\x00(h\x00e.', 'itself'],
    ['}(U\x01aK\x07u.', new Map([['a', 7]])],
  ])('understands %j', (pickle, meaning) => {
    const { value } = read(pickle);
    if (meaning === 'itself') expect((value as unknown[])[0]).toBe(value);
    else expect(value).toEqual(meaning);
  });

  it.each([
    ['no end', 'K\x01'],
    ['an empty stack', '.'],
    ['a missing mark', 't.'],
    ['an unknown operation', '\x96\x00.'],
    ['a memo that is not there', 'h\x05.'],
    ['a text longer than the file', '\x8d\xff\xff\xff\xff\xff\xff\xff\x00.'],
    ['an integer of 4 GB', '\x8b\xff\xff\xff\xff.'],
    ['a call of no function', 'K\x01)R.'],
    ['a key without a value', '}(K\x01u.'],
    ['three million lists', ']'.repeat(3e6)],
  ])('refuses %s, naming the file', (_, pickle) => {
    expect(() => read(pickle)).toThrow(CarryoverError);
    expect(() => read(pickle)).toThrow(/x\.pth/);
  });

  it.each(['cos\nsystem\n', 'cbuiltins\neval\n', 'c__builtin__\neval\n', 'csubprocess\nPopen\n'])(
    'never calls %j',
    (name) => {
      expect(() => read(`${name}(U\x04echotR.`)).toThrow(/Nothing was run/);
    },
  );

  it('keeps what it does not know as an inert name, and notes it', () => {
    const { value, rules } = read('cargparse\nNamespace\n)\x81}b.');
    expect(value).toBeInstanceOf(PickleObject);
    expect([...rules.strangers]).toEqual(['argparse.Namespace']);
  });

  /** A tensor of one float, [1] by strides of [1] from 0, with one of these changed. */
  const tensor = ({
    numel = 'K\x01',
    offset = 'K\x00',
    size = 'K\x01\x85',
    stride = 'K\x01\x85',
  }) =>
    'ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpu' +
    `${numel}tQ${offset}${size}${stride}\x89NtR.`;

  it.each([
    ['beyond its storage', { size: 'K\x02\x85' }],
    ['that begins beyond it', { offset: 'K\x01' }],
    ['of a negative size', { size: 'J\xff\xff\xff\xff\x85' }],
    ['of a negative stride', { stride: 'J\xff\xff\xff\xff\x85' }],
    ['with more strides than sizes', { stride: 'K\x01K\x01\x86' }],
    [
      'of 2^40 repeated numbers',
      { size: '\x8a\x06\x00\x00\x00\x00\x00\x01\x85', stride: 'K\x00\x85' },
    ],
    ['of more numbers than can be counted', { size: 'L9007199254740993L\n\x85' }],
    ['on a storage of a negative length', { numel: 'J\xff\xff\xff\xff' }],
  ])('refuses a tensor %s', (_, change) => {
    expect(() => read(tensor({}))).not.toThrow();
    expect(() => read(tensor(change))).toThrow(CarryoverError);
  });

  it('refuses tensors that pickle.dump wrote, with the way out', () => {
    const pickle = 'ctorch.storage\n_load_from_bytes\n(C\x01xtR.';
    expect(() => read(pickle)).toThrow(/pickle\.dump/);
  });
});
