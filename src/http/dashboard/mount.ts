import type { App, RequestContext } from '../context.ts';
import type { Face } from '../face.ts';
import { mountAssets } from './assets.ts';
import { Dashboard } from './dashboard.ts';
import { actions, pieces, views } from './pages/index.ts';
import { overview } from './pages/overview.ts';
import { wantsPage } from './request.ts';

/** Answers a browser that asks for a path where nothing is, or nothing to look at. */
export type Lost = Dashboard['lost'];

/**
 * The page: everything a person sees, under paths of its own beside `/v1` and `/mcp`. `greeting`: for programs at `/`. What it
 * answers is for paths that nobody knows.
 */
export function mountDashboard(app: App, face: Face, greeting: (c: RequestContext) => Promise<Response>): Lost {
  const page = new Dashboard(face);
  mountAssets(app);
  // Pieces first: `rows` is no id of an attempt.
  for (const piece of pieces)
    app.get(
      piece.path,
      page.handler(piece.path, (c) => page.piece(c, piece)),
    );
  for (const view of views)
    if (view.path !== '/')
      app.get(
        view.path,
        page.handler(view.path, (c) => page.view(c, view)),
      );
  for (const action of actions)
    app.post(
      action.path,
      page.handler(action.path, (c) => page.act(c, action)),
    );
  const home = page.handler('/', (c) => page.view(c, overview));
  app.get('/', (c) => (wantsPage(c) ? home(c) : greeting(c)));
  app.get(
    '/sign-in',
    page.handler('/sign-in', async (c) => page.signInPage(c, 200, null)),
  );
  app.post(
    '/sign-in',
    page.handler('/sign-in', (c) => page.signIn(c)),
  );
  app.post(
    '/sign-out',
    page.handler('/sign-out', (c) => page.signOut(c)),
  );
  return (c, status) => page.lost(c, status);
}
