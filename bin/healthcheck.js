// Exits with 0 when the server in this container is ready, else with 1. It calls by a name that the server accepts.
import { get } from 'node:http';

const { PORT, POSTHORN_ALLOWED_HOSTS } = process.env;
const host = (POSTHORN_ALLOWED_HOSTS || 'localhost').split(',')[0].trim();
get({ host: '127.0.0.1', port: PORT || 8787, path: '/readyz', headers: { host } }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
}).on('error', () => process.exit(1));
