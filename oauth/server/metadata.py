"""What the daemon says about itself: RFC 8414, RFC 8628 4 and RFC 9728, and only what is really there.

``scopes_supported`` is left out (it is optional): it would tell every page which programs are installed here.
"""

from oauth.dpop import ALGORITHM
from oauth.pkce import METHOD

AUTHORIZE_PATH = "/oauth/authorize"
TOKEN_PATH = "/oauth/token"  # noqa: S105  # a path
DEVICE_AUTHORIZATION_PATH = "/oauth/device_authorization"
VERIFICATION_PATH = "/oauth/device"
REVOCATION_PATH = "/oauth/revoke"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  # RFC 8693 2.1
GRANT_TYPES = ("authorization_code", "refresh_token", DEVICE_CODE, TOKEN_EXCHANGE)

Metadata = dict[str, str | bool | list[str]]


def authorization_server(base: str) -> Metadata:
    """Return the RFC 8414 document of the issuer ``base``."""
    return {
        "issuer": base,
        "authorization_endpoint": base + AUTHORIZE_PATH,
        "token_endpoint": base + TOKEN_PATH,
        "device_authorization_endpoint": base + DEVICE_AUTHORIZATION_PATH,
        "revocation_endpoint": base + REVOCATION_PATH,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": [METHOD],
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": [ALGORITHM],
        "protected_resources": [base],
    }


def protected_resource(base: str) -> Metadata:
    """Return the RFC 9728 document; Bearer is for native clients, so proofs are not required of everybody."""
    return {
        "resource": base,
        "authorization_servers": [base],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": [ALGORITHM],
        "dpop_bound_access_tokens_required": False,
    }
