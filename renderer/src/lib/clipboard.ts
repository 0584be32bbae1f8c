/** Copies text. Where the clipboard permission is refused, the older copy command does it. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    const host = document.querySelector('dialog[open]') ?? document.body;
    host.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
}
