import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

interface FilterGradient {
  inputs: { x: tf.Tensor4D; dy: tf.Tensor4D };
  attrs: { strides: [number, number] | number; filterShape: [number, number, number, number] };
}

/** Makes WebAssembly the current backend, with the filter gradient that it lacks (tfjs#8474). */
export async function useWasm(): Promise<void> {
  setWasmPaths(
    fileURLToPath(new URL('../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)),
  );
  if (!tf.getKernel('Conv2DBackpropFilter', 'wasm')) {
    tf.registerKernel({
      kernelName: 'Conv2DBackpropFilter',
      backendName: 'wasm',
      kernelFunc: (call) => filterGradient(call as unknown as FilterGradient),
    });
  }
  await tf.setBackend('wasm');
  await tf.ready();
}

/**
 * The views of the input that each filter tap sees, side by side, times dy: one matrix product.
 * The operand is transposed beforehand because the backend's fast product takes none transposed.
 * Padding has been done before (our runtime pads explicitly).
 */
function filterGradient({ inputs: { x, dy }, attrs }: FilterGradient): tf.Tensor {
  const [rows, columns, depth, filters] = attrs.filterShape;
  const [stride] = [attrs.strides].flat() as [number];
  const [batch, height, width] = dy.shape;
  const positions = batch * height * width;
  return tf.tidy(() => {
    const views = Array.from({ length: rows * columns }, (_, tap) => {
      const [row, column] = [Math.floor(tap / columns), tap % columns];
      const ends = [row + (height - 1) * stride + 1, column + (width - 1) * stride + 1];
      const begin = [0, row, column, 0];
      const view =
        stride === 1
          ? tf.slice(x, begin, [batch, height, width, depth])
          : tf.stridedSlice(x, begin, [batch, ...ends, depth], [1, stride, stride, 1]);
      return tf.transpose(tf.reshape(view, [positions, depth]));
    });
    const stacked = tf.concat(views, 0);
    return tf.reshape(tf.matMul(stacked, tf.reshape(dy, [positions, filters])), attrs.filterShape);
  });
}
