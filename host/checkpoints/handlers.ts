import type { Handlers } from '../../contract/api.ts';
import type { HostContext } from '../context.ts';
import { listWeights } from './browse.ts';
import { importCheckpoint } from './import.ts';
import { architectureName, inspectWeights } from './inspect.ts';
import { removeCheckpoint } from './remove.ts';
import { checkpointDetail, listCheckpoints } from './store.ts';

type CheckpointHandlers = Pick<
  Handlers,
  | 'checkpoints.list'
  | 'checkpoints.get'
  | 'checkpoints.browse'
  | 'checkpoints.inspect'
  | 'checkpoints.import'
  | 'checkpoints.remove'
>;

export function checkpointHandlers(context: HostContext): CheckpointHandlers {
  const { db } = context;
  return {
    'checkpoints.list': () => listCheckpoints(db),
    'checkpoints.get': ({ id }) => checkpointDetail(db, id),
    'checkpoints.browse': ({ path }) => listWeights(path),
    'checkpoints.inspect': async ({ path, architecture }) => {
      const options =
        architecture === undefined ? {} : { architecture: architectureName(architecture) };
      return (await inspectWeights(path, options)).report;
    },
    'checkpoints.import': (body) => importCheckpoint(context, body),
    'checkpoints.remove': async ({ id }) => {
      await removeCheckpoint(context, id);
      return null;
    },
  };
}
