import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { childEnvironment, startChild } from '../child.ts';
import { freePort } from '../free-port.ts';
import type { Stage } from '../stage.ts';
import { until } from '../until.ts';
import type { Sink } from './sink.ts';

const statusPath = '/-/status';

/** Runs nginx as a process of this user, with a configuration of its own. It answers 200 without a body. */
export async function openNginxSink(stage: Stage, program: string): Promise<Sink> {
  const folder = join(stage.folder, 'nginx');
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port));
  const child = startChild(program, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    environment: childEnvironment({}),
  });
  stage.later(() => child.stop());
  const url = `http://127.0.0.1:${port}`;
  let asked = 0;
  // nginx counts the questions too.
  const received = async (): Promise<number> => {
    const { body } = await request(url + statusPath);
    const text = await body.text();
    asked++;
    const requests = /^\s*\d+ \d+ (\d+)\s*$/m.exec(text)?.[1];
    if (requests === undefined) throw new Error(`nginx's status reads ${JSON.stringify(text)}`);
    return Number(requests) - asked;
  };
  const opened = until('nginx', { everyMs: 10, msMax: 5_000 }, () => received().catch(() => null));
  const ended = child.ended.then((code) => Promise.reject(new Error(`nginx ended with code ${code}`)));
  await Promise.race([opened, ended]);
  return { kind: 'nginx', url: `${url}/hooks`, received };
}

function configuration(folder: string, port: number): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  client_max_body_size 5m;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location = ${statusPath} { stub_status; }
    location / { return 200; }
  }
}
`;
}
