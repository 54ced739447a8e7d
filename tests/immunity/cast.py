"""Plays every caller of tests/vectors/routes.json: pairs, is denied, is forgotten for real, and makes its headers."""

from collections.abc import Awaitable, Callable

from tests.bridge.front.client import Front
from tests.bridge.front.visitor import Visitor
from tests.immunity.surface import Case

ALL = "amp:read amp:control"
OTHER_SCOPE = {"amp:read": "amp:control", "amp:control": "amp:read"}
APPROVED = "https://app.example"

Headers = dict[str, str]
Signs = Callable[[Case], Headers]


class Cast:
    """Makes the headers of each caller. There is always an approved page, whoever asks."""

    def __init__(self, front: Front, page: Visitor) -> None:
        self._front = front
        self._host = front.base.removeprefix("http://")
        self._page = page

    @classmethod
    async def of(cls, front: Front) -> "Cast":
        """Return the cast, with its approved page."""
        return cls(front, await Visitor(front, APPROVED).pairs(ALL))

    async def signs(self, caller: str) -> Signs:
        """Return what makes the headers of each request of ``caller``."""
        plain = self._plain(await self._front.bearer(ALL))
        if caller in plain:
            return lambda _: plain[caller]
        changed = self._changed()
        if caller in changed:
            leave, add = changed[caller]
            return lambda case: {**_without(self._proved(self._page, case), leave), **add}
        with_a_past: dict[str, Callable[[], Awaitable[Signs]]] = {
            "program with a wrong scope": self._wrong_scope,
            "program with a token that has ended": self._ended_token,
            "owner's page": self._owners_page,
            "page with a wrong scope": self._page_with_wrong_scope,
            "page with another page's token": self._thief,
            "page whose grant was taken back": self._forgotten,
            "page that was denied": self._denied,
        }
        return await with_a_past[caller]()

    def _plain(self, bearer: Headers) -> dict[str, Headers]:
        """Return the callers whose headers are the same for every request."""
        bare = {"Host": self._host}
        program = {**bare, **bearer}
        part = {**bare, "Sec-Fetch-Mode": "no-cors"}
        opened = {**bare, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        return {
            "program without a token": bare,
            "program": program,
            "owner on the Unix socket": {"Host": "anything"},
            "own page without a token": {**bare, "Origin": self._front.base},
            "page without a token": {**bare, "Origin": APPROVED},
            "stranger": {**bare, "Origin": "https://stranger.example"},
            "another port of localhost": {**bare, "Origin": "http://localhost:1"},
            "another port of 127.0.0.1": {**bare, "Origin": "http://127.0.0.1:1"},
            "cross-site without Origin": {**part, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
            "same-site without Origin": {**part, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script"},
            "framed": {**opened, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"},
            "same-origin without Origin": {**bare, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"},
            "person": {**opened, "Sec-Fetch-Site": "none"},
            "person behind a link": {**opened, "Sec-Fetch-Site": "cross-site"},
            "Host localhost": {**program, "Host": self._renamed("localhost")},
            "Host of a rebound name": {**program, "Host": self._renamed("rebound.example")},
            "proxy": {**program, "X-Forwarded-For": "127.0.0.1"},
        }

    def _changed(self) -> dict[str, tuple[str, Headers]]:
        """Return the callers that are the approved page but for a header left out and others replaced."""
        token = self._page.tokens["access_token"]
        return {
            "page": ("", {}),
            "page without a proof": ("DPoP", {}),
            "page with the token in a cookie": (
                "Authorization",
                {"Cookie": f"token={token}; Authorization=DPoP {token}"},
            ),
            "program with a page's token": ("Origin", {}),
            "null": ("", {"Origin": "null"}),
            "malformed": ("", {"Origin": f"{APPROVED}/"}),
            "Host localhost from a page": ("", {"Host": self._renamed("localhost")}),
        }

    async def _wrong_scope(self) -> Signs:
        tokens = {scope: await self._front.bearer(other) for scope, other in OTHER_SCOPE.items()}
        return lambda case: {"Host": self._host, **tokens[_scope(case)]}

    async def _ended_token(self) -> Signs:
        token = await self._front.bearer("amp:read")
        await self._forget("native:test")
        return lambda _: {"Host": self._host, **token}

    async def _owners_page(self) -> Signs:
        link = (await self._front.owner("POST", "/v1/activation-links")).json["link"]
        owner = Visitor(self._front, self._front.base)
        owner.tokens = (await owner.redeems(owner.activation_form(link.partition("#activate=")[2]))).json
        return lambda case: self._proved(owner, case)

    async def _page_with_wrong_scope(self) -> Signs:
        pages = {
            scope: await Visitor(self._front, f"https://page-{number}.example").pairs(other)
            for number, (scope, other) in enumerate(OTHER_SCOPE.items())
        }
        return lambda case: self._proved(pages[_scope(case)], case)

    async def _thief(self) -> Signs:
        other = await Visitor(self._front, "https://other.example").pairs(ALL)
        return lambda case: {**self._proved(self._page, case), "Origin": other.origin}

    async def _forgotten(self) -> Signs:
        former = await Visitor(self._front, "https://former.example").pairs(ALL)
        await self._forget(former.origin)
        return lambda case: self._proved(former, case)

    async def _denied(self) -> Signs:
        denied = Visitor(self._front, "https://denied.example")
        await denied.is_answered(await denied.asks(), "deny")
        return lambda _: {"Host": self._host, "Origin": denied.origin}

    async def _forget(self, client: str) -> None:
        for grant in (await self._front.owner("GET", "/v1/grants")).json["grants"]:
            if grant["client"]["id"] == client:
                assert 204 == (await self._front.owner("DELETE", f"/v1/grants/{grant['id']}")).status

    def _proved(self, page: Visitor, case: Case) -> Headers:
        return {"Host": self._host, **page.signs(case.method, case.target)}

    def _renamed(self, name: str) -> str:
        return self._host.replace("127.0.0.1", name)


def _scope(case: Case) -> str:
    return str((case.row or {}).get("scope", "amp:read"))


def _without(headers: Headers, name: str) -> Headers:
    return {found: value for found, value in headers.items() if found != name}
