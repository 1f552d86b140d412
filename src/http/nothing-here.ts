import { PosthornError } from '../core/errors.ts';
import { openApiPath } from './paths.ts';

/** A path that this server does not have. */
export function nothingHere(): PosthornError {
  return new PosthornError('not_found', `There is nothing at this path. ${openApiPath} lists every route.`);
}
