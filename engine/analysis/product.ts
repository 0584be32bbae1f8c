import { availableParallelism } from 'node:os';
import { GraphBuilder } from '../graph/builder.ts';
import { OnnxSession } from '../runtime/onnx/session.ts';

export interface ProductShape {
  /** Of the result, and the axis that is summed over. */
  rows: number;
  inner: number;
  columns: number;
  /** The first is given as [inner, row], the second as [column, inner]. */
  transposeA?: boolean;
  transposeB?: boolean;
}

/** Products of matrices of one shape in float32, by onnxruntime's kernels. */
export interface MatrixProduct {
  /** @returns [row, column] */
  of(a: Float32Array, b: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Compiles a matrix product. Close it after use. */
export async function matrixProduct(shape: ProductShape): Promise<MatrixProduct> {
  const { rows, inner, columns, transposeA = false, transposeB = false } = shape;
  const g = new GraphBuilder();
  const a = g.input('a', transposeA ? [inner, rows] : [rows, inner]);
  const b = g.input('b', transposeB ? [columns, inner] : [inner, columns]);
  const graph = g.finish([['product', g.matMul(a, b, { transposeA, transposeB })]]);
  const session = await OnnxSession.create(graph, { threads: availableParallelism() });
  return {
    async of(first, second) {
      const outputs = await session.run(
        new Map([
          ['a', first],
          ['b', second],
        ]),
      );
      return outputs.get('product') as Float32Array;
    },
    close: () => session.close(),
  };
}
