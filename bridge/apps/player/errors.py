"""What can go wrong with a player, with stable codes.

ClientError
├── UriRefused        400  uri_refused
├── PlayerNotFound    404  player_not_found
├── NoPlayer          409  no_player
├── NotSupported      409  not_supported
└── NothingToPlay     409  nothing_to_play
AppFailed
├── PlayerGone        502  player_gone
└── PlayerFailed      502  player_failed
BridgeFault
└── PlayerTimeout     504  player_timeout
"""

from bridge.errors import AppFailed, BridgeFault, ClientError


class UriRefused(ClientError):
    """``open`` takes http, https and files below the music folders; whether a refused file exists is not said."""

    code = "uri_refused"
    title = "This URI is not opened"


class PlayerNotFound(ClientError):
    """No player has this id now: take one from the state, or leave ``player`` out."""

    code = "player_not_found"
    status = 404
    title = "No such player"


class NoPlayer(ClientError):
    """No player runs that could do it, and the built-in one is not installed or cannot do it."""

    code = "no_player"
    status = 409
    title = "No player is running"


class NotSupported(ClientError):
    """This player, in its present state, has no such ability; its capabilities stand in the state."""

    code = "not_supported"
    status = 409
    title = "The player cannot do this"


class NothingToPlay(ClientError):
    """The music folders hold no file that the built-in player can play."""

    code = "nothing_to_play"
    status = 409
    title = "There is nothing to play"


class PlayerGone(AppFailed):
    """The player ended during the command, or the desktop's message bus did."""

    code = "player_gone"
    title = "The player is gone"


class PlayerFailed(AppFailed):
    """The player answered with an error; the detail has its words."""

    code = "player_failed"
    title = "The player failed"


class PlayerTimeout(BridgeFault):
    """The player did not answer within its deadline; whether the command took effect is not known."""

    code = "player_timeout"
    status = 504
    title = "The player does not answer"
