/**
 * Owns the tie between a certificate and a site: where peers show certificates, a node can only be of a site
 * that its certificate names. Must not know: how certificates are made or checked.
 */
import { AsperitasError, type Peer, type SiteName } from '../runtime/index.ts';

/** How a certificate names the site that it is for. */
export const siteUri = (site: string): string => `asperitas://site/${site}`;

/** @throws AsperitasError `wrong-site` */
export function checkSite(peer: Peer | undefined, site: SiteName, who: string): void {
  const uris = peer?.certificateUris;
  // Without certificates of peers the token alone counts.
  if (uris === undefined || uris.includes(siteUri(site))) return;
  const named = uris.filter((uri) => uri.startsWith(siteUri(''))).join(', ') || 'no site';
  const message =
    `${who} claims to be of ${site}, but its certificate names ${named}: ` +
    `use one made by asperitas certificates --site ${site}`;
  throw new AsperitasError('wrong-site', message, { site });
}
