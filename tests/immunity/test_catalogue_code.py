"""What no line of the product may say, read from its syntax trees: it would be one of the earlier mistakes."""

import ast
import re

from tests.immunity.product import calls, dotted, imports, nodes, trees

RUNS_TEXT = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.startfile", "pty.spawn",
    "asyncio.create_subprocess_shell", "subprocess.getoutput", "subprocess.getstatusoutput",
}  # fmt: skip
READS_CODE = ("pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle", "runpy", "code", "imp", "xmlrpc")

STARTS_PROGRAMS = {"bridge/cli/activation.py"}
"""The command line opens the owner's browser; the daemon itself starts nothing."""

TELLS_ITS_PROCESS = {
    "bridge/daemon.py",  # writes it into the runtime file
    "bridge/front/owner.py",  # shows it to the owner
    "bridge/paths.py",  # makes the name of a temporary file
    "bridge/runtime.py",  # shows the first daemon's to the second
    "bridge/cli/status.py",
    "bridge/cli/answers.py",
    "bridge/apps/player/mpris/watch.py",  # two names of one player; nobody is allowed anything by it
}
"""Where a process id is read at all."""

OF_A_PROCESS = re.compile(r"(^|/)(comm|cmdline|exe|loginuid|sessionid)$")

SENDS_REQUESTS = (
    "urllib.request", "http.client", "requests", "httpx", "httpx2", "aiohttp.ClientSession", "aiohttp.client",
    "authlib.integrations", "ftplib", "smtplib", "telnetlib", "xmlrpc", "websockets",
)  # fmt: skip


def test_no_text_is_ever_run_as_code_or_by_a_shell() -> None:
    found = [f"{path}:{call.lineno}: {name}" for path, name, call in calls() if name in RUNS_TEXT]
    shells = [
        f"{path}:{call.lineno}: shell="
        for path, _, call in calls()
        for word in call.keywords
        if word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
    ]

    assert [] == found + shells


def test_nothing_that_was_received_is_read_as_code() -> None:
    assert [] == [(path, name) for path, name in imports() if name.split(".")[0] in READS_CODE]


def test_the_daemon_starts_no_program() -> None:
    starters = (
        "subprocess",
        "os.exec",
        "os.spawn",
        "os.posix_spawn",
        "os.fork",
        "multiprocessing",
        "pty",
        "webbrowser",
    )
    imported = {path for path, name in imports() if name.startswith(starters)}
    called = {path for path, name, _ in calls() if name.startswith(starters) or "create_subprocess" in name}

    assert imported | called <= STARTS_PROGRAMS


def test_a_program_is_started_by_a_list_of_arguments() -> None:
    for path, name, call in calls(*STARTS_PROGRAMS):
        if name.startswith("subprocess."):
            assert not isinstance(call.args[0], ast.Constant | ast.JoinedStr | ast.BinOp), f"{path}:{call.lineno}"


def test_the_daemon_asks_no_other_server() -> None:
    outside = {
        path
        for path, name in imports("bridge/front", "bridge/events", "bridge/consent", "oauth")
        if name.startswith(SENDS_REQUESTS)
    }
    everywhere = {path for path, name in imports("bridge", "oauth") if name.startswith(SENDS_REQUESTS)}

    assert outside == set()
    assert everywhere <= {"bridge/cli/client.py", "bridge/cli/watch.py"}, "over the Unix socket, to the daemon"


def test_no_decision_reads_a_process_id_or_a_programs_name() -> None:
    names = ("getpid", "getppid", "pid", "ppid", "comm", "cmdline", "exe")
    found = {
        path
        for path, node in nodes()
        if (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and OF_A_PROCESS.search(node.value))
    }

    assert found <= TELLS_ITS_PROCESS
    assert [] == [
        path for path in found if path in ("bridge/front/policy.py", "bridge/front/guard.py", "bridge/front/peer.py")
    ]


def test_no_check_can_be_turned_off_by_an_argument() -> None:
    words = ("verify", "check", "insecure", "skip", "secure", "trust", "strict", "enforce", "allow_any")
    found = [
        f"{path}:{node.lineno}: {argument.arg}"
        for path, node in nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument, default in _defaults(node)
        if isinstance(default, ast.Constant) and isinstance(default.value, bool) and argument.arg.startswith(words)
    ]

    assert [] == found


def test_the_front_never_asks_the_framework_for_the_host_or_the_address() -> None:
    framework = {"request.host", "request.url", "request.scheme", "request.secure", "request.remote", "request.cookies"}
    found = [
        f"{path}:{node.lineno}: {dotted(node)}"
        for path, node in nodes("bridge/front", "oauth/server")
        if isinstance(node, ast.Attribute) and dotted(node) in framework
    ]

    assert [] == found


def test_no_answer_sets_a_cookie_redirects_or_serves_a_folder() -> None:
    banned = ("set_cookie", "HTTPFound", "HTTPSeeOther", "HTTPMovedPermanently", "HTTPTemporaryRedirect",
              "HTTPPermanentRedirect", "add_static", "FileResponse", "static")  # fmt: skip
    found = [
        f"{path}:{call.lineno}: {name}"
        for path, name, call in calls("bridge/front", "oauth/server")
        if name.rpartition(".")[2] in banned
    ]

    assert [] == found


def test_there_is_something_to_read() -> None:
    assert {"bridge/front/policy.py", "oauth/dpop.py", "bridge/daemon.py"} <= set(trees())


def _defaults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[ast.arg, ast.expr | None]]:
    positional = [*node.args.posonlyargs, *node.args.args]
    padded = [None] * (len(positional) - len(node.args.defaults)) + list(node.args.defaults)
    return [*zip(positional, padded, strict=True), *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
