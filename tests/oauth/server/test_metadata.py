from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from oauth.server.server import AuthorizationServer
from tests.oauth.desk import BASE, SCOPES


def test_the_metadata_is_valid_apart_from_https(server: AuthorizationServer) -> None:
    document = server.metadata()
    # RFC 8414 wants https; a daemon on loopback has none, so the library is shown the same URLs with it.
    https = {
        name: value.replace("http://", "https://") if isinstance(value, str) else value
        for name, value in document.items()
    }

    AuthorizationServerMetadata(https).validate()

    assert document["issuer"] == BASE


def test_only_what_exists_is_announced(server: AuthorizationServer) -> None:
    assert server.metadata() == {
        "issuer": BASE,
        "authorization_endpoint": f"{BASE}/oauth/authorize",
        "token_endpoint": f"{BASE}/oauth/token",
        "device_authorization_endpoint": f"{BASE}/oauth/device_authorization",
        "revocation_endpoint": f"{BASE}/oauth/revoke",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": ["ES256"],
        "protected_resources": [BASE],
    }


def test_the_resource_names_itself_and_its_server(server: AuthorizationServer) -> None:
    document = server.protected_resource()

    assert (document["resource"], document["authorization_servers"]) == (BASE, [BASE])
    assert all(value != [] for value in document.values()), "RFC 9728 3.2 allows no empty arrays"


def test_no_document_tells_a_stranger_which_apps_are_here(server: AuthorizationServer) -> None:
    text = f"{server.metadata()}{server.protected_resource()}"

    assert not any(scope in text for scope in SCOPES)
