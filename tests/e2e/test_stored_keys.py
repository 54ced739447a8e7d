"""All that a paired page has stored, in both browsers: no private key can be read out of it, by whatever script."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.visit import APP_HOST, OTHER_HOST, Visit
from tests.parts.browser import Chromium, Profile
from tests.parts.certificate import Certificate
from tests.parts.firefox import Firefox, FirefoxProfile
from tests.parts.site import Site

pytestmark = pytest.mark.e2e

# Every value of every database; of a key, all that each export format gives.
_DUMP = """async () => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const exported = async (key) => {
    const formats = await Promise.all(["jwk", "pkcs8", "raw", "spki"].map((format) =>
      crypto.subtle.exportKey(format, key).then((it) => it.byteLength ?? it, (error) => error.name)));
    return { type: key.type, extractable: key.extractable, formats };
  };
  const plain = async (value) => {
    if (value instanceof CryptoKey) return await exported(value);
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value).map(async ([name, part]) => [name, await plain(part)]);
    return Object.fromEntries(await Promise.all(entries));
  };
  const found = { local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie };
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const table of database.objectStoreNames) {
      const store = database.transaction(table).objectStore(table);
      const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      for (const [at, key] of keys.entries()) found[`${name}/${table}/${key}`] = await plain(values[at]);
    }
    database.close();
  }
  found.caches = await caches.keys();
  return found;
}"""


@pytest.fixture(name="browser", scope="module", params=["chromium", "firefox"])
def _browser(request: pytest.FixtureRequest, certificate: Certificate, site: Site) -> Iterator[Chromium | Firefox]:
    hosts = (APP_HOST, OTHER_HOST)
    chromium = Chromium(hosts=hosts, public_port=site.port, pin=certificate.pin)
    with chromium if request.param == "chromium" else Firefox(hosts=hosts, public_port=site.port) as browser:
        yield browser


@pytest.fixture(name="profile")
def _profile(browser: Chromium | Firefox) -> Iterator[Profile | FirefoxProfile]:
    with browser.profile() as profile:
        yield profile


def test_a_dump_of_all_that_a_page_has_stored_holds_no_private_key(visit: Visit) -> None:
    visit.is_approved()

    stored = visit.page.evaluate(_DUMP)

    key = stored["tollbridge/values/key"]
    assert ("private", False) == (key["privateKey"]["type"], key["privateKey"]["extractable"])
    for format_, told in zip(("jwk", "pkcs8", "raw", "spki"), key["privateKey"]["formats"], strict=True):
        assert told in ("InvalidAccessError", "NotSupportedError"), f"{format_} gives nothing"
    assert '"d":' not in json.dumps(stored)
    assert ({}, {}, "", []) == (stored["local"], stored["session"], stored["cookie"], stored["caches"])
