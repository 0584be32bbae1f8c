/**
 * A small host for the tests of the shell: gives its address as the real one does, exchanges the
 * token for a cookie by a redirect, and can be made to crash or to send the page away.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const page = `<!doctype html><title>tiny host ${process.pid}</title>
<body style="height:600px"><div id="dropped"></div><script>
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  const paths = [...event.dataTransfer.files].map((file) => window.carryover.pathOf(file));
  document.querySelector('#dropped').textContent = JSON.stringify(paths);
});
</script>`;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const away = url.searchParams.get('to');
  if (url.pathname === '/crash') process.exit(7);
  if (away !== null) response.writeHead(302, { location: away }).end();
  else if (url.searchParams.has('token')) {
    const cookie = 'token=tiny; HttpOnly; SameSite=Strict; Path=/';
    response.writeHead(303, { location: '/', 'set-cookie': cookie }).end();
  } else if (!request.headers.cookie?.includes('token=tiny')) response.writeHead(401).end('401');
  else if (url.pathname.startsWith('/reports/')) {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>a report</title>');
  } else response.writeHead(200, { 'content-type': 'text/html' }).end(page);
});

process.on('SIGTERM', () => process.exit(0));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log('Carryover is ready');
  console.log(`http://127.0.0.1:${port}/?token=tiny`);
});
