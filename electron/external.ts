import { dialog, shell } from 'electron';

/**
 * Opens an https address in the user's browser after they agreed to that very address.
 * Everything else is refused.
 */
export async function openExternal(address: string): Promise<void> {
  const url = URL.parse(address);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    console.warn(`refused to open ${address.slice(0, 200)}: only https addresses are opened`);
    return;
  }
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: 'Open this address in your browser?',
    detail: url.href,
    buttons: ['Open', 'Cancel'],
    defaultId: 0,
    cancelId: 1,
    noLink: true,
  });
  if (response === 0) await shell.openExternal(url.href);
}
