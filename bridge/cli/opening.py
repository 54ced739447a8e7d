"""The page before the dashboard: it has the browser forget what it keeps of the daemon's origin, then goes on (pure).

Whoever held the daemon's port before may have left a service worker or cached files on its origin. They would answer
the browser there, in the daemon's place, and read the secret of an activation link. So the browser is sent to a page on
another port first, where nobody was before. From there `POST /oauth/clean` reaches the daemon itself, since no worker
stands before the requests of another origin's page; and its answer, with `Clear-Site-Data`, ends them.
"""

import base64
import hashlib
import html
from urllib.parse import urlsplit

_SCRIPT = """
const { link } = document.body.dataset;
const { origin, hash } = new URL(link);
const body = new URLSearchParams({ link: new URLSearchParams(hash.slice(1)).get("activate") });
const clean = (credentials) =>
  fetch(`${origin}/oauth/clean`, { method: "POST", credentials, body, signal: AbortSignal.timeout(30000) });
async function open() {
  // Browsers heed Clear-Site-Data with credentials alone, and then let nobody read the answer;
  // so it is asked for once more, to know that the daemon said yes.
  await clean("include").catch(() => undefined);
  const { status } = await clean("omit");
  if (status !== 204) throw new Error(`status ${status}`);
  const dashboard = document.querySelector("a");
  dashboard.href = link;
  dashboard.hidden = false;
  location.replace(link);
}
open().catch(() => { document.querySelector("#failed").hidden = false; });
"""

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center; background: #f5f4f0;
  color: #63665f; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
a { color: #0d6e5f; }
@media (prefers-color-scheme: dark) {
  body { background: #121412; color: #a1a69c; }
  a { color: #5ecfb4; }
}
"""


def opening_page(link: str) -> str:
    """Return the page that leads to ``link``, ``http://127.0.0.1:PORT/#activate=SECRET``.

    There is nothing to click before the browser has forgotten: without scripts, or without the daemon's word for it, it
    goes nowhere.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Opening Tollbridge</title>'
        '<link rel="icon" href="data:,">'  # so that none is asked for
        f"<style>{_STYLE}</style></head>"
        f'<body data-link="{html.escape(link, quote=True)}"><main><p>Opening Tollbridge …</p>'
        "<p><a hidden>Open Tollbridge</a></p>"
        "<noscript><p>Tollbridge's pages need scripts.</p></noscript>"
        '<p id="failed" role="alert" hidden>That did not work. Run <code>tollbridge open</code> again.</p></main>'
        f"<script>{_SCRIPT}</script></body></html>\n"
    )


def opening_csp(link: str) -> str:
    """Return the policy under which that page may do this, and nothing else."""
    place = urlsplit(link)
    return (
        f"default-src 'none'; script-src '{_hash(_SCRIPT)}'; style-src '{_hash(_STYLE)}'; img-src data:; "
        f"connect-src {place.scheme}://{place.netloc}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
