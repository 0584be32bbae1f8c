import type * as Electron from 'electron';
import type { Frame } from '@playwright/test';

type Handler = (event: Electron.IpcMainInvokeEvent, ...given: unknown[]) => unknown;

const handlers = new Map<string, Handler>();

export const ipcMain = {
  handle: (channel: string, handler: Handler): void => {
    if (handlers.has(channel)) {
      throw new Error(`Attempted to register a second handler for '${channel}'`);
    }
    handlers.set(channel, handler);
  },
} satisfies Partial<Electron.IpcMain>;

/** What a frame of a real page in `sender` sends. */
export async function receive(
  sender: unknown,
  frame: Frame,
  channel: string,
  given: unknown[],
): Promise<unknown> {
  const handler = handlers.get(channel);
  if (!handler) throw new Error(`No handler registered for '${channel}'`);
  const event = { type: 'frame', sender, senderFrame: senderFrame(frame) };
  return handler(event as unknown as Electron.IpcMainInvokeEvent, ...given);
}

type SenderFrame = Pick<Electron.WebFrameMain, 'url' | 'origin'> & { parent: SenderFrame | null };

function senderFrame(frame: Frame): SenderFrame {
  const parent = frame.parentFrame();
  return {
    url: frame.url(),
    origin: URL.parse(frame.url())?.origin ?? 'null',
    parent: parent && senderFrame(parent),
  };
}
