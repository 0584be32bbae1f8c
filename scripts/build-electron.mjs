// Builds what the desktop app ships: dist/electron (the shell) and dist/app (the host as
// JavaScript, file by file in the same folders, so that paths relative to a module stay right);
// dist/icons for the installers.
// Usage: node scripts/build-electron.mjs [--shell] [OUT_FOLDER]
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import ts from 'typescript';
import { build } from 'vite';
import { root } from './setup.mjs';

const layers = ['contract', 'engine', 'host', 'cli'];
/** Read by the host at run time, relative to its root. */
const companions = ['package.json', 'migrations', 'resources', join('dist', 'renderer')];

/** Bundles main (ES module) and preload (CommonJS: a sandboxed preload can only `require`). */
export async function buildShell(out = join(root, 'dist', 'electron')) {
  await bundle('main.ts', 'es', 'main.mjs', out);
  await bundle('preload.ts', 'cjs', 'preload.cjs', out);
}

async function bundle(entry, format, name, out) {
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    ssr: { target: 'node' },
    build: {
      ssr: join(root, 'electron', entry),
      outDir: out,
      emptyOutDir: false,
      target: 'node24',
      minify: false,
      rolldownOptions: { external: ['electron'], output: { format, entryFileNames: name } },
    },
  });
}

/** Writes the host, the command line and what they read as plain JavaScript into `out`. */
export function buildApp(out = join(root, 'dist', 'app')) {
  rmSync(out, { recursive: true, force: true });
  const sources = globSync(
    [...layers.map((layer) => `${layer}/**/*.ts`), 'electron/host-guard.ts'],
    {
      cwd: root,
    },
  );
  for (const source of sources) {
    const file = join(out, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, transpile(join(root, source)));
  }
  for (const name of companions) {
    if (!existsSync(join(root, name)))
      throw new Error(`${name} is missing; is the renderer built?`);
    cpSync(join(root, name), join(out, name), { recursive: true });
  }
}

/** The icon as installers want it: a square PNG. */
export async function buildIcon(out = join(root, 'dist', 'icons')) {
  mkdirSync(out, { recursive: true });
  const icon = join(root, 'resources', 'icons', 'icon.svg');
  await sharp(icon, { density: 1200 }).resize(1024, 1024).png().toFile(join(out, 'icon.png'));
}

function transpile(file) {
  const { outputText, diagnostics } = ts.transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    reportDiagnostics: true,
    transformers: { before: [renameModules] },
    compilerOptions: {
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  if (diagnostics?.length) {
    const [{ messageText }] = diagnostics;
    throw new Error(
      `${relative(root, file)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  }
  return outputText;
}

/** Workers and child processes are named by strings ('./worker.ts'): those become '.js' too. */
function renameModules(context) {
  const visit = (node) =>
    ts.isStringLiteral(node) && /^[\w./-]+\.ts$/.test(node.text)
      ? context.factory.createStringLiteral(node.text.replace(/\.ts$/, '.js'))
      : ts.visitEachChild(node, visit, context);
  return (source) => ts.visitEachChild(source, visit, context);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out] = process.argv.slice(2).filter((text) => !text.startsWith('--'));
  const base = out === undefined ? join(root, 'dist') : resolve(out);
  await buildShell(join(base, 'electron'));
  if (!process.argv.includes('--shell')) {
    buildApp(join(base, 'app'));
    await buildIcon(join(base, 'icons'));
  }
}
